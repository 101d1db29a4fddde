//! What wit-bindgen makes of `wit/`: the only `generate!` of this crate.
#![allow(
    clippy::all,
    missing_debug_implementations,
    missing_docs,
    unreachable_pub,
    unsafe_code
)]

wit_bindgen::generate!({
    path: "../../wit",
    world: "guest",
    pub_export_macro: true,
    // `process::run` runs them, without a variable that remembers it.
    disable_run_ctors_once_workaround: true,
});
