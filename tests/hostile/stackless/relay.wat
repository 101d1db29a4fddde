;; Passes messages on, one after the other: small ones as numbers, others as lists.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"relay\",\"ports\":["
  "{\"name\":\"in\",\"direction\":\"input\",\"type\":\"list<u8>\"},"
  "{\"name\":\"out\",\"direction\":\"output\",\"type\":\"list<u8>\"}]}")

(global $in (mut i32) (i32.const 0))
(global $sender (mut i32) (i32.const 0))
(global $out (mut i32) (i32.const 0))
(global $set (mut i32) (i32.const 0))
;; 0: it receives next; 1: it has received; 2: it has sent.
(global $stage (mut i32) (i32.const 0))

(func (export "[async-lift]run")
  (param $arguments i32) (param i32) (param $inputs i32) (param i32)
  (param $outputs i32) (param i32) (result i32)
  (global.set $in (call $receiver_number (i32.load offset=8 (local.get $inputs))))
  (global.set $sender (i32.load offset=8 (local.get $outputs)))
  (global.set $out (call $sender_number (global.get $sender)))
  (global.set $set (call $set_new))
  (call $context_set (i32.const 77))
  (call $go))

(func (export "[callback][async-lift]run")
  (param $event i32) (param $subtask i32) (param $state i32) (result i32)
  (if (i32.ne (call $context_get) (i32.const 77)) (then unreachable))
  (if (i32.ne (local.get $event) (i32.const 1)) (then unreachable))
  (if (i32.ne (local.get $state) (i32.const 2)) (then unreachable))
  (call $subtask_drop (local.get $subtask))
  (call $go))

;; Waits for a call, unless it is done: then 0.
(func $wait (param $status i32) (result i32)
  (if (i32.eq (local.get $status) (i32.const 2)) (then (return (i32.const 0))))
  (call $join (i32.shr_u (local.get $status) (i32.const 4)) (global.get $set))
  (i32.or (i32.const 2) (i32.shl (global.get $set) (i32.const 4))))

(func $go (result i32) (local $waits i32)
  (loop $again
    (if (i32.eqz (global.get $stage)) (then
      (global.set $stage (i32.const 1))
      (local.set $waits
        (call $wait (call $receive_some (global.get $in) (i32.const 64) (i32.const 0x100))))
      (br_if $again (i32.eqz (local.get $waits)))
      (return (local.get $waits))))
    (if (i32.eq (global.get $stage) (i32.const 1)) (then
      ;; The channel has ended.
      (if (i32.load8_u (i32.const 0x100)) (then
        (call $task_return (i32.const 0) (i32.const 0) (i32.const 0))
        (return (i32.const 0))))
      (global.set $stage (i32.const 2))
      (local.set $waits (call $wait (call $pass)))
      (br_if $again (i32.eqz (local.get $waits)))
      (return (local.get $waits))))
    (if (i32.load8_u (i32.const 0x140)) (then
      (call $task_return (i32.const 0) (i32.const 0) (i32.const 0))
      (return (i32.const 0))))
    (global.set $stage (i32.const 0))
    (br $again))
  unreachable)

;; Sends what was received: a small message, a large one, or a batch.
(func $pass (result i32)
  (if (i32.eqz (i32.load8_u (i32.const 0x108))) (then
    (return (call $send_small (global.get $out) (i32.load (i32.const 0x110))
      (i64.load (i32.const 0x118)) (i64.load (i32.const 0x120)) (i32.const 0x140)))))
  (if (i32.eq (i32.load8_u (i32.const 0x108)) (i32.const 1)) (then
    (return (call $send (global.get $sender) (i32.load (i32.const 0x110))
      (i32.load (i32.const 0x114)) (i32.const 0x140)))))
  (i32.store (i32.const 0x180) (global.get $sender))
  (i32.store (i32.const 0x184) (i32.load (i32.const 0x110)))
  (i32.store (i32.const 0x188) (i32.load (i32.const 0x114)))
  ;; Its patience is without end.
  (i32.store8 (i32.const 0x190) (i32.const 0))
  ;; How many were sent, and whether there was an error: where an error is looked for.
  (call $send_batch (i32.const 0x180) (i32.const 0x13c)))
