;; Offers the same two megabytes 63 times in one alternation, which then skips, without end.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"guards_overlap\"}")
(func (export "run")
  (param $arguments i32) (param $size i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (local $n i32) (local $guard i32)
  (drop (memory.grow (i32.const 31)))
  (call $open (i32.const 0) (i32.const 0) (i32.const 0x20))
  (local.set $guard (i32.const 0x1000))
  (loop $again
    (i32.store8 (local.get $guard) (i32.const 1))
    (i32.store offset=8 (local.get $guard) (i32.load (i32.const 0x24)))
    (i32.store offset=12 (local.get $guard) (i32.const 0))
    (i32.store offset=16 (local.get $guard) (i32.const 0x200000))
    (local.set $guard (i32.add (local.get $guard) (i32.const 24)))
    (local.set $n (i32.add (local.get $n) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $n) (i32.const 63))))
  (i32.store8 (local.get $guard) (i32.const 3))
  (loop $spin
    (call $select (i32.const 0x1000) (i32.const 64) (i32.const 0) (i32.const 0x40))
    (br $spin))
  unreachable)
