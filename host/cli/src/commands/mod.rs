//! The subcommands, one file each.

pub(crate) mod build;
pub(crate) mod check;
mod chosen;
pub(crate) mod completions;
pub(crate) mod explore;
pub(crate) mod inspect;
pub(crate) mod new;
pub(crate) mod run;
