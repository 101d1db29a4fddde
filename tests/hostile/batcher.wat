;; Sends whatever it is given as a packed batch, and tells what the host said.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"batcher\",\"ports\":["
  "{\"name\":\"packed\",\"direction\":\"input\",\"type\":\"list<u8>\"},"
  "{\"name\":\"out\",\"direction\":\"output\",\"type\":\"list<u8>\"},"
  "{\"name\":\"told\",\"direction\":\"output\",\"type\":\"list<u8>\"}]}")

;; Each message is one batch. For each it tells six bytes: how many messages were sent, whether
;; something was wrong, and what.
(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (local $packed i32) (local $out i32) (local $told i32)
  (local.set $packed (i32.load offset=8 (local.get $inputs)))
  ;; Ports come in the order of their names.
  (local.set $out (i32.load offset=8 (local.get $outputs)))
  (local.set $told (i32.load offset=20 (local.get $outputs)))
  (loop $again
    (call $receive (local.get $packed) (i32.const 0))
    (if (i32.eqz (i32.load8_u (i32.const 0)))
      (then
        (call $send_batch (local.get $out) (i32.load (i32.const 4)) (i32.load (i32.const 8))
          (i32.const 0) (i64.const 0) (i32.const 0x20))
        (call $send (local.get $told) (i32.const 0x20) (i32.const 6) (i32.const 0))
        (br $again))))
  (i32.store (i32.const 0) (i32.const 0))
  (i32.const 0))
