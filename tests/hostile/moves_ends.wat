;; Opens as many channels as it may, then sends an end to itself without end, so that it is looked at
;; again and again for ends that nobody can get at.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"moves_ends\"}")
(func (export "run")
  (param $arguments i32) (param $size i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (local $n i32)
  (loop $again
    (call $open (i32.const 1) (i32.const 0) (i32.const 0))
    (if (i32.eqz (i32.load8_u (i32.const 0)))
      (then
        (i32.store (i32.const 0x100) (i32.load (i32.const 4)))
        (i32.store (i32.const 0x104) (i32.load (i32.const 8)))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $n) (i32.const 65000))))))
  (call $open (i32.const 1) (i32.const 0) (i32.const 0))
  (i32.store (i32.const 0x108) (i32.load (i32.const 4)))
  (loop $spin
    (global.set $heap (i32.const 0x10000))
    (i32.store8 (i32.const 0x40) (i32.const 0))
    (i32.store (i32.const 0x44) (i32.load (i32.const 0x108)))
    (call $send_ends (i32.load (i32.const 0x100)) (i32.const 0) (i32.const 1)
      (i32.const 0x40) (i32.const 1) (i32.const 0) (i64.const 0) (i32.const 0x80))
    (if (i32.load8_u (i32.const 0x80)) (then unreachable))
    (call $receive_ends (i32.load (i32.const 0x104)) (i32.const 0) (i64.const 0) (i32.const 0x80))
    (if (i32.load8_u (i32.const 0x80)) (then unreachable))
    (i32.store (i32.const 0x108) (i32.load offset=4 (i32.load (i32.const 0x8c))))
    (br $spin))
  unreachable)
