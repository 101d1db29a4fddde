//! The numbers by which a guest knows what it holds: what a handle stands for, and where.
//!
//! A handle is the place of the thing in the process's own tables, with its kind in the lowest
//! bits. So a forged one names at most something that the process has anyway, as what it is.

use wasmtime::component::Resource;
use wasmtime::{Result, bail};

use crate::message::{Barrier, Receiver, Sender};
use crate::process::{Child, Prepared};

/// Bits of a handle that tell the kind.
const BITS: u32 = 3;
const MASK: u32 = (1 << BITS) - 1;

/// What a guest can hold. No kind is 0, so no handle is.
pub(super) trait Kind: 'static {
    const NUMBER: u32;
    const NAME: &'static str;
}

macro_rules! kinds {
    ($($type:ty: $number:literal, $name:literal;)*) => {
        $(impl Kind for $type {
            const NUMBER: u32 = $number;
            const NAME: &'static str = $name;
        })*
    };
}

kinds! {
    Sender: 1, "sender";
    Receiver: 2, "receiver";
    Barrier: 3, "barrier";
    Prepared: 4, "prepared alternation";
    Child: 5, "child";
}

/// What a handle stands for. Whether the process still has it is for its tables to say.
pub(super) fn resource<T: Kind>(handle: u32) -> Result<Resource<T>> {
    if handle & MASK == T::NUMBER {
        return Ok(Resource::new_own(handle >> BITS));
    }
    bail!("unknown handle {handle}: it stands for no {}", T::NAME)
}

/// The handle of something in the process's tables.
pub(super) fn handle<T: Kind>(resource: &Resource<T>) -> Result<u32> {
    let place = resource.rep();
    match place.checked_mul(1 << BITS) {
        Some(shifted) => Ok(shifted | T::NUMBER),
        None => bail!("the process holds more than handles can tell apart"),
    }
}

#[cfg(test)]
mod tests {
    use super::{handle, resource};
    use crate::message::{Receiver, Sender};
    use wasmtime::component::Resource;

    #[test]
    fn a_handle_stands_for_its_kind_only() {
        let number = handle(&Resource::<Sender>::new_own(7)).expect("a small number");
        assert_eq!(resource::<Sender>(number).expect("a sender").rep(), 7);
        let refused = resource::<Receiver>(number).expect_err("no receiver");
        assert_eq!(
            refused.to_string(),
            format!("unknown handle {number}: it stands for no receiver")
        );
        assert!(resource::<Sender>(0).is_err());
    }

    #[test]
    fn a_place_past_what_a_handle_holds_is_refused() {
        assert!(handle(&Resource::<Sender>::new_own(u32::MAX)).is_err());
    }
}
