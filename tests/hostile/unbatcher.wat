;; Receives packed batches, and passes each on as one message.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"unbatcher\",\"ports\":["
  "{\"name\":\"in\",\"direction\":\"input\",\"type\":\"list<u8>\"},"
  "{\"name\":\"packed\",\"direction\":\"output\",\"type\":\"list<u8>\"}]}")

(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (loop $again
    (call $receive_batch (i32.load offset=8 (local.get $inputs)) (i32.const 1024)
      (i32.const 0) (i64.const 0) (i32.const 0))
    (if (i32.eqz (i32.load8_u (i32.const 0)))
      (then
        (call $send (i32.load offset=8 (local.get $outputs))
          (i32.load (i32.const 4)) (i32.load (i32.const 8)) (i32.const 0))
        (br $again))))
  (i32.store (i32.const 0) (i32.const 0))
  (i32.const 0))
