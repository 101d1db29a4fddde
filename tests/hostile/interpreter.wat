;; Does whatever its first message says, one operation after the other: the fuzz targets write the
;; message. `unreachable` is reached only where the host broke its word; everything else that ends it
;; it was told to do.
;;
;; Each message that it sends begins with sixteen letters that no other message begins with: the
;; number of the process and a count. It logs the letters, with what became of the message in front:
;; `o` offered, `s` sent, `f` refused, `r` received.

(@custom "transputer:signature"
  "{\"version\":1,\"process\":\"interpreter\",\"ports\":["
  "{\"name\":\"program\",\"direction\":\"input\",\"type\":\"list<u8>\"},"
  "{\"name\":\"in\",\"direction\":\"input\",\"type\":\"list<u8>\"},"
  "{\"name\":\"out\",\"direction\":\"output\",\"type\":\"list<u8>\"}]}")

;; 0x000 results, 0x100 senders, 0x120 receivers, 0x140 barriers, 0x160 children (eight places each),
;; 0x200 lists for the host, 0x400 a line of the log with the message behind its first letter,
;; 0x800 a packed batch, 0xf00 names. The host's own allocations begin at 0x10000.
(data (i32.const 0xf00) "programinoutchild")

(global $at (mut i32) (i32.const 0))
(global $end (mut i32) (i32.const 0))
(global $base (mut i32) (i32.const 0))
(global $turn (mut i32) (i32.const 0))
(global $count (mut i32) (i32.const 0))

;; The next byte of the program; 0 behind its end.
(func $next (result i32)
  (local $byte i32)
  (if (i32.ge_u (global.get $at) (global.get $end)) (then (return (i32.const 0))))
  (local.set $byte (i32.load8_u (global.get $at)))
  (global.set $at (i32.add (global.get $at) (i32.const 1)))
  (local.get $byte))

;; A place of a table, chosen by the program.
(func $place (param $table i32) (result i32)
  (i32.add (local.get $table) (i32.shl (i32.and (call $next) (i32.const 7)) (i32.const 2))))
(func $chosen (param $table i32) (result i32) (i32.load (call $place (local.get $table))))
(func $take (param $table i32) (result i32)
  (local $place i32)
  (local.set $place (call $place (local.get $table)))
  (i32.load (local.get $place))
  (i32.store (local.get $place) (i32.const 0)))

;; Puts a handle into the next place of its table; what was there is dropped.
(func $keep (param $table i32) (param $handle i32)
  (local $place i32) (local $old i32)
  (local.set $place
    (i32.add (local.get $table)
      (i32.shl (i32.and (global.get $turn) (i32.const 7)) (i32.const 2))))
  (global.set $turn (i32.add (global.get $turn) (i32.const 1)))
  (local.set $old (i32.load (local.get $place)))
  (i32.store (local.get $place) (local.get $handle))
  (if (local.get $old) (then (call $let_go (local.get $table) (local.get $old)))))
(func $let_go (param $table i32) (param $handle i32)
  (if (i32.eq (local.get $table) (i32.const 0x100))
    (then (call $drop_sender (local.get $handle)) (return)))
  (if (i32.eq (local.get $table) (i32.const 0x120))
    (then (call $drop_receiver (local.get $handle)) (return)))
  (if (i32.eq (local.get $table) (i32.const 0x140))
    (then (call $drop_barrier (local.get $handle)) (return)))
  (call $drop_child (local.get $handle)))

;; Patience, chosen by the program: never, until some microseconds from now, or for ever.
(func $patience (result i32 i64)
  (local $byte i32)
  (local.set $byte (call $next))
  (if (i32.lt_u (local.get $byte) (i32.const 0x60)) (then (return (i32.const 2) (i64.const 0))))
  (if (i32.lt_u (local.get $byte) (i32.const 0xc0))
    (then (return (i32.const 1) (call $soon (local.get $byte)))))
  (i32.const 0) (i64.const 0))
