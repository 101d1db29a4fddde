;; Sends one batch of four million empty messages, as long as a call may be, to a channel that keeps
;; one and drops the oldest. Tells before and after.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"batch_dropped\",\"ports\":["
  "{\"name\":\"told\",\"direction\":\"output\",\"type\":\"list<u8>\"}]}")

(func $tell (param $told i32)
  (call $send (local.get $told) (i32.const 0) (i32.const 1) (i32.const 0x20))
  (if (i32.load8_u (i32.const 0x20)) (then unreachable)))
(func (export "run")
  (param $arguments i32) (param $size i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (drop (memory.grow (i32.const 260)))
  (call $open (i32.const 1) (i32.const 1) (i32.const 0x30))
  (call $tell (i32.load offset=8 (local.get $outputs)))
  (call $send_batch (i32.load (i32.const 0x34)) (i32.const 0x20000) (i32.const 16000000)
    (i32.const 0) (i64.const 0) (i32.const 0x40))
  (if (i32.ne (i32.load (i32.const 0x40)) (i32.const 4000000)) (then unreachable))
  (call $tell (i32.load offset=8 (local.get $outputs)))
  (i32.store (i32.const 0) (i32.const 0))
  (i32.const 0))
