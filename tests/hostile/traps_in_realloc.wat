;; Its allocator does what the number in the first message says: 1 traps, 2 gives an address
;; outside of its memory, 3 the last byte of it, 4 calls the host, which calls it again.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"traps_in_realloc\",\"ports\":["
  "{\"name\":\"in\",\"direction\":\"input\",\"type\":\"list<u8>\"}]}")

(memory (export "memory") 1)
(global $kind (mut i32) (i32.const 0))
(global $receiver (mut i32) (i32.const 0))
(func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
  (if (i32.eq (global.get $kind) (i32.const 1)) (then unreachable))
  (if (i32.eq (global.get $kind) (i32.const 2)) (then (return (i32.const -16))))
  (if (i32.eq (global.get $kind) (i32.const 3)) (then (return (i32.const 0xffff))))
  (if (i32.eq (global.get $kind) (i32.const 4))
    (then (call $receive (global.get $receiver) (i32.const 0x20))))
  (i32.const 0x1000))
(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (global.set $receiver (i32.load offset=8 (local.get $inputs)))
  (call $receive (global.get $receiver) (i32.const 0))
  (global.set $kind (i32.load8_u (i32.const 0x1000)))
  (call $receive (global.get $receiver) (i32.const 0))
  (i32.store (i32.const 0) (i32.const 0))
  (i32.const 0))
