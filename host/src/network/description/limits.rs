//! Limits: sizes, times and counts.

use std::time::Duration;

use toml::de::DeTable;

use super::table::{Fields, Item, Report};
use crate::network::plan::Limits;

/// A process cannot have less memory than one page.
const PAGE: u64 = 64 * 1024;

/// Reads a table of limits, called `what` in errors.
pub(super) fn limits(what: String, table: &DeTable<'_>, report: &mut Report) -> Limits {
    let mut fields = Fields::new(what, table);
    let memory = fields.get("memory").and_then(|item| {
        let size = size(&item, report)?;
        if size < PAGE {
            report.error_with_hint(
                item.span(),
                format!("`memory` is {size} bytes, and a process needs at least one page"),
                "give it `64 KiB` or more",
            );
        }
        Some(size)
    });
    let limits = Limits {
        memory,
        message: fields.get("message").and_then(|item| size(&item, report)),
        cpu: fields.get("cpu").and_then(|item| time(&item, report)),
        wall: fields.get("wall").and_then(|item| time(&item, report)),
        children: fields.get("children").and_then(|item| count(&item, report)),
        channels: fields.get("channels").and_then(|item| count(&item, report)),
    };
    fields.finish(report);
    limits
}

fn size(item: &Item<'_>, report: &mut Report) -> Option<u64> {
    let size = match item.value.get_ref().as_str() {
        Some(text) => parse_size::parse_size(text).ok(),
        None if item.value.get_ref().is_integer() => return item.count(u64::MAX, report),
        None => None,
    };
    if size.is_none() {
        report.expected(item, "a size, such as \"64 MiB\" or a number of bytes");
    }
    size
}

pub(super) fn time(item: &Item<'_>, report: &mut Report) -> Option<Duration> {
    let text = item.value.get_ref().as_str();
    let time = text.and_then(|text| humantime::parse_duration(text).ok());
    let time = time.filter(|time| !time.is_zero());
    if time.is_none() {
        report.expected(item, "a time with its unit, such as \"2 s\" or \"500 ms\"");
    }
    time
}

fn count(item: &Item<'_>, report: &mut Report) -> Option<u32> {
    let count = item.count(u32::MAX.into(), report)?;
    u32::try_from(count).ok()
}
