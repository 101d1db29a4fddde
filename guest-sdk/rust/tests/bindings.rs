//! The bindings that are checked in are those of `wit/`.

use std::path::Path;

use wit_bindgen_core::wit_parser::Resolve;
use wit_bindgen_core::{Files, WorldGenerator};

const UPDATE: &str = "UPDATE_BINDINGS";

/// What wit-bindgen makes of `wit/` today.
fn generate(wit: &Path) -> String {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(wit).expect("`wit/` is valid WIT");
    let world = resolve
        .select_world(&[package], Some("guest"))
        .expect("`wit/` has a world `guest`");
    let options = wit_bindgen_rust::Opts {
        format: true,
        runtime_path: Some("crate::bindings::rt".to_owned()),
        pub_export_macro: true,
        // `process::run` runs them, without a variable that remembers it.
        disable_run_ctors_once_workaround: true,
        ..Default::default()
    };
    let mut files = Files::default();
    options
        .build()
        .generate(&mut resolve, world, &mut files)
        .expect("wit-bindgen supports what `wit/` uses");
    let (_, contents) = files.iter().next().expect("one file is generated");
    String::from_utf8(contents.to_vec()).expect("Rust is UTF-8")
}

#[test]
fn bindings_match_wit() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = package.join("src/bindings/generated.rs");
    let expected = generate(&package.join("wit"));
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&path, expected).expect("the file can be written");
        return;
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "src/bindings/generated.rs is not what wit-bindgen makes of `wit/`; renew it with\n    \
         {UPDATE}=1 cargo test -p transputer-guest --test bindings"
    );
}
