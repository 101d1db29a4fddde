;; Looks all over its memory and its table for what others have left there, and traps if there is anything.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"looks_for_traces\"}")
(table $elements 1 10000 funcref)
(func (export "run")
  (param $arguments i32) (param $size i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (local $at i32)
  (drop (memory.grow (i32.const 900)))
  (drop (table.grow $elements (ref.null func) (i32.const 7000)))
  (loop $again
    (if (i32.eqz (ref.is_null (table.get $elements (local.get $at)))) (then unreachable))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $at) (i32.const 7000))))
  ;; What the host has passed in lies in the second page.
  (local.set $at (i32.const 0x20000))
  (loop $again
    (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then unreachable))
    (local.set $at (i32.add (local.get $at) (i32.const 8)))
    (br_if $again (i32.lt_u (local.get $at) (i32.const 59000000))))
  (i32.store (i32.const 0) (i32.const 0))
  (i32.const 0))
