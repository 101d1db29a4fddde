;; Poisons channels of its own, each with 4 KiB of reason, until it may not.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"reasons\"}")
(func (export "run") (param i32 i32 i32 i32 i32 i32) (result i32) (local $n i32)
  (memory.fill (i32.const 0x1000) (i32.const 0x41) (i32.const 0x2000))
  (loop $again
    (call $open (i32.const 0) (i32.const 0) (i32.const 0))
    (if (i32.eqz (i32.load8_u (i32.const 0))) (then
      (call $poison_sender (i32.load (i32.const 4)) (i32.const 0x1000) (i32.const 4096))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br $again))))
  (i32.store (i32.const 0) (i32.const 0)) (i32.const 0))
