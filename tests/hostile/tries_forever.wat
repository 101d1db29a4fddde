;; Tries to receive from a channel that nobody sends to, without end.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"tries_forever\"}")
(func (export "run")
  (param $arguments i32) (param $size i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (call $open (i32.const 1) (i32.const 0) (i32.const 0x20))
  (loop $again
    (call $try_receive (i32.load (i32.const 0x28)) (i32.const 0x40))
    (br $again))
  unreachable)
