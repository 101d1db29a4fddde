;; Opens channels, and keeps them, for as long as it gets any.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"channels\"}")
(func (export "run") (param i32 i32 i32 i32 i32 i32) (result i32)
  (loop $again
    (call $open (i32.const 0) (i32.const 0) (i32.const 0))
    (br_if $again (i32.eqz (i32.load8_u (i32.const 0)))))
  (i32.store (i32.const 0) (i32.const 0)) (i32.const 0))
