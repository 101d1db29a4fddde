//! A small module of the right form: for the digest, and for tests.

use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection,
    MemorySection, MemoryType, Module, TypeSection, ValType,
};

use crate::form::{CALLBACK, Form};

/// A function that a sample imports.
pub(super) struct Import<'a> {
    pub(super) from: &'a str,
    pub(super) name: &'a str,
    pub(super) parameters: &'a [ValType],
    pub(super) results: &'a [ValType],
}

/// A module that imports these functions, and calls each in `run`.
pub(super) fn sample(imported: &[Import<'_>]) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32; 6], [ValType::I32]);
    types.ty().function([ValType::I32; 4], [ValType::I32]);
    types.ty().function([ValType::I32], []);
    types.ty().function([ValType::I32; 3], [ValType::I32]);
    let mut imports = ImportSection::new();
    let mut run = Function::new([]);
    let mut count = 0;
    for import in imported {
        let copied = |types: &[ValType]| types.to_vec();
        let ty = types.len();
        types
            .ty()
            .function(copied(import.parameters), copied(import.results));
        imports.import(import.from, import.name, EntityType::Function(ty));
        call(&mut run, count, import);
        count += 1;
    }
    run.instructions().i32_const(0).end();
    let mut realloc = Function::new([]);
    realloc.instructions().i32_const(8).end();
    let mut post_return = Function::new([]);
    post_return.instructions().end();
    let mut callback = Function::new([]);
    callback.instructions().i32_const(0).end();
    let mut functions = FunctionSection::new();
    functions.function(0).function(1).function(2).function(3);
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
    exports.export("run", ExportKind::Func, count);
    exports.export("cabi_realloc", ExportKind::Func, count + 1);
    exports.export("cabi_post_run", ExportKind::Func, count + 2);
    exports.export(Form::Stackless.run(), ExportKind::Func, count);
    exports.export(CALLBACK, ExportKind::Func, count + 3);
    let mut code = CodeSection::new();
    code.function(&run)
        .function(&realloc)
        .function(&post_return)
        .function(&callback);
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions);
    module.section(&memories).section(&exports).section(&code);
    module.finish()
}

/// Calls the function of this index with zeroes.
fn call(run: &mut Function, function: u32, import: &Import<'_>) {
    for parameter in import.parameters {
        match parameter {
            ValType::I64 => run.instructions().i64_const(0),
            _ => run.instructions().i32_const(0),
        };
    }
    run.instructions().call(function);
    for _ in import.results {
        run.instructions().drop();
    }
}
