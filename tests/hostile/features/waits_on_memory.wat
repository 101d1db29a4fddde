;; Waits for a change of its memory, for ever.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"waits_on_memory\"}")
(func $w (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))))
(func (export "run") (param i32 i32 i32 i32 i32 i32) (result i32)
  (call $w) (i32.const 0))
