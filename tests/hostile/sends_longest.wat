;; Sends itself the longest message that it may, without end.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"sends_longest\"}")
(memory (export "memory") 600)
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0x1100000))
(func (export "run")
  (param $arguments i32) (param $size i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (call $open (i32.const 1) (i32.const 0) (i32.const 0x20))
  (loop $again
    (call $send (i32.load (i32.const 0x24)) (i32.const 0x1000) (i32.const 0x1000000) (i32.const 0x40))
    (call $receive (i32.load (i32.const 0x28)) (i32.const 0x40))
    (br $again))
  unreachable)
