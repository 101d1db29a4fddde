;; Uses handles that it was never given or has no longer, and addresses and lengths that no memory
;; has. The first byte of its message says which; each must end it, except where it says so.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"forges\",\"ports\":["
  "{\"name\":\"in\",\"direction\":\"input\",\"type\":\"list<u8>\"},"
  "{\"name\":\"out\",\"direction\":\"output\",\"type\":\"list<u8>\"}]}")

(global $in (mut i32) (i32.const 0))
(global $out (mut i32) (i32.const 0))

;; Handles.
(func $never_given_sender (call $try_send (i32.const 77) (i32.const 0) (i32.const 1) (i32.const 32)))
(func $never_given_receiver (call $receive (i32.const 1000000) (i32.const 32)))
(func $zero (call $receive (i32.const 0) (i32.const 32)))
(func $negative (call $drop_sender (i32.const -1)))
(func $receiver_as_sender
  (call $send (global.get $in) (i32.const 0) (i32.const 1) (i32.const 32)))
(func $sender_as_receiver (call $receive (global.get $out) (i32.const 32)))
(func $sender_as_child (call $kill (global.get $out) (i32.const 0) (i32.const 1)))
(func $receiver_as_barrier
  (call $sync (global.get $in) (i32.const 0) (i64.const 0) (i32.const 32)))
(func $closed (call $close_sender (global.get $out))
  (call $send (global.get $out) (i32.const 0) (i32.const 1) (i32.const 32)))
(func $dropped_twice
  (call $drop_receiver (global.get $in)) (call $drop_receiver (global.get $in)))
(func $closed_twice
  (call $close_sender (global.get $out)) (call $close_sender (global.get $out)))
(func $dropped_as_another (call $drop_receiver (global.get $out)))
;; One handle cannot be given away twice, not even in one message.
(func $given_twice
  (call $open (i32.const 1) (i32.const 0) (i32.const 0))
  (i32.store8 (i32.const 0x40) (i32.const 1))
  (i32.store (i32.const 0x44) (i32.load (i32.const 8)))
  (i32.store8 (i32.const 0x48) (i32.const 1))
  (i32.store (i32.const 0x4c) (i32.load (i32.const 8)))
  (call $send_ends (i32.load (i32.const 4)) (i32.const 0) (i32.const 1)
    (i32.const 0x40) (i32.const 2) (i32.const 0) (i64.const 0) (i32.const 32)))
;; Nor can the sender that sends it.
(func $lent_and_given
  (i32.store8 (i32.const 0x40) (i32.const 0))
  (i32.store (i32.const 0x44) (global.get $out))
  (call $send_ends (global.get $out) (i32.const 0) (i32.const 1)
    (i32.const 0x40) (i32.const 1) (i32.const 0) (i64.const 0) (i32.const 32)))

;; Addresses and lengths.
(func $message_of_minus_one
  (call $send (global.get $out) (i32.const 0) (i32.const -1) (i32.const 32)))
(func $message_past_the_end
  (call $send (global.get $out) (i32.const 0x1fff0) (i32.const 0x20) (i32.const 32)))
(func $message_around_the_end
  (call $send (global.get $out) (i32.const -8) (i32.const 16) (i32.const 32)))
(func $result_past_the_end
  (call $send (global.get $out) (i32.const 0) (i32.const 1) (i32.const -4)))
(func $result_askew
  (call $open (i32.const 0) (i32.const 0) (i32.const 33)))
(func $line_of_two_gigabytes
  (call $log (i32.const 2) (i32.const 0) (i32.const 0x80000000)))
(func $line_of_no_text
  (i32.store8 (i32.const 0x40) (i32.const 0xff))
  (call $log (i32.const 2) (i32.const 0x40) (i32.const 1)))
(func $no_such_level (call $log (i32.const 99) (i32.const 0) (i32.const 1)))
(func $no_such_overflow (call $open (i32.const 1) (i32.const 3) (i32.const 32)))
(func $no_such_patience
  (call $receive_batch (global.get $in) (i32.const 1) (i32.const 7) (i64.const 0)
    (i32.const 32)))
(func $ends_without_number
  (call $send_ends (global.get $out) (i32.const 0) (i32.const 1)
    (i32.const 0x40) (i32.const 0x7fffffff) (i32.const 0) (i64.const 0) (i32.const 32)))
(func $guards_without_number
  (call $select (i32.const 0x40) (i32.const 0x10000000) (i32.const 0) (i32.const 32)))
(func $ports_without_number
  (call $spawn (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)
    (i32.const 0) (i32.const 0) (i32.const 0x40) (i32.const -1) (i32.const 0) (i32.const 0)
    (i32.const 32)))

