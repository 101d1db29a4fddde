//! What changes between two looks at a network, and how it was of late.

use std::collections::HashMap;
use std::time::Duration;

use transputer::{ChannelStatus, Doing, Holder, NetworkStatus, ProcessStatus, Side};

use super::view::{self, Bottleneck, Look, MOST, Totals};
use crate::pictures::short_name;
use crate::printable::one_line;

/// How many looks tell how full a channel was, and how busy its reader.
const REMEMBERED: u32 = 20;

/// The share of the time from which a channel counts as full, and a reader as computing.
const MOSTLY: f64 = 0.6;

/// How many looks it takes before either is said.
const ENOUGH: u32 = 4;

/// The last looks at one thing: each a bit, the latest the lowest.
#[derive(Copy, Clone, Debug, Default)]
struct Bits {
    bits: u32,
    looks: u32,
}

impl Bits {
    fn push(&mut self, bit: bool) {
        self.bits = (self.bits << 1 | u32::from(bit)) & ((1 << REMEMBERED) - 1);
        self.looks = (self.looks + 1).min(REMEMBERED);
    }

    fn share(self) -> f64 {
        f64::from(self.bits.count_ones()) / f64::from(self.looks.max(1))
    }

    fn mostly(self) -> bool {
        self.looks >= ENOUGH && self.share() >= MOSTLY
    }
}

#[derive(Copy, Clone, Debug, Default)]
struct Seen {
    bits: Bits,
    sent: u64,
    received: u64,
    computed: Duration,
    /// The number of the look.
    look: u64,
}

/// What the last looks saw.
#[derive(Debug, Default)]
pub(super) struct Rates {
    processes: HashMap<u64, Seen>,
    channels: HashMap<u64, Seen>,
    sent: u64,
    at: Duration,
    looks: u64,
    /// When the looks that are remembered were made.
    times: std::collections::VecDeque<Duration>,
}

impl Rates {
    /// What is shown of a network that looks like this, so long after it was started.
    pub(super) fn look(&mut self, status: &NetworkStatus, at: Duration) -> Look {
        let since = (at.saturating_sub(self.at)).as_secs_f64();
        // The first look has nothing to compare with.
        let rate = |more: u64| {
            if self.looks > 0 && since > 0.0 {
                more as f64 / since
            } else {
                0.0
            }
        };
        let total_rate = rate(status.sent.saturating_sub(self.sent));
        self.looks += 1;
        self.times.push_back(at);
        if self.times.len() > REMEMBERED as usize {
            self.times.pop_front();
        }
        let first = self.times.front().copied().unwrap_or(at);
        let processes: Vec<_> = (status.processes.iter())
            .map(|process| self.process(process, since))
            .collect();
        let channels: Vec<_> = (status.channels.iter())
            .map(|channel| self.channel(channel, since))
            .collect();
        let looks = self.looks;
        self.processes.retain(|_, seen| seen.look == looks);
        self.channels.retain(|_, seen| seen.look == looks);
        self.sent = status.sent;
        self.at = at;
        let totals = totals(status, &processes, total_rate);
        let bottlenecks = self.bottlenecks(&processes, &channels);
        let mut look = Look {
            network: one_line(&status.network),
            at: milliseconds(at),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            window: milliseconds(at.saturating_sub(first)),
            stopping: status.stopping.as_ref().map(one_line),
            totals,
            processes,
            channels,
            bottlenecks,
            ..Look::default()
        };
        shorten(&mut look);
        look
    }

    fn process(&mut self, process: &ProcessStatus, since: f64) -> view::Process {
        let seen = self.processes.entry(process.id.0).or_default();
        let known = seen.look > 0 && since > 0.0;
        let rate = |now: u64, before: u64| match known {
            true => now.saturating_sub(before) as f64 / since,
            false => 0.0,
        };
        let shown = view::Process {
            id: process.id.0,
            name: one_line(&process.name),
            component: one_line(short_name(&process.component)),
            state: state(&process.doing).to_owned(),
            waits: waits(&process.doing),
            joins: match &process.doing {
                Doing::Joining(name) => Some(one_line(name)),
                _ => None,
            },
            cpu_seconds: process.processor_time.as_secs_f64(),
            cpu_share: match known {
                true => {
                    let more = process.processor_time.saturating_sub(seen.computed);
                    (more.as_secs_f64() / since).min(1.0)
                }
                false => 0.0,
            },
            measured: known,
            memory: process.memory,
            sent: process.sent,
            received: process.received,
            send_rate: rate(process.sent, seen.sent),
            receive_rate: rate(process.received, seen.received),
            restarts: process.incarnation.saturating_sub(1),
        };
        seen.bits.push(process.doing == Doing::Running);
        seen.sent = process.sent;
        seen.received = process.received;
        seen.computed = process.processor_time;
        seen.look = self.looks;
        shown
    }

