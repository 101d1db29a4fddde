;; Opens one channel after the other, as large as they may be, sends a few mebibytes into each, and
;; never reads them.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"buffer_bomb\"}")

(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (local $n i32)
  (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable))
  (loop $again
    (call $open (i32.const 0x100000) (i32.const 0) (i32.const 0))
    (if (i32.load8_u (i32.const 0)) (then unreachable))
    (local.set $n (i32.const 4))
    (loop $fill
      (call $send (i32.load (i32.const 4)) (i32.const 0x10000) (i32.const 0x100000)
        (i32.const 0x20))
      (if (i32.load8_u (i32.const 0x20)) (then unreachable))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $fill (local.get $n)))
    (br $again))
  unreachable)
