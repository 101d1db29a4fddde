//! What is decided before anything runs: restarts, groups, and what happens at capacity.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// When a process that has ended is started again.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum RestartPolicy {
    /// Never: its end is final.
    #[default]
    Never,
    /// If it did not finish: it failed, trapped, went over a limit or was stopped.
    OnFailure,
    /// However it ended; but a process that finished is not started again once all its input ports, or
    /// all its output ports, have ended: it would have nothing to do.
    Always,
}

impl RestartPolicy {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::Never, Self::OnFailure, Self::Always];

    /// Its name in a network file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::OnFailure => "on-failure",
            Self::Always => "always",
        }
    }
}

impl fmt::Display for RestartPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How many restarts a supervisor makes before it gives up. Erlang/OTP's supervisors have the same two numbers.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Intensity {
    /// After this many restarts within `period`, the supervisor gives up at the next failure.
    pub restarts: u32,
    /// The time within which restarts are counted.
    pub period: Duration,
}

impl Intensity {
    /// So many restarts within a period, and no more.
    pub fn new(restarts: u32, period: Duration) -> Self {
        Self { restarts, period }
    }
}

impl Default for Intensity {
    /// Three restarts within five seconds.
    fn default() -> Self {
        Self {
            restarts: 3,
            period: Duration::from_secs(5),
        }
    }
}

impl fmt::Display for Intensity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {:?}", self.restarts, self.period)
    }
}

/// How long a supervisor waits before a restart, on the scheduler's clock.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backoff {
    /// Before the first restart in a row.
    pub initial: Duration,
    /// Each further wait is this many times as long as the one before it.
    pub factor: u32,
    /// But no wait is longer than this.
    pub maximum: Duration,
}

impl Default for Backoff {
    /// 100 ms, doubled each time, at most 10 s.
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(100),
            factor: 2,
            maximum: Duration::from_secs(10),
        }
    }
}

impl Backoff {
    /// No wait at all.
    pub fn none() -> Self {
        Self::constant(Duration::ZERO)
    }

    /// The same wait each time.
    pub fn constant(wait: Duration) -> Self {
        Self::exponential(wait, 1, wait)
    }

    /// `initial` before the first restart in a row, and `factor` times as long before each further one,
    /// but never longer than `maximum`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use transputer_network::policies::Backoff;
    ///
    /// let second = Duration::from_secs(1);
    /// let backoff = Backoff::exponential(second, 3, 5 * second);
    /// assert_eq!([1, 2, 3, 4].map(|row| backoff.wait(row).as_secs()), [1, 3, 5, 5]);
    /// ```
    pub fn exponential(initial: Duration, factor: u32, maximum: Duration) -> Self {
        Self {
            initial,
            factor,
            maximum,
        }
    }

    /// The wait before restart number `row` of a row, counted from 1.
    #[must_use]
    pub fn wait(self, row: u32) -> Duration {
        let times = self.factor.max(1).checked_pow(row.saturating_sub(1));
        let wait = times.and_then(|times| self.initial.checked_mul(times));
        wait.unwrap_or(self.maximum).min(self.maximum)
    }
}

impl fmt::Display for Backoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.maximum {
            Duration::ZERO => f.write_str("none"),
            maximum => write!(
                f,
                "{:?}, times {}, at most {maximum:?}",
                self.initial, self.factor
            ),
        }
    }
}

/// What becomes of a message that a process had received and not finished when it ended.
///
/// A message is finished when the process next asks for one from the same port, or waits for
/// several ports and that one is among them. That finishes everything that it received after
/// that message, too, as in a loop inside a loop. A process that returned without an error has
/// finished everything.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Unfinished {
    /// It is the first that the restarted process receives from that port.
    #[default]
    Redeliver,
    /// The same; and where another host takes over, what the process had sent in answer to it is not sent twice. For
    /// processes that always send the same in answer to the same message, and nothing else.
    RedeliverOnce,
    /// It is dropped, and counted.
    Drop,
    /// It goes to the process's dead letters.
    DeadLetter,
}

