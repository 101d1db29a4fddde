//! Channels that cross hosts.
//!
//! A remote channel has an [`Outlet`] on the host of its sender and an [`Inlet`] on the host of its receiver. Between them a
//! [`Carrier`](carrier::Carrier) keeps messages: NATS JetStream, or for tests a server in memory that loses, delays and
//! forgets on purpose. This crate knows bytes only, and nothing of processes: what sends is a [`Source`], what receives a
//! [`Sink`].
//!
//! The README of this crate says what is promised, and by which rules it is kept.
#![deny(missing_docs)]

pub mod carrier;
mod ending;
pub mod facts;
mod gate;
mod inlet;
mod insist;
pub mod lease;
pub mod lookout;
pub mod memory;
#[cfg(feature = "nats")]
pub mod nats;
mod notices;
mod origins;
mod outlet;

pub use ending::{Ending, close_port};
pub use gate::StoredGate;
pub use inlet::{Gate, Inlet, InletCounts, InletEnd, NoGate, NotWanted, Sink, Standing};
pub use lease::Lease;
pub use origins::Origins;
pub use outlet::{Outlet, OutletCounts, OutletEnd, Progress, Sent, Source};
