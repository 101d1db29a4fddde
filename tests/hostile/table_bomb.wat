;; Grows a table until it gets no more.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"table_bomb\"}")

(table $table 1 funcref)
(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (loop $again
    (br_if $again
      (i32.ne (i32.const -1)
        (table.grow $table (ref.null func) (i32.const 1000)))))
  unreachable)
