//! Guests written by hand, in the text form of core WebAssembly, for what no SDK would do: forged
//! handles, lengths that lie, allocators that never return.

use std::path::PathBuf;

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
pub use wit_component::StringEncoding;
use wit_component::{ComponentEncoder, embed_component_metadata};
use wit_parser::Resolve;

use crate::repository;

/// What a hand-written guest is given besides the imports.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kit {
    /// Memory and an allocator, from `ordinary.wat`.
    Ordinary,
    /// Memory and an allocator that misbehaves as a program says, from `misbehaves.wat`: for the
    /// interpreter.
    Misbehaving,
    /// Nothing: it brings its own memory and allocator.
    Own,
}

/// A component from a file of `tests/hostile`, which holds the fields of a core module: at least
/// the export `run` and a custom section with a signature.
///
/// # Panics
/// If the file is not there, or is not a guest.
pub fn raw_guest(name: &str, kit: Kit) -> Vec<u8> {
    guest_of_fields(&source(name), kit, StringEncoding::UTF8)
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn source(name: &str) -> String {
    let file: PathBuf = repository().join(format!("tests/hostile/{name}.wat"));
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// A component from the fields of a core module, to which the imports are added, and
/// what is in the kit. Its own imports come first, one a line. Its texts are in this encoding.
///
/// # Errors
/// What makes it none.
pub fn guest_of_fields(
    fields: &str,
    kit: Kit,
    encoding: StringEncoding,
) -> Result<Vec<u8>, String> {
    let own = match kit {
        Kit::Ordinary => source("ordinary"),
        Kit::Misbehaving => source("misbehaves"),
        Kit::Own => String::new(),
    };
    let is_import = |line: &&str| line.starts_with("(import ");
    let (imports, fields): (Vec<&str>, Vec<&str>) = fields.lines().partition(is_import);
    let (imports, fields) = (imports.join("\n"), fields.join("\n"));
    let text = format!("(module {} {imports} {own} {fields})", source("imports"));
    encode(&text, encoding)
}

/// A component that also imports an interface that the host has never heard of, or does not offer.
/// `imports` are those of the core module, `package` the interface's WIT.
///
/// # Panics
/// If no component can be made of it.
pub fn guest_that_imports(interface: &str, package: &str, imports: &str, fields: &str) -> Vec<u8> {
    let text = format!(
        "(module {imports} {} {} {fields})",
        source("imports"),
        source("ordinary")
    );
    let world = format!(
        "package test:imports;\nworld more {{ include transputer:csp/guest@0.1.0; import {interface}; }}"
    );
    let texts = [("package.wit", package), ("world.wit", &world)];
    encode_in(&text, StringEncoding::UTF8, BLOCKING, &texts)
        .unwrap_or_else(|error| panic!("{interface}: {error}"))
}

/// A component of a stackless process from a file of `tests/hostile/stackless`, with what its imports
/// and the ordinary kit are.
///
/// # Panics
/// If the file is not there, or is no guest.
pub fn raw_stackless_guest(name: &str) -> Vec<u8> {
    stackless_guest_of_fields(&source(&format!("stackless/{name}")))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The same from the fields of its core module.
///
/// # Errors
/// What makes it none.
pub fn stackless_guest_of_fields(fields: &str) -> Result<Vec<u8>, String> {
    let (imports, own) = (source("stackless/imports"), source("ordinary"));
    let text = format!("(module {imports} {own} {fields})");
    let contract = ("wit/async", "guest-async");
    encode_in(&text, StringEncoding::UTF8, contract, &[])
}

/// The folder and the world of the contract of processes that block.
const BLOCKING: (&str, &str) = ("wit", "guest");

/// A component from the text of a core module, which may import WASI preview 1.
///
/// # Errors
/// What makes it none.
pub fn encode(text: &str, encoding: StringEncoding) -> Result<Vec<u8>, String> {
    encode_in(text, encoding, BLOCKING, &[])
}

/// Encodes for a contract's world, or for that of the last of these packages, which are named and in WIT.
fn encode_in(
    text: &str,
    encoding: StringEncoding,
    (folder, world): (&str, &str),
    packages: &[(&str, &str)],
) -> Result<Vec<u8>, String> {
    let mut resolve = Resolve::default();
    let (mut package, _) = resolve
        .push_dir(repository().join(folder))
        .expect("the contract can be read");
    let mut name = Some(world);
    for (file, text) in packages {
        package = resolve
            .push_str(file, text)
            .map_err(|error| format!("{error:#}"))?;
        name = None;
    }
    let world = resolve
        .select_world(&[package], name)
        .map_err(|error| format!("{error:#}"))?;
    let mut module = wat::parse_str(text).map_err(|error| error.to_string())?;
    embed_component_metadata(&mut module, &resolve, world, encoding)
        .map_err(|error| format!("{error:#}"))?;
    let encoded = ComponentEncoder::default()
        .module(&module)
        .and_then(|encoder| {
            encoder.adapter(
                WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
                WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
            )
        })
        .and_then(|encoder| encoder.validate(true).encode());
    encoded.map_err(|error| format!("{error:#}"))
}
