;; Copies 30 MB of its memory, in one instruction, without end.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"copies_memory\"}")
(func (export "run")
  (param $arguments i32) (param $size i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (drop (memory.grow (i32.const 930)))
  (loop $again
    (memory.copy (i32.const 0x10000) (i32.const 0x1cac380) (i32.const 30000000))
    (br $again))
  unreachable)
