;; A thousand times: opens two channels, and sends each the receiver of the other. Tells when it has
;; done so, and waits for an answer.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"sends_cycle\",\"ports\":["
  "{\"name\":\"go_on\",\"direction\":\"input\",\"type\":\"list<u8>\"},"
  "{\"name\":\"told\",\"direction\":\"output\",\"type\":\"list<u8>\"}]}")

(func $carry (param $sender i32) (param $receiver i32)
  (i32.store8 (i32.const 0x20) (i32.const 1))
  (i32.store (i32.const 0x24) (local.get $receiver))
  (call $send_ends (local.get $sender) (i32.const 0x1000) (i32.const 1000)
    (i32.const 0x20) (i32.const 1) (i32.const 0) (i64.const 0) (i32.const 0))
  (if (i32.load8_u (i32.const 0)) (then unreachable))
  (call $drop_sender (local.get $sender)))
(func $once
  (local $sender i32) (local $receiver i32) (local $other i32)
  (call $open (i32.const 1) (i32.const 0) (i32.const 0))
  (if (i32.load8_u (i32.const 0)) (then unreachable))
  (local.set $sender (i32.load (i32.const 4)))
  (local.set $receiver (i32.load (i32.const 8)))
  (call $open (i32.const 1) (i32.const 0) (i32.const 0))
  (if (i32.load8_u (i32.const 0)) (then unreachable))
  (local.set $other (i32.load (i32.const 4)))
  (call $carry (local.get $sender) (i32.load (i32.const 8)))
  (call $carry (local.get $other) (local.get $receiver)))
(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (local $n i32)
  (loop $again
    (call $once)
    (local.set $n (i32.add (local.get $n) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $n) (i32.const 1000))))
  (call $send (i32.load offset=8 (local.get $outputs)) (i32.const 0) (i32.const 1) (i32.const 0x20))
  (call $receive (i32.load offset=8 (local.get $inputs)) (i32.const 0x20))
  (i32.store (i32.const 0) (i32.const 0))
  (i32.const 0))
