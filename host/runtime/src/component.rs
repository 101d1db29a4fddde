//! Components: the code of processes.

mod codes;

use std::borrow::Cow;
use std::fmt;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use wasmtime::Engine;
use wasmtime::component::Linker;
use wasmtime::component::types::ComponentItem;

use crate::code_cache::{Cache, Origin};
use crate::compiling::Compiler;
use crate::engine::{Engines, StackClass};
use crate::error::{ComponentFault, Error};
use crate::process::ProcessState;
use crate::python::Program;
use crate::wasi_not_offered;
use transputer_abi::bindings::GuestPre;
use transputer_abi::{Code, CoreLinker};
use transputer_network::ComponentPath;
use transputer_network::files;
use transputer_network::signature::{Signature, SignatureError};
use transputer_network::validation::HostFile;

pub(crate) use codes::Codes;

/// The code of a process, checked, compiled and ready to be instantiated any number of
/// times. Cloning it is cheap.
///
/// A file may hold several processes; this is one of them, and [`process`](Self::process) gives the others.
#[derive(Clone)]
pub struct Component(Arc<Inner>);

struct Inner {
    name: String,
    file: Option<PathBuf>,
    /// The process that it runs, and all that it has.
    signature: Signature,
    signatures: Arc<[Signature]>,
    code: Arc<Codes>,
    /// What the code is to interpret, if it is an interpreter's.
    program: Option<Program>,
}

/// What components are linked with.
pub(crate) struct Linkers {
    pub(crate) whole: Linker<ProcessState>,
    /// None: every component is instantiated as a whole.
    pub(crate) core_modules: Option<CoreLinker<ProcessState>>,
}

/// The interfaces that the host links.
const OWN: [&str; 4] = [
    "transputer:csp/channel@0.1.0",
    "transputer:csp/alternation@0.1.0",
    "transputer:csp/process@0.1.0",
    "transputer:csp/tasks@0.2.0",
];
const WASI: [&str; 6] = [
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
];

impl Component {
    pub(crate) fn read(
        engines: &Engines,
        cache: &Cache,
        compiler: &Compiler,
        path: &ComponentPath,
    ) -> Result<Self, Error> {
        let name = path.to_string();
        let file = &path.file;
        let bytes =
            files::read(file, compiler.most_bytes()).map_err(|source| match source.kind() {
                ErrorKind::FileTooLarge => {
                    too_costly(&name)(format!("{source}, which is the limit"))
                }
                _ => Error::Read {
                    path: file.clone(),
                    source,
                },
            })?;
        let choose = |all| Signature::choose(all, path.process.as_deref());
        let mut inner = Self::make(engines, cache, compiler, &name, &bytes, choose)?;
        inner.file = Some(file.clone());
        Ok(Self(Arc::new(inner)))
    }

    /// A component of these bytes, by this name.
    pub(crate) fn compile(
        engines: &Engines,
        cache: &Cache,
        compiler: &Compiler,
        name: &str,
        bytes: &[u8],
    ) -> Result<Self, Error> {
        // A name may have a colon that means nothing.
        let choose = |all: Vec<Signature>| {
            let process = ComponentPath::of(name.as_ref()).process;
            let process = process.filter(|_| all.len() > 1);
            Signature::choose(all, process.as_deref())
        };
        let inner = Self::make(engines, cache, compiler, name, bytes, choose)?;
        Ok(Self(Arc::new(inner)))
    }

