;; Never gets to be called.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"loops_at_start\"}")

(func $loop (loop $for_ever (br $for_ever)))
(start $loop)
(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (i32.store (i32.const 0) (i32.const 0))
  (i32.const 0))
