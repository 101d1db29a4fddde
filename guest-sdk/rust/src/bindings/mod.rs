//! The contract of `wit/` in Rust, as wit-bindgen generates it.
//!
//! `generated.rs` is checked in, so that a guest compiles neither wit-bindgen nor a WIT parser.
//! `cargo run -p transputer-guest-generator` renews it; a test there fails where it is out of date.

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
mod rt;

pub use generated::*;
