//! A process without ports or arguments.

/// Does nothing.
#[transputer_guest::process]
fn no_ports() {}
