//! crossbeam-channel's `tests/mpsc.rs`, as it is.

include!(concat!(env!("OUT_DIR"), "/mpsc.rs"));
