;; Has two memories more.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"two_memories\"}")
(memory $a 1) (memory $b 1)
(func (export "run") (param i32 i32 i32 i32 i32 i32) (result i32)
  (i32.store (i32.const 0) (i32.const 0)) (i32.const 0))
