;; Opens a channel that drops its oldest message, and sends 200 messages of 32 KiB into it, of which
;; nobody receives any.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"fills-disk\"}")

(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (local $left i32)
  (call $open (i32.const 1) (i32.const 2) (i32.const 0x20))
  (local.set $left (i32.const 200))
  (loop $again
    (call $try_send (i32.load (i32.const 0x24)) (i32.const 0x1000) (i32.const 0x8000) (i32.const 0x40))
    (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
  (i32.store (i32.const 0) (i32.const 0))
  (i32.const 0))
