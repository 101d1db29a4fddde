;; What takes the place of `ordinary` around the interpreter: an allocator that does what the next
;; byte of the program says. Mostly it is honest; otherwise it moves the memory's end, lies about
;; addresses, traps, calls the host, or lets go of an end that the host may be about to use.

(memory (export "memory") 2)
(global $heap (mut i32) (i32.const 0x10000))

(func $honest (param $size i32) (result i32)
  (local $at i32)
  (local.set $at
    (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
  (global.set $heap (i32.add (local.get $at) (local.get $size)))
  (if (i32.gt_u (global.get $heap) (i32.mul (memory.size) (i32.const 0x10000)))
    (then
      (drop (memory.grow
        (i32.shr_u (i32.add (local.get $size) (i32.const 0x1ffff)) (i32.const 16))))))
  (local.get $at))

(func (export "cabi_realloc")
  (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
  (local $mischief i32)
  (local.set $mischief (call $next))
  (if (i32.lt_u (local.get $mischief) (i32.const 0xa0))
    (then (return (call $honest (local.get $size)))))
  (local.set $mischief (i32.and (local.get $mischief) (i32.const 7)))
  (if (i32.eqz (local.get $mischief))
    (then
      (drop (memory.grow (i32.const 1)))
      (return (call $honest (local.get $size)))))
  (if (i32.eq (local.get $mischief) (i32.const 1))
    (then
      ;; As much as nobody may have.
      (drop (memory.grow (i32.const 0x8000)))
      (return (call $honest (local.get $size)))))
  (if (i32.eq (local.get $mischief) (i32.const 2))
    (then
      (return (i32.sub (i32.mul (memory.size) (i32.const 0x10000)) (i32.const 1)))))
  (if (i32.eq (local.get $mischief) (i32.const 3))
    (then (return (i32.add (call $honest (local.get $size)) (i32.const 1)))))
  (if (i32.eq (local.get $mischief) (i32.const 4)) (then (return (i32.const -16))))
  (if (i32.eq (local.get $mischief) (i32.const 5)) (then (drop (call $id))))
  (if (i32.eq (local.get $mischief) (i32.const 6)) (then (call $do_drop_sender)))
  (if (i32.eq (local.get $mischief) (i32.const 7)) (then (call $do_send_ends)))
  (call $honest (local.get $size)))
