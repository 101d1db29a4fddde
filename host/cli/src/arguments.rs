//! The command line.

use clap::{Parser, Subcommand};

use crate::commands::build::Build;
use crate::commands::check::Check;
use crate::commands::completions::Completions;
use crate::commands::explore::Explore;
use crate::commands::inspect::Inspect;
use crate::commands::new::New;
use crate::commands::run::Run;
use crate::exit;
use crate::terminal::Color;

/// Run networks of sandboxed processes that meet only at channels
#[derive(Debug, Parser)]
#[command(name = "transputer", version, after_help = exit::HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// When to colour what is printed
    #[arg(long, global = true, value_enum, default_value_t)]
    pub(crate) color: Color,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(Run),
    Explore(Explore),
    Check(Check),
    Build(Build),
    Inspect(Inspect),
    New(New),
    Completions(Completions),
}
