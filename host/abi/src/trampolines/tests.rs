use wasm_encoder::ValType;
use wasmparser::{Parser, Payload, Validator};

use super::sample::{Import, sample};
use super::{ENTER, HOST, Trampoline, Trampolines, Unsuitable, add};
use crate::form::{Form, Found, Module};

const CHANNEL: &str = "transputer:csp/channel@0.1.0";

/// A guest that imports one function, and calls it in `run`.
fn guest(from: &str, name: &str, parameters: &[ValType], results: &[ValType]) -> Vec<u8> {
    sample(&[Import {
        from,
        name,
        parameters,
        results,
    }])
}

fn rewritten(guest: &[u8]) -> Result<Vec<u8>, Unsuitable> {
    let trampolines = Trampolines::from([
        ((CHANNEL, "receive-some"), Trampoline::Try),
        ((CHANNEL, "open"), Trampoline::Wait),
    ]);
    let module = Module::read(guest).expect("a module that can be read");
    let form = Form::Fiber;
    add(&Found { module, form }, &trampolines)
}

fn imports(module: &[u8]) -> Vec<(String, String)> {
    let payloads = Parser::new(0).parse_all(module);
    let sections = payloads.filter_map(|payload| match payload {
        Ok(Payload::ImportSection(section)) => Some(section),
        _ => None,
    });
    let imports = sections.flat_map(wasmparser::ImportSectionReader::into_imports);
    let imports = imports.map(|import| import.expect("an import"));
    let names = imports.map(|import| (import.module.to_owned(), import.name.to_owned()));
    names.collect()
}

#[test]
fn a_trampoline_tries_before_it_waits_where_it_can() {
    for (name, tries) in [("receive-some", 1), ("open", 0)] {
        let module =
            rewritten(&guest(CHANNEL, name, &[ValType::I32; 3], &[])).expect("trampolines");
        Validator::new()
            .validate_all(&module)
            .expect("a valid module");
        let imports = imports(&module);
        let named = |from: &str| imports.iter().filter(|import| import.0 == from).count();
        assert_eq!(named(CHANNEL), 1);
        assert_eq!(named(HOST), super::OWN.len());
        assert_eq!(named(&format!("{}{CHANNEL}", super::TRY)), tries);
        let read = Module::read(&module).expect("a module that can be read");
        assert!(read.function(ENTER).is_some());
    }
}

#[test]
fn what_needs_no_trampoline_is_left_as_it_is() {
    let module = guest(CHANNEL, "[resource-drop]sender", &[ValType::I32], &[]);
    let module = rewritten(&module).expect("trampolines");
    Validator::new()
        .validate_all(&module)
        .expect("a valid module");
    assert_eq!(imports(&module).len(), 1 + super::OWN.len());
}

#[test]
fn a_module_that_imports_what_trampolines_do_or_another_type_has_none() {
    let no_results: &[ValType] = &[];
    for (from, name, results) in [
        (HOST, "allocated", no_results),
        ("try transputer:csp/channel@0.1.0", "open", no_results),
        ("wasi:sockets/tcp@0.2.0", "bind", no_results),
        (CHANNEL, "open", &[ValType::I32]),
    ] {
        let module = guest(from, name, &[], results);
        assert!(rewritten(&module).is_err(), "`{name}` of `{from}`");
    }
}
