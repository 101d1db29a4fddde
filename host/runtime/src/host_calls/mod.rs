//! What guests can call: thin implementations of the WIT interfaces.
//!
//! Each function checks what the guest gave, calls the core, and translates the answer.
//! An error that the guest can act on is a WIT error. Breaking a rule of the component model, such as
//! using a handle that does not exist, is a trap.

mod alternation;
mod barrier;
mod batch;
mod cause;
mod channel;
mod fast_path;
mod in_flight;
mod operation;
mod parking;
mod patience;
mod prepared;
mod process;
mod trace;

pub(crate) use operation::Operation;
pub(crate) use prepared::Prepared;

use transputer_core::channel::{ChannelError, PoisonKind};
use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

use crate::component::Linkers;
use crate::error::Error;
use transputer_abi::CoreLinker;
use transputer_abi::bindings::Guest;
use transputer_abi::bindings::transputer::csp::channel::Error as WitError;

/// Everything that a guest may import.
/// A seeded host has one worker, which no process may keep.
pub(crate) fn linkers(
    engine: &Engine,
    core_modules: bool,
    is_seeded: bool,
) -> Result<Linkers, Error> {
    let mut linker = Linker::new(engine);
    let setup = |error: wasmtime::Error| Error::Setup {
        message: format!("the imports of guests: {error:#}"),
    };
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(setup)?;
    Guest::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state).map_err(setup)?;
    transputer_abi::bound(&mut linker).map_err(setup)?;
    transputer_abi::add_tasks(&mut linker).map_err(setup)?;
    let core_modules = core_modules
        .then(|| CoreLinker::new(engine, !is_seeded))
        .transpose()
        .map_err(setup)?;
    Ok(Linkers {
        whole: linker,
        core_modules,
    })
}

/// The WIT error for an error of the core.
fn wit_error(error: &ChannelError) -> WitError {
    match error {
        ChannelError::Closed => WitError::Closed,
        ChannelError::Poisoned(poison) => match poison.kind {
            PoisonKind::Poisoned => WitError::Poisoned,
            PoisonKind::PeerTrapped => WitError::PeerTrapped,
            PoisonKind::PeerFailed => WitError::PeerFailed,
            PoisonKind::PeerKilled => WitError::PeerKilled,
            PoisonKind::Deadlock => WitError::Deadlock,
            _ => WitError::Poisoned,
        },
        ChannelError::WouldBlock => WitError::WouldBlock,
        ChannelError::TimedOut => WitError::TimedOut,
        ChannelError::TooLarge { .. } => WitError::TooLarge,
        ChannelError::Overloaded { .. } => WitError::Overloaded,
        // Added by a later core; the contract has no word for it yet.
        _ => WitError::Malformed,
    }
}
