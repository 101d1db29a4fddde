//! The sections of `network.toml`.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, absolute};

use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};

use super::grants::GrantsEntry;
use super::table::{Fields, Item, Report, check_label, check_name, entries, is_duplicate};
use super::{
    ArgumentEntry, ComponentEntry, Count, Description, ProcessEntry, channels, cluster, limits,
    supervision,
};
use crate::diagnostics::{Diagnostics, Source};
use crate::plan::Limits;
use crate::policies::AtCapacity;

/// A text larger than this is refused.
const MAX_TEXT: usize = 16 * 1024 * 1024;

pub(super) fn parse(source: Source, text: &str, base: &Path) -> Result<Description, Diagnostics> {
    if text.len() > MAX_TEXT {
        let message = format!(
            "a description has at most {MAX_TEXT} bytes; this has {}",
            text.len()
        );
        return Err(source.error(0..0, message).into());
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut report = Report::new(source);
    for error in &errors {
        report.syntax_error(error);
    }
    // After any other syntax error, the rest may not mean what its author meant.
    if !errors.iter().all(is_duplicate) {
        return Err(report.into_diagnostics());
    }
    let description = document_sections(document.get_ref(), base, &mut report);
    // With counts, how many there are is known once these are: see `expanded`.
    let counted = description.processes.iter().any(|it| !it.count.is_empty());
    let looped = description.channels.iter().any(|it| !it.each.is_empty());
    if !counted && !looped {
        let endpoints = [description.stdin.is_some(), description.stdout.is_some()];
        let endpoints = endpoints.into_iter().filter(|there| *there).count();
        let (processes, channels) = (description.processes.len(), description.channels.len());
        let totals = &description.totals_entry;
        totals.check(processes as u64, (channels + endpoints) as u64, &mut report);
    }
    match report.is_empty() {
        true => Ok(description),
        false => Err(report.into_diagnostics()),
    }
}

fn document_sections(document: &DeTable<'_>, base: &Path, report: &mut Report) -> Description {
    let mut sections = Fields::new("a network's description", document);
    let Heading {
        name,
        doc,
        at_capacity,
        totals,
    } = network(sections.get("network"), base, report);
    let arguments = sections
        .get("arguments")
        .map(|item| arguments(&item, report));
    let components = sections
        .get("components")
        .map(|item| components(&item, report));
    let processes = sections
        .get("process")
        .map(|item| processes(&item, base, report));
    let channels = sections
        .get("channel")
        .map(|item| channels::channels(&item, report));
    let groups = sections
        .get("group")
        .map(|item| supervision::groups(&item, report));
    let limits = sections.get("limits").and_then(|item| {
        let table = item.table(report)?;
        Some(limits::limits("[limits]".to_owned(), table, report))
    });
    let stdin = sections.get("stdin").and_then(|item| {
        let table = item.table(report)?;
        channels::endpoint(channels::Stream::Stdin, &item, table, report)
    });
    let stdout = sections.get("stdout").and_then(|item| {
        let table = item.table(report)?;
        channels::endpoint(channels::Stream::Stdout, &item, table, report)
    });
    let cluster = sections
        .get("cluster")
        .map(|item| cluster::cluster(&item, report));
    sections.finish(report);
    if processes.as_ref().is_none_or(Vec::is_empty) && report.is_empty() {
        report.error_with_hint(
            0..0,
            "the network has no process",
            "add one: `[process.name]` with a `component`",
        );
    }
    Description {
        source: report.source.clone(),
        base: base.to_owned(),
        name,
        doc,
        arguments: arguments.unwrap_or_default(),
        components: components.unwrap_or_default(),
        processes: processes.unwrap_or_default(),
        channels: channels.unwrap_or_default(),
        limits: limits.unwrap_or_default(),
        groups: groups.unwrap_or_default(),
        totals: totals.totals,
        totals_entry: totals,
        at_capacity,
        stdin,
        stdout,
        cluster: cluster.unwrap_or_default(),
        is_expanded: false,
        numbers_used: BTreeSet::new(),
    }
}

/// What the file says about the network as a whole.
struct Heading {
    name: String,
    doc: String,
    at_capacity: Option<AtCapacity>,
    totals: limits::TotalsEntry,
}

fn network(item: Option<Item<'_>>, base: &Path, report: &mut Report) -> Heading {
    let mut name = None;
    let mut doc = None;
    let mut at_capacity = None;
    let mut totals = None;
    if let Some(table) = item.and_then(|item| item.table(report)) {
        let mut fields = Fields::new("[network]", table);
        name = fields.get("name").and_then(|item| item.string(report));
        doc = fields.get("doc").and_then(|item| item.string(report));
        at_capacity = fields
            .get("at_capacity")
            .and_then(|item| limits::at_capacity(&item, report));
        totals = fields.get("limits").and_then(|item| {
            let table = item.table(report)?;
            Some(limits::totals(table, report))
        });
        fields.finish(report);
    }
    if let Some(name) = &name {
        check_label("a network", name, report);
    }
    let name = name.map_or_else(|| folder_name(base), Spanned::into_inner);
    Heading {
        name,
        doc: doc.map(Spanned::into_inner).unwrap_or_default(),
        at_capacity,
        totals: totals.unwrap_or_default(),
    }
}

fn folder_name(base: &Path) -> String {
    let folder = absolute(base).unwrap_or_else(|_| base.to_owned());
    match folder.file_name() {
        Some(name) => name.to_string_lossy().into_owned(),
        None => "network".to_owned(),
    }
}

fn arguments(item: &Item<'_>, report: &mut Report) -> Vec<ArgumentEntry> {
    let Some(table) = item.table(report) else {
        return Vec::new();
    };
    let mut arguments = Vec::new();
    for (key, value) in entries(table) {
        let name = key.get_ref().as_ref();
        if let Some(value) = (Item { key: name, value }).any(report) {
            let name = Spanned::new(key.span(), name.to_owned());
            arguments.push(ArgumentEntry { name, value });
        }
    }
    arguments
}

fn components(item: &Item<'_>, report: &mut Report) -> Vec<ComponentEntry> {
    let Some(table) = item.table(report) else {
        return Vec::new();
    };
    let mut components = Vec::new();
    for (key, value) in entries(table) {
        let name = key.get_ref().as_ref();
        check_name("a component", name, key.span(), report);
        let item = Item { key: name, value };
        let (path, limits) = match value.get_ref().as_table() {
            Some(table) => component_table(name, key.span(), table, report),
            None => (component(&item, report), Limits::default()),
        };
        if let Some(path) = path {
            let name = Spanned::new(key.span(), name.to_owned());
            components.push(ComponentEntry { name, path, limits });
        }
    }
    components
}

/// A component with limits of its own.
fn component_table(
    name: &str,
    span: Range<usize>,
    table: &DeTable<'_>,
    report: &mut Report,
) -> (Option<Spanned<String>>, Limits) {
    let what = format!("component `{name}`");
    let mut fields = Fields::new(&*what, table);
    let path = fields
        .require("path", "path = \"guests/filter\"", span, report)
        .and_then(|item| component(&item, report));
    let limits = fields.get("limits").and_then(|item| {
        let table = item.table(report)?;
        Some(limits::limits(format!("limits of {what}"), table, report))
    });
    fields.finish(report);
    (path, limits.unwrap_or_default())
}

/// A component's name or path.
fn component(item: &Item<'_>, report: &mut Report) -> Option<Spanned<String>> {
    let path = item.string(report)?;
    if path.get_ref().is_empty() {
        report.error_with_hint(
            path.span(),
            format!("`{}` is empty", item.key),
            "name a `.wasm`, `.rs` or `.py` file, or a folder with a Cargo package",
        );
    }
    Some(path)
}

fn processes(item: &Item<'_>, base: &Path, report: &mut Report) -> Vec<ProcessEntry> {
    let Some(table) = item.table(report) else {
        return Vec::new();
    };
    let mut processes = Vec::new();
    for (key, value) in entries(table) {
        let name = key.get_ref().as_ref();
        check_name("a process", name, key.span(), report);
        let item = Item { key: name, value };
        if let Some(table) = item.table(report) {
            let name = Spanned::new(key.span(), name.to_owned());
            processes.extend(process(name, key.span(), table, base, report));
        }
    }
    processes
}

fn process(
    name: Spanned<String>,
    span: Range<usize>,
    table: &DeTable<'_>,
    base: &Path,
    report: &mut Report,
) -> Option<ProcessEntry> {
    let what = format!("process `{}`", name.get_ref());
    let mut fields = Fields::new(&*what, table);
    let component = fields
        .require("component", "component = \"filter\"", span, report)
        .and_then(|item| component(&item, report));
    let arguments = fields.get("arguments").map(|item| arguments(&item, report));
    let limits = fields.get("limits").and_then(|item| {
        let table = item.table(report)?;
        Some(limits::limits(format!("limits of {what}"), table, report))
    });
    let grants = fields.get("grants").and_then(|item| {
        let table = item.table(report)?;
        let what = format!("grants of {what}");
        Some(GrantsEntry::read(what, table, base, report))
    });
    let restart = fields
        .get("restart")
        .map(|item| supervision::restart(&what, &item, report));
    let links = fields
        .get("links")
        .map(|item| supervision::links(&item, report));
    let (place, instances) = cluster::placement(&what, &mut fields, report);
    let (count, index) = replicas(&mut fields, report);
    fields.finish(report);
    let GrantsEntry {
        grants,
        directory_spans,
        spawn,
    } = grants.unwrap_or_default();
    Some(ProcessEntry {
        name,
        component: component?,
        arguments: arguments.unwrap_or_default(),
        limits: limits.unwrap_or_default(),
        grants,
        directory_spans,
        spawn,
        restart: restart.unwrap_or_default(),
        links: links.unwrap_or_default(),
        place,
        instances,
        count,
        index,
    })
}

/// Reads `count` and `index` of a process.
fn replicas(
    fields: &mut Fields<'_>,
    report: &mut Report,
) -> (Vec<Spanned<Count>>, Vec<Spanned<String>>) {
    let expected = "a number, the name of an argument, or a list of these";
    let counted = fields.get("count");
    let count = counted.map_or_else(Vec::new, |item| {
        let items = one_or_more(&item);
        if items.is_empty() {
            report.expected(&item, expected);
        }
        let counts = items.into_iter().filter_map(|item| {
            let count = match item.value.get_ref() {
                DeValue::String(argument) => Count::Argument(argument.to_string()),
                DeValue::Integer(_) => Count::Number(limits::count(&item, report)?),
                _ => {
                    report.expected(&item, expected);
                    return None;
                }
            };
            Some(Spanned::new(item.span(), count))
        });
        counts.collect()
    });
    let index = fields.get("index").map_or_else(Vec::new, |item| {
        let names = one_or_more(&item).into_iter();
        let names: Vec<_> = names.filter_map(|item| item.string(report)).collect();
        if counted.is_none() {
            let message = "a process without `count` has no index";
            report.error_with_hint(
                item.span(),
                message,
                "give it a `count`, or leave `index` out",
            );
        } else if names.len() != count.len() {
            let message = format!(
                "`index` names {} arguments, and `count` has {} dimensions",
                names.len(),
                count.len()
            );
            report.error_with_hint(item.span(), message, "name one argument for each dimension");
        }
        names
    });
    (count, index)
}

/// The items of a list, or the item itself.
fn one_or_more<'t>(item: &Item<'t>) -> Vec<Item<'t>> {
    let key = item.key;
    match item.value.get_ref() {
        DeValue::Array(items) => items.iter().map(|value| Item { key, value }).collect(),
        _ => vec![*item],
    }
}
