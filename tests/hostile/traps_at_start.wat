;; Traps before it is called.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"traps_at_start\"}")

(func $trap unreachable)
(start $trap)
(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (i32.store (i32.const 0) (i32.const 0))
  (i32.const 0))
