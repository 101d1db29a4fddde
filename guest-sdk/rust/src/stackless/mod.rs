//! Processes that are `async` functions.
//!
//! A process that is an ordinary function blocks where it waits, which takes a stack of its own. One
//! that is an `async` function returns to the host instead, and keeps nothing but what it needs: so it
//! costs less memory, and a communication costs less time.
//!
//! ```
//! use transputer_guest::Error;
//! use transputer_guest::stackless::{Receiver, Sender};
//!
//! /// Passes on the numbers that `prime` does not divide.
//! #[transputer_guest::process]
//! async fn filter(
//!     prime: u64,
//!     mut candidates: Receiver<u64>,
//!     survivors: Sender<u64>,
//! ) -> Result<(), Error> {
//!     while let Some(n) = candidates.next().await? {
//!         if n % prime != 0 {
//!             survivors.send(n).await?;
//!         }
//!     }
//!     Ok(())
//! }
//! # fn main() {}
//! ```
//!
//! The ends of channels are those of this module: [`Receiver`] and [`Sender`], with the same methods as
//! the blocking ones, as futures. [`select!`](crate::stackless::select) waits for one of several
//! communications. [`par!`](crate::stackless::par) runs blocks of the function in parallel, until all have ended.
//! Besides its function a process may have other tasks, from [`spawn_local`]; they run
//! when it waits, and end with it. [`join`] waits for two futures at once, [`timeout`] for one
//! until some time. [`spawn`] starts another process, of either form.
//!
//! A future does something only while it is awaited, and **dropping one loses nothing**: what was to be
//! received stays in the channel or with its receiver, and a message was either sent or not.
//!
//! All processes of one component are `async` functions, or none is. Such a process calls no function
//! that blocks: a component that has one is refused when it is loaded.

mod alternation;
mod barrier;
mod call;
mod children;
mod executor;
mod macros;
mod raw;
mod receiver;
mod sender;
mod task;
mod time;

pub use crate::__par_stackless as par;
pub use crate::__select_stackless as select;
pub use alternation::Alternation;
pub use barrier::Barrier;
pub use children::{Child, Spawn, SpawnError, spawn};
pub use receiver::Receiver;
pub use sender::Sender;
#[doc(hidden)]
pub use task::all;
pub use task::{Task, join, spawn_local};
pub use time::{sleep, sleep_until, timeout, timeout_at, yield_now};

pub(crate) use call::list;
#[doc(hidden)]
pub use executor::{Main, call_back};
pub(crate) use executor::{exit, start};

use std::pin::Pin;

use crate::channel::drop_deferred;
use crate::error::Error;
use crate::message::Message;
use crate::{Options, Overflow};

/// The type of the world of a component whose processes are `async` functions, as wit-component finds it
/// in a module.
pub const WORLD: [u8; include_bytes!("world.bin").len()] = *include_bytes!("world.bin");

/// Opens a channel in which up to `capacity` messages may wait; 0 for a rendezvous.
///
/// # Errors
///
/// Those of [`open`].
pub fn channel<T: Message>(capacity: u32) -> Result<(Sender<T>, Receiver<T>), Error> {
    open(Options {
        capacity,
        overflow: Overflow::Block,
    })
}

/// Opens a channel.
///
/// # Errors
///
/// [`Error::Overloaded`] past the limit on open channels, [`Error::TooLarge`] past the
/// limit on capacity.
pub fn open<T: Message>(options: Options) -> Result<(Sender<T>, Receiver<T>), Error> {
    let (sender, receiver) = crate::open(options)?;
    Ok((sender.into(), receiver.into()))
}

/// Opens a channel with a name; see [`open_named`](crate::open_named).
///
/// # Errors
///
/// Those of [`open`].
pub fn open_named<T: Message>(
    name: &str,
    options: Options,
) -> Result<(Sender<T>, Receiver<T>), Error> {
    let (sender, receiver) = crate::open_named(name, options)?;
    Ok((sender.into(), receiver.into()))
}

/// To be called before anything that talks to a channel: ends that were dropped are closed now.
#[inline]
fn after_event() {
    drop_deferred();
}

/// A part of something that is pinned, pinned as well.
#[allow(unsafe_code)]
fn project<T, P>(pinned: Pin<&mut T>, part: impl FnOnce(&mut T) -> &mut P) -> Pin<&mut P> {
    // SAFETY: nobody in this module moves a part that it has once pinned.
    unsafe { pinned.map_unchecked_mut(part) }
}

/// The same, with another part that is not pinned.
#[allow(unsafe_code)]
fn project_two<'a, T, P, Q>(
    pinned: Pin<&'a mut T>,
    parts: impl FnOnce(&'a mut T) -> (&'a mut P, &'a mut Q),
) -> (Pin<&'a mut P>, &'a mut Q) {
    // SAFETY: as above; the other part is never pinned.
    unsafe {
        let (part, other) = parts(pinned.get_unchecked_mut());
        (Pin::new_unchecked(part), other)
    }
}

/// What is being dropped, which is moved no more.
#[allow(unsafe_code)]
fn pinned_for_drop<T>(dropped: &mut T) -> Pin<&mut T> {
    // SAFETY: it is pinned if anything in it relies on that, and is not moved while it is dropped.
    unsafe { Pin::new_unchecked(dropped) }
}
