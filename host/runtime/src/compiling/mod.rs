//! Compiling: bounded, and in the background of what runs.
//!
//! A compiler cannot be interrupted, and what it takes can grow with the square of a function. So
//! what would take too long is refused before (`work`). What is compiled is compiled by threads of
//! low priority (`background`).

mod background;
mod work;

use background::Background;

/// What stands between a component and wasmtime's compiler. Cloning it is cheap; all clones have the same
/// threads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Compiler {
    limits: CompileLimits,
    background: Background,
    /// Whether processes run that it must not hold up.
    beside: bool,
}

impl Compiler {
    pub(crate) fn new(limits: CompileLimits) -> Self {
        Self {
            limits,
            background: Background::default(),
            beside: false,
        }
    }

    /// The same, beside processes that run or not.
    pub(crate) fn beside(&self, processes: bool) -> Self {
        Self {
            beside: processes,
            ..self.clone()
        }
    }

    /// How many bytes a component may have.
    pub(crate) fn most_bytes(&self) -> u64 {
        self.limits.bytes
    }

    /// Refuses a component of so many bytes, if that is over the limit.
    ///
    /// # Errors
    /// Which limit it is over, and by what; likewise below.
    pub(crate) fn check_size(&self, bytes: u64) -> Result<(), String> {
        work::check_size(bytes, &self.limits)
    }

    /// Refuses a component that makes too much work.
    pub(crate) fn check_work(&self, component: &[u8]) -> Result<(), String> {
        work::check(component, &self.limits)
    }

    /// Compiles, beside processes on threads of low priority, and blocks meanwhile.
    pub(crate) fn in_background<R: Send>(&self, compile: impl FnOnce() -> R + Send) -> R {
        match self.beside {
            true => self.background.run(compile),
            false => compile(),
        }
    }
}

/// What may be compiled of one component. A component over a limit is refused with
/// [`ComponentFault::TooCostly`](crate::ComponentFault::TooCostly).
///
/// The defaults admit what compilers make of large programs, such as CPython's interpreter. See `SECURITY.md` for
/// what they promise.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompileLimits {
    /// Bytes of the component; 64 MiB by default.
    pub bytes: u64,
    /// Functions in all of its core modules; 200,000 by default.
    pub functions: u64,
    /// The work that the costliest function makes, in units of one instruction: its instructions, its
    /// local variables times its blocks, and a sixteenth of the targets of its branch tables times the
    /// depth at which these stand. 1,000,000 by default; CPython's costliest function makes 250,000.
    pub function_work: u64,
    /// The work that all functions make together; 50,000,000 by default; CPython makes 7,000,000.
    pub work: u64,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            bytes: 64 << 20,
            functions: 200_000,
            function_work: 1_000_000,
            work: 50_000_000,
        }
    }
}

impl CompileLimits {
    /// No limits: for components that are trusted.
    pub fn none() -> Self {
        Self {
            bytes: u64::MAX,
            functions: u64::MAX,
            function_work: u64::MAX,
            work: u64::MAX,
        }
    }

    /// Sets how many bytes a component may have.
    #[must_use]
    pub fn bytes(mut self, bytes: u64) -> Self {
        self.bytes = bytes;
        self
    }

    /// Sets how many functions a component may have.
    #[must_use]
    pub fn functions(mut self, functions: u64) -> Self {
        self.functions = functions;
        self
    }

    /// Sets how much work one function may make.
    #[must_use]
    pub fn function_work(mut self, work: u64) -> Self {
        self.function_work = work;
        self
    }

    /// Sets how much work all functions may make together.
    #[must_use]
    pub fn work(mut self, work: u64) -> Self {
        self.work = work;
        self
    }
}
