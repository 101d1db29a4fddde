//! What joins a process's ports with outlets and inlets.

use std::time::Duration;

use tokio::sync::watch;
use transputer::{HostReceiver, HostSender, Poison, PoisonKind, ReceiveError, SendError};
use transputer_reach::carrier::Pending;
use transputer_reach::{NotWanted, Sent, Sink, Source};

/// How often it is asked whether a process still receives, where nothing is offered to it.
const ASKED: Duration = Duration::from_millis(50);

/// In what way a channel failed, as hosts tell each other.
const KINDS: [(PoisonKind, &str); 5] = [
    (PoisonKind::Poisoned, "poisoned"),
    (PoisonKind::PeerTrapped, "trapped"),
    (PoisonKind::PeerFailed, "failed"),
    (PoisonKind::PeerKilled, "killed"),
    (PoisonKind::Deadlock, "deadlock"),
];

pub(super) fn poison(kind: &str, reason: &str) -> Poison {
    let known = KINDS.iter().find(|(_, word)| *word == kind);
    let kind = known.map_or(PoisonKind::Poisoned, |(kind, _)| *kind);
    Poison::new(kind, reason)
}

fn kind_and_reason(poison: &Poison) -> (String, String) {
    let known = KINDS.iter().find(|(kind, _)| *kind == poison.kind);
    let word = known.map_or("poisoned", |(_, word)| word);
    (word.to_owned(), poison.reason.to_string())
}

/// What a process sends at a port.
pub(super) struct GuestSource(pub(super) HostReceiver);

impl Source for GuestSource {
    fn next(&mut self) -> Pending<'_, Sent> {
        Box::pin(async {
            match self.0.receive_charged_async().await {
                // The process pays for it as long as the outlet keeps it.
                Ok((message, ends)) if ends.is_empty() => {
                    Sent::Message(bytes::Bytes::from_owner(message))
                }
                Ok(_) => {
                    let reason =
                        "a message carried ends of channels, which cannot leave their host";
                    self.0.poison(reason);
                    poisoned(&Poison::new(PoisonKind::Poisoned, reason))
                }
                Err(ReceiveError::Poisoned(poison)) => poisoned(&poison),
                Err(_) => Sent::Closed,
            }
        })
    }
}

fn poisoned(poison: &Poison) -> Sent {
    let (kind, reason) = kind_and_reason(poison);
    Sent::Poisoned { kind, reason }
}

type Offering = Pending<'static, Result<(), SendError<Vec<u8>>>>;

/// What a process receives at a port.
pub(super) struct GuestSink {
    sender: Option<HostSender>,
    offering: Option<Offering>,
    finished: watch::Receiver<u64>,
    /// Becomes true when all processes of the part have ended; then with what the part failed, if it did.
    ended: watch::Receiver<Option<Ended>>,
    failure: Option<(String, String)>,
}

/// How a part ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) failure: Option<String>,
}

impl GuestSink {
    pub(super) fn new(
        sender: HostSender,
        finished: watch::Receiver<u64>,
        ended: watch::Receiver<Option<Ended>>,
    ) -> Self {
        Self {
            sender: Some(sender),
            offering: None,
            finished,
            ended,
            failure: None,
        }
    }

    /// Takes back what it offers, and leaves the channel as it is for the process.
    pub(super) fn into_sender(self) -> Option<HostSender> {
        self.sender
    }

    fn look_for_failure(&mut self) {
        if let Some(poison) = self.sender.as_ref().and_then(HostSender::poisoned) {
            self.failure = Some(kind_and_reason(&poison));
        }
    }
}

impl Sink for GuestSink {
    fn offer(&mut self, bytes: bytes::Bytes) {
        let sender = self.sender.clone();
        self.offering = sender.map(|sender| {
            let offering: Offering =
                Box::pin(async move { sender.send_async(Vec::from(bytes)).await });
            offering
        });
    }

    fn taken(&mut self) -> Pending<'_, Result<(), NotWanted>> {
        Box::pin(async {
            let Some(offering) = &mut self.offering else {
                return Err(NotWanted);
            };
            let result = offering.await;
            self.offering = None;
            self.look_for_failure();
            result.map_err(|_| NotWanted)
        })
    }

    fn unwanted(&mut self) -> Pending<'_, ()> {
        Box::pin(async {
            while self
                .sender
                .as_ref()
                .is_some_and(|sender| !sender.is_ended())
            {
                tokio::time::sleep(ASKED).await;
            }
            if self.sender.is_none() {
                // It was told that nothing follows, and goes on with what it has until it ends.
                let _ = self.ended.wait_for(Option::is_some).await;
                let ended = self.ended.borrow().clone();
                let failure = ended.and_then(|ended| ended.failure);
                self.failure = failure.map(|reason| ("failed".to_owned(), reason));
            }
            self.look_for_failure();
        })
    }

    fn close(&mut self) {
        self.sender = None;
    }

    fn poison(&mut self, kind: &str, reason: &str) {
        if let Some(sender) = self.sender.take() {
            sender.poison_with(poison(kind, reason));
        }
    }

    fn finished(&mut self) -> watch::Receiver<u64> {
        self.finished.clone()
    }

    fn failure(&mut self) -> Option<(String, String)> {
        self.failure.clone()
    }
}
