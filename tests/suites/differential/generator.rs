//! Makes components by chance: what they call, with which values, good or not, and how they are
//! built. A seed makes the same one every time.

use std::fmt::Write as _;

use transputer_tests::{StringEncoding, repository};

/// The text of a core module, and the encoding of its component's texts.
pub(crate) struct Generated {
    pub(crate) text: String,
    pub(crate) encoding: StringEncoding,
}

/// Numbers by chance (xorshift).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// Mostly the first, now and then one of the others.
    fn mostly<T: Copy>(&mut self, usual: T, odd: &[T]) -> T {
        if self.one_in(24) { self.of(odd) } else { usual }
    }
}

/// Where results are written; `$mix` takes them from there.
const RESULT: &str = "0x1000";

const ODD_ADDRESSES: [&str; 4] = ["0x1001", "0x1fffe", "0x20000", "0xfffffffc"];

pub(crate) fn generate(seed: u64) -> Generated {
    let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    for _ in 0..8 {
        chance.next();
    }
    let preview1 = chance.one_in(3);
    let encoding = chance.mostly(
        StringEncoding::UTF8,
        &[StringEncoding::UTF16, StringEncoding::CompactUTF16],
    );
    let mut text = String::from("(module ");
    let imports = repository().join("tests/hostile/imports.wat");
    text += &std::fs::read_to_string(imports).expect("it is there");
    if preview1 {
        text += PREVIEW1;
    }
    text += FRAME;
    text += &allocator(&mut chance, preview1);
    if chance.one_in(8) {
        text += "(func $early (global.set $sum (i32.const 7))) (start $early)";
    }
    if chance.one_in(4) {
        let calls = statements(&mut chance, false, 2);
        let _ = write!(text, "(func (export \"_initialize\") {calls})");
    }
    if chance.one_in(3) {
        let after = chance.of(&["", "", "(drop (call $id))", "unreachable"]);
        let _ = write!(
            text,
            "(func (export \"cabi_post_run\") (param i32) {after})"
        );
    }
    let count = 1 + chance.below(10);
    // Without a channel most calls would be refused.
    let opening = match chance.one_in(6) {
        true => "",
        false => "(call $open (i32.const 3) (i32.const 0) (i32.const 0x1200))\n",
    };
    let calls = opening.to_owned() + &statements(&mut chance, preview1, count);
    let result = chance.mostly("0x1800", &["0x1802", "0x20000"]);
    let case = chance.mostly("0", &["1", "1", "1", "2"]);
    let _ = write!(
        text,
        "(func (export \"run\") (param i32 i32 i32 i32 i32 i32) (result i32)\n {calls}\n (call $tell)\n \
         (i32.store (i32.const 0x1800) (i32.const {case}))\n \
         (i32.store (i32.const 0x1804) (i32.const 0x100)) (i32.store (i32.const 0x1808) (i32.const 5))\n \
         (i32.const {result})))"
    );
    Generated { text, encoding }
}

