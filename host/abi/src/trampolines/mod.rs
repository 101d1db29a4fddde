//! Gives a guest's core module other imports, in place of host calls that it cannot make directly.
//!
//! A host call may have to wait, and it may return lists, for which the guest has to allocate memory.
//! Neither is possible within one cheap call: waiting needs a call that can suspend the guest, and a host
//! call cannot run code of the guest. So each such import is replaced by a *trampoline*, a function in the
//! guest's own module:
//!
//! 1. It *tries*, where the host has a way to try: a plain call, without a future, which returns
//!    [`WAIT`] if it would have to wait.
//! 2. If there is no such way, or it must wait, it calls the host once more, to *wait*.
//! 3. While the host wants memory for a list, it has the guest allocate, and gives the host the
//!    address.
//!
//! The guest is entered through one more function, [`ENTER`], which gets the arguments of `run` in the
//! same way, and takes its result. So the whole life of a process is one call by wasmtime.
//!
//! A stackless process never waits in a call of the host's: such an import only *begins* what it does,
//! and returns a status (with the same care for lists, if it is done at once). Its `run` returns where
//! it has to wait. Another function, [`TURN`], then has the guest allocate for what came of one call, if that has
//! lists, and goes on with the guest's callback. Each turn of a process is one call by wasmtime.

mod digest;
mod sample;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use wasm_encoder::reencode::{self, Reencode, utils};
use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection,
    InstructionSink, NameMap, NameSection, TypeSection, ValType,
};
use wasmparser::{Name, Parser};

use crate::form::{CALLBACK, Form, Found, Import, Module};
use crate::link::is_linked;

pub(crate) use digest::digest;

/// The module name of what only trampolines import.
pub(crate) const HOST: &str = "transputer:trampolines";

/// What goes in front of an import's module to name its way to try.
pub(crate) const TRY: &str = "try ";

/// The function by which the guest is entered: no parameters, no results.
pub(crate) const ENTER: &str = "transputer:enter";

/// The function by which a stackless guest goes on, with an event; returns what its callback does.
pub(crate) const TURN: &str = "transputer:turn";

/// What a host's function that begins something returns besides what to allocate: in the lower half,
/// what the guest is to be told at once.
pub(crate) const STATUS: u64 = 1 << 63;

/// What a way to try returns if it has to wait. (Otherwise what to allocate: see `Lowering`.)
pub(crate) const WAIT: u64 = u64::MAX;

/// What trampolines import themselves, with parameters and results.
type Own = (&'static str, &'static [ValType], &'static [ValType]);
const OWN: [Own; 4] = [
    // Takes an address; returns what to allocate next.
    ("allocated", &[ValType::I32], &[ValType::I64]),
    // Lays out the arguments of `run`; returns what to allocate first.
    ("begin", &[], &[ValType::I64]),
    ("arguments", &[], &[ValType::I32; 6]),
    // Takes the address of the result of `run`.
    ("finish", &[ValType::I32], &[]),
];
const ALLOCATED: u32 = 0;
const BEGIN: u32 = 1;
const ARGUMENTS: u32 = 2;
const FINISH: u32 = 3;

/// The same for a stackless module.
const OWN_STACKLESS: [Own; 3] = [
    OWN[ALLOCATED as usize],
    OWN[BEGIN as usize],
    OWN[ARGUMENTS as usize],
];

/// What a turn is called with: what to allocate first for what came of a call, and the event for the callback.
const OF_TURN: [ValType; 4] = [ValType::I64, ValType::I32, ValType::I32, ValType::I32];

/// How an import is passed through a trampoline.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trampoline {
    /// It has a way to try.
    Try,
    /// It waits, if it must, from the beginning.
    Wait,
    /// It begins, and returns a status: this one, if what came of it has been given.
    Begin(i32),
}

/// The imports that need a trampoline, by module and name.
pub(crate) type Trampolines = HashMap<(&'static str, &'static str), Trampoline>;

/// Why a module cannot have trampolines. Its component is then instantiated as a whole.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unsuitable {
    #[error("it does not export what a process does")]
    Exports,
    #[error("it imports `{0}` of `{1}`")]
    Import(String, String),
    #[error("`{0}` of `{1}` has another type")]
    Type(String, String),
    #[error(transparent)]
    Encode(#[from] reencode::Error),
}

