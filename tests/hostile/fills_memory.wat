;; Fills 60 MB of its memory, in one instruction, without end.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"fills_memory\"}")
(func (export "run")
  (param $arguments i32) (param $size i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (drop (memory.grow (i32.const 930)))
  (loop $again
    (memory.fill (i32.const 0x10000) (i32.const 1) (i32.const 60000000))
    (br $again))
  unreachable)