;; Small lists that hold the same bytes again and again, 131 MiB in all.
(func $copies_without_end
  (local $n i32) (local $guard i32)
  (loop $again
    (local.set $guard (i32.add (i32.const 0x1000) (i32.mul (local.get $n) (i32.const 24))))
    (i32.store8 (local.get $guard) (i32.const 1))
    (i32.store offset=8 (local.get $guard) (global.get $out))
    (i32.store offset=12 (local.get $guard) (i32.const 0))
    (i32.store offset=16 (local.get $guard) (i32.const 0x10000))
    (local.set $n (i32.add (local.get $n) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $n) (i32.const 2100))))
  (call $select (i32.const 0x1000) (i32.const 2100) (i32.const 0) (i32.const 28)))

;; What is merely too much: the host says so, and the guest goes on.
(func $large_message
  (drop (memory.grow (i32.const 300)))
  (call $send (global.get $out) (i32.const 0) (i32.const 0x1100000) (i32.const 32))
  (call $expect (i32.const 8)))
(func $large_capacity
  (call $open (i32.const -1) (i32.const 0) (i32.const 28))
  (call $expect (i32.const 8)))
;; A batch whose first length lies.
(func $malformed_batch
  (i32.store (i32.const 0x40) (i32.const -1))
  (call $send_batch (global.get $out) (i32.const 0x40) (i32.const 64)
    (i32.const 0) (i64.const 0) (i32.const 28))
  (if (i32.load (i32.const 28)) (then unreachable))
  (call $expect (i32.const 11)))
(func $half_a_length
  (call $send_batch (global.get $out) (i32.const 0x40) (i32.const 3)
    (i32.const 0) (i64.const 0) (i32.const 28))
  (call $expect (i32.const 11)))
(func $guards_past_the_limit
  (local $n i32)
  (loop $again
    (i32.store8 (i32.add (i32.const 0x1000) (i32.mul (local.get $n) (i32.const 24)))
      (i32.const 3))
    (local.set $n (i32.add (local.get $n) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $n) (i32.const 4097))))
  (call $select (i32.const 0x1000) (i32.const 4097) (i32.const 0) (i32.const 28))
  (call $expect (i32.const 9)))
(func $no_guards
  (call $select (i32.const 0x1000) (i32.const 0) (i32.const 0) (i32.const 28))
  (call $expect (i32.const 11)))
;; Nesting that no stack could follow, as arguments: a misfit, and the ends come back.
(func $deep_arguments
  (drop (memory.grow (i32.const 32)))
  (i32.store (i32.const 0x40) (i32.const 0x666c6573))
  (memory.fill (i32.const 0x30000) (i32.const 0x81) (i32.const 0x100000))
  (i32.store (i32.const 0x30000) (i32.const 0x816161a1))
  (call $spawn (i32.const 0x40) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 0)
    (i32.const 0x30000) (i32.const 0x100000) (i32.const 0) (i32.const 0) (i32.const 0)
    (i32.const 0) (i32.const 0x60))
  (if (i32.ne (i32.load8_u (i32.const 0x60)) (i32.const 1)) (then unreachable))
  (if (i32.ne (i32.load8_u (i32.const 0x64)) (i32.const 1)) (then unreachable)))
(func $no_cbor
  (i32.store (i32.const 0x40) (i32.const 0x666c6573))
  (i32.store (i32.const 0x50) (i32.const 0xfffefdfc))
  (call $spawn (i32.const 0x40) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 0)
    (i32.const 0x50) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 0)
    (i32.const 0) (i32.const 0x60))
  (if (i32.ne (i32.load8_u (i32.const 0x60)) (i32.const 1)) (then unreachable))
  (if (i32.ne (i32.load8_u (i32.const 0x64)) (i32.const 1)) (then unreachable)))

;; The host has answered with this error, written at 32.
(func $expect (param $error i32)
  (local $found i32)
  (local.set $found (i32.load8_u (i32.const 33)))
  (if (i32.eq (i32.load8_u (i32.const 28)) (i32.const 1))
    (then (local.set $found (i32.load8_u (i32.const 32)))))
  (if (i32.ne (local.get $found) (local.get $error)) (then unreachable)))

(table funcref (elem
  $never_given_sender $never_given_receiver $zero $negative $receiver_as_sender
  $sender_as_receiver $sender_as_child $receiver_as_barrier $closed $dropped_twice
  $closed_twice $dropped_as_another $given_twice $lent_and_given
  $message_of_minus_one $message_past_the_end $message_around_the_end $result_past_the_end
  $result_askew $line_of_two_gigabytes $line_of_no_text $no_such_level $no_such_overflow
  $no_such_patience $ends_without_number $guards_without_number $ports_without_number
  $copies_without_end $large_message $large_capacity $malformed_batch $half_a_length $guards_past_the_limit
  $no_guards $deep_arguments $no_cbor))

(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (global.set $in (i32.load offset=8 (local.get $inputs)))
  (global.set $out (i32.load offset=8 (local.get $outputs)))
  (call $receive (global.get $in) (i32.const 0))
  (if (i32.load8_u (i32.const 0)) (then unreachable))
  (call_indirect (i32.load8_u (i32.load (i32.const 4))))
  (i32.store (i32.const 0) (i32.const 0))
  (i32.const 0))
