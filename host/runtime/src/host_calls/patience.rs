//! Operations on channels that wait as long as a guest said.

use transputer_core::channel::{ChannelError, SendError};
use transputer_core::clock::{Sleep, Time};

use crate::message::{Message, Receiver, Sender};
use crate::patience::Patience;
use crate::process::ProcessState;
use transputer_abi::bindings::transputer::csp::channel as wit;

impl Patience<Sleep> {
    pub(super) async fn send(
        self,
        sender: &Sender,
        message: Message,
    ) -> Result<(), SendError<Message>> {
        match self {
            Self::Forever => sender.send(message).await,
            Self::Until(deadline) => sender.send_by(message, deadline).await,
            Self::Never => sender.try_send(message),
        }
    }

    pub(super) async fn receive(self, receiver: &Receiver) -> Result<Message, ChannelError> {
        match self {
            Self::Forever => receiver.receive().await,
            Self::Until(deadline) => receiver.receive_by(deadline).await,
            Self::Never => receiver.try_receive(),
        }
    }
}

impl ProcessState {
    /// A sleep until a time that a guest gave.
    pub(super) fn sleep_until(&self, deadline: u64) -> Sleep {
        let clock = self.network.host.scheduler().clock();
        clock.sleep_until(Time::from_nanos(deadline))
    }

    /// How long an operation may wait, with a guest's deadline as a sleep.
    pub(super) fn how_long(&self, patience: wit::Patience) -> Patience<Sleep> {
        Patience::from(patience).on(self.network.host.scheduler().clock())
    }
}