    /// Checks the bytes before anything is compiled, so that each fault gets its own error.
    fn make(
        engines: &Engines,
        cache: &Cache,
        compiler: &Compiler,
        name: &str,
        bytes: &[u8],
        choose: impl FnOnce(Vec<Signature>) -> Result<Option<Signature>, SignatureError>,
    ) -> Result<Inner, Error> {
        let fault = |fault| Error::Component {
            component: name.to_owned(),
            fault,
        };
        let length = bytes.len() as u64;
        compiler.check_size(length).map_err(too_costly(name))?;
        check_preamble(bytes).map_err(fault)?;
        let signatures = Signature::read_all(bytes);
        let read = signatures.iter().flatten();
        let stack = read.filter_map(|signature| signature.stack).max();
        let class = StackClass::with(stack)
            .map_err(|most| fault(ComponentFault::Stack(stack.unwrap_or_default(), most)))?;
        let slots = engines.slots(class)?;
        let making = Making {
            engine: &slots.first().engine,
            linkers: &slots.first().linkers,
            cache,
            bytes,
            origin: Origin::of(bytes),
        };
        let kept = making.kept();
        if kept.is_none() {
            compiler.check_work(bytes).map_err(too_costly(name))?;
            wasmparser::Validator::new_with_features(wasmparser::WasmFeatures::default())
                .validate_all(bytes)
                .map_err(|error| fault(ComponentFault::Invalid(error.to_string())))?;
        }
        let signatures = signatures.map_err(|error| fault(error.into()))?;
        let signature = choose(signatures.clone())
            .map_err(|error| fault(error.into()))?
            .ok_or_else(|| fault(ComponentFault::NoSignature));
        let compile = || compiler.in_background(|| making.compile());
        let code = kept.map_or_else(compile, Ok).map_err(fault)?;
        Ok(Inner {
            name: name.to_owned(),
            file: None,
            signature: signature?,
            signatures: signatures.into(),
            code: Arc::new(Codes::new(slots, code)),
            program: None,
        })
    }

    /// A program that runs in an interpreter's component, by this name.
    pub(crate) fn interpreting(&self, name: &str, program: Program) -> Self {
        Self(Arc::new(Inner {
            name: name.to_owned(),
            file: self.0.file.clone(),
            signature: program.signature.clone(),
            signatures: [program.signature.clone()].into(),
            code: self.0.code.clone(),
            program: Some(program),
        }))
    }

    /// Another process of the same component, by its name. Nothing is compiled again.
    ///
    /// # Errors
    /// [`Error::Component`] if it has no process of this name.
    pub fn process(&self, process: &str) -> Result<Self, Error> {
        let signatures = self.0.signatures.to_vec();
        let file = match &self.0.file {
            Some(file) => file.clone(),
            None => ComponentPath::of(self.0.name.as_ref()).file,
        };
        let name = ComponentPath::new(file, Some(process.to_owned())).to_string();
        let fault = |fault| Error::Component {
            component: name.clone(),
            fault,
        };
        let signature = Signature::choose(signatures, Some(process))
            .map_err(|error| fault(error.into()))?
            .ok_or_else(|| fault(ComponentFault::NoSignature))?;
        Ok(Self(Arc::new(Inner {
            name,
            file: self.0.file.clone(),
            signature,
            signatures: self.0.signatures.clone(),
            code: self.0.code.clone(),
            program: self.0.program.clone(),
        })))
    }

