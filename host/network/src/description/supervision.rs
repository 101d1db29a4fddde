//! Restarts, groups and links.

use std::ops::Range;

use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};

use super::channels::choice;
use super::limits::time;
use super::table::{Fields, Item, Report, check_name};
use crate::policies::{Backoff, Intensity, Restart, RestartPolicy, Strategy, Unfinished};

/// A process's restarts, as written.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RestartEntry {
    /// When and how; in a group, `None` for what its members have.
    pub policy: Option<RestartPolicy>,
    /// Everything but the policy.
    pub restart: Restart,
    /// Where the intensity is specified, if it is.
    pub intensity: Option<Range<usize>>,
    /// Where `unfinished` is specified, if it is.
    pub unfinished: Option<Range<usize>>,
    /// Where messages go that could not be finished: a channel's name, or `process.port`.
    pub dead_letter: Option<Spanned<String>>,
}

/// Processes that are supervised together.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GroupEntry {
    /// Its name.
    pub name: Spanned<String>,
    /// Whom it restarts.
    pub strategy: Strategy,
    /// Its members, in the order in which they are started.
    pub members: Vec<Spanned<String>>,
    /// How many restarts are too many.
    pub intensity: Intensity,
    /// The policy of members that do not specify one.
    pub restart: RestartPolicy,
}

/// Reads `restart` of a process: a policy's name, or a table.
pub(super) fn restart(what: &str, item: &Item<'_>, report: &mut Report) -> RestartEntry {
    let policies = RestartPolicy::ALL.map(|policy| (policy.name(), policy));
    let table = match item.value.get_ref() {
        DeValue::Table(table) => table,
        _ => {
            return RestartEntry {
                policy: choice(item, &policies, report),
                ..RestartEntry::default()
            };
        }
    };
    let mut fields = Fields::new(format!("restart of {what}"), table);
    let policy = fields
        .require("policy", "policy = \"on-failure\"", item.span(), report)
        .and_then(|item| choice(&item, &policies, report));
    let mut restart = Restart::default();
    let intensity = intensity(&mut fields, &mut restart.intensity, report);
    if let Some(item) = fields.get("backoff") {
        restart.backoff = backoff(what, &item, report).unwrap_or_default();
    }
    let fates = Unfinished::ALL.map(|fate| (fate.name(), fate));
    let unfinished = fields.get("unfinished").map(|item| {
        restart.unfinished = choice(&item, &fates, report).unwrap_or_default();
        item.span()
    });
    if let Some(item) = fields.get("attempts") {
        restart.attempts = at_least_one(&item, report).unwrap_or(restart.attempts);
    }
    let dead_letter = fields.get("dead-letter");
    let dead_letter = dead_letter.and_then(|item| item.string(report));
    fields.finish(report);
    RestartEntry {
        policy,
        restart,
        intensity,
        unfinished,
        dead_letter,
    }
}

/// Reads `intensity` and `period`. Where the first of them stands, if any does.
fn intensity(
    fields: &mut Fields<'_>,
    intensity: &mut Intensity,
    report: &mut Report,
) -> Option<Range<usize>> {
    let restarts = fields.get("intensity");
    let period = fields.get("period");
    if let Some(item) = &restarts {
        let count = item.count(u32::MAX.into(), report);
        let count = count.and_then(|count| u32::try_from(count).ok());
        intensity.restarts = count.unwrap_or(intensity.restarts);
    }
    if let Some(item) = &period {
        intensity.period = time(item, report).unwrap_or(intensity.period);
    }
    restarts.or(period).map(|item| item.span())
}

/// Reads `backoff`: `"none"`, or a table.
fn backoff(what: &str, item: &Item<'_>, report: &mut Report) -> Option<Backoff> {
    match item.value.get_ref() {
        DeValue::String(text) if text == "none" => return Some(Backoff::none()),
        DeValue::Table(table) => {
            let mut backoff = Backoff::default();
            let mut fields = Fields::new(format!("backoff of {what}"), table);
            if let Some(item) = fields.get("initial") {
                backoff.initial = time(&item, report).unwrap_or(backoff.initial);
            }
            if let Some(item) = fields.get("factor") {
                backoff.factor = at_least_one(&item, report).unwrap_or(backoff.factor);
            }
            match fields.get("maximum") {
                Some(item) => backoff.maximum = time(&item, report).unwrap_or(backoff.maximum),
                None => backoff.maximum = backoff.maximum.max(backoff.initial),
            }
            if backoff.maximum < backoff.initial {
                report.error_with_hint(
                    item.span(),
                    format!(
                        "`maximum` is {:?}, which is less than `initial`, {:?}",
                        backoff.maximum, backoff.initial
                    ),
                    "the first wait is `initial`, and none is longer than `maximum`",
                );
            }
            fields.finish(report);
            return Some(backoff);
        }
        _ => {}
    }
    report.expected(
        item,
        "\"none\", or a table such as { initial = \"100 ms\", factor = 2, maximum = \"10 s\" }",
    );
    None
}

fn at_least_one(item: &Item<'_>, report: &mut Report) -> Option<u32> {
    let count = u32::try_from(item.count(u32::MAX.into(), report)?).ok()?;
    if count == 0 {
        report.error(item.span(), format!("`{}` is at least 1", item.key));
        return None;
    }
    Some(count)
}

/// Reads `links` of a process.
pub(super) fn links(item: &Item<'_>, report: &mut Report) -> Vec<Spanned<String>> {
    item.strings("a list of processes, such as [\"reader\"]", report)
}

/// Reads every `[[group]]`.
pub(super) fn groups(item: &Item<'_>, report: &mut Report) -> Vec<GroupEntry> {
    let expected = "a list of tables, each under `[[group]]`";
    let Some(array) = item.array(expected, report) else {
        return Vec::new();
    };
    let mut groups = Vec::new();
    for value in array {
        match value.get_ref().as_table() {
            Some(table) => groups.extend(group(table, value.span(), report)),
            None => {
                let key = item.key;
                report.expected(&Item { key, value }, expected);
            }
        }
    }
    groups
}

fn group(table: &DeTable<'_>, span: Range<usize>, report: &mut Report) -> Option<GroupEntry> {
    let mut fields = Fields::new("a group", table);
    let name = fields
        .require("name", "name = \"store\"", span.clone(), report)
        .and_then(|item| item.string(report));
    if let Some(name) = &name {
        check_name("a group", name.get_ref(), name.span(), report);
    }
    let members = fields.require(
        "members",
        "members = [\"reader\", \"writer\"]",
        span,
        report,
    );
    let members = members.map(|item| {
        let members = item.strings("a list of processes, such as [\"reader\"]", report);
        if members.is_empty() {
            report.error(item.span(), "`members` lists no process");
        }
        members
    });
    let strategies = Strategy::ALL.map(|strategy| (strategy.name(), strategy));
    let strategy = fields.get("strategy");
    let strategy = strategy.and_then(|item| choice(&item, &strategies, report));
    let policies = RestartPolicy::ALL.map(|policy| (policy.name(), policy));
    let policy = fields.get("restart");
    let policy = policy.and_then(|item| choice(&item, &policies, report));
    let mut counted = Intensity::default();
    intensity(&mut fields, &mut counted, report);
    fields.finish(report);
    Some(GroupEntry {
        name: name?,
        strategy: strategy.unwrap_or_default(),
        members: members?,
        intensity: counted,
        restart: policy.unwrap_or(RestartPolicy::OnFailure),
    })
}
