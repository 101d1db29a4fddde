//! Barriers, of `transputer:csp/channel`.

use transputer_abi::handles::BarrierHandle;
use transputer_core::SyncTimeoutError;
use transputer_core::channel::ChannelError;

use super::cause::wit_cause;
use super::channel::Answer;
use super::wit_error;
use crate::message::Barrier;
use crate::patience::Patience;
use crate::process::ProcessState;
use crate::text::Text;
use transputer_abi::bindings::transputer::csp::channel as wit;

impl ProcessState {
    /// A barrier of which this process is the first member.
    pub(super) fn open_barrier(&mut self) -> Answer<BarrierHandle> {
        if self.ends.room_for(1).is_err() {
            return Ok(Err(wit::Error::Overloaded));
        }
        self.ends.cover(1, &mut self.memory)?;
        let Some(open) = self.count_channel()? else {
            return Ok(Err(wit::Error::Overloaded));
        };
        let label = format!("barrier opened by {}", self.process.name);
        let barrier = Barrier::keeping(label, open);
        self.network.register_probe(&barrier.inspect());
        Ok(Ok(self.ends.add_barrier(barrier)))
    }
}

impl wit::HostBarrier for ProcessState {
    fn enrol(&mut self, this: BarrierHandle) -> Answer<BarrierHandle> {
        if self.ends.room_for(1).is_err() {
            return Ok(Err(wit::Error::Overloaded));
        }
        self.ends.cover(1, &mut self.memory)?;
        let member = self.ends.barrier(&this)?.enrol_for(self.ends.holder());
        Ok(Ok(self.ends.add_barrier(member)))
    }

    async fn sync(&mut self, this: BarrierHandle, patience: wit::Patience) -> Answer<()> {
        self.close_dropped();
        let wait = self.how_long(patience);
        let past = self.sleep_until(0);
        let barrier = self.ends.barrier(&this)?;
        let synced = match wait {
            Patience::Forever => {
                let sync = self.process.operate(barrier.sync());
                sync.await.map_err(ChannelError::from)
            }
            Patience::Until(deadline) => {
                let sync = self.process.operate(barrier.sync_by(deadline));
                sync.await.map_err(ChannelError::from)
            }
            Patience::Never => barrier.sync_by(past).await.map_err(|error| match error {
                SyncTimeoutError::TimedOut => ChannelError::WouldBlock,
                error => error.into(),
            }),
        };
        self.trace(|| match &synced {
            Ok(()) => "passes a barrier".to_owned(),
            Err(error) => format!("does not pass a barrier: {error}"),
        });
        Ok(synced.map_err(|error| wit_error(&error)))
    }

    fn members(&mut self, this: BarrierHandle) -> wasmtime::Result<u32> {
        let members = self.ends.barrier(&this)?.members();
        Ok(u32::try_from(members).unwrap_or(u32::MAX))
    }

    fn poison(&mut self, this: BarrierHandle, reason: String) -> wasmtime::Result<()> {
        let barrier = self.ends.barrier(&this)?;
        barrier.poison(self.memory.poison(Text::new(reason))?);
        Ok(())
    }

    fn reason(&mut self, this: BarrierHandle) -> wasmtime::Result<Option<String>> {
        let poison = self.ends.barrier(&this)?.poisoned();
        Ok(poison.map(|poison| poison.reason.to_string()))
    }

    fn cause(&mut self, this: BarrierHandle) -> wasmtime::Result<Option<wit::Cause>> {
        Ok(self.ends.barrier(&this)?.poisoned().map(wit_cause))
    }

    fn drop(&mut self, this: BarrierHandle) -> wasmtime::Result<()> {
        drop(self.ends.take_barrier(&this)?);
        Ok(())
    }
}
