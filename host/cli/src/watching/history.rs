//! The last minutes of a network.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Serialize;

use super::boxes::Pictures;
use super::view::Look;

/// How far back it goes, in milliseconds.
const LENGTH: u64 = 5 * 60 * 1000;

/// How many bytes all of it may take. A large network is kept at fewer moments.
const BYTES: usize = 32 << 20;

/// A moment that is kept.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) summary: Summary,
    /// The look as JSON, without a picture.
    look: Arc<str>,
    pictures: Pictures,
}

/// A moment in a few numbers.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Summary {
    pub(super) at: u64,
    rate: f64,
    cpu_share: f64,
    living: u64,
    memory: u64,
    /// Since the moment before.
    failed: u64,
    restarts: u64,
}

#[derive(Debug, Default)]
pub(super) struct History {
    frames: VecDeque<Frame>,
    bytes: usize,
    /// Failures and restarts up to the last moment.
    failed: u64,
    restarts: u64,
}

impl Frame {
    /// The look with its picture, as JSON.
    pub(super) fn json(&self, each: bool) -> String {
        let picture = self.pictures.json(each);
        // Both are objects that were just written: the look's last character closes it.
        let open = self.look.strip_suffix('}').unwrap_or(&self.look);
        format!("{open},\"picture\":{picture}}}")
    }
}

impl History {
    pub(super) fn push(&mut self, look: &Look, pictures: Pictures) -> serde_json::Result<()> {
        let json: Arc<str> = serde_json::to_string(look)?.into();
        let totals = &look.totals;
        let summary = Summary {
            at: look.at,
            rate: totals.rate,
            cpu_share: totals.cpu_share,
            living: totals.living,
            memory: totals.memory,
            failed: totals.failed.saturating_sub(self.failed),
            restarts: totals.restarts.saturating_sub(self.restarts),
        };
        self.failed = totals.failed;
        self.restarts = totals.restarts;
        self.bytes += json.len();
        self.frames.push_back(Frame {
            summary,
            look: json,
            pictures,
        });
        let oldest = look.at.saturating_sub(LENGTH);
        while self
            .frames
            .front()
            .is_some_and(|frame| frame.summary.at < oldest)
        {
            self.pop();
        }
        if self.bytes > BYTES {
            self.thin();
        }
        Ok(())
    }

    fn pop(&mut self) {
        if let Some(frame) = self.frames.pop_front() {
            self.bytes -= frame.look.len();
        }
    }

    /// Leaves out every other moment of the older half; what happened then is told by the next.
    fn thin(&mut self) {
        let older = self.frames.len() / 2;
        let frames = std::mem::take(&mut self.frames);
        let (mut failed, mut restarts) = (0, 0);
        for (index, mut frame) in frames.into_iter().enumerate() {
            if index < older && index % 2 == 0 {
                failed = frame.summary.failed;
                restarts = frame.summary.restarts;
                continue;
            }
            frame.summary.failed += std::mem::take(&mut failed);
            frame.summary.restarts += std::mem::take(&mut restarts);
            self.frames.push_back(frame);
        }
        self.bytes = self.frames.iter().map(|frame| frame.look.len()).sum();
        if self.frames.len() < 4 {
            while self.bytes > BYTES && self.frames.len() > 1 {
                self.pop();
            }
        }
    }

    pub(super) fn last(&self) -> Option<&Frame> {
        self.frames.back()
    }

    /// The first moment that is not before this one.
    pub(super) fn at(&self, at: u64) -> Option<&Frame> {
        let after = self.frames.partition_point(|frame| frame.summary.at < at);
        self.frames.get(after).or_else(|| self.last())
    }

    pub(super) fn summaries(&self) -> Vec<&Summary> {
        self.frames.iter().map(|frame| &frame.summary).collect()
    }
}
