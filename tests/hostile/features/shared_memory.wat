;; Has a memory that threads could share.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"shared_memory\"}")
(memory $sh (export "sh") 1 2 shared)
(func (export "run") (param i32 i32 i32 i32 i32 i32) (result i32)
  (i32.store (i32.const 0) (i32.const 0)) (i32.const 0))
