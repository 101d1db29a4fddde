;; A thousand times: opens a channel, and sends it its own receiver and a clone of its own sender.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"sends_itself\"}")

(func $once
  (local $sender i32) (local $receiver i32)
  (call $open (i32.const 1) (i32.const 0) (i32.const 0))
  (if (i32.load8_u (i32.const 0)) (then unreachable))
  (local.set $sender (i32.load (i32.const 4)))
  (i32.store8 (i32.const 0x20) (i32.const 1))
  (i32.store (i32.const 0x24) (i32.load (i32.const 8)))
  (i32.store8 (i32.const 0x28) (i32.const 0))
  (i32.store (i32.const 0x2c) (call $clone_sender (local.get $sender)))
  (call $send_ends (local.get $sender) (i32.const 0x1000) (i32.const 1000)
    (i32.const 0x20) (i32.const 2) (i32.const 0) (i64.const 0) (i32.const 0))
  (if (i32.load8_u (i32.const 0)) (then unreachable))
  (call $drop_sender (local.get $sender)))
(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (local $n i32)
  (loop $again
    (call $once)
    (local.set $n (i32.add (local.get $n) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $n) (i32.const 1000))))
  (i32.store (i32.const 0) (i32.const 0))
  (i32.const 0))
