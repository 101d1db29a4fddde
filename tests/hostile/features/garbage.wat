;; Makes values that need a garbage collector.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"garbage\"}")
(type $s (struct (field i32)))
(func $mk (result (ref $s)) (struct.new $s (i32.const 1)))
(func (export "run") (param i32 i32 i32 i32 i32 i32) (result i32)
  (i32.store (i32.const 0) (i32.const 0)) (i32.const 0))
