//! Guests written by hand, for what no SDK would do.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::write;

/// Puts the guest `tests/raw/NAME.wat`, which holds the fields of a core module, into a folder as the
/// component `NAME.wasm`.
pub(crate) fn put_guest(folder: &Path, name: &str) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: String| {
        let file = here.join(file);
        std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    };
    let text = format!(
        "(module {} {} {})",
        read("../../tests/hostile/imports.wat".to_owned()),
        read("../../tests/hostile/ordinary.wat".to_owned()),
        read(format!("tests/raw/{name}.wat")),
    );
    let mut resolve = Resolve::default();
    let wit = here.join("../../wit");
    let (package, _) = resolve.push_dir(wit).expect("the contract can be read");
    let world = resolve
        .select_world(&[package], Some("guest"))
        .expect("the contract has its world");
    let mut module = wat::parse_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .expect("the module can carry its type");
    let encoded = ComponentEncoder::default()
        .module(&module)
        .and_then(|encoder| encoder.validate(true).encode());
    let bytes = encoded.unwrap_or_else(|error| panic!("{name}: {error:#}"));
    write(folder, &format!("{name}.wasm"), bytes);
}

/// Puts the component `tests/raw/NAME.wat`, which is whole, into a folder as `NAME.wasm`.
pub(crate) fn put_component(folder: &Path, name: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/raw/{name}.wat"));
    let bytes = wat::parse_file(file).unwrap_or_else(|error| panic!("{name}: {error}"));
    write(folder, &format!("{name}.wasm"), bytes);
}
