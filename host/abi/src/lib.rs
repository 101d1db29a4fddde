//! Runs a process's component in one of two ways, with one set of host calls.
//!
//! A component can be instantiated as a whole, by wasmtime's component model. If it is one core module
//! with nothing around it but what `wit-component` adds, that module can be run by itself: then a process
//! costs one core instance instead of four, and a call a few nanoseconds instead of some seventy. Both
//! ways call the same trait, [`HostCalls`], so that a guest sees no difference.
//!
//! ```text
//! form           recognising a component whose core module can be run by itself
//! trampolines    functions put into that module, for calls that can wait or that return lists
//! canonical      the canonical ABI: values out of a guest's memory and into it
//! handles        the numbers that stand for what a guest holds
//! bounded        calls that a guest could make long, bounded and in steps
//! link           each import as a core function; generated from `wit/`, except for WASI
//! core_module    such a module: compiled, instantiated, entered
//! stackless      a module that returns where it has to wait: its turns, and what it waits for
//! tasks          what stackless components are checked against
//! code           a component in either way
//! host_calls     the trait that a host implements
//! bindings       what wasmtime makes of `wit/`
//! ```
//!
//! `link/channel.rs`, `link/alternation.rs`, `link/process.rs` and `link/values.rs` are generated:
//! after a change of `wit/`, run
//!
//! ```text
//! TRANSPUTER_UPDATE=1 cargo test --locked -p transputer-abi --test generated
//! ```
//!
//! # Ask which way a component goes
//!
//! ```no_run
//! # use transputer_abi::{CoreLinker, HostCalls};
//! # fn example<T: HostCalls>(engine: &wasmtime::Engine) -> wasmtime::Result<()> {
//! let linker = CoreLinker::<T>::new(engine, true)?;
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
mod bounded;
mod canonical;
mod code;
mod core_module;
mod form;
pub mod handles;
mod host_calls;
mod link;
mod stackless;
mod tasks;
mod trampolines;

pub use bounded::bound;
pub use code::{Code, Instance, Ports};
pub use core_module::{CoreLinker, CoreModule, is_async};
pub use host_calls::{HostCalls, State};
pub use stackless::{Answer, Begun, Call};
pub use tasks::add_tasks;
