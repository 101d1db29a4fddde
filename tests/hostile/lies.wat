;; Says that it sends numbers, and passes on whatever bytes it receives.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"lies\",\"ports\":["
  "{\"name\":\"in\",\"direction\":\"input\",\"type\":\"list<u8>\"},"
  "{\"name\":\"numbers\",\"direction\":\"output\",\"type\":\"u64\"}]}")

(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (loop $again
    (call $receive (i32.load offset=8 (local.get $inputs)) (i32.const 0))
    (if (i32.eqz (i32.load8_u (i32.const 0)))
      (then
        (call $send (i32.load offset=8 (local.get $outputs))
          (i32.load (i32.const 4)) (i32.load (i32.const 8)) (i32.const 0x20))
        (br $again))))
  (i32.store (i32.const 0) (i32.const 0))
  (i32.const 0))
