;; What the stackless guests that are written by hand import, under the names of the canonical ABI. A
;; call that is lowered asynchronously returns its state, and above the lowest four bits the number of
;; its subtask. Of one with more than four numbers, the address of its parameters is passed.

(import "transputer:csp/channel@0.1.0" "open"
  (func $open (param $capacity i32) (param $overflow i32) (param $result i32)))
(import "transputer:csp/channel@0.1.0" "[method]sender.number"
  (func $sender_number (param $sender i32) (result i32)))
(import "transputer:csp/channel@0.1.0" "[method]receiver.number"
  (func $receiver_number (param $receiver i32) (result i32)))
(import "transputer:csp/channel@0.1.0" "[method]sender.reason"
  (func $reason (param $sender i32) (param $result i32)))
(import "transputer:csp/channel@0.1.0" "[static]receiver.close"
  (func $close_receiver (param $receiver i32)))
(import "transputer:csp/channel@0.1.0" "[resource-drop]sender"
  (func $drop_sender (param $sender i32)))
(import "transputer:csp/channel@0.1.0" "[resource-drop]receiver"
  (func $drop_receiver (param $receiver i32)))

(import "transputer:csp/tasks@0.2.0" "own-set" (func $own_set (result i32)))
(import "transputer:csp/tasks@0.2.0" "[async-lower]send-small"
  (func $send_small (param $sender i32) (param $length i32) (param $low i64) (param $high i64)
    (param $result i32) (result i32)))
(import "transputer:csp/tasks@0.2.0" "[async-lower]receive-some"
  (func $receive_some (param $receiver i32) (param $most i32) (param $result i32) (result i32)))
(import "transputer:csp/tasks@0.2.0" "[async-lower]send"
  (func $send (param $sender i32) (param $message i32) (param i32) (param $result i32) (result i32)))
(import "transputer:csp/tasks@0.2.0" "[async-lower]send-batch"
  (func $send_batch (param $parameters i32) (param $result i32) (result i32)))
(import "transputer:csp/tasks@0.2.0" "[async-lower]send-ends"
  (func $send_ends (param $parameters i32) (param $result i32) (result i32)))
(import "transputer:csp/tasks@0.2.0" "[async-lower]receive"
  (func $receive (param $receiver i32) (param $result i32) (result i32)))
(import "transputer:csp/tasks@0.2.0" "[async-lower]select"
  (func $select (param $guards i32) (param i32) (param $order i32) (param $result i32) (result i32)))
(import "transputer:csp/tasks@0.2.0" "[async-lower]sleep-until"
  (func $sleep_until (param $deadline i64) (result i32)))
(import "transputer:csp/tasks@0.2.0" "[async-lower]yield-now" (func $yield_now (result i32)))

(import "[export]$root" "[task-return]run"
  (func $task_return (param $case i32) (param $text i32) (param i32)))
(import "[export]$root" "[task-cancel]" (func $task_cancel))
(import "$root" "[waitable-set-new]" (func $set_new (result i32)))
(import "$root" "[waitable-set-poll]"
  (func $set_poll (param $set i32) (param $event i32) (result i32)))
(import "$root" "[waitable-set-drop]" (func $set_drop (param $set i32)))
(import "$root" "[waitable-join]" (func $join (param $waitable i32) (param $set i32)))
(import "$root" "[subtask-drop]" (func $subtask_drop (param $subtask i32)))
(import "$root" "[subtask-cancel]" (func $subtask_cancel (param $subtask i32) (result i32)))
(import "$root" "[context-get-0]" (func $context_get (result i32)))
(import "$root" "[context-set-0]" (func $context_set (param $value i32)))
