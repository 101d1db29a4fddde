;; Logs four letters in UTF-16, one of them not ASCII.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"utf16\"}")

(data (i32.const 0x100) "h\00i\00\e9\00!\00")
(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (call $log (i32.const 2) (i32.const 0x100) (i32.const 4))
  (i32.store (i32.const 0) (i32.const 0))
  (i32.const 0))
