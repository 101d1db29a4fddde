//! crossbeam-channel's `tests/golang.rs`, as it is.

include!(concat!(env!("OUT_DIR"), "/golang.rs"));
