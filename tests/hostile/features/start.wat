;; Has a function that runs before it is called.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"start\"}")
(func $s) (start $s)
(func (export "run") (param i32 i32 i32 i32 i32 i32) (result i32)
  (i32.store (i32.const 0) (i32.const 0)) (i32.const 0))
