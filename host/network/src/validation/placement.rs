//! Places: whether what must be on one host can be, and what a host with certain labels runs.

use serde_spanned::Spanned;

use super::Check;
use super::wiring::Wiring;
use crate::description::{Description, PortReference, ProcessEntry};
use crate::diagnostics::{Diagnostic, Diagnostics, did_you_mean, one_of};
use crate::policies::{Instances, Unfinished};

/// What needs two processes to be on the same host.
#[derive(Copy, Clone)]
struct Bond {
    /// What follows after who is where.
    refusal: &'static str,
    hint: &'static str,
}

const CHANNEL: Bond = Bond {
    refusal: "the channel between them must be `remote`",
    hint: "add `remote = true` and a `capacity` of 1 or more to the channel, or let both processes \
           have the same `place` and `instances`",
};
const LINK: Bond = Bond {
    refusal: "they cannot be linked",
    hint: "links hold on one host; a process of another host hears of a failure by their channel",
};
const GROUP: Bond = Bond {
    refusal: "they cannot be in one group",
    hint: "the members of a group are supervised together, on one host",
};
const STDIN: Bond = Bond {
    refusal: "they cannot share standard input",
    hint: "give it to one of them",
};
const STDOUT: Bond = Bond {
    refusal: "they cannot share standard output",
    hint: "let one of them write it",
};
const LETTERS: Bond = Bond {
    refusal: "dead letters of the one cannot go to the other",
    hint: "dead letters never wait, so they stay on their host: name a process that runs there",
};

impl<'d> Check<'d> {
    /// Reports what needs processes to be on one host that are not.
    pub(super) fn placement(&mut self, wiring: &Wiring) {
        let description = self.description;
        for channel in description.channels.iter().filter(|it| !it.remote) {
            self.together(channel.from.iter().chain(&channel.to), CHANNEL);
        }
        for (endpoint, bond) in [(&description.stdin, STDIN), (&description.stdout, STDOUT)] {
            self.together(endpoint.iter().flat_map(|it| &it.ports), bond);
        }
        for group in &description.groups {
            let first = group.members.first().map(|first| &**first.get_ref());
            for member in &group.members {
                self.bound(first, member, member.get_ref(), GROUP);
            }
        }
        for process in &description.processes {
            let name = process.name.get_ref();
            for link in &process.links {
                self.bound(Some(name), link, link.get_ref(), LINK);
            }
            self.letters_stay(process, wiring);
            self.answers_once(process);
        }
    }

    /// `redeliver-once` needs a process that has one input, and only remote channels of which it alone has its side.
    fn answers_once(&mut self, process: &ProcessEntry) {
        let entry = &process.restart;
        let Some(span) = entry.unfinished.clone() else {
            return;
        };
        if entry.restart.unfinished != Unfinished::RedeliverOnce {
            return;
        }
        let name = process.name.get_ref();
        let of = |ports: &[Spanned<PortReference>]| {
            let ports = ports.iter().filter(|port| port.get_ref().process == *name);
            ports.count()
        };
        let channels = &self.description.channels;
        let inputs: usize = channels.iter().map(|channel| of(&channel.to)).sum();
        let stdin = &self.description.stdin;
        let reads = stdin.as_ref().is_some_and(|stdin| of(&stdin.ports) > 0);
        let stdout = &self.description.stdout;
        let writes = stdout.as_ref().is_some_and(|stdout| of(&stdout.ports) > 0);
        let alone = channels.iter().all(|channel| {
            let side = |ports: &[_]| of(ports) == 0 || (channel.remote && ports.len() == 1);
            side(&channel.from) && side(&channel.to)
        });
        if inputs == 1 && !reads && !writes && alone && process.instances == Instances::One {
            return;
        }
        let message = format!(
            "`redeliver-once` is not possible for `{name}`: it needs a single instance, one input, and only `remote` \
             channels, each with no other process on its side"
        );
        let hint = "use `redeliver`: after a takeover what it sent in answer to its last messages comes twice";
        self.error_with_hint(span, message, hint);
    }

