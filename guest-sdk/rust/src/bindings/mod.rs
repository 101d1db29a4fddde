//! The contract of `wit/` in Rust: with a host, as wit-bindgen generates it; without one, in memory.
//!
//! `generated.rs` is checked in, so that a guest compiles neither wit-bindgen nor a WIT parser.
//! `cargo run --locked -p transputer-guest-generator` renews it; a test there fails where it is out of date.

// Without a host, only its plain types are used.
#[cfg_attr(not(target_family = "wasm"), allow(dead_code, unused_macros, unused_imports))]
#[allow(
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    missing_debug_implementations,
    missing_docs,
    unreachable_pub,
    unsafe_code
)]
#[rustfmt::skip]
mod generated;
#[cfg(not(target_family = "wasm"))]
#[allow(missing_debug_implementations, missing_docs)]
mod native;
#[cfg_attr(not(target_family = "wasm"), allow(dead_code))]
mod rt;

#[cfg(target_family = "wasm")]
pub use generated::*;
#[cfg(not(target_family = "wasm"))]
pub use native::*;

use transputer::csp::channel::End;

/// Leaves ends of a process that fails open, for the host to poison.
pub(crate) fn abandon(ends: Vec<End>) {
    #[cfg(target_family = "wasm")]
    std::mem::forget(ends);
    #[cfg(not(target_family = "wasm"))]
    native::abandon(ends);
}
