;; Exits with status 3.

(import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
(@custom "transputer:signature" "{\"version\":1,\"process\":\"exits-with-3\"}")

(memory (export "memory") 2)
(global $heap (mut i32) (i32.const 0x10000))
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
  (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
  (global.get $heap)
  (global.set $heap (i32.add (global.get $heap) (local.get 3)))
  (drop (memory.grow (i32.const 2))))
(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (call $proc_exit (i32.const 3))
  unreachable)
