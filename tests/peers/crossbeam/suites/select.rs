//! crossbeam-channel's `tests/select.rs`, as it is.

include!(concat!(env!("OUT_DIR"), "/select.rs"));
