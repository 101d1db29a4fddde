//! How an inlet ends, and how it learns that the senders have.

use super::{Inlet, InletEnd, LOOK_FOR_END, Sink, refuse};
use crate::carrier::{Answer, Log, Side};
use crate::ending::{self, Ending};
use tokio::time::Instant;

impl Inlet {
    /// Whether all senders have ended, and everything that they sent has been handed over.
    pub(super) async fn senders_ended(
        &mut self,
        log: &Log,
        sink: &mut dyn Sink,
    ) -> Result<(), InletEnd> {
        let carrier = self.carrier.clone();
        let mut all = true;
        for port in &self.channel.from {
            match ending::read(&*carrier, &self.channel, port).await {
                Ok(Some(Ending::Poisoned { kind, reason })) => {
                    return Err(InletEnd::Poisoned { kind, reason });
                }
                Ok(Some(Ending::Closed { last, place })) => {
                    let sole =
                        (self.channel.senders, self.channel.receivers) == (Side::Sole, Side::Sole);
                    let nothing_waits = log.messages == 0 && log.last >= place;
                    all &= (sole && self.had.last(port) >= last) || nothing_waits;
                    self.last.insert(port.clone(), last);
                }
                _ => all = false,
            }
        }
        let others = self.channel.to.iter().filter(|port| **port != self.port);
        for port in others {
            if let Ok(Some(Ending::Poisoned { kind, reason })) =
                ending::read(&*carrier, &self.channel, port).await
            {
                return Err(InletEnd::Poisoned { kind, reason });
            }
        }
        if !self.last.is_empty() {
            self.look_at = Instant::now() + LOOK_FOR_END;
        }
        if all && self.next.is_none() && !self.closed {
            self.closed = true;
            sink.close();
        }
        Ok(())
    }

    /// The process failed: the other side learns why.
    pub(super) async fn fail(&mut self, kind: &str, reason: &str) -> InletEnd {
        let ending = Ending::poisoned(kind, reason);
        match ending::write(&*self.carrier, &self.channel, &self.port, &ending).await {
            Ok(()) => {
                let _ = self.carrier.purge(&self.channel).await;
                let (kind, reason) = (kind.to_owned(), reason.to_owned());
                InletEnd::Poisoned { kind, reason }
            }
            Err(fault) => refuse(fault),
        }
    }

    /// Does what remains to be done at this end.
    pub(super) async fn leave(&mut self, end: InletEnd, sink: &mut dyn Sink) -> InletEnd {
        match end {
            InletEnd::NotWanted { .. } => match sink.failure() {
                Some((kind, reason)) => match self.fail(&kind, &reason).await {
                    InletEnd::Poisoned { .. } => InletEnd::Failed,
                    other => other,
                },
                None => self.not_wanted().await,
            },
            InletEnd::Poisoned { kind, reason } => {
                sink.poison(&kind, &reason);
                InletEnd::Poisoned { kind, reason }
            }
            InletEnd::Left => {
                self.give_back().await;
                InletEnd::Left
            }
            InletEnd::Refused(text) => {
                sink.poison("failed", &text);
                InletEnd::Refused(text)
            }
            other => other,
        }
    }

    async fn not_wanted(&mut self) -> InletEnd {
        let carrier = &*self.carrier;
        let written = ending::write(carrier, &self.channel, &self.port, &Ending::NotWanted).await;
        if let Err(fault) = written {
            return refuse(fault);
        }
        // Of several receivers the others may go on.
        if self.channel.to.len() > 1 {
            self.give_back().await;
            return InletEnd::NotWanted { dropped: 0 };
        }
        let dropped = carrier.purge(&self.channel).await.unwrap_or(0);
        InletEnd::NotWanted { dropped }
    }

    /// What is not finished is there for others, at once and in order.
    async fn give_back(&mut self) {
        self.deliveries = None;
        match self.channel.receivers {
            Side::Sole => {
                let _ = self
                    .carrier
                    .end_consumer(&self.channel, &self.consumer)
                    .await;
            }
            Side::Shared => {
                let next = self.next.take().map(|next| next.ticket);
                for ticket in self.held.tickets().into_iter().chain(next) {
                    self.answer(&ticket, Answer::GiveBack).await;
                }
            }
        }
    }
}