/// Whether a module can have trampolines; if not, why not.
pub(crate) fn check(found: &Found<'_>, trampolines: &Trampolines) -> Result<(), Unsuitable> {
    Rewriter::new(found, trampolines).map(drop)
}

/// The module with trampolines.
pub(crate) fn add(found: &Found<'_>, trampolines: &Trampolines) -> Result<Vec<u8>, Unsuitable> {
    let mut rewriter = Rewriter::new(found, trampolines)?;
    let mut encoded = wasm_encoder::Module::new();
    rewriter.parse_core_module(&mut encoded, Parser::new(0), found.module.bytes)?;
    Ok(encoded.finish())
}

/// A module that is being given trampolines. Its functions are numbered: its imports as before, then
/// imports of the trampolines' own, then what it defines, then the trampolines, then the entrance.
struct Rewriter<'a> {
    module: &'a Module<'a>,
    /// The imports that get a trampoline.
    trampolines: Vec<Planned<'a>>,
    /// For each import, which trampoline it is behind.
    behind: Vec<Option<u32>>,
    /// What trampolines import themselves, whatever they are for.
    own: &'static [Own],
    /// How many functions are imported for the trampolines.
    own_imports: u32,
    realloc: u32,
    run: u32,
    post_return: Option<u32>,
    /// That of a stackless module.
    callback: Option<u32>,
}

struct Planned<'a> {
    /// The number of the import.
    import: u32,
    from: &'a str,
    name: &'a str,
    parameters: Vec<ValType>,
    /// The number of the import of its way to try.
    tries: Option<u32>,
    /// The status that it returns, if it returns one.
    status: Option<i32>,
}

impl<'a> Rewriter<'a> {
    fn new(found: &'a Found<'a>, trampolines: &Trampolines) -> Result<Self, Unsuitable> {
        let Found { module, form } = found;
        let function = |name| module.function(name).ok_or(Unsuitable::Exports);
        if !module.exports_memory("memory") {
            return Err(Unsuitable::Exports);
        }
        let mut imports = module.imports.iter();
        if let Some(import) = imports.find(|import| !is_linked(*form, import.from, import.name)) {
            let (name, from) = (import.name.to_owned(), import.from.to_owned());
            return Err(Unsuitable::Import(name, from));
        }
        let (own, callback): (&[Own], _) = match form {
            Form::Fiber => (&OWN, None),
            Form::Stackless => (&OWN_STACKLESS, Some(function(CALLBACK)?)),
        };
        let mut rewriter = Self {
            module,
            trampolines: Vec::new(),
            behind: Vec::with_capacity(module.imports.len()),
            own,
            own_imports: own.len() as u32,
            realloc: function("cabi_realloc")?,
            run: function(form.run())?,
            post_return: module.function("cabi_post_run"),
            callback,
        };
        for (import, &Import { from, name, ty, .. }) in (0..).zip(&module.imports) {
            let Some(trampoline) = trampolines.get(&(from, name)) else {
                rewriter.behind.push(None);
                continue;
            };
            let status = match trampoline {
                Trampoline::Begin(status) => Some(*status),
                Trampoline::Try | Trampoline::Wait => None,
            };
            let parameters = parameters(module, ty, status.is_some())
                .ok_or_else(|| Unsuitable::Type(name.to_owned(), from.to_owned()))?;
            let tries = (*trampoline == Trampoline::Try).then(|| {
                rewriter.own_imports += 1;
                rewriter.imports() + rewriter.own_imports - 1
            });
            rewriter
                .behind
                .push(Some(rewriter.trampolines.len() as u32));
            rewriter.trampolines.push(Planned {
                import,
                from,
                name,
                parameters,
                tries,
                status,
            });
        }
        Ok(rewriter)
    }

    fn imports(&self) -> u32 {
        self.module.imports.len() as u32
    }

    fn own(&self, number: u32) -> u32 {
        self.imports() + number
    }

