;; Spawns itself for ever; so do its children. It lets go of them at once, and after a refusal it
;; tries again.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"fork_bomb\"}")

(data (i32.const 0x100) "bomb")
(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (loop $again
    (call $spawn (i32.const 0x100) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
      (i32.const 0))
    (if (i32.eqz (i32.load8_u (i32.const 0)))
      (then (call $drop_child (i32.load (i32.const 4))))
      (else (call $yield_now)))
    (global.set $heap (i32.const 0x10000))
    (br $again))
  unreachable)
