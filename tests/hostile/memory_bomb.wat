;; Takes memory, a mebibyte at a time, and writes to all of it.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"memory_bomb\"}")

(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (local $at i32)
  (loop $again
    (local.set $at (memory.grow (i32.const 16)))
    (if (i32.eq (local.get $at) (i32.const -1)) (then unreachable))
    (memory.fill (i32.shl (local.get $at) (i32.const 16)) (i32.const 1) (i32.const 0x100000))
    (br $again))
  unreachable)
