//! A trace in Chrome's JSON form, which Perfetto reads: a track for each process, its life as a slice, its
//! waits as slices in that, and its other steps as moments.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::{Told, What, named};
use crate::printable::one_line;

/// The one process of the system that all tracks belong to.
const PID: u32 = 1;

/// What has been written so far.
#[derive(Debug, Default)]
pub(super) struct Perfetto {
    /// The number of each process's track, by its name.
    tracks: BTreeMap<String, u64>,
    /// Tracks on which a life is open.
    lives: std::collections::BTreeSet<u64>,
    begun: bool,
}

impl Perfetto {
    pub(super) fn write(&mut self, file: &mut impl Write, told: &Told<'_>) -> io::Result<()> {
        let track = self.track(file, told.process)?;
        match &told.what {
            What::Step { step, waited_since } => {
                self.live(file, track, told)?;
                let name = one_line(step);
                match waited_since {
                    Some(since) => self.slice(file, track, &name, *since, told.at),
                    None => self.event(
                        file,
                        &json!({ "ph": "i", "s": "t", "name": name }),
                        track,
                        told.at,
                    ),
                }
            }
            What::End(outcome) | What::Down(outcome) => {
                let outcome = one_line(outcome);
                let moment = json!({ "ph": "i", "s": "t", "name": outcome });
                self.event(file, &moment, track, told.at)?;
                if self.lives.remove(&track) {
                    let end = json!({ "ph": "E", "args": { "outcome": outcome } });
                    self.event(file, &end, track, told.at)?;
                }
                Ok(())
            }
            What::Restart => self.event(
                file,
                &json!({ "ph": "i", "s": "t", "name": "is restarted" }),
                track,
                told.at,
            ),
            What::Replace(component) => {
                let name = format!("runs {} now", one_line(component));
                self.event(
                    file,
                    &json!({ "ph": "i", "s": "t", "name": name }),
                    track,
                    told.at,
                )
            }
        }
    }

    /// Closes the array. Without it, after a kill, Perfetto reads the trace all the same.
    pub(super) fn end(&mut self, file: &mut impl Write) -> io::Result<()> {
        if !self.begun {
            file.write_all(b"[")?;
        }
        file.write_all(b"\n]\n")
    }

    fn track(&mut self, file: &mut impl Write, process: &str) -> io::Result<u64> {
        if let Some(track) = self.tracks.get(process) {
            return Ok(*track);
        }
        let track = self.tracks.len() as u64 + 1;
        self.tracks.insert(process.to_owned(), track);
        if track == 1 {
            self.name(file, "process_name", "transputer", 0)?;
        }
        self.name(file, "thread_name", &one_line(process), track)?;
        Ok(track)
    }

    fn name(&mut self, file: &mut impl Write, of: &str, name: &str, track: u64) -> io::Result<()> {
        let named = json!({ "ph": "M", "name": of, "args": { "name": name } });
        self.event(file, &named, track, 0)
    }

    /// Begins the life of an incarnation at its first step.
    fn live(&mut self, file: &mut impl Write, track: u64, told: &Told<'_>) -> io::Result<()> {
        if !self.lives.insert(track) {
            return Ok(());
        }
        let name = named(told.process, told.incarnation);
        self.event(
            file,
            &json!({ "ph": "B", "name": name, "cat": "life" }),
            track,
            told.at,
        )
    }

    fn slice(
        &mut self,
        file: &mut impl Write,
        track: u64,
        name: &str,
        since: u64,
        until: u64,
    ) -> io::Result<()> {
        let lasted = micros(until.saturating_sub(since));
        let slice = json!({ "ph": "X", "name": format!("waits, then {name}"), "cat": "wait", "dur": lasted });
        self.event(file, &slice, track, since)
    }

    fn event(
        &mut self,
        file: &mut impl Write,
        event: &Value,
        track: u64,
        at: u64,
    ) -> io::Result<()> {
        let mut event = event.clone();
        event["pid"] = PID.into();
        event["tid"] = track.into();
        event["ts"] = micros(at).into();
        let before = if std::mem::replace(&mut self.begun, true) {
            ",\n"
        } else {
            "[\n"
        };
        write!(file, "{before}{event}")
    }
}

/// Microseconds, which is what the form counts in.
fn micros(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1000.0
}