    /// What a process is handed as its arguments: with what is to run in front, where there is a choice.
    pub(crate) fn handed<'a>(&self, arguments: &'a [u8]) -> Cow<'a, [u8]> {
        match (&self.0.program, self.choice()) {
            (Some(program), _) => program.with_arguments(arguments).into(),
            (None, Some(process)) => choosing(process, arguments).into(),
            (None, None) => arguments.into(),
        }
    }

    /// Which of several processes it runs.
    fn choice(&self) -> Option<&str> {
        let several = self.0.signatures.len() > 1;
        several.then_some(self.0.signature.process.as_str())
    }

    /// The files that it was made of when it was loaded: for a Python file, those that it imports, too.
    pub fn sources(&self) -> &[PathBuf] {
        match &self.0.program {
            Some(program) => &program.sources,
            None => self.0.file.as_slice(),
        }
    }

    /// Whether processes of both run the same code.
    pub fn runs_the_same_as(&self, other: &Self) -> bool {
        let programs = [self, other].map(|it| it.0.program.as_ref().map(|program| &program.code));
        Arc::ptr_eq(&self.0.code, &other.0.code)
            && programs[0] == programs[1]
            && self.choice() == other.choice()
    }

    /// The file it was read from, which no process may reach.
    pub(crate) fn host_file(&self) -> Option<HostFile> {
        let path = self.0.file.clone()?;
        let what = format!("the component of process `{}`", self.0.signature.process);
        Some(HostFile::new(what, path))
    }

    /// The file it came from, or the name it was given.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What it says of itself: its process, arguments and ports.
    pub fn signature(&self) -> &Signature {
        &self.0.signature
    }

    /// Whether its processes are stackless: its `run` is an async function, which returns where it has
    /// to wait.
    pub fn is_stackless(&self) -> bool {
        matches!(self.0.code.first(), Code::CoreModule(module) if module.is_stackless())
    }

    /// Whether its core module is run by itself, which costs less: see
    /// [`HostOptions::core_modules`](crate::HostOptions::core_modules).
    pub fn runs_core_module(&self) -> bool {
        matches!(self.0.code.first(), Code::CoreModule(_))
    }

    /// Its code, where its processes find their places.
    pub(crate) fn codes(&self) -> &Codes {
        &self.0.code
    }
}

/// Arguments for one of several processes: an array of its name and them.
fn choosing(process: &str, arguments: &[u8]) -> Vec<u8> {
    const NONE: &[u8] = &[0xa0];
    let mut handed = Vec::with_capacity(process.len() + arguments.len() + 8);
    let mut encoder = minicbor::Encoder::new(&mut handed);
    // A vector takes everything.
    let _ = encoder.array(2).and_then(|it| it.str(process));
    handed.extend_from_slice(match arguments {
        [] => NONE,
        arguments => arguments,
    });
    handed
}

/// What code is made from.
struct Making<'a> {
    engine: &'a Engine,
    linkers: &'a Linkers,
    cache: &'a Cache,
    bytes: &'a [u8],
    origin: Origin,
}

impl Making<'_> {
    /// The code that was once compiled from the same component, which was valid then.
    fn kept(&self) -> Option<Code<ProcessState>> {
        if let Some(linker) = &self.linkers.core_modules {
            let origin = self.origin.rewritten(linker.digest());
            let module = self.cache.kept(self.engine, &origin);
            if let Some(module) = module.and_then(|module| linker.link(&module)) {
                return Some(Code::CoreModule(module));
            }
            // Which way it goes must not depend on what the cache has.
            if linker.suits(self.bytes) {
                return None;
            }
        }
        let component = self.cache.kept(self.engine, &self.origin)?;
        self.link(&component).ok()
    }

    /// Compiles the component, which has been validated.
    fn compile(&self) -> Result<Code<ProcessState>, ComponentFault> {
        if let Some(module) = self.compile_core_module()? {
            return Ok(module);
        }
        if transputer_abi::is_async(self.bytes) {
            return Err(self.refuse_async());
        }
        let component = self
            .cache
            .compile(self.engine, &self.origin, self.bytes)
            .map_err(|error| ComponentFault::Compile(format!("{error:#}")))?;
        self.link(&component)
    }

    /// Why a component with an async `run` cannot be run: this version of the host runs only the core
    /// modules of such components.
    fn refuse_async(&self) -> ComponentFault {
        ComponentFault::Async(match &self.linkers.core_modules {
            None => "core modules are turned off".to_owned(),
            Some(linker) => linker.mismatch(self.bytes).unwrap_or_else(|| {
                "it imports something that the host lacks, or of another type".to_owned()
            }),
        })
    }

    /// Compiles its core module, if that can be run by itself, and if the component is one that could
    /// be instantiated as a whole.
    fn compile_core_module(&self) -> Result<Option<Code<ProcessState>>, ComponentFault> {
        let Some(linker) = &self.linkers.core_modules else {
            return Ok(None);
        };
        let rewritten = linker.rewrite(self.bytes).zip(linker.outline(self.bytes));
        let Some((bytes, outline)) = rewritten else {
            return Ok(None);
        };
        match wasmtime::component::Component::new(self.engine, outline) {
            Ok(outline) => drop(self.link(&outline)?),
            Err(_) => return Ok(None),
        }
        let origin = self.origin.rewritten(linker.digest());
        let module = self.cache.compile(self.engine, &origin, &bytes).ok();
        let linked = module.and_then(|module| linker.link(&module));
        Ok(linked.map(Code::CoreModule))
    }

    fn link(
        &self,
        component: &wasmtime::component::Component,
    ) -> Result<Code<ProcessState>, ComponentFault> {
        self.linkers.link(self.engine, component)
    }
}

