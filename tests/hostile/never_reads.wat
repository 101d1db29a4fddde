;; Says that it is there, and then never reads its input: it waits for something else.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"never_reads\",\"ports\":["
  "{\"name\":\"in\",\"direction\":\"input\",\"type\":\"list<u8>\"},"
  "{\"name\":\"told\",\"direction\":\"output\",\"type\":\"list<u8>\"}]}")

(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (call $send (i32.load offset=8 (local.get $outputs)) (i32.const 0) (i32.const 1)
    (i32.const 0x20))
  (loop $again
    (call $send_by (i32.load offset=8 (local.get $outputs)) (i32.const 0) (i32.const 1)
      (i64.const -1) (i32.const 0x20))
    (br $again))
  unreachable)
