//! The types of `wit/` that the host gives to guests.

use wasmtime::Result;

use super::{List, Lower, Lowering, Place};
use crate::bindings::transputer::csp::{alternation, channel, process};

impl Lower for channel::Error {
    const SIZE: usize = 1;
    const ALIGN: usize = 1;

    fn lower(self, out: &mut Lowering, at: Place) -> Result<()> {
        out.put(at, [self as u8]);
        Ok(())
    }
}

impl Lower for channel::End {
    const SIZE: usize = 8;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Place) -> Result<()> {
        match self {
            Self::Sender(end) => out.case(at, 0, 4, end),
            Self::Receiver(end) => out.case(at, 1, 4, end),
            Self::Barrier(end) => out.case(at, 2, 4, end),
        }
    }
}

impl Lower for channel::Message {
    const SIZE: usize = 16;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Place) -> Result<()> {
        (self.bytes, List(self.ends)).lower(out, at)
    }
}

impl Lower for channel::Refused {
    const SIZE: usize = 12;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Place) -> Result<()> {
        (self.error, List(self.ends)).lower(out, at)
    }
}

impl Lower for channel::Small {
    const SIZE: usize = 24;
    const ALIGN: usize = 8;

    fn lower(self, out: &mut Lowering, at: Place) -> Result<()> {
        (self.length, (self.low, self.high)).lower(out, at)
    }
}

impl Lower for channel::Received {
    const SIZE: usize = 32;
    const ALIGN: usize = 8;

    fn lower(self, out: &mut Lowering, at: Place) -> Result<()> {
        match self {
            Self::Small(small) => out.case(at, 0, 8, small),
            Self::Large(bytes) => out.case(at, 1, 8, bytes),
            Self::Batch(packed) => out.case(at, 2, 8, packed),
        }
    }
}

impl Lower for channel::Sent {
    const SIZE: usize = 12;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Place) -> Result<()> {
        (self.count, (self.error, self.waiting)).lower(out, at)
    }
}

impl Lower for channel::Statistics {
    const SIZE: usize = 32;
    const ALIGN: usize = 8;

    fn lower(self, out: &mut Lowering, at: Place) -> Result<()> {
        let counts = (self.sent, (self.received, (self.dropped, self.waiting)));
        counts.lower(out, at)
    }
}

impl Lower for alternation::Outcome {
    const SIZE: usize = 20;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Place) -> Result<()> {
        match self {
            Self::Received(message) => out.case(at, 0, 4, message),
            Self::Sent => out.case(at, 1, 4, ()),
            Self::Elapsed => out.case(at, 2, 4, ()),
            Self::Skipped => out.case(at, 3, 4, ()),
            Self::Failed(error) => out.case(at, 4, 4, error),
        }
    }
}

impl Lower for alternation::Chosen {
    const SIZE: usize = 24;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Place) -> Result<()> {
        (self.guard, self.outcome).lower(out, at)
    }
}

impl Lower for process::Outcome {
    const SIZE: usize = 12;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Place) -> Result<()> {
        match self {
            Self::Finished => out.case(at, 0, 4, ()),
            Self::Failed(text) => out.case(at, 1, 4, text),
            Self::Trapped(text) => out.case(at, 2, 4, text),
            Self::Killed(text) => out.case(at, 3, 4, text),
            Self::Stopped(text) => out.case(at, 4, 4, text),
        }
    }
}

impl Lower for process::SpawnError {
    const SIZE: usize = 12;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Place) -> Result<()> {
        match self {
            Self::UnknownComponent(text) => out.case(at, 0, 4, text),
            Self::Misfit(text) => out.case(at, 1, 4, text),
            Self::Capacity(text) => out.case(at, 2, 4, text),
            Self::Instantiation(text) => out.case(at, 3, 4, text),
        }
    }
}

impl Lower for process::SpawnRefused {
    const SIZE: usize = 28;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Place) -> Result<()> {
        (self.error, (List(self.inputs), List(self.outputs))).lower(out, at)
    }
}
