;; Has a memory with addresses of 64 bits.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"memory64\"}")
(memory $m64 (export "m64") i64 1)
(func (export "run") (param i32 i32 i32 i32 i32 i32) (result i32)
  (i32.store (i32.const 0) (i32.const 0)) (i32.const 0))
