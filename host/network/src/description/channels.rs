//! Channels, and the network's standard input and output.

use std::ops::Range;

use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};
use transputer_core::Overflow;

use super::replicas::Indexed;
use super::table::{Fields, Item, Report, check_label};
use super::{ChannelEntry, EndpointEntry, Format, Loop, PortReference};
use crate::diagnostics::{did_you_mean, one_of};
use crate::policies::OnBadLine;

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
    let each = fields.get("for").map(|item| loops(&item, report));
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
    let remote = fields.get("remote").and_then(|item| {
        let remote = item.boolean(report)?;
        if remote {
            can_be_remote(&item, capacity, overflow, report);
        }
        Some(remote)
    });
    fields.finish(report);
    Some(ChannelEntry {
        each: each.unwrap_or_default(),
        name,
        from: from?,
        to: to?,
        capacity,
        overflow: overflow.unwrap_or(Overflow::Block),
        remote: remote.unwrap_or(false),
    })
}

fn can_be_remote(
    remote: &Item<'_>,
    capacity: u32,
    overflow: Option<Overflow>,
    report: &mut Report,
) {
    if capacity == 0 {
        report.error_with_hint(
            remote.span(),
            "two hosts cannot meet at a message, so a remote channel is no rendezvous",
            "give the channel a `capacity` of 1 or more",
        );
    }
    if overflow == Some(Overflow::DropOldest) {
        report.error_with_hint(
            remote.span(),
            "a remote channel cannot drop the oldest message, which a receiver may be working on",
            "write `overflow = \"block\"` or `\"drop-newest\"`",
        );
    }
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

/// Which of the network's own streams.
#[derive(Copy, Clone)]
pub(super) enum Stream {
    Stdin,
    Stdout,
}

/// Reads `[stdin]` or `[stdout]`.
pub(super) fn endpoint(
    stream: Stream,
    entry: &Item<'_>,
    table: &DeTable<'_>,
    report: &mut Report,
) -> Option<EndpointEntry> {
    let (what, key) = match stream {
        Stream::Stdin => ("[stdin]", "to"),
        Stream::Stdout => ("[stdout]", "from"),
    };
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
    let on_bad_line = match stream {
        Stream::Stdin => on_bad_line(&mut fields, format.as_ref(), report),
        Stream::Stdout => OnBadLine::default(),
    };
    fields.finish(report);
    Some(EndpointEntry {
        ports: ports?,
        format: format?,
        capacity,
        on_bad_line,
    })
}

fn on_bad_line(
    fields: &mut Fields<'_>,
    format: Option<&Spanned<Format>>,
    report: &mut Report,
) -> OnBadLine {
    let Some(item) = fields.get("on-bad-line") else {
        return OnBadLine::default();
    };
    if let Some(format) = format
        && matches!(format.get_ref(), Format::Bytes | Format::Cbor)
    {
        report.error_with_hint(
            item.span(),
            format!("there are no lines in the format `{}`", format.get_ref()),
            "leave `on-bad-line` out, or write `format = \"lines\"`",
        );
    }
    let choices = OnBadLine::ALL.map(|choice| (choice.name(), choice));
    let chosen = choice(&item, &choices, report).unwrap_or_default();
    if let Some(format) = format.filter(|format| *format.get_ref() != Format::Lines)
        && chosen == OnBadLine::Cut
    {
        report.error_with_hint(
            item.span(),
            format!(
                "half a line means nothing in the format `{}`",
                format.get_ref()
            ),
            "write `on-bad-line = \"skip\"` or `\"fail\"`",
        );
    }
    chosen
}

/// One variable with its values, or a list of them.
fn loops(item: &Item<'_>, report: &mut Report) -> Vec<Spanned<Loop>> {
    let expected = "a variable with its values, such as \"i in 0..4\", or a list of them";
    let texts = match item.value.get_ref() {
        DeValue::String(text) => vec![Spanned::new(item.span(), text.to_string())],
        _ => item.strings(expected, report),
    };
    let mut loops: Vec<Spanned<Loop>> = Vec::new();
    for text in texts {
        match Loop::parse(text.get_ref()) {
            Ok(parsed) => loops.push(Spanned::new(text.span(), parsed)),
            Err(why) => {
                let message = format!("`for` is {expected}; of {:?}, {why}", text.get_ref());
                report.error(text.span(), message);
            }
        }
    }
    loops
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
            for part in [process, port] {
                if let Err(why) = Indexed::parse(part) {
                    let message = format!("{:?} is not a port: {why}", text.get_ref());
                    let hint =
                        "an index is a number, or an expression such as `i + 1`, in brackets";
                    report.error_with_hint(text.span(), message, hint);
                    return None;
                }
            }
            let reference = PortReference::new(process, port);
            Some(Spanned::new(text.span(), reference))
        }
        _ => {
            report.error_with_hint(
                text.span(),
                format!("{:?} is not a port", text.get_ref()),
                "write the process, a dot, and its port: \"process.port\"",
            );
            None
        }
    }
}
