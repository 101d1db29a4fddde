//! Renews what the SDKs have made of `wit/`: `src/bindings/generated.rs` of transputer-guest, and the
//! type of the Python sandbox's extension. Its tests fail where these are out of date. A program of its
//! own, so that nothing else compiles wit-bindgen.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use wit_bindgen_core::wit_parser::Resolve;
use wit_bindgen_core::{Files, WorldGenerator};
use wit_component::StringEncoding;

fn main() -> anyhow::Result<()> {
    let path = bindings();
    std::fs::write(&path, generate()?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    let path = extension_type();
    std::fs::write(&path, encode_extension_type()?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    let path = stackless_world();
    std::fs::write(&path, encode_stackless_world()?)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The package of the SDK.
fn sdk() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn bindings() -> PathBuf {
    sdk().join("src/bindings/generated.rs")
}

/// What wit-bindgen makes of `wit/`.
fn generate() -> anyhow::Result<String> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(sdk().join("wit"))?;
    let world = resolve.select_world(&[package], Some("guest"))?;
    let options = wit_bindgen_rust::Opts {
        format: true,
        runtime_path: Some("crate::bindings::rt".to_owned()),
        pub_export_macro: true,
        // `process::component` runs them, without a variable that remembers it.
        disable_run_ctors_once_workaround: true,
        ..Default::default()
    };
    let mut files = Files::default();
    options.build().generate(&mut resolve, world, &mut files)?;
    let (_, contents) = files.iter().next().context("nothing was generated")?;
    Ok(String::from_utf8(contents.to_vec())?)
}

fn extension_type() -> PathBuf {
    sdk().join("../python/native/component-type.bin")
}

/// What the extension imports, in the form in which wit-component finds it in a module: all of channels and
/// alternations, of which it uses a few functions. It exports nothing; CPython does.
fn encode_extension_type() -> anyhow::Result<Vec<u8>> {
    const WORLD: &str = "package transputer:python; \
        world extension { \
            import transputer:csp/channel@0.1.0; \
            import transputer:csp/alternation@0.1.0; \
        }";
    let mut resolve = Resolve::default();
    resolve.push_path(sdk().join("wit"))?;
    let package = resolve.push_source("extension.wit", WORLD)?;
    let world = resolve.select_world(&[package], None)?;
    wit_component::metadata::encode(&resolve, world, StringEncoding::UTF8, None)
}

fn stackless_world() -> PathBuf {
    sdk().join("src/stackless/world.bin")
}

/// The world of processes that are async functions, in the form in which wit-component finds it in a
/// module.
fn encode_stackless_world() -> anyhow::Result<Vec<u8>> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(sdk().join("wit/async"))?;
    let world = resolve.select_world(&[package], Some("guest-async"))?;
    wit_component::metadata::encode(&resolve, world, StringEncoding::UTF8, None)
}

#[test]
fn the_world_of_async_functions_is_that_of_wit() {
    let found = std::fs::read(stackless_world()).unwrap_or_default();
    assert!(
        found == encode_stackless_world().expect("`wit/async/` is valid"),
        "guest-sdk/rust/src/stackless/world.bin is not made of `wit/async/`; renew it with \
         `cargo run --locked -p transputer-guest-generator`"
    );
}

#[test]
fn the_extension_has_the_type_of_wit() {
    let found = std::fs::read(extension_type()).unwrap_or_default();
    assert!(
        found == encode_extension_type().expect("`wit/` is valid, and has channels"),
        "guest-sdk/python/native/component-type.bin is not made of `wit/`; renew it with \
         `cargo run --locked -p transputer-guest-generator`"
    );
}

#[test]
fn bindings_are_those_of_wit() {
    let found = std::fs::read_to_string(bindings()).unwrap_or_default();
    assert!(
        found == generate().expect("`wit/` is valid, and has a world `guest`"),
        "guest-sdk/rust/src/bindings/generated.rs is not what wit-bindgen makes of `wit/`; renew it \
         with `cargo run --locked -p transputer-guest-generator`"
    );
}
