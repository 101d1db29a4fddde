//! Limits: sizes, times and counts.

use std::ops::Range;
use std::time::Duration;

use toml::de::DeTable;

use super::table::{Fields, Item, Report};
use crate::plan::{Limits, Totals};
use crate::policies::AtCapacity;

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
        operation: fields.get("operation").and_then(|item| time(&item, report)),
        children: fields.get("children").and_then(|item| count(&item, report)),
        channels: fields.get("channels").and_then(|item| count(&item, report)),
        log: fields.get("log").and_then(|item| count(&item, report)),
    };
    fields.finish(report);
    limits
}

/// Totals, and the positions of those that the network itself may exceed.
#[derive(Clone, Debug, Default)]
pub(crate) struct TotalsEntry {
    pub(super) totals: Totals,
    processes: Range<usize>,
    channels: Range<usize>,
}

/// Reads the limits of a network as a whole.
pub(super) fn totals(table: &DeTable<'_>, report: &mut Report) -> TotalsEntry {
    let mut fields = Fields::new("[network.limits]", table);
    let mut entry = TotalsEntry::default();
    entry.totals.memory = fields.get("memory").and_then(|item| size(&item, report));
    if let Some(item) = fields.get("processes") {
        entry.totals.processes = count(&item, report);
        entry.processes = item.span();
    }
    if let Some(item) = fields.get("channels") {
        entry.totals.channels = count(&item, report);
        entry.channels = item.span();
    }
    entry.totals.cpu = fields.get("cpu").and_then(|item| time(&item, report));
    fields.finish(report);
    entry
}

impl TotalsEntry {
    /// Reports what a network that begins with this many processes and channels exceeds.
    pub(super) fn check(&self, processes: u64, channels: u64, report: &mut Report) {
        let totals = &self.totals;
        let begins = [
            ("processes", totals.processes, processes, &self.processes),
            ("channels", totals.channels, channels, &self.channels),
        ];
        for (key, allowed, there, span) in begins {
            if let Some(allowed) = allowed
                && u64::from(allowed) < there
            {
                report.error_with_hint(
                    span.clone(),
                    format!("`{key}` = {allowed}, and the network begins with {there}"),
                    format!("allow {there} or more"),
                );
            }
        }
    }
}

/// What to do where there is no permit for a process.
pub(super) fn at_capacity(item: &Item<'_>, report: &mut Report) -> Option<AtCapacity> {
    let text = item.value.get_ref().as_str();
    let parsed = text.and_then(|text| text.parse().ok());
    if parsed.is_none() {
        report.expected(
            item,
            "\"fail\", \"wait\", or a time to wait, such as \"2 s\"",
        );
    }
    parsed
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

pub(super) fn count(item: &Item<'_>, report: &mut Report) -> Option<u32> {
    let count = item.count(u32::MAX.into(), report)?;
    u32::try_from(count).ok()
}
