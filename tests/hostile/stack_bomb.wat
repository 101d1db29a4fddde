;; Calls itself for ever.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"stack_bomb\"}")

(func $deeper (param $n i64) (result i64)
  (i64.add (i64.const 1) (call $deeper (i64.add (local.get $n) (i64.const 1)))))
(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (i32.wrap_i64 (call $deeper (i64.const 0))))
