//! The contract of `wit/` in Rust, as wit-bindgen generates it.
//!
//! `generated.rs` is checked in, so that a guest compiles neither wit-bindgen nor a WIT parser.
//! `tests/bindings.rs` fails where it no longer matches `wit/`, and says how to renew it.
#![allow(
    clippy::all,
    missing_debug_implementations,
    missing_docs,
    unreachable_pub,
    unsafe_code
)]

#[rustfmt::skip]
mod generated;
mod rt;

pub use generated::*;
