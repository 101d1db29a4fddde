//! What would run on a host with certain labels, as `check --on` tells.

use transputer::parts::{Part, RemotePort};
use transputer::plan::Plan;
use transputer::policies::Instances;
use transputer_reach::nats::stream_name;

use super::Shape;
use crate::line::Line;
use crate::output;
use crate::tables::{list, table};

/// Prints the parts that a host with these labels may run, and the streams that they use at the server.
pub(crate) fn print_here(plan: &Plan, labels: &[String]) -> anyhow::Result<()> {
    let shape = Shape::of(plan);
    let here: Vec<&Part> = shape.on(labels).collect();
    let mut parts = table(&["HERE", "PROCESSES", "PLACE", "ON"]);
    for part in &here {
        let processes = part.processes.iter().map(|it| &plan.processes[*it].name);
        parts.add_row([
            part.name.clone(),
            list(processes),
            part.place.clone().unwrap_or_default(),
            match part.instances {
                Instances::One => "one host, others stand by".to_owned(),
                Instances::Each => "each host".to_owned(),
            },
        ]);
    }
    let outputs: Vec<_> = here
        .iter()
        .flat_map(|part| plan.remote_outputs(part))
        .collect();
    let inputs: Vec<_> = here
        .iter()
        .flat_map(|part| plan.remote_inputs(part))
        .collect();
    let run = plan.cluster.run.as_ref().unwrap_or(&plan.name);
    let mut streams = table(&["STREAM", "SENDS", "RECEIVES", "CAPACITY"]);
    for (index, channel) in shape.channels.iter().enumerate() {
        let (sends, receives) = (at(&outputs, index), at(&inputs, index));
        if let Some(channel) = channel
            && !(sends.is_empty() && receives.is_empty())
        {
            let capacity = channel.capacity.to_string();
            streams.add_row([stream_name(run, channel), sends, receives, capacity]);
        }
    }
    for table in [parts, streams] {
        output::line(&Line::new())?;
        output::line(&Line::new().laid_out(table.trim_fmt()))?;
    }
    Ok(())
}

/// The ports at a channel.
fn at(ports: &[RemotePort<'_>], channel: usize) -> String {
    let ports = ports.iter().filter(|port| port.channel == channel);
    list(ports.map(|port| format!("{}.{}", port.process, port.port)))
}
