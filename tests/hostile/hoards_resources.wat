;; Asks WASI for handles of the network without end, which need no grant, and keeps them all.
(import "wasi:sockets/instance-network@0.2.6" "instance-network" (func $network (result i32)))

(@custom "transputer:signature" "{\"version\":1,\"process\":\"hoards-resources\"}")

(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (loop $again
    (drop (call $network))
    (br $again))
  (unreachable))
