//! What a network is before anything runs.
//!
//! A [`Description`] is read from a `network.toml`. [`check`](validation::check) compares it with the
//! [`Signature`]s of its components and makes a [`Plan`], in which every name is resolved. All mistakes
//! are reported at once, each with its file, line and column ([`diagnostics`]).
//!
//! Nothing here compiles or runs WebAssembly, so editors, checkers and packaging tools can
//! use it without the runtime. The crate `transputer` runs what this one has planned.
//!
//! # Check a network
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::path::Path;
//! use transputer_network::description::Description;
//! use transputer_network::validation::check;
//!
//! let text = r#"
//! [process.greeter]
//! component = "greeter.wasm"
//!
//! [[channel]]
//! from = "greeter.greetings"
//! to = "printer.lines"
//! "#;
//! let description = Description::parse(text, "network.toml", Path::new("."))?;
//! let mistakes = check(&description, &BTreeMap::new(), &[]).unwrap_err();
//! assert!(mistakes.to_string().contains("network.toml:7:6: error: there is no process `printer`"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Read what a component says of itself
//!
//! ```no_run
//! use transputer_network::signature::Signature;
//!
//! let signature = Signature::read(&std::fs::read("filter.wasm")?)?;
//! println!("{}", signature.expect("a component that is a process"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Print and read values by their type
//!
//! ```
//! use transputer_network::signature::PayloadType;
//! use transputer_network::value::{encode_text, print};
//!
//! let ty: PayloadType = "list<u8>".parse()?;
//! let bytes = encode_text(&ty, "hello")?;
//! # let _ = print(&ty, &bytes);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(missing_docs)]

mod component_path;
pub mod description;
pub mod diagnostics;
pub mod files;
pub mod parts;
pub mod plan;
pub mod policies;
pub mod signature;
pub mod validation;
pub mod value;

pub use component_path::ComponentPath;
pub use description::Description;
pub use plan::Plan;
pub use signature::Signature;
