;; Computes for some milliseconds over each message: whoever sends to it has to wait.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"labours\",\"ports\":["
  "{\"name\":\"numbers\",\"direction\":\"input\",\"type\":\"u64\"}]}")

(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (local $turns i32)
  (loop $again
    (call $receive (i32.load offset=8 (local.get $inputs)) (i32.const 0x20))
    (local.set $turns (i32.const 20000000))
    (loop $labour
      (local.set $turns (i32.sub (local.get $turns) (i32.const 1)))
      (br_if $labour (local.get $turns)))
    (br_if $again (i32.eqz (i32.load8_u (i32.const 0x20)))))
  (i32.const 0x40))