    /// The number of a trampoline.
    fn trampoline(&self, position: usize) -> u32 {
        self.imports() + self.own_imports + self.module.defined + position as u32
    }

    fn entrance(&self) -> u32 {
        self.trampoline(self.trampolines.len())
    }

    /// Behind the entrance, if there is one.
    fn turn(&self) -> u32 {
        self.entrance() + 1
    }

    /// Where a function of the module's is now; a rewriter import is behind its trampoline.
    fn moved(&self, function: u32) -> u32 {
        if function >= self.imports() {
            return function + self.own_imports;
        }
        let behind = self.behind.get(function as usize).copied().flatten();
        behind.map_or(function, |position| self.trampoline(position as usize))
    }

    /// The number of a type that is added behind the module's: first those of `own`, then two for
    /// each trampoline: its own, and that of the host's functions behind it.
    fn own_type(&self, number: usize) -> u32 {
        (self.module.types.len() + number) as u32
    }

    fn trampoline_type(&self, position: usize) -> u32 {
        self.own_type(self.own.len() + 2 * position)
    }

    fn host_type(&self, position: usize) -> u32 {
        self.trampoline_type(position) + 1
    }

    fn entrance_type(&self) -> u32 {
        self.trampoline_type(self.trampolines.len())
    }

    fn turn_type(&self) -> u32 {
        self.entrance_type() + 1
    }

    /// The code of a trampoline.
    fn pass(&self, trampoline: &Planned<'_>) -> Function {
        let parameters = trampoline.parameters.len() as u32;
        let mut function = Function::new([(1, ValType::I64)]);
        let wanted = parameters;
        let mut code = function.instructions();
        let call = |code: &mut InstructionSink<'_>, host| {
            for parameter in 0..parameters {
                code.local_get(parameter);
            }
            code.call(host);
        };
        match trampoline.tries {
            Some(tries) => {
                call(&mut code, tries);
                code.local_tee(wanted).i64_eqz();
                code.if_(wasm_encoder::BlockType::Empty).return_().end();
                code.local_get(wanted).i64_const(WAIT as i64).i64_eq();
                code.if_(wasm_encoder::BlockType::Empty);
                call(&mut code, trampoline.import);
                code.local_set(wanted).end();
            }
            None => {
                call(&mut code, trampoline.import);
                code.local_set(wanted);
            }
        }
        if trampoline.status.is_some() {
            code.local_get(wanted).i64_const(0).i64_lt_s();
            code.if_(wasm_encoder::BlockType::Empty);
            code.local_get(wanted).i32_wrap_i64().return_().end();
        }
        self.allocate(&mut code, wanted);
        if let Some(status) = trampoline.status {
            code.i32_const(status);
        }
        code.end();
        function
    }

    /// Allocates for the host, as long as it wants memory.
    fn allocate(&self, code: &mut InstructionSink<'_>, wanted: u32) {
        code.block(wasm_encoder::BlockType::Empty);
        code.loop_(wasm_encoder::BlockType::Empty);
        code.local_get(wanted).i64_eqz().br_if(1);
        code.i32_const(0).i32_const(0);
        code.local_get(wanted)
            .i64_const(32)
            .i64_shr_u()
            .i32_wrap_i64();
        code.local_get(wanted).i32_wrap_i64();
        code.call(self.moved(self.realloc))
            .call(self.own(ALLOCATED));
        code.local_set(wanted).br(0).end().end();
    }

    /// The code of the entrance.
    fn enter(&self) -> Function {
        let mut function = Function::new([(1, ValType::I64), (1, ValType::I32)]);
        let (wanted, result) = (0, 1);
        let mut code = function.instructions();
        code.call(self.own(BEGIN)).local_set(wanted);
        self.allocate(&mut code, wanted);
        code.call(self.own(ARGUMENTS)).call(self.moved(self.run));
        if self.callback.is_some() {
            code.end();
            return function;
        }
        code.local_tee(result).call(self.own(FINISH));
        if let Some(post_return) = self.post_return {
            code.local_get(result).call(self.moved(post_return));
        }
        code.end();
        function
    }

    /// The code by which a stackless guest goes on.
    fn go_on(&self, callback: u32) -> Function {
        let mut function = Function::new([]);
        let (wanted, event) = (0, 1);
        let mut code = function.instructions();
        self.allocate(&mut code, wanted);
        for part in event..OF_TURN.len() as u32 {
            code.local_get(part);
        }
        code.call(self.moved(callback)).end();
        function
    }
}

