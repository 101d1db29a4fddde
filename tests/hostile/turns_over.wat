;; Has others write all over a place for instances, and others look there, in turn.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"turns_over\"}")
(data (i32.const 0x100) "leaves_traces") (data (i32.const 0x200) "looks_for_traces")
;; Spawns it and waits for it; traps unless it finishes.
(func $runs (param $name i32) (param $size i32)
  (call $spawn (local.get $name) (local.get $size) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
  (if (i32.load8_u (i32.const 0)) (then unreachable))
  (call $wait (i32.load (i32.const 4)) (i32.const 0) (i64.const 0) (i32.const 0x20))
  (if (i32.load8_u (i32.const 0x24)) (then unreachable))
  (call $drop_child (i32.load (i32.const 4))))
(func (export "run")
  (param $arguments i32) (param $size i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (local $n i32)
  (loop $again
    (call $runs (i32.const 0x100) (i32.const 13))
    (call $runs (i32.const 0x200) (i32.const 16))
    (local.set $n (i32.add (local.get $n) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $n) (i32.const 10))))
  (i32.store (i32.const 0) (i32.const 0))
  (i32.const 0))
