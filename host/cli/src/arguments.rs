//! The command line.

use std::ffi::OsString;

use clap::{Parser, Subcommand};

use crate::commands::build::Build;
use crate::commands::check::Check;
use crate::commands::cluster::Cluster;
use crate::commands::completions::Completions;
use crate::commands::explore::Explore;
use crate::commands::graph::Graph;
use crate::commands::inspect::Inspect;
use crate::commands::man::Man;
use crate::commands::new::New;
use crate::commands::pack::Pack;
#[cfg(unix)]
use crate::commands::ps::Ps;
use crate::commands::pull::Pull;
use crate::commands::push::Push;
use crate::commands::run::Run;
use crate::commands::test::Test;
#[cfg(unix)]
use crate::commands::top::Top;
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
    Run(Box<Run>),
    Explore(Explore),
    Check(Check),
    Graph(Graph),
    #[cfg(unix)]
    Top(Top),
    #[cfg(unix)]
    Ps(Ps),
    Build(Build),
    Inspect(Inspect),
    Test(Test),
    New(New),
    Pack(Pack),
    Push(Push),
    Pull(Pull),
    Cluster(Cluster),
    Completions(Completions),
    Man(Man),
}

/// Whether arguments that are not understood ask for JSON.
pub(crate) fn want_json(arguments: &[OsString]) -> bool {
    let mut arguments = arguments.iter().take_while(|argument| *argument != "--");
    while let Some(argument) = arguments.next() {
        if argument == "--format=json"
            || argument == "--format" && arguments.next().is_some_and(|format| format == "json")
        {
            return true;
        }
    }
    false
}
