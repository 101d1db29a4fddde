//! How an outlet ends, and how it learns that another side of the channel has.

use super::{Outlet, OutletEnd, refuse};
use crate::carrier::{Fault, Stamp};
use crate::ending::{self, Ending};

impl Outlet {
    /// Tells the other side, and drops what waits.
    pub(super) async fn end(&mut self, ending: &Ending) -> Result<(), OutletEnd> {
        let carrier = &*self.carrier;
        ending::write(carrier, &self.channel, &self.writer.port, ending)
            .await
            .map_err(refuse)?;
        // Those who have read the ending take nothing any more, so this only makes room.
        let _ = carrier.purge(&self.channel).await;
        Ok(())
    }

    /// Whether another side of the channel has ended.
    pub(super) async fn endings(&mut self) -> Result<(), OutletEnd> {
        let carrier = self.carrier.clone();
        let mut gone = 0;
        for port in &self.channel.to {
            match ending::read(&*carrier, &self.channel, port).await {
                Ok(Some(Ending::NotWanted)) => gone += 1,
                Ok(Some(Ending::Poisoned { kind, reason })) => {
                    return Err(OutletEnd::Poisoned { kind, reason });
                }
                Err(Fault::Refused(text)) => return Err(OutletEnd::Refused(text)),
                _ => {}
            }
        }
        if gone == self.channel.to.len() {
            let dropped = self.kept.unfinished();
            return Err(OutletEnd::NotWanted { dropped });
        }
        for port in self
            .channel
            .from
            .iter()
            .filter(|port| **port != self.writer.port)
        {
            if let Ok(Some(Ending::Poisoned { kind, reason })) =
                ending::read(&*carrier, &self.channel, port).await
            {
                return Err(OutletEnd::Poisoned { kind, reason });
            }
        }
        Ok(())
    }

    /// Says that it is closed when all is stored, and ends when all is finished.
    pub(super) async fn close_if_done(&mut self) -> Result<(), OutletEnd> {
        if !self.closing || !self.kept.all_stored() {
            return Ok(());
        }
        let ending = Ending::Closed {
            last: Stamp::new(self.writer.epoch, self.kept.number()),
            place: self.kept.tail(),
        };
        if !self.leaves_open && self.kept.tell(&ending) {
            let carrier = &*self.carrier;
            ending::write(carrier, &self.channel, &self.writer.port, &ending)
                .await
                .map_err(refuse)?;
        }
        self.tells = false;
        match self.kept.unfinished() {
            0 => Err(OutletEnd::Closed),
            _ => Ok(()),
        }
    }
}
