;; Asks why its channel was poisoned, and says that it got an answer.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"askswhy\",\"ports\":[{\"name\":\"in\",\"direction\":\"input\",\"type\":\"list<u8>\"}]}")
(data (i32.const 0x100) "asked, and got it")
(func (export "run") (param i32 i32) (param $i i32) (param i32 i32 i32) (result i32) (local $r i32)
  (local.set $r (i32.load offset=8 (local.get $i)))
  (call $receive (local.get $r) (i32.const 0))
  (call $receiver_reason (local.get $r) (i32.const 0x20))
  (call $log (i32.const 2) (i32.const 0x100) (i32.const 17))
  (i32.store (i32.const 0) (i32.const 0)) (i32.const 0))
