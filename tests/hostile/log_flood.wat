;; Logs without end, each line as long as a page.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"log_flood\"}")

(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (memory.fill (i32.const 0) (i32.const 97) (i32.const 0x10000))
  (loop $again
    (call $log (i32.const 4) (i32.const 0) (i32.const 0x10000))
    (br $again))
  unreachable)
