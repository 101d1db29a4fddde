//! Beginning to read a log, and beginning anew.

use super::{AHEAD, Inlet, InletEnd, refuse};
use crate::carrier::{Consumer, Fault, Side};
use crate::insist::insist;

impl Inlet {
    /// Reads the log, after ending all consumers of earlier epochs.
    pub(super) async fn attach(&mut self) -> Result<(), InletEnd> {
        if self.deliveries.take().is_some() {
            self.counts.reattached += 1;
        }
        let (carrier, channel, consumer) = (&*self.carrier, &self.channel, &self.consumer);
        let ahead = match channel.receivers {
            Side::Sole => AHEAD.min(channel.capacity),
            Side::Shared => 1,
        };
        let attached = insist!({
            let log = carrier.open(channel).await?;
            if is_fenced(&carrier.consumers(channel).await?, consumer) {
                return Ok(None);
            }
            for other in carrier.consumers(channel).await? {
                if is_earlier(&other, consumer) {
                    carrier.end_consumer(channel, &other).await?;
                }
            }
            // From here on nobody's answers count, so this is where the consumer begins.
            let before = carrier.look(channel).await?;
            let ahead = usize::try_from(ahead).unwrap_or(usize::MAX);
            let deliveries = carrier.consume(channel, consumer, ahead).await?;
            match before {
                Some(before) if before.born == log.born => Ok(Some((before, deliveries))),
                _ => Err(Fault::Away("the log is another one now".to_owned())),
            }
        });
        let attached = attached.map_err(refuse)?;
        let (log, deliveries) = attached.ok_or(InletEnd::Fenced)?;
        self.held.attached(log.born);
        self.came = (self.channel.receivers == Side::Sole).then(|| log.first.saturating_sub(1));
        self.deliveries = Some(deliveries);
        Ok(())
    }

    /// Something between what came last and what came now went astray: begins with the first unfinished message.
    pub(super) async fn begin_anew(&mut self) -> Result<(), InletEnd> {
        self.counts.renewed += 1;
        if let Consumer::Sole { renewal, .. } = &mut self.consumer {
            *renewal += 1;
        }
        self.attach().await
    }
}

fn is_fenced(consumers: &[Consumer], own: &Consumer) -> bool {
    let epoch = |consumer: &Consumer| match consumer {
        Consumer::Sole { epoch, .. } => Some(*epoch),
        Consumer::Shared => None,
    };
    consumers.iter().any(|other| epoch(other) > epoch(own))
}

/// Whether a consumer must end before this one begins. Two of them would share what is in the log.
fn is_earlier(other: &Consumer, own: &Consumer) -> bool {
    other != own
}
