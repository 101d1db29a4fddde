;; Computes without end.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"spins\"}")
(func (export "run")
  (param $arguments i32) (param $size i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (loop $again (br $again))
  unreachable)
