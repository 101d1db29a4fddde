;; Sends batches of millions of empty messages to a channel that drops them, without end.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"batches_dropped\"}")
(func (export "run")
  (param $arguments i32) (param $size i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (drop (memory.grow (i32.const 260)))
  (call $open (i32.const 1) (i32.const 1) (i32.const 0x30))
  (loop $again
    (call $send_batch (i32.load (i32.const 0x34)) (i32.const 0x20000) (i32.const 16000000)
      (i32.const 0) (i64.const 0) (i32.const 0x40))
    (br $again))
  unreachable)
