;; Throws an exception.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"exceptions\"}")
(tag $e)
(func $th (throw $e))
(func (export "run") (param i32 i32 i32 i32 i32 i32) (result i32)
  (i32.store (i32.const 0) (i32.const 0)) (i32.const 0))
