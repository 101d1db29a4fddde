//! What is measured, the same for all.

use std::time::{Duration, Instant};

use bytes::Bytes;

/// How much is sent.
#[derive(Copy, Clone, Debug)]
pub(super) struct Case {
    pub(super) size: usize,
    pub(super) count: u64,
    /// Messages that may be on their way at once.
    pub(super) capacity: u64,
}

/// Makes messages that say when they were sent.
pub(super) struct Stamps {
    began: Instant,
    bytes: Vec<u8>,
}

impl Stamps {
    pub(super) fn new(began: Instant, size: usize) -> Self {
        Self {
            began,
            bytes: vec![7; size],
        }
    }

    pub(super) fn message(&mut self) -> Bytes {
        let now = nanos(self.began.elapsed());
        self.bytes[..8].copy_from_slice(&now.to_le_bytes());
        Bytes::copy_from_slice(&self.bytes)
    }
}

/// What has arrived, and how long each was on its way.
#[derive(Debug)]
pub(super) struct Measured {
    began: Instant,
    last: Duration,
    latencies: Vec<u64>,
}

impl Measured {
    pub(super) fn new(began: Instant) -> Self {
        Self {
            began,
            last: Duration::ZERO,
            latencies: Vec::new(),
        }
    }

    pub(super) fn received(&mut self, bytes: &[u8]) {
        self.last = self.began.elapsed();
        let stamp = bytes[..8].try_into().expect("it has a stamp");
        let sent = u64::from_le_bytes(stamp);
        self.latencies.push(nanos(self.last).saturating_sub(sent));
    }

    pub(super) fn count(&self) -> u64 {
        self.latencies.len() as u64
    }

    pub(super) fn figures(mut self) -> Figures {
        self.latencies.sort_unstable();
        let at = |share: usize| {
            let index = (self.latencies.len() * share / 100).min(self.latencies.len() - 1);
            self.latencies[index] as f64 / 1000.0
        };
        Figures {
            rate: self.latencies.len() as f64 / self.last.as_secs_f64(),
            p50: at(50),
            p99: at(99),
        }
    }
}

/// Messages a second, and microseconds on the way.
#[derive(Copy, Clone, Debug)]
pub(super) struct Figures {
    pub(super) rate: f64,
    pub(super) p50: f64,
    pub(super) p99: f64,
}

/// The one of the middle, by rate.
pub(super) fn median(mut all: Vec<Figures>) -> Option<Figures> {
    all.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    all.get(all.len() / 2).copied()
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