impl Linkers {
    /// Links a component that is instantiated as a whole.
    fn link(
        &self,
        engine: &Engine,
        component: &wasmtime::component::Component,
    ) -> Result<Code<ProcessState>, ComponentFault> {
        let lacking = lacking_imports(engine, component);
        let not_wasi: Vec<String> = lacking
            .iter()
            .filter(|name| !name.starts_with("wasi:"))
            .map(|name| format!("`{name}`"))
            .collect();
        if !not_wasi.is_empty() {
            return Err(ComponentFault::Imports(not_wasi));
        }
        let other_version = |error| ComponentFault::OtherVersion(format!("{error:#}"));
        let instance = if lacking.is_empty() {
            self.whole.instantiate_pre(component)
        } else {
            let mut linker = self.whole.clone();
            for name in &lacking {
                wasi_not_offered::define(&mut linker, engine, component, name)
                    .map_err(other_version)?;
            }
            linker.instantiate_pre(component)
        };
        let instance = instance.map_err(other_version)?;
        GuestPre::new(instance)
            .map(Code::Whole)
            .map_err(|error| ComponentFault::NoRun(format!("{error:#}")))
    }
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component")
            .field("name", &self.0.name)
            .field("signature", &self.0.signature)
            .finish_non_exhaustive()
    }
}

fn too_costly(component: &str) -> impl Fn(String) -> Error {
    move |why| Error::Component {
        component: component.to_owned(),
        fault: ComponentFault::TooCostly(why),
    }
}

fn check_preamble(bytes: &[u8]) -> Result<(), ComponentFault> {
    let Some(rest) = bytes.strip_prefix(b"\0asm") else {
        let start = &bytes[..bytes.len().min(8)];
        return Err(ComponentFault::NotWasm {
            found: match start {
                [] => "nothing at all: the file is empty".to_owned(),
                _ => format!("`{}`", start.escape_ascii()),
            },
        });
    };
    match rest.get(..4) {
        Some([_, 0, 1, 0]) => Ok(()),
        Some([1, 0, 0, 0]) => Err(ComponentFault::CoreModule),
        Some(version) => Err(ComponentFault::Invalid(format!(
            "unknown version {version:02x?}"
        ))),
        None => Err(ComponentFault::Invalid(
            "the file ends within its first eight bytes".to_owned(),
        )),
    }
}

/// The name of every import that the host lacks, not only the first.
fn lacking_imports(engine: &Engine, component: &wasmtime::component::Component) -> Vec<String> {
    component
        .component_type()
        .imports(engine)
        // A world's own types are imports too, but name what an interface has.
        .filter(|(_, item)| !matches!(item.ty, ComponentItem::Type(_) | ComponentItem::Resource(_)))
        .map(|(name, _)| name.to_owned())
        .filter(|name| {
            !OWN.contains(&name.as_str()) && !WASI.iter().any(|known| name.starts_with(known))
        })
        .collect()
}
