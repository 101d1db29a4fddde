;; Waits in an alternation of as many guards as one may have, for a microsecond, without end.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"guards_many\"}")
(func (export "run")
  (param $arguments i32) (param $size i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (local $n i32) (local $guard i32)
  (drop (memory.grow (i32.const 2)))
  (local.set $guard (i32.const 0x1000))
  (loop $again
    (call $open (i32.const 1) (i32.const 0) (i32.const 0x20))
    (i32.store8 (local.get $guard) (i32.const 0))
    (i32.store offset=8 (local.get $guard) (i32.load (i32.const 0x28)))
    (local.set $guard (i32.add (local.get $guard) (i32.const 24)))
    (local.set $n (i32.add (local.get $n) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $n) (i32.const 4095))))
  (i32.store8 (local.get $guard) (i32.const 2))
  (loop $spin
    (i64.store offset=8 (local.get $guard) (i64.add (call $now) (i64.const 1000)))
    (call $select (i32.const 0x1000) (i32.const 4096) (i32.const 0) (i32.const 0x40))
    (br $spin))
  unreachable)
