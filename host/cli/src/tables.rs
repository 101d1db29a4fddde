//! A network as tables.

use std::collections::BTreeMap;
use std::fmt;

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::BinaryBytes;
use transputer::RestartPolicy;
use transputer::description::{
    ArgumentEntry, Description, EndpointEntry, GroupEntry, PortReference, ProcessEntry,
};
use transputer::plan::{Grants, Limits, Overflow, Totals, Variable};
use transputer::signature::Signature;
use transputer::validation::ArgumentOverride;

use crate::line::Line;
use crate::output;
use crate::printable::one_line;

pub(crate) type Signatures = BTreeMap<String, Signature>;

/// Prints a network's processes and channels. Components without a known signature get
/// what the description alone tells.
pub(crate) fn print(
    description: &Description,
    signatures: &Signatures,
    overrides: &[ArgumentOverride],
) -> anyhow::Result<()> {
    let doc = match description.doc.as_str() {
        "" => String::new(),
        doc => format!(": {doc}"),
    };
    output::line(&Line::new().name(&description.name).text(doc))?;
    output::line(&Line::new())?;
    output::line(&Line::new().laid_out(processes(description, signatures, overrides).trim_fmt()))?;
    if has_channels(description) {
        output::line(&Line::new())?;
        output::line(&Line::new().laid_out(channels(description, signatures).trim_fmt()))?;
    }
    let supervision = supervision(description);
    if !supervision.is_empty() {
        output::line(&Line::new())?;
        output::line(&Line::new().laid_out(supervision.trim_fmt()))?;
    }
    if !description.groups.is_empty() {
        output::line(&Line::new())?;
        output::line(&Line::new().laid_out(groups(description).trim_fmt()))?;
    }
    if let Some(totals) = totals(description.totals) {
        output::line(&Line::new())?;
        output::line(&Line::new().text(format_args!("all together: {totals}")))?;
    }
    Ok(())
}