(func $soon (param $microseconds i32) (result i64)
  (i64.add (call $now)
    (i64.mul (i64.extend_i32_u (local.get $microseconds)) (i64.const 1000))))

;; Writes 32 bits as eight letters.
(func $letters (param $to i32) (param $number i32)
  (local $n i32)
  (loop $again
    (i32.store8 (i32.add (local.get $to) (local.get $n))
      (i32.add (i32.const 97)
        (i32.and (i32.const 15)
          (i32.shr_u (local.get $number) (i32.shl (local.get $n) (i32.const 2))))))
    (local.set $n (i32.add (local.get $n) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $n) (i32.const 8)))))

;; Writes the letters of a new message, and logs that it is offered.
(func $compose (param $to i32)
  (call $letters (local.get $to) (i32.wrap_i64 (call $id)))
  (call $letters (i32.add (local.get $to) (i32.const 8)) (global.get $count))
  (global.set $count (i32.add (global.get $count) (i32.const 1)))
  (call $tell (i32.const 111) (local.get $to)))

;; Logs a letter and the sixteen of a message.
(func $tell (param $letter i32) (param $message i32)
  (memory.copy (i32.const 0x401) (local.get $message) (i32.const 16))
  (i32.store8 (i32.const 0x400) (local.get $letter))
  (call $log (i32.const 2) (i32.const 0x400) (i32.const 17)))

;; Logs what became of the message at 0x420.
(func $sent
  (call $tell
    (select (i32.const 102) (i32.const 115) (i32.load8_u (i32.const 0))) (i32.const 0x420)))

;; Logs a message that was received; one of somebody else has no letters.
(func $received (param $message i32) (param $length i32)
  (local $n i32)
  (if (i32.lt_u (local.get $length) (i32.const 16)) (then (return)))
  (loop $again
    (if (i32.gt_u
          (i32.sub (i32.load8_u (i32.add (local.get $message) (local.get $n))) (i32.const 97))
          (i32.const 15))
      (then (return)))
    (local.set $n (i32.add (local.get $n) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $n) (i32.const 16))))
  (call $tell (i32.const 114) (local.get $message)))
(func $received_one
  (if (i32.eqz (i32.load8_u (i32.const 0)))
    (then (call $received (i32.load (i32.const 4)) (i32.load (i32.const 8))))))

;; The size of a message: the letters, and some more.
(func $size (result i32) (i32.add (i32.const 16) (call $next)))

(func $do_open
  (call $open (i32.and (call $next) (i32.const 3)) (i32.rem_u (call $next) (i32.const 3))
    (i32.const 0))
  (if (i32.load8_u (i32.const 0)) (then (return)))
  (call $keep (i32.const 0x100) (i32.load (i32.const 4)))
  (call $keep (i32.const 0x120) (i32.load (i32.const 8))))


;; The same with a name: handles, which are small, and so UTF-8.
(func $do_open_named
  (call $open_named (i32.and (call $next) (i32.const 3)) (i32.rem_u (call $next) (i32.const 3))
    (i32.const 0x100) (i32.and (call $next) (i32.const 7)) (i32.const 0))
  (if (i32.load8_u (i32.const 0)) (then (return)))
  (call $keep (i32.const 0x100) (i32.load (i32.const 4)))
  (call $keep (i32.const 0x120) (i32.load (i32.const 8))))

(func $do_send
  (local $sender i32)
  (local.set $sender (call $chosen (i32.const 0x100)))
  (if (i32.eqz (local.get $sender)) (then (return)))
  (call $compose (i32.const 0x420))
  (call $send (local.get $sender) (i32.const 0x420) (call $size) (i32.const 0))
  (call $sent))

(func $do_try_send
  (local $sender i32)
  (local.set $sender (call $chosen (i32.const 0x100)))
  (if (i32.eqz (local.get $sender)) (then (return)))
  (call $compose (i32.const 0x420))
  (call $try_send (local.get $sender) (i32.const 0x420) (call $size) (i32.const 0))
  (call $sent))

