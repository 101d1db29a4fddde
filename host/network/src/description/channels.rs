//! Channels, and the network's standard input and output.

use std::ops::Range;

use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};
use transputer_core::Overflow;

use super::table::{Fields, Item, Report, check_label};
use super::{ChannelEntry, EndpointEntry, Format, PortReference};
use crate::diagnostics::{did_you_mean, one_of};

/// How many messages may wait between standard input or output and its ports,
/// unless the file says otherwise. The outside never sees this as a rendezvous.
const ENDPOINT_CAPACITY: u32 = 64;

const OVERFLOWS: [(&str, Overflow); 3] = [
    ("block", Overflow::Block),
    ("drop-oldest", Overflow::DropOldest),
    ("drop-newest", Overflow::DropNewest),
];

/// Reads every `[[channel]]`.
pub(super) fn channels(item: &Item<'_>, report: &mut Report) -> Vec<ChannelEntry> {
    let expected = "a list of tables, each under `[[channel]]`";
    let Some(array) = item.array(expected, report) else {
        return Vec::new();
    };
    let mut channels = Vec::new();
    for value in array {
        match value.get_ref().as_table() {
            Some(table) => channels.extend(channel(table, value.span(), report)),
            None => report.expected(
                &Item {
                    key: item.key,
                    value,
                },
                expected,
            ),
        }
    }
    channels
}

fn channel(table: &DeTable<'_>, span: Range<usize>, report: &mut Report) -> Option<ChannelEntry> {
    let mut fields = Fields::new("a channel", table);
    let name = fields.get("name").and_then(|item| item.string(report));
    if let Some(name) = &name {
        check_label("a channel", name, report);
    }
    let from = fields
        .require("from", "from = \"process.port\"", span.clone(), report)
        .map(|item| ports(&item, report));
    let to = fields
        .require("to", "to = \"process.port\"", span, report)
        .map(|item| ports(&item, report));
    let capacity = capacity(&mut fields, report).unwrap_or(0);
    let overflow = fields.get("overflow").and_then(|item| {
        let overflow = overflow(&item, report)?;
        if capacity == 0 && overflow != Overflow::Block {
            report.error_with_hint(
                item.span(),
                "a rendezvous holds no messages that could be dropped",
                "give the channel a `capacity` of 1 or more, or leave `overflow` out",
            );
        }
        Some(overflow)
    });
    fields.finish(report);
    Some(ChannelEntry {
        name,
        from: from?,
        to: to?,
        capacity,
        overflow: overflow.unwrap_or(Overflow::Block),
    })
}

fn capacity(fields: &mut Fields<'_>, report: &mut Report) -> Option<u32> {
    let item = fields.get("capacity")?;
    let capacity = item.count(u32::MAX.into(), report)?;
    u32::try_from(capacity).ok()
}

fn overflow(item: &Item<'_>, report: &mut Report) -> Option<Overflow> {
    choice(item, &OVERFLOWS, report)
}

/// One of a few words.
pub(super) fn choice<T: Copy>(
    item: &Item<'_>,
    choices: &[(&str, T)],
    report: &mut Report,
) -> Option<T> {
    let word = item.string(report)?;
    let found = choices.iter().find(|(name, _)| name == word.get_ref());
    if let Some((_, choice)) = found {
        return Some(*choice);
    }
    let names = || choices.iter().map(|(name, _)| *name);
    let message = format!(
        "`{}` is {}; found {:?}",
        item.key,
        one_of(names()),
        word.get_ref()
    );
    match did_you_mean(word.get_ref(), names()) {
        Some(hint) => report.error_with_hint(item.span(), message, hint),
        None => report.error(item.span(), message),
    }
    None
}

/// Reads `[stdin]` or `[stdout]`, whose ports stand under `key`.
pub(super) fn endpoint(
    what: &str,
    key: &'static str,
    entry: &Item<'_>,
    table: &DeTable<'_>,
    report: &mut Report,
) -> Option<EndpointEntry> {
    let mut fields = Fields::new(what, table);
    let span = entry.span();
    let example = format!("{key} = \"process.port\"");
    let ports = fields
        .require(key, &example, span.clone(), report)
        .map(|item| ports(&item, report));
    let formats = Format::ALL.map(|format| (format.name(), format));
    let format = match fields.get("format") {
        Some(item) => {
            choice(&item, &formats, report).map(|format| Spanned::new(item.span(), format))
        }
        None => Some(Spanned::new(span, Format::Lines)),
    };
    let capacity = capacity(&mut fields, report).unwrap_or(ENDPOINT_CAPACITY);
    fields.finish(report);
    Some(EndpointEntry {
        ports: ports?,
        format: format?,
        capacity,
    })
}

/// One port, or a list of them.
fn ports(item: &Item<'_>, report: &mut Report) -> Vec<Spanned<PortReference>> {
    let expected = "a port such as \"process.port\", or a list of ports";
    let texts = match item.value.get_ref() {
        DeValue::String(text) => vec![Spanned::new(item.span(), text.to_string())],
        DeValue::Array(array) if array.is_empty() => {
            report.error(item.span(), format!("`{}` lists no port", item.key));
            Vec::new()
        }
        _ => item.strings(expected, report),
    };
    texts.iter().filter_map(|text| port(text, report)).collect()
}

fn port(text: &Spanned<String>, report: &mut Report) -> Option<Spanned<PortReference>> {
    match text.get_ref().split_once('.') {
        Some((process, port)) if !process.is_empty() && !port.is_empty() && !port.contains('.') => {
            let reference = PortReference {
                process: process.to_owned(),
                port: port.to_owned(),
            };
            Some(Spanned::new(text.span(), reference))
        }
        _ => {
            report.error_with_hint(
                text.span(),
                format!("{:?} is no port", text.get_ref()),
                "write the process, a dot, and its port: \"process.port\"",
            );
            None
        }
    }
}
