;; Logs 9,000 lines of 300 letters, sends a message, and ends.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"babbles\",\"ports\":["
  "{\"name\":\"told\",\"direction\":\"output\",\"type\":\"list<u8>\"}]}")

(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (local $left i32)
  (memory.fill (i32.const 0x100) (i32.const 97) (i32.const 300))
  (local.set $left (i32.const 9000))
  (loop $again
    (call $log (i32.const 2) (i32.const 0x100) (i32.const 300))
    (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
  (call $send (i32.load offset=8 (local.get $outputs)) (i32.const 0x100) (i32.const 4)
    (i32.const 0x20))
  ;; The result at this address is a zero: it has finished.
  (i32.const 0x40))
