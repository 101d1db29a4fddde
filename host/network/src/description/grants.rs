//! Grants: what a process may reach outside the network.

use std::net::SocketAddr;
use std::ops::Range;
use std::path::Path;

use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};

use super::table::{Fields, Item, Report, entries};
use crate::plan::{Directory, Grants, Variable};

/// What a table of grants says.
#[derive(Default)]
pub(super) struct GrantsEntry {
    pub(super) grants: Grants,
    /// Where the file names each directory.
    pub(super) directory_spans: Vec<Range<usize>>,
    /// The components that may be spawned.
    pub(super) spawn: Vec<Spanned<String>>,
}

impl GrantsEntry {
    /// Reads a table of grants, called `what` in errors.
    pub(super) fn read(
        what: String,
        table: &DeTable<'_>,
        base: &Path,
        report: &mut Report,
    ) -> Self {
        let mut fields = Fields::new(what.clone(), table);
        let stdio = fields.get("stdio").and_then(|item| item.boolean(report));
        let clocks = fields.get("clocks").and_then(|item| item.boolean(report));
        let env = fields.get("env").map(|item| variables(&item, report));
        let directories = fields
            .get("directories")
            .map(|item| directories(&what, &item, base, report));
        let (directories, directory_spans) = directories.unwrap_or_default();
        let network = fields.get("network").map(|item| addresses(&item, report));
        let spawn = fields
            .get("spawn")
            .map(|item| item.strings("a list of names from [components]", report));
        fields.finish(report);
        let grants = Grants {
            stdio: stdio.unwrap_or(false),
            clocks: clocks.unwrap_or(false),
            env: env.unwrap_or_default(),
            directories,
            network: network.unwrap_or_default(),
        };
        Self {
            grants,
            directory_spans,
            spawn: spawn.unwrap_or_default(),
        }
    }
}

fn variables(item: &Item<'_>, report: &mut Report) -> Vec<Variable> {
    let expected = "a list of the host's variables, such as [\"HOME\"], or a table of values, such as { LANG = \"C\" }";
    let DeValue::Table(table) = item.value.get_ref() else {
        let mut variables = Vec::new();
        for name in item.strings(expected, report) {
            check_variable(&name, report);
            variables.push(Variable::Inherited(name.into_inner()));
        }
        return variables;
    };
    let mut variables = Vec::new();
    for (key, value) in entries(table) {
        let name = key.get_ref().as_ref();
        check_variable(&Spanned::new(key.span(), name.to_owned()), report);
        if let Some(value) = (Item { key: name, value }).string(report) {
            if value.get_ref().contains('\0') {
                report.error(value.span(), format!("`{name}` contains a zero byte"));
            }
            variables.push(Variable::Fixed {
                name: name.to_owned(),
                value: value.into_inner(),
            });
        }
    }
    variables
}

fn check_variable(name: &Spanned<String>, report: &mut Report) {
    let text = name.get_ref();
    if text.is_empty() || text.contains(['=', '\0']) {
        report.error_with_hint(
            name.span(),
            format!("{text:?} is not a valid name for an environment variable"),
            "to give it a value, write `env = { NAME = \"value\" }`",
        );
    }
}

fn directories(
    what: &str,
    item: &Item<'_>,
    base: &Path,
    report: &mut Report,
) -> (Vec<Directory>, Vec<Range<usize>>) {
    let expected = "a list of tables, such as [{ host = \"data\", guest = \"/data\" }]";
    let Some(array) = item.array(expected, report) else {
        return Default::default();
    };
    let mut directories: Vec<Directory> = Vec::new();
    let mut spans = Vec::new();
    for value in array {
        let Some(table) = value.get_ref().as_table() else {
            report.expected(
                &Item {
                    key: item.key,
                    value,
                },
                expected,
            );
            continue;
        };
        let Some(directory) = directory(what, table, value.span(), base, report) else {
            continue;
        };
        if directories
            .iter()
            .any(|other| other.guest == directory.guest)
        {
            report.error(
                value.span(),
                format!("two directories are called `{}`", directory.guest),
            );
        }
        directories.push(directory);
        spans.push(value.span());
    }
    (directories, spans)
}

fn directory(
    what: &str,
    table: &DeTable<'_>,
    span: std::ops::Range<usize>,
    base: &Path,
    report: &mut Report,
) -> Option<Directory> {
    let mut fields = Fields::new(format!("a directory of {what}"), table);
    let host = fields
        .require("host", "host = \"data\"", span.clone(), report)
        .and_then(|item| item.string(report));
    let guest = fields
        .require("guest", "guest = \"/data\"", span, report)
        .and_then(|item| item.string(report));
    let write = fields.get("write").and_then(|item| item.boolean(report));
    fields.finish(report);
    let (host, guest) = (host?, guest?);
    if !guest.get_ref().starts_with('/') {
        report.error_with_hint(
            guest.span(),
            format!("`guest` is an absolute path; found {:?}", guest.get_ref()),
            format!("write \"/{}\"", guest.get_ref()),
        );
    }
    if host.get_ref().is_empty() {
        report.error(host.span(), "`host` is empty");
    }
    let directory = Directory::new(base.join(host.get_ref()), guest.into_inner());
    Some(directory.write(write.unwrap_or(false)))
}

fn addresses(item: &Item<'_>, report: &mut Report) -> Vec<SocketAddr> {
    let expected = "a list of addresses with ports, such as [\"127.0.0.1:8080\"]";
    let mut addresses = Vec::new();
    for text in item.strings(expected, report) {
        match text.get_ref().parse() {
            Ok(address) => addresses.push(address),
            Err(_) => report.error_with_hint(
                text.span(),
                format!("{:?} is not an address with a port", text.get_ref()),
                "write `127.0.0.1:8080` or `[::1]:8080`; names of hosts are not looked up",
            ),
        }
    }
    addresses
}
