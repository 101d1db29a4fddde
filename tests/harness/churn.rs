//! Many processes that are spawned, talk and end, and what they leave behind.

use transputer::{Component, Host, HostOptions, Usage, Verdict};

use crate::{assert_comes_back, guest_of, new_host, output};

/// Processes that spawn others, in each network.
const PARENTS: u64 = 4;

/// A host that churns through processes: one network after the other, in each some parents that
/// spawn children, send each a number, receive its double and wait for its end.
#[derive(Debug)]
pub struct Churn {
    host: Host,
    parent: Component,
    child: Component,
    before: Usage,
}

impl Churn {
    /// Sets a host up.
    ///
    /// # Panics
    /// If the guests have not been built.
    pub fn new() -> Self {
        let host = new_host(HostOptions::default().max_processes(64));
        Self {
            parent: guest_of(&host, "churns"),
            child: guest_of(&host, "double"),
            before: host.usage(),
            host,
        }
    }

    /// Churns through at least this many processes, and returns how many there were.
    ///
    /// # Panics
    /// If one of them fails or a number is wrong, or if the host then holds anything that it did
    /// not hold before.
    pub fn round(&self, processes: u64) -> u64 {
        let children = processes.div_ceil(PARENTS).saturating_sub(1).max(1);
        let mut network = self.host.network("churn");
        let mut totals = Vec::new();
        for n in 0..PARENTS {
            network
                .process(&format!("parent-{n}"), &self.parent)
                .argument("children", children)
                .argument("component", "double")
                .may_spawn("double", &self.child);
            totals.push(output(&mut network, &format!("parent-{n}.total")));
        }
        let running = network.start().expect("there is room");
        for total in totals {
            let sum: u64 = total.receive_value().expect("a parent finishes");
            assert_eq!(sum, children * (children - 1), "each number was doubled");
        }
        let report = running.wait();
        assert_eq!(report.verdict(), Verdict::Succeeded, "{report:?}");
        assert_eq!(report.processes, PARENTS * (children + 1));
        drop(running);
        assert_comes_back(&self.host, self.before);
        report.processes
    }
}

impl Default for Churn {
    fn default() -> Self {
        Self::new()
    }
}
