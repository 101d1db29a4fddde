;; A whole component: its core module exports `run`, and another function is lifted.

(component
  (import "transputer:csp/channel@0.1.0" (instance $ch
    (export "sender" (type (sub resource))) (export "receiver" (type (sub resource)))))
  (alias export $ch "sender" (type $sender)) (alias export $ch "receiver" (type $receiver))
  (import "transputer:csp/process@0.1.0" (instance $pr
    (type $l (enum "trace" "debug" "info" "warn" "error"))
    (export "level" (type $level (eq $l)))
    (export "log" (func (param "level" $level) (param "line" string)))))
  (core module $m
    (import "transputer:csp/process@0.1.0" "log" (func $log (param i32 i32 i32)))
    (memory (export "memory") 1)
    (data (i32.const 0x100) "this is `run`") (data (i32.const 0x200) "this is `honest`")
    (global $h (mut i32) (i32.const 0x1000))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $a i32)
      (local.set $a (i32.and (i32.add (global.get $h) (i32.const 7)) (i32.const -8)))
      (global.set $h (i32.add (local.get $a) (local.get 3))) (local.get $a))
    (func (export "run") (param i32 i32 i32 i32 i32 i32) (result i32)
      (call $log (i32.const 2) (i32.const 0x100) (i32.const 13)) (i32.store (i32.const 0) (i32.const 0)) (i32.const 0))
    (func (export "honest") (param i32 i32 i32 i32 i32 i32) (result i32)
      (call $log (i32.const 2) (i32.const 0x200) (i32.const 16)) (i32.store (i32.const 0) (i32.const 0)) (i32.const 0)))
  (core module $shim
    (table (export "t") 1 1 funcref)
    (func (export "log") (param i32 i32 i32) (call_indirect (param i32 i32 i32) (local.get 0) (local.get 1) (local.get 2) (i32.const 0))))
  (core module $fix (import "" "t" (table 1 1 funcref)) (import "" "log" (func $f (param i32 i32 i32))) (elem (i32.const 0) $f))
  (core instance $s (instantiate $shim))
  (core instance $i (instantiate $m (with "transputer:csp/process@0.1.0" (instance (export "log" (func $s "log"))))))
  (alias core export $i "memory" (core memory $memory))
  (core func $log (canon lower (func $pr "log") (memory $memory)))
  (core instance (instantiate $fix (with "" (instance (export "t" (table $s "t")) (export "log" (func $log))))))
  (type $end_in (tuple string (own $receiver))) (type $end_out (tuple string (own $sender)))
  (func $run (param "args" (list u8)) (param "inputs" (list $end_in)) (param "outputs" (list $end_out)) (result (result (error string)))
    (canon lift (core func $i "honest") (memory $memory) (realloc (core func $i "cabi_realloc"))))
  (export "run" (func $run))
  (@custom "transputer:signature" "{\"version\":1,\"process\":\"otherrun\"}"))
