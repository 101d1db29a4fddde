//! Networks that are stuck over several hosts.

use super::hosts::{Host, Network};
use super::server::Server;

const KNOT: &str = r#"
[limits]
message = "64 KiB"
[process.a]
component = "{guest relays}"
place = "one"
[process.b]
component = "{guest relays}"
place = "two"
[[channel]]
from = "a.out"
to = "b.numbers"
capacity = 1
remote = true
[[channel]]
from = "b.out"
to = "a.numbers"
capacity = 1
remote = true
"#;

/// What the command ends with where processes are stuck.
const DEADLOCK: Option<i32> = Some(3);

#[test]
fn a_deadlock_over_hosts_is_told_on_each_with_all_that_wait() {
    let Some(server) = Server::start("a deadlock over hosts") else {
        return;
    };
    let network = Network::new(KNOT);
    let hosts = [("one", "h1"), ("two", "h2")]
        .map(|(place, name)| Host::start(&network.folder, &server, place, name));
    for host in &hosts {
        host.until_it_says("`a` on host h1 waits to receive from `b.out`");
        host.until_it_says("`b` on host h2 waits to receive from `a.out`");
        host.until_it_says("deadlock of 1 process");
    }
    for host in hosts {
        assert_eq!(host.end().0, DEADLOCK);
    }
}
