//! crossbeam-channel's `tests/zero.rs`, as it is.

include!(concat!(env!("OUT_DIR"), "/zero.rs"));
