;; Tries to open a million channels, and keeps both ends of each. Tells how many it has got, twice.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"hoarder\",\"ports\":["
  "{\"name\":\"told\",\"direction\":\"output\",\"type\":\"list<u8>\"}]}")

(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (local $tries i32) (local $opened i32)
  (loop $again
    (call $open (i32.const 0) (i32.const 0) (i32.const 0))
    (if (i32.eqz (i32.load8_u (i32.const 0)))
      (then (local.set $opened (i32.add (local.get $opened) (i32.const 1)))))
    (local.set $tries (i32.add (local.get $tries) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $tries) (i32.const 1000000))))
  (i32.store (i32.const 0x20) (local.get $opened))
  (call $send (i32.load offset=8 (local.get $outputs)) (i32.const 0x20) (i32.const 4)
    (i32.const 0))
  ;; Again: it keeps them until it is heard twice, or nobody listens.
  (call $send (i32.load offset=8 (local.get $outputs)) (i32.const 0x20) (i32.const 4)
    (i32.const 0))
  (i32.store (i32.const 0) (i32.const 0))
  (i32.const 0))
