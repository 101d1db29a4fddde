;; Has a table of 30,000 elements.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"large_table\"}")
(table 30000 funcref)
(func (export "run") (param i32 i32 i32 i32 i32 i32) (result i32)
  (i32.store (i32.const 0) (i32.const 0)) (i32.const 0))
