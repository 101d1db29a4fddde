//! `transputer ps`: the networks that run, and their processes.

use clap::Args;
use comfy_table::{CellAlignment, Table, presets};

use crate::exit::{BadInput, Exit};
use crate::line::Line;
use crate::output;
use crate::printable::one_line;
use crate::terminal;
use crate::watching::client::{self, Network};
use crate::watching::numbers::{bytes, count, lasted, percent};

const EXAMPLES: &str = "\
Examples:
  transputer ps                    every network that this user runs
  transputer ps sieve              the processes of one, by its name or the number of its command
  transputer ps --json | jq '.[0].bottlenecks'

Networks are found by sockets in $TRANSPUTER_RUNTIME, else $XDG_RUNTIME_DIR/transputer, else a folder for
temporary files that belongs to the user alone. `transputer run --no-socket` opens none. Rates need two
looks: `transputer top` has them from the second on.";

/// List networks that run, and their processes
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Ps {
    /// The name of a network, or the number of its command
    #[arg(value_name = "NETWORK")]
    which: Option<String>,

    /// Print everything that is known, as a list in JSON
    #[arg(long)]
    json: bool,
}

impl Ps {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let networks = client::chosen(client::networks()?, self.which.as_deref());
        if networks.is_empty()
            && let Some(which) = &self.which
        {
            return Err(BadInput::new(format!("no network {which:?} runs here")).into());
        }
        if self.json {
            output::line(&Line::json(&networks)?)?;
            return Ok(Exit::Success);
        }
        if networks.is_empty() {
            terminal::note("no network runs here");
            return Ok(Exit::Success);
        }
        output::line(&Line::new().laid_out(list(&networks).trim_fmt()))?;
        if self.which.is_some() {
            for network in &networks {
                output::line(&Line::new())?;
                output::line(&Line::new().laid_out(processes(network).trim_fmt()))?;
                for held in held_up(network) {
                    output::line(&Line::new())?;
                    output::line(&Line::new().name(held))?;
                }
            }
        }
        Ok(Exit::Success)
    }
}

fn table(header: &[&str], numbers: std::ops::Range<usize>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    for (index, column) in table.column_iter_mut().enumerate() {
        if numbers.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn list(networks: &[Network]) -> Table {
    let header = [
        "COMMAND",
        "NETWORK",
        "FOR",
        "PROCESSES",
        "COMPUTING",
        "SENT",
        "MEMORY",
        "RESTARTS",
        "FAILED",
    ];
    let mut table = table(&header, 2..9);
    for Network { pid, look } in networks {
        let totals = &look.totals;
        table.add_row([
            pid.to_string(),
            one_line(&look.network),
            lasted(look.at),
            totals.living.to_string(),
            totals.running.to_string(),
            count(totals.sent as f64),
            bytes(totals.memory),
            totals.restarts.to_string(),
            totals.failed.to_string(),
        ]);
    }
    table
}

fn processes(network: &Network) -> Table {
    let header = [
        "PROCESS",
        "PROCESSOR",
        "TIME",
        "MEMORY",
        "IN",
        "OUT",
        "RESTARTS",
        "DOES",
    ];
    let mut table = table(&header, 1..7);
    for process in &network.look.processes {
        table.add_row([
            one_line(&process.name),
            percent(process.cpu_share),
            lasted((process.cpu_seconds * 1000.0) as u64),
            bytes(process.memory),
            count(process.received as f64),
            count(process.sent as f64),
            process.restarts.to_string(),
            one_line(process.doing()),
        ]);
    }
    table
}

/// What holds a network up, a line each.
pub(crate) fn held_up(network: &Network) -> Vec<String> {
    let look = &network.look;
    let deadlocks = look.deadlocks.iter().map(|deadlock| {
        let mut cycle = deadlock.cycle.clone();
        cycle.extend(deadlock.cycle.first().cloned());
        format!("deadlock of {}: {}", deadlock.size, cycle.join(" -> "))
    });
    let bottlenecks = look.bottlenecks.iter();
    let bottlenecks = bottlenecks.map(|held| format!("bottleneck: {}", held.told(look)));
    deadlocks.chain(bottlenecks).collect()
}