(func $do_send_by
  (local $sender i32)
  (local.set $sender (call $chosen (i32.const 0x100)))
  (if (i32.eqz (local.get $sender)) (then (return)))
  (call $compose (i32.const 0x420))
  (call $send_by (local.get $sender) (i32.const 0x420) (call $size) (call $soon (call $next))
    (i32.const 0))
  (call $sent))

;; A batch of up to seven messages; the length of the last one may lie.
(func $do_send_batch
  (local $sender i32) (local $many i32) (local $n i32) (local $at i32) (local $message i32)
  (local.set $sender (call $chosen (i32.const 0x100)))
  (if (i32.eqz (local.get $sender)) (then (return)))
  (local.set $many (i32.and (call $next) (i32.const 7)))
  (local.set $at (i32.const 0x800))
  (loop $again
    (if (i32.lt_u (local.get $n) (local.get $many))
      (then
        (i32.store (local.get $at) (i32.const 16))
        (call $compose (i32.add (local.get $at) (i32.const 4)))
        (local.set $at (i32.add (local.get $at) (i32.const 20)))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br $again))))
  (local.set $n (call $next))
  (if (i32.and (local.get $many) (i32.gt_u (local.get $n) (i32.const 0xc0)))
    (then (i32.store (i32.sub (local.get $at) (i32.const 20)) (local.get $n))))
  (call $send_batch (local.get $sender)
    (i32.const 0x800) (i32.sub (local.get $at) (i32.const 0x800))
    (call $patience) (i32.const 0))
  (local.set $n (i32.const 0))
  (loop $again
    (if (i32.lt_u (local.get $n) (local.get $many))
      (then
        (local.set $message
          (i32.add (i32.const 0x804) (i32.mul (local.get $n) (i32.const 20))))
        (call $tell
          (select (i32.const 115) (i32.const 102)
            (i32.lt_u (local.get $n) (i32.load (i32.const 0))))
          (local.get $message))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br $again)))))

;; Up to three ends of any kind go along. After an error they come back.
(func $do_send_ends
  (local $sender i32) (local $many i32) (local $n i32) (local $kind i32) (local $handle i32)
  (local.set $sender (call $chosen (i32.const 0x100)))
  (if (i32.eqz (local.get $sender)) (then (return)))
  (local.set $n (i32.and (call $next) (i32.const 3)))
  (loop $again
    (if (local.get $n)
      (then
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (local.set $kind (i32.rem_u (call $next) (i32.const 3)))
        (local.set $handle
          (call $take (i32.add (i32.const 0x100) (i32.shl (local.get $kind) (i32.const 5)))))
        (if (i32.and (i32.ne (local.get $handle) (i32.const 0))
                     (i32.ne (local.get $handle) (local.get $sender)))
          (then
            (i32.store8 (i32.add (i32.const 0x200) (i32.shl (local.get $many) (i32.const 3)))
              (local.get $kind))
            (i32.store (i32.add (i32.const 0x204) (i32.shl (local.get $many) (i32.const 3)))
              (local.get $handle))
            (local.set $many (i32.add (local.get $many) (i32.const 1)))))
        (br $again))))
  (call $compose (i32.const 0x420))
  (call $send_ends (local.get $sender) (i32.const 0x420) (call $size)
    (i32.const 0x200) (local.get $many) (call $patience) (i32.const 0))
  (call $sent)
  (if (i32.load8_u (i32.const 0))
    (then (call $keep_ends (i32.load (i32.const 8)) (i32.load (i32.const 12))))))
(func $keep_ends (param $list i32) (param $many i32)
  (loop $again
    (if (local.get $many)
      (then
        (call $keep
          (i32.add (i32.const 0x100)
            (i32.shl (i32.load8_u (local.get $list)) (i32.const 5)))
          (i32.load offset=4 (local.get $list)))
        (local.set $list (i32.add (local.get $list) (i32.const 8)))
        (local.set $many (i32.sub (local.get $many) (i32.const 1)))
        (br $again)))))

