;; Waits for itself 150 times.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"deadlocks\"}")
(func (export "run") (param i32 i32 i32 i32 i32 i32) (result i32) (local $n i32)
  (loop $again
    (call $open (i32.const 0) (i32.const 0) (i32.const 0))
    (call $receive (i32.load (i32.const 8)) (i32.const 0x40))
    (call $drop_sender (i32.load (i32.const 4)))
    (call $drop_receiver (i32.load (i32.const 8)))
    (local.set $n (i32.add (local.get $n) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $n) (i32.const 150))))
  (i32.store (i32.const 0) (i32.const 0))
  (i32.const 0))
