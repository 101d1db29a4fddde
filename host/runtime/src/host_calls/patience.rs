//! Operations on channels that wait as long as the guest allows.

use transputer_core::channel::{ChannelError, SendError, SendTimeoutError, TrySendError};
use transputer_core::clock::{Sleep, Time};

use crate::message::{Message, Receiver, Sender};
use crate::patience::Patience;
use crate::process::ProcessState;
use transputer_abi::bindings::transputer::csp::channel as wit;

/// A message that was not sent, and why.
pub(super) type Refused = (Message, ChannelError);

pub(super) fn given_back((message, _): &Refused) -> &Message {
    message
}

impl Patience<Sleep> {
    pub(super) async fn send(self, sender: &Sender, message: Message) -> Result<(), Refused> {
        match self {
            Self::Forever => sender.send(message).await.map_err(SendError::into_parts),
            Self::Until(deadline) => {
                let sent = sender.send_by(message, deadline).await;
                sent.map_err(SendTimeoutError::into_parts)
            }
            Self::Never => sender.try_send(message).map_err(TrySendError::into_parts),
        }
    }

    pub(super) async fn receive(self, receiver: &Receiver) -> Result<Message, ChannelError> {
        match self {
            Self::Forever => Ok(receiver.receive().await?),
            Self::Until(deadline) => Ok(receiver.receive_by(deadline).await?),
            Self::Never => Ok(receiver.try_receive()?),
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
