//! As `host_calls`, with guests whose allocator misbehaves: while the host gives it something, a guest
//! grows its memory, names addresses that are not its own, traps, calls the host, or lets go of ends
//! that the host is about to use.
//!
//! A guest may do anything to itself then, so what it logs means nothing. But the host must not fail,
//! every network must end, within its guests' limits, and afterwards the host must hold nothing.
#![no_main]

mod ring;

use libfuzzer_sys::fuzz_target;
use transputer::{Outcome, Usage};
use transputer_tests::{Kit, assert_comes_back};

fuzz_target!(|bytes: &[u8]| {
    let Some((host, report, _)) = ring::run(Kit::Misbehaving, bytes) else {
        return;
    };
    for failure in &report.failures {
        if let Outcome::Failed(text) = &failure.outcome {
            panic!("the interpreter has no errors: {text}");
        }
    }
    assert_comes_back(&host, Usage::default());
});