const PREVIEW1: &str = r#"
(import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
(import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
"#;

/// What all have: some text, a sum over what calls returned, and a way to tell it.
const FRAME: &str = r#"
(@custom "transputer:signature" "{\"version\":1,\"process\":\"generated\"}")
(memory (export "memory") 2)
(global $sum (mut i32) (i32.const 0))
(global $heap (mut i32) (i32.const 0x8000))
(data (i32.const 0x100) "hello \c3\a9 \ff")
(data (i32.const 0x200) "\00\01\00\00\05\00\00\00\00\00\00\00\00\00\00\00")
(func $mix (param i32)
  (global.set $sum (i32.add (i32.mul (global.get $sum) (i32.const 31)) (local.get 0))))
;; A list that was returned: its length, and its first byte.
(func $mix_list
  (call $mix (i32.load (i32.const 0x1008)))
  (if (i32.load (i32.const 0x1008))
    (then (call $mix (i32.load8_u (i32.load (i32.const 0x1004)))))))
;; Logs the sum, as letters in both halves of two bytes, for texts of 16 bits as well.
(func $tell (local $digit i32)
  (loop $next
    (i32.store16
      (i32.add (i32.const 0x1400) (i32.shl (local.get $digit) (i32.const 1)))
      (i32.add (i32.const 0x4141)
        (i32.mul (i32.const 0x0101)
          (i32.and (i32.const 15)
            (i32.shr_u (global.get $sum) (i32.shl (local.get $digit) (i32.const 2)))))))
    (br_if $next
      (i32.lt_u (local.tee $digit (i32.add (local.get $digit) (i32.const 1))) (i32.const 8))))
  (call $log (i32.const 2) (i32.const 0x1400) (i32.const 8)))
"#;

/// How it allocates for the host.
fn allocator(chance: &mut Chance, preview1: bool) -> String {
    let first = match chance.below(16) {
        0 => "unreachable",
        1 => "(drop (call $now))",
        2 if preview1 => {
            "(drop (call $fd_write (i32.const 2) (i32.const 0x200) (i32.const 1) (i32.const 0x1100)))"
        }
        _ => "",
    };
    // Out of bounds, or not aligned.
    let address = chance.mostly(
        "(local.get $at)",
        &["(i32.const 0x7ffffff8)", "(i32.const 0x8003)"],
    );
    format!(
        "(func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (local $at i32) {first}
           (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
           (global.set $heap (i32.add (local.get $at) (local.get 3)))
           (if (i32.gt_u (global.get $heap) (i32.mul (memory.size) (i32.const 0x10000)))
             (then (drop (memory.grow
               (i32.add (i32.const 1) (i32.shr_u (local.get 3) (i32.const 16)))))))
           {address})"
    )
}

/// A sequence of calls. The ends of the channel that was opened last lie at 0x1204 and 0x1208.
fn statements(chance: &mut Chance, preview1: bool, count: u64) -> String {
    let mut text = String::new();
    for _ in 0..count {
        let kinds = if preview1 { 16 } else { 11 };
        text += &statement(chance, kinds);
        text.push('\n');
    }
    text
}

fn statement(chance: &mut Chance, kinds: u64) -> String {
    let result = chance.mostly(RESULT, &ODD_ADDRESSES);
    let mixed = "(call $mix (i32.load8_u (i32.const 0x1000)))";
    let address = chance.mostly("0x100", &["0x1fff8", "0xffffffff", "0x106"]);
    let length = chance.mostly("6", &["0", "10", "0x7fffffff", "0xffffffff", "1"]);
    let sender = chance.mostly(
        "(i32.load (i32.const 0x1204))",
        &["(i32.const 0)", "(i32.const 77)"],
    );
    let receiver = chance.mostly(
        "(i32.load (i32.const 0x1208))",
        &["(i32.const 0)", "(i32.const 77)"],
    );
    match chance.below(kinds) {
        0 => {
            let level = chance.mostly("2", &["0", "4", "5", "300"]);
            format!("(call $log (i32.const {level}) (i32.const {address}) (i32.const {length}))")
        }
        1 | 2 => {
            let capacity = chance.mostly("3", &["0", "1", "0xffffffff"]);
            let overflow = chance.mostly("0", &["1", "2", "3"]);
            format!("(call $open (i32.const {capacity}) (i32.const {overflow}) (i32.const 0x1200))")
        }
        3 | 4 => format!(
            "(call $try_send {sender} (i32.const {address}) (i32.const {length}) (i32.const {result})) {mixed}"
        ),
        5 | 6 => format!(
            "(call $try_receive {receiver} (i32.const {result})) {mixed}
             (if (i32.eqz (i32.load8_u (i32.const 0x1000))) (then (call $mix_list)))"
        ),
        7 => format!("(call $poison_sender {sender} (i32.const {address}) (i32.const {length}))"),
        8 => format!("(call $drop_sender {sender})"),
        9 => format!("(call $drop_receiver {receiver})"),
        10 => chance
            .of(&[
                "(drop (memory.grow (i32.const 1)))",
                "(drop (call $id))",
                "(call $yield_now)",
                "(call $mix (i32.div_u (i32.const 1) (global.get $sum)))",
            ])
            .to_owned(),
        11 => {
            let file = chance.mostly("2", &["0", "1", "3", "99"]);
            let buffers = chance.mostly("0x200", &["0x208", "0x1fffc", "0x102"]);
            format!(
                "(call $mix (call $fd_write (i32.const {file}) (i32.const {buffers}) (i32.const 2) \
                 (i32.const {result})))"
            )
        }
        12 => {
            let length = chance.mostly("8", &["0", "0x20000"]);
            format!("(call $mix (call $random_get (i32.const {result}) (i32.const {length})))")
        }
        13 => {
            let clock = chance.of(&["0", "1", "2", "9"]);
            format!(
                "(call $mix (call $clock (i32.const {clock}) (i64.const 0) (i32.const {result})))"
            )
        }
        14 => format!(
            "(call $mix (call $environ (i32.const {result}) (i32.const 0x1100))) \
             (call $mix (i32.load (i32.const 0x1100)))"
        ),
        _ => {
            let status = chance.of(&["0", "1", "3", "126"]);
            let until = chance.of(&["1", "0"]);
            format!("(if (i32.const {until}) (then (call $proc_exit (i32.const {status}))))")
        }
    }
}
