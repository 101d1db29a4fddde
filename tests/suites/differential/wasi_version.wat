;; A whole component that asks for a random number, in version 0.2.VERSION of WASI.
(component
  (import "transputer:csp/channel@0.1.0" (instance $channel
    (export "sender" (type (sub resource))) (export "receiver" (type (sub resource)))))
  (alias export $channel "sender" (type $sender))
  (alias export $channel "receiver" (type $receiver))
  (import "wasi:random/random@0.2.VERSION" (instance $random
    (export "get-random-u64" (func (result u64)))))
  (core func $random_u64 (canon lower (func $random "get-random-u64")))
  (core module $own
    (import "wasi:random/random@0.2.VERSION" "get-random-u64" (func $random (result i64)))
    (memory (export "memory") 1)
    (global $heap (mut i32) (i32.const 0x1000))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
      (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
      (global.get $heap)
      (global.set $heap (i32.add (global.get $heap) (local.get 3))))
    (func (export "run") (param i32 i32 i32 i32 i32 i32) (result i32)
      (drop (call $random))
      (i32.store (i32.const 0) (i32.const 0))
      (i32.const 0)))
  (core instance $instance (instantiate $own
    (with "wasi:random/random@0.2.VERSION" (instance (export "get-random-u64" (func $random_u64))))))
  (alias core export $instance "memory" (core memory $memory))
  (type $input (tuple string (own $receiver)))
  (type $output (tuple string (own $sender)))
  (func $run
    (param "args" (list u8)) (param "inputs" (list $input)) (param "outputs" (list $output))
    (result (result (error string)))
    (canon lift (core func $instance "run") (memory $memory)
      (realloc (core func $instance "cabi_realloc"))))
  (export "run" (func $run))
  (@custom "transputer:signature" "{\"version\":1,\"process\":\"asks\"}"))
