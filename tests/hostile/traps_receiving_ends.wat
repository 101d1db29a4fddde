;; Sends itself both ends of a channel, in a message with some bytes, and traps in its allocator
;; when the host gives them back: they are no longer in the message, and not yet its own.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"traps_receiving_ends\"}")

(memory (export "memory") 1)
(global $traps (mut i32) (i32.const 0))
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
  (if (global.get $traps) (then unreachable))
  (i32.const 0x1000))
(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (local $sender i32) (local $receiver i32)
  (call $open (i32.const 1) (i32.const 0) (i32.const 0))
  (if (i32.load8_u (i32.const 0)) (then unreachable))
  (local.set $sender (i32.load (i32.const 4)))
  (local.set $receiver (i32.load (i32.const 8)))
  (call $open (i32.const 1) (i32.const 0) (i32.const 0))
  (if (i32.load8_u (i32.const 0)) (then unreachable))
  ;; A sender is 0 and a receiver is 1, each before its handle.
  (i32.store8 (i32.const 0x20) (i32.const 0))
  (i32.store (i32.const 0x24) (i32.load (i32.const 4)))
  (i32.store8 (i32.const 0x28) (i32.const 1))
  (i32.store (i32.const 0x2c) (i32.load (i32.const 8)))
  (call $send_ends (local.get $sender) (i32.const 0x800) (i32.const 100)
    (i32.const 0x20) (i32.const 2) (i32.const 0) (i64.const 0) (i32.const 0))
  (if (i32.load8_u (i32.const 0)) (then unreachable))
  (global.set $traps (i32.const 1))
  (call $receive_ends (local.get $receiver) (i32.const 0) (i64.const 0) (i32.const 0))
  ;; Nobody comes here: returning another trap's text would be told from the allocator's.
  (i32.store (i32.const -4) (i32.const 0))
  (i32.const 0))