impl Unfinished {
    /// Every choice.
    pub const ALL: [Self; 4] = [
        Self::Redeliver,
        Self::RedeliverOnce,
        Self::Drop,
        Self::DeadLetter,
    ];

    /// Its name in a network file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Redeliver => "redeliver",
            Self::RedeliverOnce => "redeliver-once",
            Self::Drop => "drop",
            Self::DeadLetter => "dead-letter",
        }
    }
}

impl Unfinished {
    /// Whether the restarted process receives it again.
    pub fn redelivers(self) -> bool {
        matches!(self, Self::Redeliver | Self::RedeliverOnce)
    }
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether and how a process is restarted.
///
/// The channel ends at the ports of such a process stay open while it is down: its peers wait, and lose
/// nothing. An end that it closed or gave away stays gone: its next incarnation finds the end of a closed
/// channel at that port. Ends that were not at ports are closed or poisoned.
///
/// ```
/// use std::time::Duration;
/// use transputer_network::policies::{Backoff, Restart, Unfinished};
///
/// let restart = Restart::on_failure()
///     .intensity(5, Duration::from_secs(60))
///     .backoff(Backoff::none())
///     .unfinished(Unfinished::Redeliver)
///     .attempts(2);
/// assert_eq!(restart.attempts, 2);
/// ```
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restart {
    /// When.
    pub policy: RestartPolicy,
    /// How often at most; in a group, the group's intensity applies instead.
    pub intensity: Intensity,
    /// How long to wait before.
    pub backoff: Backoff,
    /// What becomes of a message that was received and not finished.
    pub unfinished: Unfinished,
    /// How often one message is delivered at most, the first time included. When this many incarnations
    /// have ended while they worked on it, it goes to the dead letters, or is dropped and counted.
    pub attempts: u32,
}

impl Default for Restart {
    fn default() -> Self {
        Self::never()
    }
}

impl Restart {
    /// How often a message is delivered by default.
    const ATTEMPTS: u32 = 3;

    /// This policy, and defaults for everything else.
    pub fn new(policy: RestartPolicy) -> Self {
        Self {
            policy,
            intensity: Intensity::default(),
            backoff: Backoff::default(),
            unfinished: Unfinished::default(),
            attempts: Self::ATTEMPTS,
        }
    }

    /// No restart.
    pub fn never() -> Self {
        Self::new(RestartPolicy::Never)
    }

    /// A restart after a failure.
    pub fn on_failure() -> Self {
        Self::new(RestartPolicy::OnFailure)
    }

    /// A restart after any end.
    pub fn always() -> Self {
        Self::new(RestartPolicy::Always)
    }

    /// When to restart.
    #[must_use]
    pub fn policy(self, policy: RestartPolicy) -> Self {
        Self { policy, ..self }
    }

    /// How many restarts within a period are made; see [`Intensity`].
    #[must_use]
    pub fn intensity(self, restarts: u32, period: Duration) -> Self {
        let intensity = Intensity::new(restarts, period);
        Self { intensity, ..self }
    }

    /// How long to wait before a restart.
    #[must_use]
    pub fn backoff(self, backoff: Backoff) -> Self {
        Self { backoff, ..self }
    }

    /// What becomes of a message that was received and not finished.
    #[must_use]
    pub fn unfinished(self, unfinished: Unfinished) -> Self {
        Self { unfinished, ..self }
    }

    /// How often one message is delivered at most; 1 means that it is never delivered again.
    #[must_use]
    pub fn attempts(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    /// Whether there can be a restart at all.
    pub fn is_enabled(&self) -> bool {
        self.policy != RestartPolicy::Never
    }
}

/// Whom a group restarts when one of its members is to be restarted. The words and their
/// meaning are Erlang/OTP's.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// That member.
    #[default]
    OneForOne,
    /// All members: the others are ended, the last one first, then all are started in order.
    OneForAll,
    /// That member and those behind it, likewise.
    RestForOne,
}

impl Strategy {
    /// Every strategy.
    pub const ALL: [Self; 3] = [Self::OneForOne, Self::OneForAll, Self::RestForOne];

