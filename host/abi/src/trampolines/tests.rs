use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection,
    MemorySection, MemoryType, TypeSection, ValType,
};
use wasmparser::{Parser, Payload, Validator};

use super::{ENTER, HOST, Trampoline, Trampolines, Unsuitable, add};
use crate::form::Module;

const CHANNEL: &str = "transputer:csp/channel@0.1.0";

/// A guest that imports one function, and calls it in `run`.
fn guest(from: &str, name: &str, parameters: &[ValType], results: &[ValType]) -> Vec<u8> {
    let mut types = TypeSection::new();
    let copied = |types: &[ValType]| types.to_vec();
    types.ty().function(copied(parameters), copied(results));
    types.ty().function([ValType::I32; 6], [ValType::I32]);
    types.ty().function([ValType::I32; 4], [ValType::I32]);
    let mut imports = ImportSection::new();
    imports.import(from, name, EntityType::Function(0));
    let mut functions = FunctionSection::new();
    functions.function(1).function(2);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    exports.export("run", ExportKind::Func, 1);
    exports.export("cabi_realloc", ExportKind::Func, 2);
    let mut run = Function::new([]);
    for parameter in parameters {
        match parameter {
            ValType::I64 => run.instructions().i64_const(0),
            _ => run.instructions().i32_const(0),
        };
    }
    run.instructions().call(0);
    for _ in results {
        run.instructions().drop();
    }
    run.instructions().i32_const(0).end();
    let mut realloc = Function::new([]);
    realloc.instructions().i32_const(8).end();
    let mut code = CodeSection::new();
    code.function(&run).function(&realloc);
    let mut module = wasm_encoder::Module::new();
    module.section(&types).section(&imports).section(&functions);
    module.section(&memories).section(&exports).section(&code);
    module.finish()
}

fn rewritten(guest: &[u8]) -> Result<Vec<u8>, Unsuitable> {
    let trampolines = Trampolines::from([
        ((CHANNEL, "receive-some"), Trampoline::Try),
        ((CHANNEL, "open"), Trampoline::Wait),
    ]);
    let module = Module::read(guest).expect("a module that can be read");
    add(&module, &trampolines)
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
