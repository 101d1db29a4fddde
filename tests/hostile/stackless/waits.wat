;; Computes for ever in a callback, after it has received a message.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"waits\",\"ports\":["
  "{\"name\":\"in\",\"direction\":\"input\",\"type\":\"list<u8>\"}]}")

(func (export "[async-lift]run")
  (param $arguments i32) (param i32) (param $inputs i32) (param i32)
  (param $outputs i32) (param i32) (result i32)
  (local $set i32) (local $status i32)
  (local.set $set (call $set_new))
  (local.set $status (call $receive (i32.load offset=8 (local.get $inputs)) (i32.const 0x100)))
  (if (i32.eq (local.get $status) (i32.const 2)) (then (loop $for_ever (br $for_ever))))
  (call $join (i32.shr_u (local.get $status) (i32.const 4)) (local.get $set))
  (i32.or (i32.const 2) (i32.shl (local.get $set) (i32.const 4))))

(func (export "[callback][async-lift]run")
  (param $event i32) (param $subtask i32) (param $state i32) (result i32)
  (loop $for_ever (br $for_ever))
  unreachable)
