;; Spawns itself with ten million arguments, none of which it has; then with as many as a call may
;; give.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"arguments_of_names\"}")

(data (i32.const 0x100) "self")
(func $spawn_with (param $bytes i32)
  (call $spawn (i32.const 0x100) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 0)
    (i32.const 0x20000) (local.get $bytes) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
    (i32.const 0x40)))
(func $name_byte (param $at i32) (param $bits i32)
  (i32.store8 (local.get $at)
    (i32.add (i32.const 0x20) (i32.and (local.get $bits) (i32.const 63)))))
(func (export "run")
  (param $arguments i32) (param $size i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (local $n i32) (local $at i32)
  (drop (memory.grow (i32.const 930)))
  ;; A map of so many pairs, in 32 bits, the first byte first.
  (i32.store8 (i32.const 0x20000) (i32.const 0xba))
  (i32.store (i32.const 0x20001) (i32.const 0x80969800))
  (local.set $at (i32.const 0x20005))
  (loop $again
    ;; A name of four characters, then 0.
    (i32.store8 (local.get $at) (i32.const 0x64))
    (call $name_byte (i32.add (local.get $at) (i32.const 1)) (local.get $n))
    (call $name_byte (i32.add (local.get $at) (i32.const 2))
      (i32.shr_u (local.get $n) (i32.const 6)))
    (call $name_byte (i32.add (local.get $at) (i32.const 3))
      (i32.shr_u (local.get $n) (i32.const 12)))
    (call $name_byte (i32.add (local.get $at) (i32.const 4))
      (i32.shr_u (local.get $n) (i32.const 18)))
    (i32.store8 offset=5 (local.get $at) (i32.const 0))
    (local.set $at (i32.add (local.get $at) (i32.const 6)))
    (local.set $n (i32.add (local.get $n) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $n) (i32.const 10000000))))
  (call $spawn_with (i32.const 16000000))
  ;; It is refused, for it does not fit.
  (if (i32.ne (i32.load8_u (i32.const 0x40)) (i32.const 1)) (then unreachable))
  (if (i32.ne (i32.load8_u (i32.const 0x44)) (i32.const 1)) (then unreachable))
  (call $spawn_with (i32.sub (local.get $at) (i32.const 0x20000)))
  (i32.store (i32.const 0) (i32.const 0))
  (i32.const 0))
