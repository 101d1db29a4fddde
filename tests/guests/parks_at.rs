//! Parks at a place of one's choice.

use std::hint::black_box;
use std::time::Duration;

use transputer_guest::{
    Barrier, Bytes, Error, Prepared, Receiver, Sender, channel, now, select, sleep, spawn,
    yield_now,
};

const LONG: Duration = Duration::from_secs(3600);

/// Parks at `point`, and stays there as long as nobody at the other ends of its ports helps.
#[transputer_guest::process]
fn parks_at(
    point: String,
    taken: Receiver<Bytes>,
    given: Sender<Bytes>,
    members: Receiver<Barrier>,
    arrivals: Receiver<Sender<u64>>,
    carrier: Sender<Sender<u64>>,
) -> Result<(), Error> {
    let message = Bytes::from("message");
    match point.as_str() {
        "send" => given.send(&message),
        // Small messages have a way of their own.
        "send large" => given.send(Bytes::from("a message of more than 16 bytes")),
        // The channel holds one.
        "send, full" => {
            given.send(&message)?;
            given.send(&message)
        }
        "send by" => given.send_timeout(&message, LONG),
        // The channel holds one.
        "send batch" => given.buffered().send_all(&message, 5),
        "flush at the end" => given.buffered().keep(&message, 5),
        // An end on its way in a message that nobody receives.
        "send ends" => carrier.send(&arrivals.receive()?),
        "receive" => taken.receive().map(drop),
        "receive by" => taken.receive_timeout(LONG).map(drop),
        "receive batch" => taken.into_iter().for_each_ok(),
        "receive ends" => arrivals.receive().map(drop),
        "select" => select! {
            received = receive(taken) => received.map(drop)?,
            sent = send(given, &message) => sent?,
            at(now() + LONG) => (),
        },
        "prepared" => {
            let mut prepared = Prepared::fair()?;
            let sends = prepared.send(&given)?;
            prepared.receive(&taken)?;
            prepared.offer(&sends, &message)?;
            prepared.wait_by(now() + LONG).map(drop)
        }
        "sync" => members.receive()?.sync(),
        "sync by" => members.receive()?.sync_timeout(LONG),
        "wait" | "wait by" | "monitor" => {
            let (sender, receiver) = channel::<u64>(0)?;
            let child = spawn("parks").input("input", receiver).start()?;
            match point.as_str() {
                "wait" => drop(child.wait()),
                "wait by" => drop(child.wait_timeout(LONG)),
                _ => drop(child.monitor().receive()),
            }
            drop(sender);
            Ok(())
        }
        // Again and again: it is killed at any step of it.
        "spawn" => loop {
            drop(spawn("no_ports").start()?);
        },
        // Likewise: while it waits for the end of a child that it has killed, too.
        "kill" => loop {
            let (_sender, receiver) = channel::<u64>(0)?;
            let child = spawn("parks").input("input", receiver).start()?;
            child.kill("enough");
        },
        // The network has as many processes as it may.
        "spawn, full" => {
            drop(spawn("no_ports").wait_for_capacity().start()?);
            Ok(())
        }
        "spawn by, full" => {
            drop(
                spawn("no_ports")
                    .wait_for_capacity_by(now() + LONG)
                    .start()?,
            );
            Ok(())
        }
        "sleep" => {
            sleep(LONG);
            Ok(())
        }
        "yield" => loop {
            yield_now();
        },
        "compute" => loop {
            black_box(0);
        },
        // A pollable of WASI.
        "sleep of WASI" => {
            std::thread::sleep(LONG);
            Ok(())
        }
        other => Err(format!("no such point: {other}").into()),
    }
}

/// More than the channel takes, in one batch.
trait Batch {
    fn send_all(self, message: &Bytes, count: u32) -> Result<(), Error>;

    /// Leaves the batch to the end of the process.
    fn keep(self, message: &Bytes, count: u32) -> Result<(), Error>;
}

impl Batch for transputer_guest::Buffered<Bytes> {
    fn send_all(self, message: &Bytes, count: u32) -> Result<(), Error> {
        for _ in 0..count {
            self.send(message)?;
        }
        self.flush()
    }

    fn keep(self, message: &Bytes, count: u32) -> Result<(), Error> {
        (0..count).try_for_each(|_| self.send(message))
    }
}

/// A loop, which the SDK makes of batches.
trait ForEach {
    fn for_each_ok(self) -> Result<(), Error>;
}

impl<I: Iterator<Item = Bytes>> ForEach for I {
    fn for_each_ok(self) -> Result<(), Error> {
        self.for_each(drop);
        Ok(())
    }
}
