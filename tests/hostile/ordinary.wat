;; What an ordinary guest has: two pages of memory, and an allocator that only goes up. The first
;; page is the guest's own; what the host passes in lies in the second.

(memory (export "memory") 2)
(global $heap (mut i32) (i32.const 0x10000))
(func $realloc (export "cabi_realloc")
  (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
  (local $at i32)
  (local.set $at
    (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
  (global.set $heap (i32.add (local.get $at) (local.get $size)))
  (if (i32.gt_u (global.get $heap) (i32.mul (memory.size) (i32.const 0x10000)))
    (then
      (drop (memory.grow
        (i32.shr_u (i32.add (local.get $size) (i32.const 0x1ffff)) (i32.const 16))))))
  (if (local.get $old_size)
    (then (memory.copy (local.get $at) (local.get $old) (local.get $old_size))))
  (local.get $at))
