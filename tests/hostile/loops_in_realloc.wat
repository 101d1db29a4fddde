;; Its allocator never returns: it is called as soon as the host has a message for it.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"loops_in_realloc\",\"ports\":["
  "{\"name\":\"in\",\"direction\":\"input\",\"type\":\"list<u8>\"}]}")

(memory (export "memory") 1)
(global $loops (mut i32) (i32.const 0))
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
  (if (i32.eqz (global.get $loops)) (then (return (i32.const 0x1000))))
  (loop $for_ever (br $for_ever))
  unreachable)
(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (local $receiver i32)
  (local.set $receiver (i32.load offset=8 (local.get $inputs)))
  (global.set $loops (i32.const 1))
  (call $receive (local.get $receiver) (i32.const 0))
  unreachable)
