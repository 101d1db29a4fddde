;; Exits in what is called before all others.

(import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
(@custom "transputer:signature" "{\"version\":1,\"process\":\"exits-at-start\"}")

(memory (export "memory") 2)
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0x10000))
(func (export "_initialize") (call $proc_exit (i32.const 0)))
(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  unreachable)
