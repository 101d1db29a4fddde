//! Runs a process's component in one of two ways, with one set of host calls.
//!
//! A component can be instantiated as a whole, by wasmtime's component model. Where it is one core
//! module with nothing around it but what `wit-component` adds, that module can be run by itself,
//! which costs a process one core instance instead of four, and a call a few nanoseconds instead of
//! some seventy. Both ways call the same trait, [`HostCalls`], so that a guest sees no difference.
//!
//! ```text
//! form           recognising a component whose core module can be run by itself
//! trampolines    functions put into that module, for calls that can wait or that return lists
//! canonical      the canonical ABI: values out of a guest's memory and into it
//! handles        the numbers that stand for what a guest holds
//! link           each import as a core function; generated from `wit/`, but for WASI's
//! core_module    such a module: compiled, instantiated, entered
//! code           a component in either way
//! host_calls     the trait that a host implements
//! bindings       what wasmtime makes of `wit/`
//! ```
//!
//! `link/channel.rs`, `link/alternation.rs`, `link/process.rs` and `link/values.rs` are generated:
//! after a change of `wit/`, run
//!
//! ```text
//! TRANSPUTER_UPDATE=1 cargo test -p transputer-abi --test generated
//! ```
//!
//! # Ask which way a component goes
//!
//! ```no_run
//! # use transputer_abi::{CoreLinker, HostCalls};
//! # fn example<T: HostCalls>(engine: &wasmtime::Engine) -> wasmtime::Result<()> {
//! let linker = CoreLinker::<T>::new(engine)?;
//! let component = std::fs::read("filter.wasm")?;
//! match linker.rewrite(&component) {
//!     Some(module) => println!("{} bytes run by themselves", module.len()),
//!     None => println!("instantiated as a whole"),
//! }
//! # Ok(())
//! # }
//! ```
#![deny(missing_docs)]

pub mod bindings;
mod canonical;
mod code;
mod core_module;
mod form;
pub mod handles;
mod host_calls;
mod link;
mod trampolines;

pub use code::{Code, Instance, Ports};
pub use core_module::{CoreLinker, CoreModule};
pub use host_calls::{HostCalls, State};
