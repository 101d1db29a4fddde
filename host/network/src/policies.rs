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
    /// However it ended; but one that finished is not started again once every input port, or
    /// every output port, has come to its end, for it would find nothing to do.
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

/// How many restarts are too many. Erlang/OTP's supervisors have the same two numbers.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Intensity {
    /// At most so many restarts ...
    pub restarts: u32,
    /// ... within this time. With one more the supervisor gives up.
    pub period: Duration,
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
pub struct Backoff {
    /// Before the first restart in a row.
    pub initial: Duration,
    /// Each further wait is so many times as long as the one before it.
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
        Self {
            initial: Duration::ZERO,
            factor: 1,
            maximum: Duration::ZERO,
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
    /// It is dropped, and counted.
    Drop,
    /// It goes to the process's dead letters.
    DeadLetter,
}

impl Unfinished {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Redeliver, Self::Drop, Self::DeadLetter];

    /// Its name in a network file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Redeliver => "redeliver",
            Self::Drop => "drop",
            Self::DeadLetter => "dead-letter",
        }
    }
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether and how a process is restarted.
///
/// The channel ends at the ports of such a process stay open while it is down: its peers wait,
/// and lose nothing. An end that it closed, or gave away, stays gone; its next incarnation finds
/// an end of a closed channel at that port. Ends that were no ports are closed or poisoned.
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
pub struct Restart {
    /// When.
    pub policy: RestartPolicy,
    /// How often at most; in a group, the group's intensity holds instead.
    pub intensity: Intensity,
    /// How long to wait before.
    pub backoff: Backoff,
    /// What becomes of a message that was received and not finished.
    pub unfinished: Unfinished,
    /// How often one message is delivered at most, the first time included. After so many
    /// incarnations have ended over it, it goes to the dead letters, or is dropped and counted.
    pub attempts: u32,
}

impl Default for Restart {
    fn default() -> Self {
        Self::never()
    }
}

impl Restart {
    /// How often a message is delivered, unless it is said.
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

    /// At most so many restarts within a period.
    #[must_use]
    pub fn intensity(self, restarts: u32, period: Duration) -> Self {
        let intensity = Intensity { restarts, period };
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

    /// How often one message is delivered at most; 1 is never again.
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
pub struct Group {
    /// Its name, for reports.
    pub name: String,
    /// Whom it restarts.
    pub strategy: Strategy,
    /// Its members' names, in the order in which they are started.
    pub members: Vec<String>,
    /// How many restarts it takes. With one more, all its members are ended, the last one first.
    pub intensity: Intensity,
}

/// What to do where as many processes run as may: at the host's limit, at what the
/// kernel's limit on mappings allows, or at a network's limit on processes.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum AtCapacity {
    /// Fail with a fault that says so.
    #[default]
    Fail,
    /// Wait until a place comes free: first come, first served, processes that run before
    /// networks that are to start. A process that waits for a place that can never come free is
    /// a deadlock, and reported as one.
    Wait,
    /// Wait for so long, then fail.
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
