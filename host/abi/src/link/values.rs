//! The types of `wit/` in a guest's memory. Generated: see `tests/generated`.

use wasmtime::Result;

use crate::bindings::transputer::csp::{alternation, channel, process};
use crate::canonical::{Flat, Lift, List, Lower, Lowering, Position, Source, case, no_case};

impl Lift for channel::End {
    const SIZE: usize = 8;
    const ALIGN: usize = 4;

    fn lift(source: &Source<'_>, at: usize) -> Result<Self> {
        Ok(match case(source, at)? {
            0 => Self::Sender(Lift::lift(source, at + 4)?),
            1 => Self::Receiver(Lift::lift(source, at + 4)?),
            2 => Self::Barrier(Lift::lift(source, at + 4)?),
            other => return no_case("end", other),
        })
    }
}

impl Lift for alternation::Guard {
    const SIZE: usize = 24;
    const ALIGN: usize = 8;

    fn lift(source: &Source<'_>, at: usize) -> Result<Self> {
        Ok(match case(source, at)? {
            0 => Self::Receive(Lift::lift(source, at + 8)?),
            1 => Self::Send(Lift::lift(source, at + 8)?),
            2 => Self::After(Lift::lift(source, at + 8)?),
            3 => Self::Skip,
            other => return no_case("guard", other),
        })
    }
}

impl Lower for channel::Error {
    const SIZE: usize = 1;
    const ALIGN: usize = 1;

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        out.put(at, [self as u8]);
        Ok(())
    }

    #[inline]
    fn flat(&self) -> Option<Flat> {
        Some(Flat::zeros(1).with(0, [*self as u8]))
    }
}

impl Lower for channel::End {
    const SIZE: usize = 8;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        match self {
            Self::Sender(content) => out.case(at, 0, 4, content),
            Self::Receiver(content) => out.case(at, 1, 4, content),
            Self::Barrier(content) => out.case(at, 2, 4, content),
        }
    }
}

impl Lower for channel::Refused {
    const SIZE: usize = 12;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        self.error.lower(out, at.plus(0))?;
        List(self.ends).lower(out, at.plus(4))?;
        Ok(())
    }
}

impl Lower for channel::Limit {
    const SIZE: usize = 1;
    const ALIGN: usize = 1;

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        out.put(at, [self as u8]);
        Ok(())
    }

    #[inline]
    fn flat(&self) -> Option<Flat> {
        Some(Flat::zeros(1).with(0, [*self as u8]))
    }
}

impl Lower for channel::LimitOwner {
    const SIZE: usize = 1;
    const ALIGN: usize = 1;

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        out.put(at, [self as u8]);
        Ok(())
    }

    #[inline]
    fn flat(&self) -> Option<Flat> {
        Some(Flat::zeros(1).with(0, [*self as u8]))
    }
}

impl Lower for channel::Overrun {
    const SIZE: usize = 32;
    const ALIGN: usize = 8;

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        self.limit.lower(out, at.plus(0))?;
        self.owner.lower(out, at.plus(1))?;
        self.allowed.lower(out, at.plus(8))?;
        self.asked.lower(out, at.plus(16))?;
        self.text.lower(out, at.plus(24))?;
        Ok(())
    }
}

impl Lower for channel::Outcome {
    const SIZE: usize = 40;
    const ALIGN: usize = 8;

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        match self {
            Self::Finished => out.case(at, 0, 8, ()),
            Self::Failed(content) => out.case(at, 1, 8, content),
            Self::Trapped(content) => out.case(at, 2, 8, content),
            Self::Killed(content) => out.case(at, 3, 8, content),
            Self::Stopped(content) => out.case(at, 4, 8, content),
        }
    }

    #[inline]
    fn flat(&self) -> Option<Flat> {
        match self {
            Self::Finished => ().flat()?.in_case(0, 8, 40),
            _ => None,
        }
    }
}

impl Lower for channel::Peer {
    const SIZE: usize = 56;
    const ALIGN: usize = 8;

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        self.name.lower(out, at.plus(0))?;
        self.id.lower(out, at.plus(8))?;
        self.outcome.lower(out, at.plus(16))?;
        Ok(())
    }
}

