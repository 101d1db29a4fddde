;; Sends a batch of 30 MB, then a message of as much; both are refused as too large. Then it gives twice
;; as much as a line of the log.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"batch_too_long\"}")
(func (export "run")
  (param $arguments i32) (param $size i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (drop (memory.grow (i32.const 930)))
  (call $open (i32.const 1) (i32.const 1) (i32.const 0x30))
  (call $send_batch (i32.load (i32.const 0x34)) (i32.const 0x20000) (i32.const 30000000)
    (i32.const 0) (i64.const 0) (i32.const 0x40))
  ;; Nothing was sent, for an error: it is the ninth.
  (if (i32.load (i32.const 0x40)) (then unreachable))
  (if (i32.ne (i32.load8_u (i32.const 0x44)) (i32.const 1)) (then unreachable))
  (if (i32.ne (i32.load8_u (i32.const 0x45)) (i32.const 8)) (then unreachable))
  (call $try_send (i32.load (i32.const 0x34)) (i32.const 0x20000) (i32.const 30000000)
    (i32.const 0x40))
  (if (i32.ne (i32.load8_u (i32.const 0x40)) (i32.const 1)) (then unreachable))
  (if (i32.ne (i32.load8_u (i32.const 0x41)) (i32.const 8)) (then unreachable))
  (call $log (i32.const 2) (i32.const 0x20000) (i32.const 60000000))
  (i32.store (i32.const 0) (i32.const 0))
  (i32.const 0))
