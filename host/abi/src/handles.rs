//! Handles: the numbers by which a guest knows what it holds.
//!
//! A handle is the index of the thing in the process's own tables, with its kind in the lowest bits. So a
//! forged handle can at most name something that the process has anyway, and only as what it is.

use wasmtime::component::Resource;
use wasmtime::{Result, bail};

/// Bits of a handle that tell the kind.
const BITS: u32 = 3;
const MASK: u32 = (1 << BITS) - 1;

/// What a guest can hold. No kind is 0, and so no handle is.
pub(crate) trait Kind: 'static {
    const NUMBER: u32;
    const NAME: &'static str;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident, $handle:ident: $number:literal, $name:literal;)*) => {
        $(
            $(#[$doc])*
            ///
            /// It has no values: the thing itself is in the process's tables, at the index that
            /// its handle stands for.
            #[derive(Debug)]
            pub enum $kind {}

            #[doc = concat!("The handle of a guest's ", $name, ".")]
            pub type $handle = Resource<$kind>;

            impl Kind for $kind {
                const NUMBER: u32 = $number;
                const NAME: &'static str = $name;
            }
        )*
    };
}

kinds! {
    /// The kind of handle that stands for a sender.
    Sender, SenderHandle: 1, "sender";
    /// The kind of handle that stands for a receiver.
    Receiver, ReceiverHandle: 2, "receiver";
    /// The kind of handle that stands for a membership of a barrier.
    Barrier, BarrierHandle: 3, "barrier";
    /// The kind of handle that stands for a prepared alternation.
    Prepared, PreparedHandle: 4, "prepared alternation";
    /// The kind of handle that stands for a child.
    Child, ChildHandle: 5, "child";
}

/// What a handle stands for. The process's tables tell whether it still has it.
pub(crate) fn resource<T: Kind>(handle: u32) -> Result<Resource<T>> {
    if handle & MASK == T::NUMBER {
        return Ok(Resource::new_own(handle >> BITS));
    }
    bail!(
        "unknown handle {handle}: it does not stand for a {}",
        T::NAME
    )
}

/// The handle of something in the process's tables.
pub(crate) fn handle<T: Kind>(resource: &Resource<T>) -> Result<u32> {
    match resource.rep().checked_mul(1 << BITS) {
        Some(shifted) => Ok(shifted | T::NUMBER),
        None => bail!("the process holds more than handles can tell apart"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Receiver, Sender, SenderHandle, handle, resource};

    #[test]
    fn a_handle_stands_for_its_kind_only() {
        let number = handle(&SenderHandle::new_own(7)).expect("a small number");
        assert_eq!(resource::<Sender>(number).expect("a sender").rep(), 7);
        let refused = resource::<Receiver>(number).expect_err("no receiver");
        assert_eq!(
            refused.to_string(),
            format!("unknown handle {number}: it does not stand for a receiver")
        );
        assert!(resource::<Sender>(0).is_err());
    }

    #[test]
    fn an_index_past_what_a_handle_holds_is_refused() {
        assert!(handle(&SenderHandle::new_own(u32::MAX)).is_err());
    }
}
