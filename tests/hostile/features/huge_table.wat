;; Has a table of four billion elements.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"huge_table\"}")
(table 4294967295 funcref)
(func (export "run") (param i32 i32 i32 i32 i32 i32) (result i32)
  (i32.store (i32.const 0) (i32.const 0)) (i32.const 0))
