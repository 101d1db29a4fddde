//! Components: the code of processes.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use wasmtime::Engine;
use wasmtime::component::Linker;
use wasmtime::component::types::ComponentItem;

use crate::code_cache::{Cache, Origin};
use crate::error::{ComponentFault, Error};
use crate::process::ProcessState;
use transputer_abi::bindings::GuestPre;
use transputer_abi::{Code, CoreLinker};
use transputer_network::signature::Signature;

/// The code of a process, checked, compiled and ready to be instantiated any number of
/// times. Cloning it is cheap.
#[derive(Clone)]
pub struct Component(Arc<Inner>);

struct Inner {
    name: String,
    signature: Signature,
    code: Code<ProcessState>,
}

/// What components are linked with.
pub(crate) struct Linkers {
    pub(crate) whole: Linker<ProcessState>,
    /// None: every component is instantiated as a whole.
    pub(crate) core_modules: Option<CoreLinker<ProcessState>>,
}

/// The interfaces that the host links.
const OWN: [&str; 3] = [
    "transputer:csp/channel@0.1.0",
    "transputer:csp/alternation@0.1.0",
    "transputer:csp/process@0.1.0",
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
        engine: &Engine,
        linkers: &Linkers,
        cache: &Cache,
        path: &Path,
    ) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::compile(engine, linkers, cache, &path.display().to_string(), &bytes)
    }

    /// Checks the bytes before anything is compiled, so that each fault gets its own error.
    pub(crate) fn compile(
        engine: &Engine,
        linkers: &Linkers,
        cache: &Cache,
        name: &str,
        bytes: &[u8],
    ) -> Result<Self, Error> {
        let fault = |fault| Error::Component {
            component: name.to_owned(),
            fault,
        };
        check_preamble(bytes).map_err(fault)?;
        let making = Making {
            engine,
            linkers,
            cache,
            bytes,
            origin: Origin::of(bytes),
        };
        let kept = making.kept();
        if kept.is_none() {
            wasmparser::Validator::new_with_features(wasmparser::WasmFeatures::default())
                .validate_all(bytes)
                .map_err(|error| fault(ComponentFault::Invalid(error.to_string())))?;
        }
        let signature = Signature::read(bytes)
            .map_err(|error| fault(error.into()))?
            .ok_or_else(|| fault(ComponentFault::NoSignature));
        let code = kept.map_or_else(|| making.compile(), Ok).map_err(fault)?;
        Ok(Self(Arc::new(Inner {
            name: name.to_owned(),
            signature: signature?,
            code,
        })))
    }

    /// The file it came from, or the name it was given.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What it says of itself: its process, arguments and ports.
    pub fn signature(&self) -> &Signature {
        &self.0.signature
    }

    /// Whether its core module is run directly, which costs less: see
    /// [`HostOptions::direct`](crate::HostOptions::direct).
    pub fn is_direct(&self) -> bool {
        matches!(self.0.code, Code::CoreModule(_))
    }

    pub(crate) fn code(&self) -> &Code<ProcessState> {
        &self.0.code
    }
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
        if let Some(module) = self.compile_core_module() {
            return Ok(module);
        }
        let component = self
            .cache
            .compile(self.engine, &self.origin, self.bytes)
            .map_err(|error| ComponentFault::Compile(format!("{error:#}")))?;
        self.link(&component)
    }

    /// Compiles its core module, if that can be run by itself.
    fn compile_core_module(&self) -> Option<Code<ProcessState>> {
        let linker = self.linkers.core_modules.as_ref()?;
        let bytes = linker.rewrite(self.bytes)?;
        let origin = self.origin.rewritten(linker.digest());
        let module = self.cache.compile(self.engine, &origin, &bytes).ok()?;
        linker.link(&module).map(Code::CoreModule)
    }

    fn link(
        &self,
        component: &wasmtime::component::Component,
    ) -> Result<Code<ProcessState>, ComponentFault> {
        check_imports(self.engine, component)?;
        let instance = self
            .linkers
            .whole
            .instantiate_pre(component)
            .map_err(|error| ComponentFault::OtherVersion(format!("{error:#}")))?;
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

/// Names every import that the host lacks, not only the first.
fn check_imports(
    engine: &Engine,
    component: &wasmtime::component::Component,
) -> Result<(), ComponentFault> {
    let lacking: Vec<String> = component
        .component_type()
        .imports(engine)
        // A world's own types are imports too, but name what an interface has.
        .filter(|(_, item)| !matches!(item.ty, ComponentItem::Type(_) | ComponentItem::Resource(_)))
        .map(|(name, _)| name.to_owned())
        .filter(|name| {
            !OWN.contains(&name.as_str()) && !WASI.iter().any(|known| name.starts_with(known))
        })
        .map(|name| format!("`{name}`"))
        .collect();
    if lacking.is_empty() {
        Ok(())
    } else {
        Err(ComponentFault::Imports(lacking))
    }
}
