//! Functions that send. Each returns the number of an error, or -1.

use core::ptr::null_mut;

use crate::codec;
use crate::ends::End;
use crate::host::{self, NONE, SMALL_BYTES, Sent, SentSome};
use crate::python::{Object, PyLong_FromLong, as_long_number, bytes, integer, number, tuple};

/// Sends the `bytes` of the second argument by the sender of the first.
///
/// # Safety
/// There are so many arguments, which outlive the call.
unsafe fn send_with(
    arguments: *const *mut Object,
    host: impl FnOnce(u32, *const u8, usize, &mut Sent),
) -> *mut Object {
    // SAFETY: the caller's.
    unsafe {
        let (Some(sender), Some((at, length))) = (number(arguments, 0), bytes(arguments, 1)) else {
            return null_mut();
        };
        let mut sent = Sent::default();
        host(sender, at, length, &mut sent);
        PyLong_FromLong(sent.number())
    }
}

/// `send(handle, bytes)`
pub(crate) unsafe extern "C" fn send(
    _: *mut Object,
    arguments: *const *mut Object,
    _: isize,
) -> *mut Object {
    // SAFETY: `transputer.backend.sandbox` passes two arguments, which outlive the call.
    unsafe {
        send_with(arguments, |sender, at, length, sent| {
            host::send(sender, at, length, sent)
        })
    }
}

/// `try_send(handle, bytes)`
pub(crate) unsafe extern "C" fn try_send(
    _: *mut Object,
    arguments: *const *mut Object,
    _: isize,
) -> *mut Object {
    // SAFETY: as in `send`.
    unsafe {
        send_with(arguments, |sender, at, length, sent| {
            host::try_send(sender, at, length, sent);
        })
    }
}

/// `send_by(handle, bytes, deadline)`
pub(crate) unsafe extern "C" fn send_by(
    _: *mut Object,
    arguments: *const *mut Object,
    _: isize,
) -> *mut Object {
    // SAFETY: as in `send`, with one argument more.
    unsafe {
        let Some(deadline) = as_long_number(*arguments.add(2)) else {
            return null_mut();
        };
        send_with(arguments, |sender, at, length, sent| {
            host::send_by(sender, at, length, deadline, sent);
        })
    }
}

/// `send_some(number, packed)`: how many were sent, and the number of an error, or -1.
pub(crate) unsafe extern "C" fn send_some(
    _: *mut Object,
    arguments: *const *mut Object,
    _: isize,
) -> *mut Object {
    // SAFETY: as in `send`.
    unsafe {
        let (Some(sender), Some((at, length))) = (number(arguments, 0), bytes(arguments, 1)) else {
            return null_mut();
        };
        let mut sent = SentSome::default();
        host::send_some(sender, at, length, &mut sent);
        let error = match sent.has_error {
            0 => NONE,
            _ => sent.error.into(),
        };
        tuple([integer(sent.count), PyLong_FromLong(error)])
    }
}

/// What a value has come to that was to be sent.
pub(crate) enum Outcome {
    /// It was sent, or there is the number of an error.
    Told(i32),
    /// It is not one of the end's kind, or none that is sent from here.
    Unfit,
}

/// Sends a value of the end's kind, and waits as long as it takes, if it may.
///
/// # Safety
/// The end is a sender, and the value lives.
pub(crate) unsafe fn send_value(end: &mut End, value: *mut Object, may_wait: bool) -> Outcome {
    let mut sent = Sent::default();
    // SAFETY: the caller's; what is encoded lives as long as the closure runs.
    let encoded = unsafe {
        codec::encoded(end.kind, value, |at, length| {
            if !may_wait {
                host::try_send(end.key, at, length, &mut sent);
            } else if length <= SMALL_BYTES {
                let mut words = [0_u64; 2];
                words.as_mut_ptr().cast::<u8>().copy_from(at, length);
                host::send_small(
                    end.number_of_sender(),
                    length as u32,
                    words[0],
                    words[1],
                    &mut sent,
                );
            } else {
                host::send(end.key, at, length, &mut sent);
            }
        })
    };
    match encoded {
        true => Outcome::Told(sent.number()),
        false => Outcome::Unfit,
    }
}
