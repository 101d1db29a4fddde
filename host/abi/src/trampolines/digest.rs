//! Which rewriting it is, for a cache of compiled code: a module that was rewritten in another way
//! is not taken for one that was rewritten in this one.

use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection,
    MemorySection, MemoryType, TypeSection, ValType,
};

use super::{Trampoline, Trampolines, add};
use crate::form::{self, Module};

/// A digest of what is done with these trampolines.
///
/// It is taken over what becomes of a small module that imports all of them, so that it changes
/// with whatever decides that: this crate's code, and the encoder's.
pub(crate) fn digest(trampolines: &Trampolines) -> blake3::Hash {
    let mut all: Vec<_> = trampolines.iter().collect();
    all.sort_unstable_by_key(|(import, _)| **import);
    let mut hasher = blake3::Hasher::new();
    hasher.update(&form::VERSION.to_le_bytes());
    for ((from, name), trampoline) in &all {
        for text in [from, name] {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.update(&[(**trampoline == Trampoline::Try).into()]);
    }
    let linked = all.iter().map(|((from, name), _)| (*from, *name));
    let sample = sample(linked);
    if let Some(rewritten) = Module::read(&sample).and_then(|read| add(&read, trampolines).ok()) {
        hasher.update(&rewritten);
    }
    hasher.finalize()
}

/// A module of the right form that imports these functions, and calls each.
fn sample<'a>(imported: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32, ValType::I64], []);
    types.ty().function([ValType::I32; 6], [ValType::I32]);
    types.ty().function([ValType::I32; 4], [ValType::I32]);
    types.ty().function([ValType::I32], []);
    let mut imports = ImportSection::new();
    let mut run = Function::new([]);
    let mut count = 0;
    for (from, name) in imported {
        imports.import(from, name, EntityType::Function(0));
        run.instructions().i32_const(0).i64_const(0).call(count);
        count += 1;
    }
    run.instructions().i32_const(0).end();
    let mut realloc = Function::new([]);
    realloc.instructions().i32_const(0).end();
    let mut post_return = Function::new([]);
    post_return.instructions().end();
    let mut functions = FunctionSection::new();
    functions.function(1).function(2).function(3);
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
    let mut code = CodeSection::new();
    code.function(&run)
        .function(&realloc)
        .function(&post_return);
    let mut module = wasm_encoder::Module::new();
    module.section(&types).section(&imports).section(&functions);
    module.section(&memories).section(&exports).section(&code);
    module.finish()
}

#[cfg(test)]
mod tests {
    use super::{Trampoline, Trampolines, digest, sample};
    use crate::form::Module;
    use crate::trampolines::add;

    const CHANNEL: &str = "transputer:csp/channel@0.1.0";

    #[test]
    fn other_trampolines_are_another_rewriting() {
        let trampolines = |open| {
            Trampolines::from([
                ((CHANNEL, "open"), open),
                ((CHANNEL, "send-small"), Trampoline::Try),
            ])
        };
        let (waits, tries) = (trampolines(Trampoline::Wait), trampolines(Trampoline::Try));
        assert_eq!(digest(&tries), digest(&tries));
        assert_ne!(digest(&tries), digest(&waits));
    }

    #[test]
    fn the_sample_is_rewritten() {
        let trampolines = Trampolines::from([((CHANNEL, "open"), Trampoline::Wait)]);
        let sample = sample([(CHANNEL, "open")].into_iter());
        let module = Module::read(&sample).expect("a module");
        let rewritten = add(&module, &trampolines).expect("a suitable one");
        wasmparser::Validator::new()
            .validate_all(&rewritten)
            .expect("a valid one");
    }
}
