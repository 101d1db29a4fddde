//! The canonical ABI: values out of a guest's memory, and into it.

mod lift;
mod lower;
#[cfg(test)]
mod tests;

pub(crate) use lift::{Lift, Source, Spilled, array, case, check_aligned, no_case};
pub(crate) use lower::{DONE, Flat, List, Lower, Lowering, Position, bytes_mut, write};
