;; Has twenty children one after the other, each of which fails with a text of 60 MiB.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"failparent\"}")
(data (i32.const 0x100) "failtext")
(func (export "run") (param i32 i32 i32 i32 i32 i32) (result i32) (local $n i32) (local $c i32)
  (loop $again
    (call $spawn (i32.const 0x100) (i32.const 8) (i32.const 0) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
    (if (i32.eqz (i32.load8_u (i32.const 0))) (then
      (call $wait (i32.load (i32.const 4)) (i32.const 0) (i64.const 0) (i32.const 0x200))
      (call $drop_child (i32.load (i32.const 4)))
      (global.set $heap (i32.const 0x10000))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $n) (i32.const 20))))
      (else unreachable)))
  (i32.store (i32.const 0) (i32.const 0)) (i32.const 0))