fn totals(totals: Totals) -> Option<String> {
    let parts = [
        totals
            .memory
            .map(|bytes| format!("memory {}", BinaryBytes(bytes))),
        totals.processes.map(|count| format!("processes {count}")),
        totals.channels.map(|count| format!("channels {count}")),
        totals.cpu.map(|time| format!("cpu {time:?}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

pub(crate) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    if let Some(width) = output::width() {
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
    }
    table
}

fn processes(
    description: &Description,
    signatures: &Signatures,
    overrides: &[ArgumentOverride],
) -> Table {
    let mut table = table(&["PROCESS", "COMPONENT", "ARGUMENTS", "LIMITS", "GRANTS"]);
    for process in &description.processes {
        let signature = signatures.get(process.component.get_ref());
        table.add_row([
            one_line(process.name.get_ref()),
            one_line(process.component.get_ref()),
            arguments(description, process, signature, overrides),
            limits(process.limits.or(description.limits)),
            grants(process),
        ]);
    }
    table
}

/// Prints how processes are supervised, as far as any are.
fn supervision(description: &Description) -> Table {
    let mut table = table(&[
        "PROCESS",
        "RESTART",
        "INTENSITY",
        "BACK-OFF",
        "UNFINISHED",
        "LINKS",
    ]);
    for process in &description.processes {
        let policy = description.restart_policy(process);
        if policy == RestartPolicy::Never && process.links.is_empty() {
            continue;
        }
        let restart = process.restart.restart;
        let group = group_of(description, process);
        let shown = |text: String| match policy {
            RestartPolicy::Never => String::new(),
            _ => text,
        };
        let intensity = match group {
            Some(group) => one_line(format_args!("of group {}", group.name.get_ref())),
            None => restart.intensity.to_string(),
        };
        let letters = process.restart.dead_letter.as_ref();
        let unfinished = [
            match restart.unfinished {
                fate if fate.redelivers() => format!("{fate}, {} attempts", restart.attempts),
                other => other.to_string(),
            },
            letters.map_or_else(String::new, |to| {
                format!("dead letters to {}", to.get_ref())
            }),
        ];
        table.add_row([
            one_line(process.name.get_ref()),
            policy.to_string(),
            shown(intensity),
            shown(restart.backoff.to_string()),
            shown(list(unfinished.iter().filter(|text| !text.is_empty()))),
            list(process.links.iter().map(|link| link.get_ref())),
        ]);
    }
    table
}

fn group_of<'d>(description: &'d Description, process: &ProcessEntry) -> Option<&'d GroupEntry> {
    description.groups.iter().find(|group| {
        let mut members = group.members.iter();
        members.any(|member| member.get_ref() == process.name.get_ref())
    })
}

fn groups(description: &Description) -> Table {
    let mut table = table(&["GROUP", "STRATEGY", "INTENSITY", "MEMBERS"]);
    for group in &description.groups {
        table.add_row([
            one_line(group.name.get_ref()),
            group.strategy.to_string(),
            group.intensity.to_string(),
            list(group.members.iter().map(|member| member.get_ref())),
        ]);
    }
    table
}

fn arguments(
    description: &Description,
    process: &ProcessEntry,
    signature: Option<&Signature>,
    overrides: &[ArgumentOverride],
) -> String {
    let names: Vec<&str> = match signature {
        Some(signature) => signature
            .arguments
            .iter()
            .map(|a| a.name.as_str())
            .collect(),
        None => process
            .arguments
            .iter()
            .map(|a| a.name.get_ref().as_str())
            .collect(),
    };
    list(names.into_iter().map(|name| {
        let value = value(description, process, name, overrides);
        format!("{name} = {}", value.unwrap_or_else(|| "none".to_owned()))
    }))
}

/// An argument's value: the process's own overrides the one for all processes, and the command line
/// overrides the file.
fn value(
    description: &Description,
    process: &ProcessEntry,
    name: &str,
    overrides: &[ArgumentOverride],
) -> Option<String> {
    let given = |for_process: Option<&str>| {
        let mut given = overrides.iter().rev();
        let found = given.find(|a| a.name == name && a.process.as_deref() == for_process);
        found.map(|argument| argument.value.clone())
    };
    let written = |entries: &[ArgumentEntry]| {
        let found = entries.iter().find(|entry| entry.name.get_ref() == name);
        found.map(|entry| entry.value.get_ref().to_string())
    };
    given(Some(process.name.get_ref()))
        .or_else(|| written(&process.arguments))
        .or_else(|| given(None))
        .or_else(|| written(&description.arguments))
}

fn limits(limits: Limits) -> String {
    let parts = [
        limits
            .memory
            .map(|bytes| format!("memory {}", BinaryBytes(bytes))),
        limits
            .message
            .map(|bytes| format!("message {}", BinaryBytes(bytes))),
        limits.cpu.map(|time| format!("cpu {time:?}")),
        limits.wall.map(|time| format!("wall {time:?}")),
        limits.operation.map(|time| format!("operation {time:?}")),
        limits.children.map(|count| format!("children {count}")),
        limits.channels.map(|count| format!("channels {count}")),
        limits.log.map(|lines| format!("log {lines} lines/s")),
    ];
    match list(parts.into_iter().flatten()) {
        text if text.is_empty() => "default".to_owned(),
        text => text,
    }
}

fn grants(process: &ProcessEntry) -> String {
    let Grants { stdio, clocks, .. } = &process.grants;
    let variables = process.grants.env.iter().map(|variable| match variable {
        Variable::Inherited(name) => format!("env {name}"),
        Variable::Fixed { name, value } => format!("env {name}={value}"),
    });
    let directories = process.grants.directories.iter().map(|directory| {
        let access = if directory.write { "write" } else { "read" };
        format!(
            "{access} {} as {}",
            directory.host.display(),
            directory.guest
        )
    });
    let addresses = process
        .grants
        .network
        .iter()
        .map(|address| format!("network {address}"));
    let spawn = process
        .spawn
        .iter()
        .map(|name| format!("spawn {}", name.get_ref()));
    let plain = [(*stdio, "stdio"), (*clocks, "clocks")].into_iter();
    let all = plain
        .filter(|(granted, _)| *granted)
        .map(|(_, name)| name.to_owned())
        .chain(variables)
        .chain(directories)
        .chain(addresses)
        .chain(spawn);
    match list(all) {
        text if text.is_empty() => "none".to_owned(),
        text => text,
    }
}

fn has_channels(description: &Description) -> bool {
    !description.channels.is_empty() || description.stdin.is_some() || description.stdout.is_some()
}

fn channels(description: &Description, signatures: &Signatures) -> Table {
    let mut table = table(&["FROM", "TO", "CAPACITY", "MESSAGES", "NAME"]);
    let payload = |port: Option<&PortReference>| {
        port.and_then(|port| payload(description, signatures, port))
            .unwrap_or_else(|| "unknown".to_owned())
    };
    for channel in &description.channels {
        let from: Vec<&PortReference> = channel.from.iter().map(|port| port.get_ref()).collect();
        let name = channel.name.as_ref().map(|name| one_line(name.get_ref()));
        table.add_row([
            ports(&from),
            ports(
                &channel
                    .to
                    .iter()
                    .map(|port| port.get_ref())
                    .collect::<Vec<_>>(),
            ),
            match (channel.capacity, channel.overflow) {
                (0, _) => "rendezvous".to_owned(),
                (n, Overflow::Block) => n.to_string(),
                (n, Overflow::DropOldest) => format!("{n}, drop-oldest"),
                (n, Overflow::DropNewest) => format!("{n}, drop-newest"),
            },
            payload(from.first().copied()),
            name.unwrap_or_default(),
        ]);
    }
    let endpoint_ports = |endpoint: &EndpointEntry| {
        let ports: Vec<PortReference> = endpoint
            .ports
            .iter()
            .map(|port| port.get_ref().clone())
            .collect();
        ports
    };
    if let Some(stdin) = &description.stdin {
        let to = endpoint_ports(stdin);
        table.add_row([
            format!("stdin ({})", stdin.format.get_ref()),
            ports(&to.iter().collect::<Vec<_>>()),
            stdin.capacity.to_string(),
            payload(to.first()),
            String::new(),
        ]);
    }
    if let Some(stdout) = &description.stdout {
        let from = endpoint_ports(stdout);
        table.add_row([
            ports(&from.iter().collect::<Vec<_>>()),
            format!("stdout ({})", stdout.format.get_ref()),
            stdout.capacity.to_string(),
            payload(from.first()),
            String::new(),
        ]);
    }
    table
}

/// What a port carries, if its component is known.
fn payload(
    description: &Description,
    signatures: &Signatures,
    port: &PortReference,
) -> Option<String> {
    let mut processes = description.processes.iter();
    let process = processes.find(|process| *process.name.get_ref() == port.process)?;
    let signature = signatures.get(process.component.get_ref())?;
    Some(one_line(&signature.port(&port.port)?.ty))
}

fn ports(ports: &[&PortReference]) -> String {
    list(ports.iter())
}

/// Each on a line of its own, for a cell of a table.
pub(crate) fn list(items: impl Iterator<Item = impl fmt::Display>) -> String {
    let lines: Vec<String> = items.map(one_line).collect();
    lines.join("\n")
}
