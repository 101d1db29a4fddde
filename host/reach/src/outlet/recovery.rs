//! What an outlet does when a message was not stored, or the server has forgotten what was.

use std::time::Duration;

use tokio::time::Instant;

use super::{Outlet, OutletEnd, is_fenced, refuse};
use crate::carrier::{Fault, Log, Refusal, Side};
use crate::notices::STALLED;

const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// The oldest message on its way was not stored, so those behind it were not either. It alone is tried again.
pub(super) struct Trouble {
    pause: Duration,
    /// `None` while it is being tried.
    retry_at: Option<Instant>,
}

impl Trouble {
    pub(super) fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }
}

impl Outlet {
    /// The oldest message on its way was not stored.
    pub(super) async fn refused(&mut self, refusal: Refusal) -> Result<(), OutletEnd> {
        self.kept.land();
        match refusal {
            Refusal::Full => {
                self.counts.refused += 1;
                self.retry_later();
            }
            Refusal::Unknown(_) => self.retry_later(),
            Refusal::Known(place) => return self.known(place).await,
            Refusal::NotStored => return self.not_stored().await,
            Refusal::Last(last) => {
                let Some(place) = self.kept.first_flying_place() else {
                    return Ok(());
                };
                if last >= place {
                    // Only the answer was lost.
                    self.counts.resolved += self.kept.stored_up_to(last);
                    self.trouble = None;
                    self.put_rest().await;
                } else {
                    self.retry_later();
                    if last + 1 < place {
                        // The server has forgotten something, or this was said before the last one was stored.
                        return self.compare_log().await;
                    }
                }
            }
        }
        Ok(())
    }

    /// The oldest message on its way was stored before: by this incarnation, whose answer was lost, or by an earlier
    /// one.
    async fn known(&mut self, place: u64) -> Result<(), OutletEnd> {
        let earlier = self.kept.first_flying_place().is_some_and(|it| place < it);
        if self.channel.senders == Side::Shared || !earlier {
            return self.stored(place).await;
        }
        self.moved();
        self.counts.known += 1;
        self.kept.stored_before(place);
        self.trouble = None;
        self.compare_log().await?;
        self.put_rest().await;
        Ok(())
    }

    /// Tries the oldest message again after a pause, which doubles each time.
    fn retry_later(&mut self) {
        let pause = match &self.trouble {
            Some(trouble) => (trouble.pause * 2).min(LONGEST_PAUSE),
            None => FIRST_PAUSE,
        };
        self.trouble = Some(Trouble {
            pause,
            retry_at: Some(Instant::now() + pause),
        });
    }

    /// There may be room now.
    pub(super) fn hurry(&mut self) {
        if let Some(Trouble {
            retry_at: Some(at), ..
        }) = &mut self.trouble
        {
            *at = Instant::now();
        }
    }

    pub(super) async fn retry(&mut self) {
        if let Some(trouble) = &mut self.trouble {
            trouble.retry_at = None;
        }
        if let Some(number) = self.kept.first_flying() {
            self.counts.resent += 1;
            self.put(number).await;
        } else {
            self.trouble = None;
        }
    }

    /// The message that was being tried is finished or stored, as was learned otherwise: the rest goes on.
    pub(super) async fn go_on(&mut self) {
        if self.kept.all_stored() {
            self.trouble = None;
        }
        let waits = self.trouble.as_ref().and_then(Trouble::retry_at).is_some();
        if !waits && self.kept.is_grounded() {
            self.trouble = None;
            self.put_rest().await;
        }
    }

    /// Sends everything that is not stored on its way again.
    pub(super) async fn put_rest(&mut self) {
        for number in self.kept.all_flying() {
            self.counts.resent += 1;
            self.put(number).await;
            // One of several senders has one on its way at a time.
            if self.channel.senders == Side::Shared {
                return;
            }
        }
    }

    /// There was nothing that this writer may write into: it is fenced, or the server has forgotten the log, or is
    /// just back and has not found it yet.
    async fn not_stored(&mut self) -> Result<(), OutletEnd> {
        match self.carrier.look(&self.channel).await {
            Ok(None) => self.rebuild().await,
            Ok(Some(log)) if self.is_kept_out(&log) => self.kept_out(&log).await,
            Ok(Some(_)) | Err(Fault::Away(_) | Fault::Missing(_)) => {
                self.retry_later();
                Ok(())
            }
            Err(fault) => Err(refuse(fault)),
        }
    }

    fn is_kept_out(&self, log: &Log) -> bool {
        self.channel.senders == Side::Sole && !log.writers.contains(&self.writer)
    }

    async fn kept_out(&mut self, log: &Log) -> Result<(), OutletEnd> {
        match is_fenced(&log.writers, &self.writer) {
            true => Err(OutletEnd::Fenced),
            false => self.rebuild().await,
        }
    }

    /// Compares the log with what is known of it.
    pub(super) async fn compare_log(&mut self) -> Result<(), OutletEnd> {
        let log = match self.carrier.look(&self.channel).await {
            Ok(Some(log)) => log,
            Ok(None) => return self.rebuild().await,
            Err(Fault::Away(_) | Fault::Missing(_)) => return Ok(()),
            Err(fault) => return Err(refuse(fault)),
        };
        if self.is_kept_out(&log) {
            return self.kept_out(&log).await;
        }
        if log.born != self.born || log.last < self.kept.tail() {
            return self.rebuild().await;
        }
        if self.is_stalled(&log) {
            return self.begin_anew().await;
        }
        self.kept.finished_before(log.first);
        self.load = log.messages + self.kept.flying();
        let others = (self.base + 1).saturating_sub(log.first);
        // Those of them that are kept as well count once.
        let others = others.saturating_sub(self.kept.stored_within(self.base));
        self.before = self.before.min(others);
        if self.closing {
            self.kept.tell_again();
        }
        Ok(())
    }

    /// Whether messages have been on their way for long, although there is room for them.
    fn is_stalled(&self, log: &Log) -> bool {
        let room = log.messages < self.channel.capacity;
        self.kept.flying() > 0 && room && self.moved_at.elapsed() >= STALLED
    }

    async fn begin_anew(&mut self) -> Result<(), OutletEnd> {
        self.notices.tell(format!(
            "channel `{}`: {} messages of `{}` have not been stored for {} s, though there is room and the server answers; \
             they are sent anew",
            self.channel.name,
            self.kept.flying(),
            self.writer.port,
            self.moved_at.elapsed().as_secs()
        ));
        self.moved();
        self.rebuild().await
    }

    /// The server has forgotten what it had stored: it is given everything again that is not known to be
    /// finished. Receivers pass over what they have had.
    pub(super) async fn rebuild(&mut self) -> Result<(), OutletEnd> {
        self.counts.rebuilt += 1;
        self.trouble = None;
        self.kept.land();
        self.writer.generation += 1;
        self.begin().await?;
        self.put_rest().await;
        Ok(())
    }
}
