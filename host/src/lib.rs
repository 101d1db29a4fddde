//! A host that runs networks of communicating sequential processes, each an
//! isolated WebAssembly component.
#![deny(missing_docs)]

pub mod network;
pub mod problem;
pub mod signature;
pub mod value;
