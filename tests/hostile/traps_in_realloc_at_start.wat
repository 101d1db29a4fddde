;; Its allocator traps at once: when the host passes in what `run` is called with.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"traps_in_realloc_at_start\",\"ports\":["
  "{\"name\":\"in\",\"direction\":\"input\",\"type\":\"list<u8>\"}]}")

(memory (export "memory") 1)
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
  unreachable)
(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (i32.const 0))
