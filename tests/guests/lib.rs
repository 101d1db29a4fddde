//! Guest programs for the host's tests: each of the other files is a component. See
//! `Cargo.toml` for how they are built.
