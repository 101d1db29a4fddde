;; Offers the same 2 MiB to itself 63 times, in one alternation at a rendezvous.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"selectpark\"}")
(func (export "run") (param i32 i32 i32 i32 i32 i32) (result i32) (local $n i32) (local $g i32)
  (drop (memory.grow (i32.const 31)))
  (call $open (i32.const 0) (i32.const 0) (i32.const 0x20))
  (loop $again
    (local.set $g (i32.add (i32.const 0x1000) (i32.mul (local.get $n) (i32.const 24))))
    (i32.store8 (local.get $g) (i32.const 1))
    (i32.store offset=8 (local.get $g) (i32.load (i32.const 0x24)))
    (i32.store offset=12 (local.get $g) (i32.const 0))
    (i32.store offset=16 (local.get $g) (i32.const 0x200000))
    (local.set $n (i32.add (local.get $n) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $n) (i32.const 63))))
  ;; and a time, so that it is no deadlock: 1 s from now
  (local.set $g (i32.add (i32.const 0x1000) (i32.mul (local.get $n) (i32.const 24))))
  (i32.store8 (local.get $g) (i32.const 2))
  (i64.store offset=8 (local.get $g) (i64.add (call $now) (i64.const 1000000000)))
  (call $select (i32.const 0x1000) (i32.const 64) (i32.const 0) (i32.const 0x40))
  (if (i32.load8_u (i32.const 0x40)) (then unreachable))
  (if (i32.ne (i32.load (i32.const 0x44)) (i32.const 63)) (then unreachable))
  (i32.store (i32.const 0) (i32.const 0)) (i32.const 0))