impl Lower for channel::Cause {
    const SIZE: usize = 80;
    const ALIGN: usize = 8;

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        self.error.lower(out, at.plus(0))?;
        self.reason.lower(out, at.plus(4))?;
        self.peer.lower(out, at.plus(16))?;
        Ok(())
    }
}

impl Lower for channel::Statistics {
    const SIZE: usize = 32;
    const ALIGN: usize = 8;

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        self.sent.lower(out, at.plus(0))?;
        self.received.lower(out, at.plus(8))?;
        self.dropped.lower(out, at.plus(16))?;
        self.waiting.lower(out, at.plus(24))?;
        Ok(())
    }

    #[inline]
    fn flat(&self) -> Option<Flat> {
        Some(
            Flat::zeros(32)
                .with(0, self.sent.to_le_bytes())
                .with(8, self.received.to_le_bytes())
                .with(16, self.dropped.to_le_bytes())
                .with(24, self.waiting.to_le_bytes()),
        )
    }
}

impl Lower for channel::Message {
    const SIZE: usize = 16;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        self.bytes.lower(out, at.plus(0))?;
        List(self.ends).lower(out, at.plus(8))?;
        Ok(())
    }
}

impl Lower for channel::Sent {
    const SIZE: usize = 12;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        self.count.lower(out, at.plus(0))?;
        self.error.lower(out, at.plus(4))?;
        self.waiting.lower(out, at.plus(8))?;
        Ok(())
    }
}

impl Lower for channel::Small {
    const SIZE: usize = 24;
    const ALIGN: usize = 8;

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        self.length.lower(out, at.plus(0))?;
        self.low.lower(out, at.plus(8))?;
        self.high.lower(out, at.plus(16))?;
        Ok(())
    }

    #[inline]
    fn flat(&self) -> Option<Flat> {
        Some(
            Flat::zeros(24)
                .with(0, self.length.to_le_bytes())
                .with(8, self.low.to_le_bytes())
                .with(16, self.high.to_le_bytes()),
        )
    }
}

impl Lower for channel::Received {
    const SIZE: usize = 32;
    const ALIGN: usize = 8;

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        match self {
            Self::Small(content) => out.case(at, 0, 8, content),
            Self::Large(content) => out.case(at, 1, 8, content),
            Self::Batch(content) => out.case(at, 2, 8, content),
        }
    }

    #[inline]
    fn flat(&self) -> Option<Flat> {
        match self {
            Self::Small(content) => content.flat()?.in_case(0, 8, 32),
            _ => None,
        }
    }
}

impl Lower for alternation::Outcome {
    const SIZE: usize = 20;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        match self {
            Self::Received(content) => out.case(at, 0, 4, content),
            Self::Sent => out.case(at, 1, 4, ()),
            Self::Elapsed => out.case(at, 2, 4, ()),
            Self::Skipped => out.case(at, 3, 4, ()),
            Self::Failed(content) => out.case(at, 4, 4, content),
        }
    }

    #[inline]
    fn flat(&self) -> Option<Flat> {
        match self {
            Self::Sent => ().flat()?.in_case(1, 4, 20),
            Self::Elapsed => ().flat()?.in_case(2, 4, 20),
            Self::Skipped => ().flat()?.in_case(3, 4, 20),
            Self::Failed(content) => content.flat()?.in_case(4, 4, 20),
            _ => None,
        }
    }
}

impl Lower for alternation::Chosen {
    const SIZE: usize = 24;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        self.guard.lower(out, at.plus(0))?;
        self.outcome.lower(out, at.plus(4))?;
        Ok(())
    }
}

impl Lower for process::SpawnError {
    const SIZE: usize = 12;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        match self {
            Self::UnknownComponent(content) => out.case(at, 0, 4, content),
            Self::Misfit(content) => out.case(at, 1, 4, content),
            Self::Capacity(content) => out.case(at, 2, 4, content),
            Self::Instantiation(content) => out.case(at, 3, 4, content),
        }
    }
}

impl Lower for process::SpawnRefused {
    const SIZE: usize = 28;
    const ALIGN: usize = 4;

    fn lower(self, out: &mut Lowering, at: Position) -> Result<()> {
        self.error.lower(out, at.plus(0))?;
        List(self.inputs).lower(out, at.plus(12))?;
        List(self.outputs).lower(out, at.plus(20))?;
        Ok(())
    }
}
