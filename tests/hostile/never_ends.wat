;; Waits for ever, which no deadlock detection sees: it sleeps.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"never_ends\"}")

(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (loop $again
    (call $sleep_until (i64.const -1))
    (br $again))
  unreachable)
