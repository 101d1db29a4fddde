;; Spawns 2,000 processes that trap at once, and finishes.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"breeds\"}")

(data (i32.const 0x100) "traps")
(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (local $left i32)
  (local.set $left (i32.const 2000))
  (loop $again
    (call $spawn (i32.const 0x100) (i32.const 5) (i32.const 0) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
      (i32.const 0))
    (if (i32.eqz (i32.load8_u (i32.const 0)))
      (then
        (call $drop_child (i32.load (i32.const 4)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1))))
      (else (call $yield_now)))
    (global.set $heap (i32.const 0x10000))
    (br_if $again (local.get $left)))
  ;; The result at this address is a zero: it has finished.
  (i32.const 0x40))