(func $do_receive
  (local $receiver i32)
  (local.set $receiver (call $chosen (i32.const 0x120)))
  (if (i32.eqz (local.get $receiver)) (then (return)))
  (call $receive (local.get $receiver) (i32.const 0))
  (call $received_one))

(func $do_try_receive
  (local $receiver i32)
  (local.set $receiver (call $chosen (i32.const 0x120)))
  (if (i32.eqz (local.get $receiver)) (then (return)))
  (call $try_receive (local.get $receiver) (i32.const 0))
  (call $received_one))

(func $do_receive_by
  (local $receiver i32)
  (local.set $receiver (call $chosen (i32.const 0x120)))
  (if (i32.eqz (local.get $receiver)) (then (return)))
  (call $receive_by (local.get $receiver) (call $soon (call $next)) (i32.const 0))
  (call $received_one))

(func $do_receive_batch
  (local $receiver i32) (local $at i32) (local $end i32)
  (local.set $receiver (call $chosen (i32.const 0x120)))
  (if (i32.eqz (local.get $receiver)) (then (return)))
  (call $receive_batch (local.get $receiver) (call $next) (call $patience) (i32.const 0))
  (if (i32.load8_u (i32.const 0)) (then (return)))
  (local.set $at (i32.load (i32.const 4)))
  (local.set $end (i32.add (local.get $at) (i32.load (i32.const 8))))
  (loop $again
    (if (i32.lt_u (local.get $at) (local.get $end))
      (then
        (call $received (i32.add (local.get $at) (i32.const 4)) (i32.load (local.get $at)))
        (local.set $at
          (i32.add (local.get $at) (i32.add (i32.const 4) (i32.load (local.get $at)))))
        (br $again))))
  ;; The host packs well: the last message ends where the batch does.
  (if (i32.ne (local.get $at) (local.get $end)) (then unreachable)))

(func $do_receive_ends
  (local $receiver i32)
  (local.set $receiver (call $chosen (i32.const 0x120)))
  (if (i32.eqz (local.get $receiver)) (then (return)))
  (call $receive_ends (local.get $receiver) (call $patience) (i32.const 0))
  (if (i32.load8_u (i32.const 0)) (then (return)))
  (call $received_one)
  (call $keep_ends (i32.load (i32.const 12)) (i32.load (i32.const 16))))

;; Two guards that receive, one that sends, one that gives up.
(func $do_select
  (local $many i32) (local $sender i32)
  (call $guard (i32.const 0x200) (i32.const 0) (call $chosen (i32.const 0x120)))
  (local.set $many (i32.ne (i32.load (i32.const 0x208)) (i32.const 0)))
  (call $guard (i32.add (i32.const 0x200) (i32.mul (local.get $many) (i32.const 24)))
    (i32.const 0) (call $chosen (i32.const 0x120)))
  (local.set $many
    (i32.add (local.get $many)
      (i32.ne (i32.const 0)
        (i32.load (i32.add (i32.const 0x208) (i32.mul (local.get $many) (i32.const 24)))))))
  (local.set $sender (call $chosen (i32.const 0x100)))
  (if (local.get $sender)
    (then
      (call $compose (i32.const 0x420))
      (call $guard (i32.add (i32.const 0x200) (i32.mul (local.get $many) (i32.const 24)))
        (i32.const 1) (local.get $sender))
      (local.set $many (i32.add (local.get $many) (i32.const 1)))))
  (call $guard (i32.add (i32.const 0x200) (i32.mul (local.get $many) (i32.const 24)))
    (i32.add (i32.const 2) (i32.and (call $next) (i32.const 1))) (i32.const 0))
  (i64.store (i32.add (i32.const 0x208) (i32.mul (local.get $many) (i32.const 24)))
    (call $soon (call $next)))
  (local.set $many (i32.add (local.get $many) (i32.const 1)))
  (call $select (i32.const 0x200) (local.get $many) (i32.and (call $next) (i32.const 1))
    (i32.const 0))
  (if (i32.load8_u (i32.const 0)) (then unreachable))
  (if (i32.eqz (i32.load8_u (i32.const 8)))
    (then
      (call $received (i32.load (i32.const 12)) (i32.load (i32.const 16)))
      (call $keep_ends (i32.load (i32.const 20)) (i32.load (i32.const 24)))))
  (if (local.get $sender)
    (then
      (call $tell
        (select (i32.const 115) (i32.const 102)
          (i32.eq (i32.load8_u (i32.const 8)) (i32.const 1)))
        (i32.const 0x420)))))
