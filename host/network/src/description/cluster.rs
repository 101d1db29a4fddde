//! How a network runs on several hosts: `[cluster]`, and the place of a process.

use std::time::Duration;

use serde_spanned::Spanned;

use super::channels::choice;
use super::limits::time;
use super::table::{Fields, Item, Report, check_name};
use crate::plan::Cluster;
use crate::policies::{Instances, Storage};

/// The most servers that keep one message.
const MOST_REPLICAS: u64 = 5;

/// A shorter lease is lost whenever a host or the network is busy.
const SHORTEST_LEASE: Duration = Duration::from_secs(1);

/// How a server's address may begin.
const SCHEMES: [&str; 2] = ["nats://", "tls://"];

/// Reads `[cluster]`.
pub(super) fn cluster(item: &Item<'_>, report: &mut Report) -> Cluster {
    let mut cluster = Cluster::default();
    let Some(table) = item.table(report) else {
        return cluster;
    };
    let mut fields = Fields::new("[cluster]", table);
    cluster.run = fields.get("run").and_then(|item| {
        let run = item.string(report)?;
        check_name("a run", run.get_ref(), run.span(), report);
        Some(run.into_inner())
    });
    cluster.servers = fields
        .get("servers")
        .map_or_else(Vec::new, |item| servers(&item, report));
    let storages = Storage::ALL.map(|storage| (storage.name(), storage));
    let storage = fields.get("storage");
    cluster.storage = storage
        .and_then(|item| choice(&item, &storages, report))
        .unwrap_or_default();
    if let Some(item) = fields.get("replicas") {
        cluster.replicas = replicas(&item, report).unwrap_or(cluster.replicas);
    }
    if let Some(item) = fields.get("lease") {
        cluster.lease = lease(&item, report).unwrap_or(cluster.lease);
    }
    fields.finish(report);
    cluster
}

fn servers(item: &Item<'_>, report: &mut Report) -> Vec<String> {
    let expected = "a list of servers, such as [\"nats://localhost:4222\"]";
    let servers = item.strings(expected, report);
    for server in &servers {
        let url = server.get_ref();
        let rest = SCHEMES.iter().find_map(|scheme| url.strip_prefix(scheme));
        match rest {
            Some(rest) if rest.contains('@') => report.error_with_hint(
                server.span(),
                "credentials never stand in a network's file",
                "leave them out, and name a file with `--credentials`",
            ),
            Some(rest) if !rest.is_empty() => {}
            _ => report.error_with_hint(
                server.span(),
                format!("{url:?} is not the address of a server"),
                "write `nats://host:4222`, or `tls://host:4222`",
            ),
        }
    }
    servers.into_iter().map(Spanned::into_inner).collect()
}

fn replicas(item: &Item<'_>, report: &mut Report) -> Option<u8> {
    let replicas = item.count(MOST_REPLICAS, report)?;
    if replicas % 2 == 0 {
        report.error_with_hint(
            item.span(),
            format!("`replicas` is 1, 3 or 5; found `{replicas}`"),
            "a majority of the servers decides, so an even number only adds work",
        );
        return None;
    }
    u8::try_from(replicas).ok()
}

fn lease(item: &Item<'_>, report: &mut Report) -> Option<Duration> {
    let lease = time(item, report)?;
    if lease < SHORTEST_LEASE {
        report.error_with_hint(
            item.span(),
            "a `lease` of less than a second is lost whenever a host is busy",
            "write `lease = \"1 s\"` or more",
        );
    }
    Some(lease)
}

/// Reads where a process runs.
pub(super) fn placement(
    what: &str,
    fields: &mut Fields<'_>,
    report: &mut Report,
) -> (Option<Spanned<String>>, Instances) {
    let place = fields.get("place").and_then(|item| {
        let place = item.string(report)?;
        check_name("a place", place.get_ref(), place.span(), report);
        Some(place)
    });
    let choices = Instances::ALL.map(|instances| (instances.name(), instances));
    let instances = fields.get("instances").and_then(|item| {
        if place.is_none() {
            report.error_with_hint(
                item.span(),
                format!("{what} has `instances`, but no `place`"),
                "add one, such as `place = \"parsing\"`: the label of the hosts that may run it",
            );
        }
        choice(&item, &choices, report)
    });
    (place, instances.unwrap_or_default())
}
