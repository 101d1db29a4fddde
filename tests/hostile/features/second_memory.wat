;; Has a second memory, of 4 GiB.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"second_memory\"}")
(memory $q 65536)
(func (export "run") (param i32 i32 i32 i32 i32 i32) (result i32)
  (i32.store (i32.const 0) (i32.const 0)) (i32.const 0))