    /// Its name in a network file.
    pub fn name(self) -> &'static str {
        match self {
            Self::OneForOne => "one-for-one",
            Self::OneForAll => "one-for-all",
            Self::RestForOne => "rest-for-one",
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Processes that are supervised together. A member that has finished for good stays finished.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Group {
    /// Its name, for reports.
    pub name: String,
    /// Whom it restarts.
    pub strategy: Strategy,
    /// Its members' names, in the order in which they are started.
    pub members: Vec<String>,
    /// How many restarts are made. At one more, all members are ended, the last one first.
    pub intensity: Intensity,
}

impl Group {
    /// A group of these members, in the order in which they are started, with the default intensity.
    pub fn new(
        name: impl Into<String>,
        strategy: Strategy,
        members: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self {
            name: name.into(),
            strategy,
            members: members.into_iter().map(Into::into).collect(),
            intensity: Intensity::default(),
        }
    }

    /// How many restarts of its members within a period are made; see [`Intensity`].
    #[must_use]
    pub fn intensity(self, restarts: u32, period: Duration) -> Self {
        let intensity = Intensity::new(restarts, period);
        Self { intensity, ..self }
    }
}

/// What becomes of a line of standard input that its ports cannot take, because they take text and it is
/// not UTF-8, or because it is longer than the receiving processes allow a message to be.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum OnBadLine {
    /// Standard input ends there, as broken: what came before the line is received, then the ports
    /// get the fault.
    #[default]
    Fail,
    /// It is left out, and counted.
    Skip,
    /// As much of its beginning as is good is taken, and counted as cut.
    Cut,
}

impl OnBadLine {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Fail, Self::Skip, Self::Cut];

    /// Its name in a network file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Skip => "skip",
            Self::Cut => "cut",
        }
    }
}

impl fmt::Display for OnBadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// On how many hosts of its place a process runs, where its network runs on several.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Instances {
    /// On one, which holds a lease; the others stand by.
    #[default]
    One,
    /// On each. They share the channels at its ports.
    Each,
}

impl Instances {
    /// Every choice.
    pub const ALL: [Self; 2] = [Self::One, Self::Each];

    /// Its name in a network file.
    pub fn name(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::Each => "each",
        }
    }
}

impl fmt::Display for Instances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a server keeps what waits in remote channels.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Storage {
    /// In files.
    #[default]
    File,
    /// In memory.
    Memory,
}

impl Storage {
    /// Every choice.
    pub const ALL: [Self; 2] = [Self::File, Self::Memory];

    /// Its name in a network file.
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Memory => "memory",
        }
    }
}

impl fmt::Display for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What to do when no more processes may run: because of the host's limit, the kernel's limit on memory
/// mappings, or a network's limit on processes.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum AtCapacity {
    /// Fail, with an error that says so.
    #[default]
    Fail,
    /// Wait for a permit: first come, first served, running processes before networks that are to start.
    /// A process that waits for a permit which nobody can ever give back is in a deadlock, and reported as
    /// such.
    Wait,
    /// Wait this long, then fail.
    WaitFor(Duration),
}

/// As in a network file: `fail`, `wait`, or a time with its unit.
impl FromStr for AtCapacity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "fail" => Ok(Self::Fail),
            "wait" => Ok(Self::Wait),
            time => humantime::parse_duration(time)
                .map(Self::WaitFor)
                .map_err(|_| "write `fail`, `wait`, or a time to wait, such as `2s`".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backoff_grows_to_its_maximum() {
        let backoff = Backoff::default();
        let waits: Vec<_> = [1, 2, 3, 7, 8, 100, u32::MAX]
            .map(|row| backoff.wait(row).as_millis())
            .into();
        assert_eq!(waits, [100, 200, 400, 6_400, 10_000, 10_000, 10_000]);
        assert_eq!(Backoff::none().wait(5), Duration::ZERO);
    }
}
