//! Guests written by hand, in the text form of core WebAssembly, for what no SDK would do: forged
//! handles, lengths that lie, allocators that never return.

use std::path::PathBuf;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::repository;

/// What a hand-written guest is given besides the imports.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kit {
    /// Memory and an allocator, from `ordinary.wat`.
    Ordinary,
    /// Nothing: it brings its own memory and allocator.
    Own,
}

/// A component from a file of `tests/hostile`, which holds the fields of a core module: at least
/// the export `run` and a custom section with a signature.
///
/// # Panics
/// If the file is not there, or is no guest.
pub fn raw_guest(name: &str, kit: Kit) -> Vec<u8> {
    let mut text = String::from("(module ");
    text.push_str(&source("imports"));
    if kit == Kit::Ordinary {
        text.push_str(&source("ordinary"));
    }
    text.push_str(&source(name));
    text.push(')');
    componentize(&text)
}

fn source(name: &str) -> String {
    let file: PathBuf = repository().join(format!("tests/hostile/{name}.wat"));
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// A core module as a component of world `transputer:csp/guest`.
fn componentize(text: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve
        .push_dir(repository().join("wit"))
        .expect("the contract can be read");
    let world = resolve
        .select_world(&[package], Some("guest"))
        .expect("the contract has its world");
    let mut module = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"));
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .expect("the module can carry its type");
    let encoded = ComponentEncoder::default()
        .module(&module)
        .and_then(|encoder| encoder.validate(true).encode());
    encoded.unwrap_or_else(|error| panic!("{error:#}"))
}
