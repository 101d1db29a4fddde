;; Has five tables.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"five_tables\"}")
(table 1 funcref) (table 1 funcref) (table 1 funcref) (table 1 funcref) (table 1 funcref)
(func (export "run") (param i32 i32 i32 i32 i32 i32) (result i32)
  (i32.store (i32.const 0) (i32.const 0)) (i32.const 0))