(func $guard (param $at i32) (param $kind i32) (param $handle i32)
  (i32.store8 (local.get $at) (local.get $kind))
  (i32.store offset=8 (local.get $at) (local.get $handle))
  (i32.store offset=12 (local.get $at) (i32.const 0x420))
  (i32.store offset=16 (local.get $at) (i32.const 16)))

(func $do_clone_sender
  (local $sender i32)
  (local.set $sender (call $chosen (i32.const 0x100)))
  (if (local.get $sender)
    (then (call $keep (i32.const 0x100) (call $clone_sender (local.get $sender))))))
(func $do_clone_receiver
  (local $receiver i32)
  (local.set $receiver (call $chosen (i32.const 0x120)))
  (if (local.get $receiver)
    (then (call $keep (i32.const 0x120) (call $clone_receiver (local.get $receiver))))))
(func $do_drop_sender
  (local $sender i32)
  (local.set $sender (call $take (i32.const 0x100)))
  (if (local.get $sender) (then (call $drop_sender (local.get $sender)))))
(func $do_drop_receiver
  (local $receiver i32)
  (local.set $receiver (call $take (i32.const 0x120)))
  (if (local.get $receiver) (then (call $drop_receiver (local.get $receiver)))))
(func $do_close
  (local $handle i32)
  (local.set $handle (call $take (i32.const 0x100)))
  (if (local.get $handle) (then (call $close_sender (local.get $handle))))
  (local.set $handle (call $take (i32.const 0x120)))
  (if (local.get $handle) (then (call $close_receiver (local.get $handle)))))
(func $do_poison
  (local $sender i32)
  (local.set $sender (call $chosen (i32.const 0x100)))
  (if (local.get $sender)
    (then (call $poison_sender (local.get $sender) (i32.const 0xf00) (i32.const 17)))))
(func $do_poison_receiver
  (local $receiver i32)
  (local.set $receiver (call $chosen (i32.const 0x120)))
  (if (local.get $receiver)
    (then
      (call $poison_receiver (local.get $receiver) (i32.const 0xf00) (i32.const 7))
      (call $receiver_reason (local.get $receiver) (i32.const 0))
      (if (i32.eqz (i32.load8_u (i32.const 0))) (then unreachable))
      (call $receiver_cause (local.get $receiver) (i32.const 0))
      (if (i32.eqz (i32.load8_u (i32.const 0))) (then unreachable)))))

;; What was sent has been received, was dropped, or waits.
(func $do_statistics
  (local $sender i32)
  (local.set $sender (call $chosen (i32.const 0x100)))
  (if (i32.eqz (local.get $sender)) (then (return)))
  (call $sender_statistics (local.get $sender) (i32.const 0))
  (if (i64.ne (i64.load (i32.const 0))
        (i64.add (i64.load (i32.const 8))
          (i64.add (i64.load (i32.const 16)) (i64.load32_u (i32.const 24)))))
    (then unreachable)))

(func $do_open_barrier
  (call $open_barrier (i32.const 0))
  (if (i32.eqz (i32.load8_u (i32.const 0)))
    (then (call $keep (i32.const 0x140) (i32.load (i32.const 4))))))
