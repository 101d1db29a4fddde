;; Spawns itself with an argument of millions of lists in each other, without end.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"argument_of_lists\"}")
(data (i32.const 0x100) "self")
(func (export "run")
  (param $arguments i32) (param $size i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (drop (memory.grow (i32.const 240)))
  (memory.fill (i32.const 0x20000) (i32.const 0x9f) (i32.const 15000000))
  ;; A map of one name.
  (i32.store (i32.const 0x20000) (i32.const 0x9f6161a1))
  (loop $again
    (call $spawn (i32.const 0x100) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 0)
      (i32.const 0x20000) (i32.const 15000000) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
    (global.set $heap (i32.const 0x10000))
    (br $again))
  unreachable)
