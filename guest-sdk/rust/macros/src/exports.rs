//! The exports of a component: once, whatever the number of its processes.
//!
//! A component has one export `run`, and in one form. No item of stable Rust can be left by several
//! expansions and be there once, so the macro remembers for which crates it has left it.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use proc_macro2::TokenStream;
use quote::quote;

static DONE: Mutex<Option<HashSet<String>>> = Mutex::new(None);

/// The exports, in the form of a process, if it is the first of this crate.
pub(crate) fn first(is_async: bool) -> Option<TokenStream> {
    let variable = |name| std::env::var(name).unwrap_or_default();
    let this = [variable("CARGO_MANIFEST_DIR"), variable("CARGO_CRATE_NAME")].join(":");
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    let new = done.get_or_insert_default().insert(this);
    new.then(|| match is_async {
        true => quote!(::transputer_guest::__export_stackless!();),
        false => quote!(::transputer_guest::__export_blocking!();),
    })
}
