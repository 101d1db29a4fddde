;; A log line, and the name of its child, would be scripts and images with handlers; both park.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"speaks_html\"}")

(data (i32.const 0x100) "</li><script>alert(1)</script><img src=x onerror=alert(2)>\22'&amp;")
(data (i32.const 0x200) "self")
(data (i32.const 0x300) "<img src=x onerror=alert(3)></script><script>alert(4)</script>")
(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (call $log (i32.const 4) (i32.const 0x100) (i32.const 66))
  (call $spawn (i32.const 0x200) (i32.const 4) (i32.const 1) (i32.const 0x300) (i32.const 62)
    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
    (i32.const 0))
  (call $sleep_until (i64.const 1000000000000000))
  unreachable)