/// The parameters of a function type without results, or with a status.
fn parameters(module: &Module<'_>, ty: u32, status: bool) -> Option<Vec<ValType>> {
    let function = module.types.get(ty as usize)?.as_ref()?;
    let results: &[_] = match status {
        true => &[wasmparser::ValType::I32],
        false => &[],
    };
    if function.results() != results {
        return None;
    }
    let number = |ty: &wasmparser::ValType| match ty {
        wasmparser::ValType::I32 => Some(ValType::I32),
        wasmparser::ValType::I64 => Some(ValType::I64),
        _ => None,
    };
    function.params().iter().map(number).collect()
}

impl Reencode for Rewriter<'_> {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, reencode::Error> {
        Ok(self.moved(function))
    }

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        utils::parse_type_section(self, types, section)?;
        for (_, parameters, results) in self.own {
            let (parameters, results) = (parameters.iter().copied(), results.iter().copied());
            types.ty().function(parameters, results);
        }
        for trampoline in &self.trampolines {
            let results = trampoline.status.map(|_| ValType::I32);
            types
                .ty()
                .function(trampoline.parameters.iter().copied(), results);
            let results = [ValType::I64];
            types
                .ty()
                .function(trampoline.parameters.iter().copied(), results);
        }
        types.ty().function([], self.callback.map(|_| ValType::I32));
        if self.callback.is_some() {
            types.ty().function(OF_TURN, [ValType::I32]);
        }
        Ok(())
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        _: wasmparser::ImportSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        let mut trampolines = (0..).zip(&self.trampolines).peekable();
        for (number, &Import { from, name, ty, .. }) in (0..).zip(&self.module.imports) {
            let rewriter = trampolines.next_if(|(_, trampoline)| trampoline.import == number);
            let ty = rewriter.map_or(ty, |(position, _)| self.host_type(position));
            imports.import(from, name, EntityType::Function(ty));
        }
        for (number, (name, ..)) in self.own.iter().enumerate() {
            imports.import(HOST, name, EntityType::Function(self.own_type(number)));
        }
        for (position, trampoline) in self.trampolines.iter().enumerate() {
            if trampoline.tries.is_some() {
                let from = format!("{TRY}{}", trampoline.from);
                let ty = EntityType::Function(self.host_type(position));
                imports.import(&from, trampoline.name, ty);
            }
        }
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        utils::parse_function_section(self, functions, section)?;
        for position in 0..self.trampolines.len() {
            functions.function(self.trampoline_type(position));
        }
        functions.function(self.entrance_type());
        if self.callback.is_some() {
            functions.function(self.turn_type());
        }
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        utils::parse_export_section(self, exports, section)?;
        exports.export(ENTER, ExportKind::Func, self.entrance());
        if self.callback.is_some() {
            exports.export(TURN, ExportKind::Func, self.turn());
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: wasmparser::CodeSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        utils::parse_code_section(self, code, section)?;
        for trampoline in &self.trampolines {
            code.function(&self.pass(trampoline));
        }
        code.function(&self.enter());
        if let Some(callback) = self.callback {
            code.function(&self.go_on(callback));
        }
        Ok(())
    }

    /// Names come in the order of the functions, which is another one for imports now.
    fn parse_custom_name_subsection(
        &mut self,
        names: &mut NameSection,
        section: Name<'_>,
    ) -> Result<(), reencode::Error> {
        let Name::Function(functions) = section else {
            return utils::parse_custom_name_subsection(self, names, section);
        };
        let mut moved = Vec::new();
        for naming in functions {
            let naming = naming?;
            moved.push((self.moved(naming.index), naming.name));
        }
        moved.sort_unstable();
        let mut map = NameMap::new();
        for (function, name) in moved {
            map.append(function, name);
        }
        names.functions(&map);
        Ok(())
    }
}
