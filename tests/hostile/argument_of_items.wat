;; Spawns itself with a list of sixteen million numbers, and with an argument that it does not have.
;; Tells before and after.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"argument_of_items\","
  "\"arguments\":[{\"name\":\"a\",\"type\":\"option<list<u64>>\"}],\"ports\":["
  "{\"name\":\"told\",\"direction\":\"output\",\"type\":\"list<u8>\"}]}")

(data (i32.const 0x100) "self")
(data (i32.const 0x110) "told")
(func $tell (param $told i32)
  (call $send (local.get $told) (i32.const 0) (i32.const 1) (i32.const 0x20))
  (if (i32.load8_u (i32.const 0x20)) (then unreachable)))
(func (export "run")
  (param $arguments i32) (param $size i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (drop (memory.grow (i32.const 260)))
  ;; A map of two pairs: `a`, and a list of so many zeros, in 32 bits, the first byte first.
  (i32.store8 (i32.const 0x20000) (i32.const 0xa2))
  (i32.store8 (i32.const 0x20001) (i32.const 0x61))
  (i32.store8 (i32.const 0x20002) (i32.const 0x61))
  (i32.store8 (i32.const 0x20003) (i32.const 0x9a))
  (i32.store (i32.const 0x20004) (i32.const 0x0024f400))
  ;; And `b`, with 0.
  (i32.store16 (i32.add (i32.const 0x20008) (i32.const 16000000)) (i32.const 0x6261))
  ;; Its port.
  (call $open (i32.const 1) (i32.const 0) (i32.const 0x30))
  (i32.store (i32.const 0x200) (i32.const 0x110))
  (i32.store (i32.const 0x204) (i32.const 4))
  (i32.store (i32.const 0x208) (i32.load (i32.const 0x34)))
  (call $tell (i32.load offset=8 (local.get $outputs)))
  (call $spawn (i32.const 0x100) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 0)
    (i32.const 0x20000) (i32.const 16000011) (i32.const 0) (i32.const 0)
    (i32.const 0x200) (i32.const 1)
    (i32.const 0x40))
  (if (i32.ne (i32.load8_u (i32.const 0x40)) (i32.const 1)) (then unreachable))
  (call $tell (i32.load offset=8 (local.get $outputs)))
  (i32.store (i32.const 0) (i32.const 0))
  (i32.const 0))
