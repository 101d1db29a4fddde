;; Every function of `transputer:csp` that the hand-written guests call, under its name in the
;; canonical ABI. A handle is an i32; a list is its address and its length; a result that is more
;; than one number is written to the address in the last parameter.

(import "transputer:csp/channel@0.1.0" "open"
  (func $open (param $capacity i32) (param $overflow i32) (param $result i32)))
(import "transputer:csp/channel@0.1.0" "open-named"
  (func $open_named (param $capacity i32) (param $overflow i32) (param $name i32) (param i32)
    (param $result i32)))
(import "transputer:csp/channel@0.1.0" "open-barrier"
  (func $open_barrier (param $result i32)))

(import "transputer:csp/channel@0.1.0" "[method]sender.send"
  (func $send (param $sender i32) (param $message i32) (param i32) (param $result i32)))
(import "transputer:csp/channel@0.1.0" "[method]sender.try-send"
  (func $try_send (param $sender i32) (param $message i32) (param i32) (param $result i32)))
(import "transputer:csp/channel@0.1.0" "[method]sender.send-by"
  (func $send_by (param $sender i32) (param $message i32) (param i32) (param $deadline i64)
    (param $result i32)))
(import "transputer:csp/channel@0.1.0" "[method]sender.send-batch"
  (func $send_batch (param $sender i32) (param $packed i32) (param i32) (param $patience i32) (param i64)
    (param $result i32)))
(import "transputer:csp/channel@0.1.0" "[method]sender.send-ends"
  (func $send_ends (param $sender i32) (param $message i32) (param i32) (param $ends i32) (param i32)
    (param $patience i32) (param i64) (param $result i32)))
(import "transputer:csp/channel@0.1.0" "[method]sender.clone"
  (func $clone_sender (param $sender i32) (result i32)))
(import "transputer:csp/channel@0.1.0" "[static]sender.close"
  (func $close_sender (param $sender i32)))
(import "transputer:csp/channel@0.1.0" "[method]sender.poison"
  (func $poison_sender (param $sender i32) (param $reason i32) (param i32)))
(import "transputer:csp/channel@0.1.0" "[method]sender.statistics"
  (func $sender_statistics (param $sender i32) (param $result i32)))
(import "transputer:csp/channel@0.1.0" "[resource-drop]sender"
  (func $drop_sender (param $sender i32)))

(import "transputer:csp/channel@0.1.0" "[method]receiver.receive"
  (func $receive (param $receiver i32) (param $result i32)))
(import "transputer:csp/channel@0.1.0" "[method]receiver.try-receive"
  (func $try_receive (param $receiver i32) (param $result i32)))
(import "transputer:csp/channel@0.1.0" "[method]receiver.receive-by"
  (func $receive_by (param $receiver i32) (param $deadline i64) (param $result i32)))
(import "transputer:csp/channel@0.1.0" "[method]receiver.receive-batch"
  (func $receive_batch (param $receiver i32) (param $most i32) (param $patience i32) (param i64)
    (param $result i32)))
(import "transputer:csp/channel@0.1.0" "[method]receiver.receive-ends"
  (func $receive_ends (param $receiver i32) (param $patience i32) (param i64) (param $result i32)))
(import "transputer:csp/channel@0.1.0" "[method]receiver.clone"
  (func $clone_receiver (param $receiver i32) (result i32)))
(import "transputer:csp/channel@0.1.0" "[static]receiver.close"
  (func $close_receiver (param $receiver i32)))
(import "transputer:csp/channel@0.1.0" "[method]receiver.poison"
  (func $poison_receiver (param $receiver i32) (param $reason i32) (param i32)))
(import "transputer:csp/channel@0.1.0" "[method]receiver.reason"
  (func $receiver_reason (param $receiver i32) (param $result i32)))
(import "transputer:csp/channel@0.1.0" "[method]receiver.cause"
  (func $receiver_cause (param $receiver i32) (param $result i32)))
(import "transputer:csp/channel@0.1.0" "[resource-drop]receiver"
  (func $drop_receiver (param $receiver i32)))

(import "transputer:csp/channel@0.1.0" "[method]barrier.enrol"
  (func $enrol (param $barrier i32) (param $result i32)))
(import "transputer:csp/channel@0.1.0" "[method]barrier.sync"
  (func $sync (param $barrier i32) (param $patience i32) (param i64) (param $result i32)))
(import "transputer:csp/channel@0.1.0" "[resource-drop]barrier"
  (func $drop_barrier (param $barrier i32)))

(import "transputer:csp/alternation@0.1.0" "select"
  (func $select (param $guards i32) (param i32) (param $order i32) (param $result i32)))

(import "transputer:csp/process@0.1.0" "id" (func $id (result i64)))
(import "transputer:csp/process@0.1.0" "now" (func $now (result i64)))
(import "transputer:csp/process@0.1.0" "sleep-until"
  (func $sleep_until (param $deadline i64)))
(import "transputer:csp/process@0.1.0" "yield-now" (func $yield_now))
(import "transputer:csp/process@0.1.0" "log"
  (func $log (param $level i32) (param $line i32) (param i32)))
(import "transputer:csp/process@0.1.0" "spawn"
  (func $spawn (param $component i32) (param i32) (param $name i32) (param i32 i32) (param $arguments i32) (param i32)
    (param $inputs i32) (param i32) (param $outputs i32) (param i32) (param $result i32)))
(import "transputer:csp/process@0.1.0" "[method]child.wait"
  (func $wait (param $child i32) (param $patience i32) (param i64) (param $result i32)))
(import "transputer:csp/process@0.1.0" "[method]child.kill"
  (func $kill (param $child i32) (param $reason i32) (param i32)))
(import "transputer:csp/process@0.1.0" "[method]child.monitor"
  (func $monitor (param $child i32) (result i32)))
(import "transputer:csp/process@0.1.0" "[resource-drop]child"
  (func $drop_child (param $child i32)))
