;; Passes records on, which it does not look into.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"relays_rows\",\"ports\":["
  "{\"name\":\"rows\",\"direction\":\"input\",\"type\":\"record { id: u32, name: string, share: option<f64> }\"},"
  "{\"name\":\"same\",\"direction\":\"output\",\"type\":\"record { id: u32, name: string, share: option<f64> }\"}]}")

(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (loop $again
    (call $receive (i32.load offset=8 (local.get $inputs)) (i32.const 0x20))
    (if (i32.eqz (i32.load8_u (i32.const 0x20)))
      (then
        (call $send (i32.load offset=8 (local.get $outputs)) (i32.load (i32.const 0x24))
          (i32.load (i32.const 0x28)) (i32.const 0x30))
        (br $again))))
  (i32.const 0x40))