(func $do_enrol
  (local $barrier i32)
  (local.set $barrier (call $chosen (i32.const 0x140)))
  (if (i32.eqz (local.get $barrier)) (then (return)))
  (call $enrol (local.get $barrier) (i32.const 0))
  (if (i32.eqz (i32.load8_u (i32.const 0)))
    (then (call $keep (i32.const 0x140) (i32.load (i32.const 4))))))
(func $do_sync
  (local $barrier i32)
  (local.set $barrier (call $chosen (i32.const 0x140)))
  (if (local.get $barrier)
    (then (call $sync (local.get $barrier) (call $patience) (i32.const 0)))))
(func $do_drop_barrier
  (local $barrier i32)
  (local.set $barrier (call $take (i32.const 0x140)))
  (if (local.get $barrier) (then (call $drop_barrier (local.get $barrier)))))

;; Spawns itself, with the next bytes of the program as the child's.
(func $do_spawn
  (local $receiver i32) (local $sender i32) (local $length i32)
  (local.set $receiver (call $take (i32.const 0x120)))
  (if (i32.eqz (local.get $receiver)) (then (return)))
  (local.set $sender (call $take (i32.const 0x100)))
  (if (i32.eqz (local.get $sender))
    (then (call $drop_receiver (local.get $receiver)) (return)))
  (local.set $length (i32.and (call $next) (i32.const 63)))
  (if (i32.gt_u (local.get $length) (i32.sub (global.get $end) (global.get $at)))
    (then (local.set $length (i32.sub (global.get $end) (global.get $at)))))
  (call $open (i32.const 1) (i32.const 0) (i32.const 0))
  (if (i32.load8_u (i32.const 0))
    (then
      (call $drop_receiver (local.get $receiver))
      (call $drop_sender (local.get $sender))
      (return)))
  (i32.store (i32.const 0x208) (i32.load (i32.const 8)))
  (i32.store (i32.const 0x230) (i32.load (i32.const 4)))
  (call $send (i32.load (i32.const 0x230)) (global.get $at) (local.get $length) (i32.const 0))
  (call $drop_sender (i32.load (i32.const 0x230)))
  (global.set $at (i32.add (global.get $at) (local.get $length)))
  (i32.store (i32.const 0x200) (i32.const 0xf00))
  (i32.store (i32.const 0x204) (i32.const 7))
  (i32.store (i32.const 0x20c) (i32.const 0xf07))
  (i32.store (i32.const 0x210) (i32.const 2))
  (i32.store (i32.const 0x214) (local.get $receiver))
  (i32.store (i32.const 0x220) (i32.const 0xf09))
  (i32.store (i32.const 0x224) (i32.const 3))
  (i32.store (i32.const 0x228) (local.get $sender))
  (call $spawn (i32.const 0xf0c) (i32.const 5) (i32.const 0) (i32.const 0) (i32.const 0)
    (i32.const 0) (i32.const 0) (i32.const 0x200) (i32.const 2) (i32.const 0x220) (i32.const 1)
    (i32.const 0))
  (if (i32.eqz (i32.load8_u (i32.const 0)))
    (then (call $keep (i32.const 0x160) (i32.load (i32.const 4))) (return)))
  (call $keep (i32.const 0x120) (i32.load offset=8 (i32.load (i32.const 16))))
  (call $keep (i32.const 0x120) (i32.load offset=20 (i32.load (i32.const 16))))
  (call $keep (i32.const 0x100) (i32.load offset=8 (i32.load (i32.const 24)))))
(func $do_wait
  (local $child i32)
  (local.set $child (call $chosen (i32.const 0x160)))
  (if (local.get $child)
    (then (call $wait (local.get $child) (call $patience) (i32.const 0)))))
(func $do_kill
  (local $child i32)
  (local.set $child (call $chosen (i32.const 0x160)))
  (if (local.get $child)
    (then (call $kill (local.get $child) (i32.const 0xf00) (i32.const 7)))))
(func $do_monitor
  (local $child i32)
  (local.set $child (call $chosen (i32.const 0x160)))
  (if (local.get $child)
    (then (call $keep (i32.const 0x120) (call $monitor (local.get $child))))))
