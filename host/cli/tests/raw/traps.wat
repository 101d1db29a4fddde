;; Traps at once.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"traps\"}")

(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  unreachable)
