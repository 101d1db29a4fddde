//! Renews `src/bindings/generated.rs` of transputer-guest from `wit/`; its test fails where that
//! file is out of date. A program of its own, so that nothing else compiles wit-bindgen.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use wit_bindgen_core::wit_parser::Resolve;
use wit_bindgen_core::{Files, WorldGenerator};

fn main() -> anyhow::Result<()> {
    let path = bindings();
    std::fs::write(&path, generate()?).with_context(|| format!("cannot write {}", path.display()))
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

#[test]
fn bindings_are_those_of_wit() {
    let found = std::fs::read_to_string(bindings()).unwrap_or_default();
    assert!(
        found == generate().expect("`wit/` is valid, and has a world `guest`"),
        "guest-sdk/rust/src/bindings/generated.rs is not what wit-bindgen makes of `wit/`; renew it \
         with `cargo run -p transputer-guest-generator`"
    );
}
