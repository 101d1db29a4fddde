;; Writes all over its memory and its table.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"leaves_traces\"}")
(table $elements 1 10000 funcref)
(elem declare func $realloc)
(func (export "run")
  (param $arguments i32) (param $size i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (drop (memory.grow (i32.const 900)))
  (memory.fill (i32.const 0) (i32.const 0x5a) (i32.const 59000000))
  (drop (table.grow $elements (ref.func $realloc) (i32.const 7000)))
  (i32.store (i32.const 0) (i32.const 0))
  (i32.const 0))