    fn channel(&mut self, channel: &ChannelStatus, since: f64) -> view::Channel {
        let seen = self.channels.entry(channel.id.0).or_default();
        let rate = match seen.look > 0 && since > 0.0 {
            true => channel.sent.saturating_sub(seen.sent) as f64 / since,
            false => 0.0,
        };
        seen.bits.push(channel.is_full());
        seen.sent = channel.sent;
        seen.look = self.looks;
        let waiters = channel.wait_to_send.iter().chain(&channel.wait_to_receive);
        view::Channel {
            id: channel.id.0,
            label: one_line(&channel.label),
            capacity: channel.capacity as u64,
            waiting: channel.waiting as u64,
            bytes: channel.bytes as u64,
            full: seen.bits.share(),
            sent: channel.sent,
            received: channel.received,
            dropped: channel.dropped,
            rate,
            from: holders(&channel.senders),
            to: holders(&channel.receivers),
            senders_waiting: channel.wait_to_send.len() as u64,
            receivers_waiting: channel.wait_to_receive.len() as u64,
            waiters: waiters
                .filter_map(|holder| number(*holder).flatten())
                .collect(),
            poisoned: channel.poisoned.as_ref().map(one_line),
        }
    }

    /// Channels that were full for most of the time, while somebody who reads from them computed.
    fn bottlenecks(
        &self,
        processes: &[view::Process],
        channels: &[view::Channel],
    ) -> Vec<Bottleneck> {
        let computes = |id: &u64| {
            self.processes
                .get(id)
                .is_some_and(|seen| seen.bits.mostly())
        };
        let full = channels.iter().filter(|channel| {
            self.channels
                .get(&channel.id)
                .is_some_and(|seen| seen.bits.mostly())
        });
        let mut found: Vec<_> = full
            .filter_map(|channel| {
                let readers = channel.to.iter().flatten().filter(|id| computes(id));
                let readers: Vec<u64> = readers.copied().collect();
                let first = processes
                    .iter()
                    .find(|process| Some(&process.id) == readers.first())?;
                Some(Bottleneck {
                    channel: channel.id,
                    label: channel.label.clone(),
                    reader: first.name.clone(),
                    readers,
                    full: channel.full,
                })
            })
            .collect();
        found.sort_by(|one, other| other.full.total_cmp(&one.full));
        found.truncate(10);
        found
    }
}

fn totals(status: &NetworkStatus, processes: &[view::Process], rate: f64) -> Totals {
    let running = processes
        .iter()
        .filter(|process| process.state == "running");
    Totals {
        born: status.born,
        living: processes.len() as u64,
        running: running.count() as u64,
        failed: status.failed,
        restarts: status.restarts,
        deadlocks: status.deadlocks,
        sent: status.sent,
        dropped: status.dropped,
        rate,
        cpu_share: processes.iter().map(|process| process.cpu_share).sum(),
        memory: processes.iter().map(|process| process.memory).sum(),
        more_processes: 0,
        more_channels: 0,
    }
}

/// Leaves out those that do least, where there are too many to list.
fn shorten(look: &mut Look) {
    if look.processes.len() > MOST {
        let busy =
            |process: &view::Process| process.cpu_share + process.send_rate + process.receive_rate;
        look.processes
            .sort_by(|one, other| busy(other).total_cmp(&busy(one)));
        look.totals.more_processes = (look.processes.len() - MOST) as u64;
        look.processes.truncate(MOST);
        look.processes.sort_by_key(|process| process.id);
    }
    if look.channels.len() > MOST {
        let busy = |channel: &view::Channel| channel.full * 1e6 + channel.rate;
        look.channels
            .sort_by(|one, other| busy(other).total_cmp(&busy(one)));
        look.totals.more_channels = (look.channels.len() - MOST) as u64;
        look.channels.truncate(MOST);
        look.channels.sort_by_key(|channel| channel.id);
    }
}

fn state(doing: &Doing) -> &'static str {
    match doing {
        Doing::Running => "running",
        Doing::Waiting(_) => "waiting",
        Doing::Joining(_) => "joining",
        Doing::Down => "down",
        _ => "unknown",
    }
}

/// The most communications of an alternation that are shown.
const WAITS: usize = 8;

fn waits(doing: &Doing) -> Vec<view::Wait> {
    let Doing::Waiting(waits) = doing else {
        return Vec::new();
    };
    let shown = waits.iter().take(WAITS).map(|wait| view::Wait {
        operation: match wait.operation {
            Side::Send => "send",
            Side::Receive => "receive",
            Side::Sync => "meet",
            Side::Permit => "permit",
        }
        .to_owned(),
        port: wait.port.as_ref().map(one_line),
        channel: one_line(&wait.channel),
        with: wait.with.iter().take(WAITS).map(one_line).collect(),
        milliseconds: wait.lasted.map(milliseconds),
    });
    shown.collect()
}

/// The number of a process; the program itself is `None`; an end inside a message is nobody's.
fn number(holder: Holder) -> Option<Option<u64>> {
    match holder {
        Holder::Process(id) => Some(Some(id.0)),
        Holder::Host => Some(None),
        Holder::Transit(_) => None,
    }
}

/// Each holder once.
fn holders(holders: &[Holder]) -> Vec<Option<u64>> {
    let mut numbers: Vec<_> = holders
        .iter()
        .filter_map(|holder| number(*holder))
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