    /// All these ports must be on one host; the first that cannot be is reported.
    fn together(
        &mut self,
        ports: impl Iterator<Item = &'d Spanned<PortReference>> + Clone,
        bond: Bond,
    ) {
        let mut processes = self.description.processes.iter();
        if processes.all(|process| process.place.is_none()) {
            return;
        }
        let mut seen: Vec<&'d str> = Vec::new();
        for port in ports {
            let name = &*port.get_ref().process;
            for other in seen.clone() {
                if self.bound(Some(other), port, name, bond) {
                    return;
                }
            }
            if !seen.contains(&name) {
                seen.push(name);
            }
        }
    }

    /// Reports two processes that must be on one host and are not; whether they were.
    fn bound<T>(&mut self, one: Option<&str>, at: &Spanned<T>, other: &str, bond: Bond) -> bool {
        let find = |name: &str| self.processes.get(name).copied();
        let (Some(one), Some(other)) = (one.and_then(find), find(other)) else {
            return false;
        };
        let Some(apart) = apart(one, other) else {
            return false;
        };
        let message = format!("{apart}: {}", bond.refusal);
        self.error_with_hint(at.span(), message, bond.hint);
        true
    }

    fn letters_stay(&mut self, process: &'d ProcessEntry, wiring: &Wiring) {
        let name = process.name.get_ref();
        let Some(target) = &process.restart.dead_letter else {
            return;
        };
        let channel = wiring.letters.get(name).copied();
        let Some(channel) = channel.and_then(|index| wiring.channels.get(index)) else {
            return;
        };
        if channel.remote {
            let message = format!(
                "the dead letters of process `{name}` go to `{}`, which is `remote`",
                target.get_ref()
            );
            self.error_with_hint(target.span(), message, LETTERS.hint);
            return;
        }
        let to: Vec<_> = channel.to.iter().map(|port| port.process.clone()).collect();
        for reader in to {
            if self.bound(Some(name), target, &reader, LETTERS) {
                return;
            }
        }
    }
}

/// Who is where, of two processes that cannot be on one host for certain.
fn apart(one: &ProcessEntry, other: &ProcessEntry) -> Option<String> {
    let (a, b) = (one.name.get_ref(), other.name.get_ref());
    let (here, there) = (
        one.place.as_ref()?.get_ref(),
        other.place.as_ref()?.get_ref(),
    );
    if here != there {
        return Some(format!("`{a}` is placed on `{here}`, `{b}` on `{there}`"));
    }
    let (each, single) = match (one.instances, other.instances) {
        (Instances::Each, Instances::One) => (a, b),
        (Instances::One, Instances::Each) => (b, a),
        _ => return None,
    };
    Some(format!(
        "`{each}` runs on each host of `{here}`, `{single}` on one of them"
    ))
}

/// Checks a description for a host with these labels, as `--on` gives them: each must be the place of a
/// process, and every process must have a place.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn check_on(description: &Description, labels: &[String]) -> Result<(), Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    for process in description.processes.iter().filter(|it| it.place.is_none()) {
        let message = format!(
            "process `{}` has no `place`, and `--on` starts only processes of the places that it names",
            process.name.get_ref()
        );
        let hint = "add one, such as `place = \"parsing\"`; without `--on` all processes run here";
        let diagnostic = description.diagnostic_at(process.name.span(), message);
        diagnostics.push(diagnostic.with_hint(hint));
    }
    let mut places: Vec<&str> = description
        .processes
        .iter()
        .filter_map(|process| Some(process.place.as_ref()?.get_ref().as_str()))
        .collect();
    places.sort_unstable();
    places.dedup();
    for label in labels.iter().filter(|label| !places.contains(&&***label)) {
        let message = format!("no process has the place `{label}`");
        let hint = did_you_mean(label, places.iter().copied()).unwrap_or_else(|| {
            if places.is_empty() {
                return "no process of this network has a `place`".to_owned();
            }
            let names = one_of(places.iter().copied()).replace(" or ", " and ");
            format!("the places are {names}")
        });
        diagnostics.push(Diagnostic::error("--on", message).with_hint(hint));
    }
    match diagnostics.is_empty() {
        true => Ok(()),
        false => Err(diagnostics),
    }
}
