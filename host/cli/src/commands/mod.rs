//! The subcommands, one file each.

pub(crate) mod build;
pub(crate) mod check;
mod chosen;
pub(crate) mod cluster;
pub(crate) mod completions;
pub(crate) mod explore;
pub(crate) mod graph;
pub(crate) mod inspect;
pub(crate) mod man;
pub(crate) mod new;
pub(crate) mod pack;
#[cfg(unix)]
pub(crate) mod ps;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod run;
pub(crate) mod test;
#[cfg(unix)]
pub(crate) mod top;