(func $do_drop_child
  (local $child i32)
  (local.set $child (call $take (i32.const 0x160)))
  (if (local.get $child) (then (call $drop_child (local.get $child)))))

(func $do_yield (call $yield_now))

;; Things that end the process, rarely: a handle out of the air, a message from nowhere, a trap.
(func $do_evil
  (local $kind i32)
  (if (i32.ne (i32.const 0x5a) (call $next)) (then (return)))
  (local.set $kind (call $next))
  (if (i32.eq (local.get $kind) (i32.const 1)) (then (call $drop_sender (call $next))))
  (if (i32.eq (local.get $kind) (i32.const 2)) (then (call $drop_receiver (call $next))))
  (if (i32.eq (local.get $kind) (i32.const 3))
    (then (call $try_receive (call $next) (i32.const 0))))
  (if (i32.eq (local.get $kind) (i32.const 4))
    (then
      (call $try_send (call $next)
        (i32.shl (call $next) (i32.const 24)) (i32.shl (call $next) (i32.const 24))
        (i32.const 0))))
  (if (i32.eq (local.get $kind) (i32.const 5))
    (then (drop (i32.div_u (i32.const 1) (i32.const 0))))))

;; Thirty-two of the usual kind, and behind them six rare ones.
(table 38 funcref)
(elem (i32.const 0) $do_yield $do_open $do_open_named $do_send $do_send $do_try_send $do_send_by
  $do_send_batch $do_send_ends $do_send_ends $do_receive $do_try_receive $do_receive_by
  $do_receive_batch $do_receive_ends $do_receive_ends $do_select $do_select $do_clone_sender
  $do_clone_receiver $do_drop_sender $do_drop_receiver $do_close $do_poison $do_poison_receiver
  $do_statistics $do_open_barrier $do_enrol $do_sync $do_spawn $do_spawn $do_evil
  $do_wait $do_kill $do_monitor $do_drop_child $do_drop_barrier $do_yield)

;; Takes its ports in; gives back the receiver of the program.
(func $take_in (param $inputs i32) (param $many i32) (result i32)
  (local $program i32)
  (loop $again
    (if (local.get $many)
      (then
        (if (i32.eq (i32.load offset=4 (local.get $inputs)) (i32.const 7))
          (then (local.set $program (i32.load offset=8 (local.get $inputs))))
          (else (call $keep (i32.const 0x120) (i32.load offset=8 (local.get $inputs)))))
        (local.set $inputs (i32.add (local.get $inputs) (i32.const 12)))
        (local.set $many (i32.sub (local.get $many) (i32.const 1)))
        (br $again))))
  (local.get $program))

(func (export "run")
  (param $arguments i32) (param i32) (param $inputs i32) (param $many_inputs i32)
  (param $outputs i32) (param $many_outputs i32) (result i32)
  (local $program i32) (local $operation i32)
  (local.set $program (call $take_in (local.get $inputs) (local.get $many_inputs)))
  (call $keep (i32.const 0x100) (i32.load offset=8 (local.get $outputs)))
  (call $receive (local.get $program) (i32.const 0))
  (call $drop_receiver (local.get $program))
  (if (i32.eqz (i32.load8_u (i32.const 0)))
    (then
      (global.set $at (i32.load (i32.const 4)))
      (global.set $end (i32.add (global.get $at) (i32.load (i32.const 8))))))
  (global.set $base (global.get $heap))
  (loop $again
    (if (i32.lt_u (global.get $at) (global.get $end))
      (then
        (global.set $heap (global.get $base))
        (local.set $operation (call $next))
        (if (i32.lt_u (local.get $operation) (i32.const 0xe0))
          (then (call_indirect (i32.and (local.get $operation) (i32.const 31))))
          (else
            (call_indirect
              (i32.add (i32.const 32) (i32.rem_u (local.get $operation) (i32.const 6))))))
        (br $again))))
  (i32.store (i32.const 0) (i32.const 0))
  (i32.const 0))
