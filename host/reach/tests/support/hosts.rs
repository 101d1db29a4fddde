//! Hosts with one process each, which can be killed and started again.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use transputer_reach::carrier::{Carrier, Channel};
use transputer_reach::{
    Inlet, InletCounts, InletEnd, NoGate, Origins, Outlet, OutletCounts, OutletEnd, StoredGate,
};

use super::{End, Port, number, numbered};

/// What a process did, kept by somebody who survives its host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger(Arc<Mutex<Notes>>);

#[derive(Debug, Default)]
struct Notes {
    numbers: Vec<u64>,
    file: Option<File>,
}

impl Ledger {
    /// One in a file, with what is in it. What is noted is there when the program is killed afterwards.
    pub(crate) fn in_file(path: &Path) -> Self {
        let numbers = Self::numbers_in(path);
        let file = File::options().append(true).create(true).open(path);
        let file = Some(file.expect("a file"));
        Self(Arc::new(Mutex::new(Notes { numbers, file })))
    }

    /// What is in such a file.
    pub(crate) fn numbers_in(path: &Path) -> Vec<u64> {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines().filter_map(|line| line.parse().ok()).collect()
    }

    pub(crate) fn note(&self, number: u64) {
        let mut notes = self.0.lock().unwrap();
        notes.numbers.push(number);
        if let Some(file) = &mut notes.file {
            let line = format!("{number}\n");
            file.write_all(line.as_bytes()).expect("there is room");
        }
    }

    pub(crate) fn all(&self) -> Vec<u64> {
        self.0.lock().unwrap().numbers.clone()
    }

    pub(crate) fn last(&self) -> u64 {
        self.0.lock().unwrap().numbers.last().copied().unwrap_or(0)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().numbers.len()
    }
}

/// What a ledger of 1 to `count` shows: what is missing, and what came again.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) lost: Vec<u64>,
    pub(crate) repeated: usize,
    /// How often a number came for the first time after a greater one.
    pub(crate) disordered: usize,
}

impl Verdict {
    pub(crate) fn of(ledger: &[u64], count: u64) -> Self {
        let mut seen = std::collections::BTreeSet::new();
        let (mut repeated, mut disordered, mut most) = (0, 0, 0);
        for &number in ledger {
            if !seen.insert(number) {
                repeated += 1;
            } else if number < most {
                disordered += 1;
            }
            most = most.max(number);
        }
        let lost = (1..=count)
            .filter(|number| !seen.contains(number))
            .collect();
        Self {
            lost,
            repeated,
            disordered,
        }
    }
}

/// A process with the task of its outlet or inlet; dropping it kills the host.
pub(crate) struct Host<E> {
    pub(crate) port: Port,
    pub(crate) stop: watch::Sender<bool>,
    process: JoinHandle<()>,
    pub(crate) reach: JoinHandle<E>,
}

impl<E> Host<E> {
    pub(crate) fn kill(self) {
        drop(self);
    }

    pub(crate) async fn end(mut self) -> E {
        (&mut self.reach).await.expect("it does not panic")
    }
}

impl<E> Drop for Host<E> {
    fn drop(&mut self) {
        self.process.abort();
        self.reach.abort();
    }
}

/// Sends the numbers after the last one in the ledger, up to `count`, and notes each when it is stored.
pub(crate) fn sender(
    carrier: Arc<dyn Carrier>,
    channel: &Channel,
    epoch: u64,
    count: u64,
    stored: &Ledger,
    pause: Duration,
) -> Host<(OutletEnd, OutletCounts)> {
    let port = Port::new();
    let (stop, mut stopped) = watch::channel(false);
    let (sending, channel, from) = (port.clone(), channel.clone(), channel.from[0].clone());
    let first = stored.last() + 1;
    let process = tokio::spawn(async move {
        for number in first..=count {
            if sending.send(numbered(number)).await.is_err() {
                return;
            }
            sleep(pause).await;
        }
        sending.end_sending(End::Closed);
    });
    let (mut source, stored) = (port.clone(), stored.clone());
    let reach = tokio::spawn(async move {
        let mut outlet = match Outlet::take_over(carrier, &channel, &from, epoch).await {
            Ok(outlet) => outlet,
            Err(end) => return (end, OutletCounts::default()),
        };
        let mut progress = outlet.progress();
        let noting = tokio::spawn(async move {
            let mut noted = first - 1;
            while progress.changed().await.is_ok() {
                let settled = first - 1 + progress.borrow_and_update().settled;
                while noted < settled {
                    noted += 1;
                    stored.note(noted);
                }
            }
        });
        let end = outlet.run(&mut source, &mut stopped).await;
        let counts = outlet.counts();
        drop(outlet);
        let _ = noting.await;
        let port_end = match &end {
            OutletEnd::Poisoned { kind, reason } => End::Poisoned(kind.clone(), reason.clone()),
            _ => End::Closed,
        };
        source.end_receiving(port_end);
        (end, counts)
    });
    Host {
        port,
        stop,
        process,
        reach,
    }
}

/// Notes each number that it receives, before it has finished it.
pub(crate) fn receiver(
    carrier: Arc<dyn Carrier>,
    channel: &Channel,
    epoch: u64,
    received: &Ledger,
    pause: Duration,
) -> Host<(InletEnd, InletCounts)> {
    let port = Port::new();
    let (stop, mut stopped) = watch::channel(false);
    let (receiving, received) = (port.clone(), received.clone());
    let process = tokio::spawn(async move {
        while let Ok(Some(message)) = receiving.receive().await {
            received.note(number(&message));
            sleep(pause).await;
        }
        receiving.finish();
        receiving.end_receiving(End::Closed);
    });
    let (mut sink, channel, to) = (port.clone(), channel.clone(), channel.to[0].clone());
    let reach = tokio::spawn(async move {
        let mut inlet = match Inlet::take_over(carrier, &channel, &to, epoch).await {
            Ok(inlet) => inlet,
            Err(end) => return (end, InletCounts::default()),
        };
        let end = inlet.run(&mut sink, &NoGate, &mut stopped).await;
        (end, inlet.counts())
    });
    Host {
        port,
        stop,
        process,
        reach,
    }
}

/// Sends on what it receives; if `once`, what it had sent before it was killed is not sent again.
pub(crate) fn relay(
    carrier: Arc<dyn Carrier>,
    from: &Channel,
    to: &Channel,
    epoch: u64,
    once: bool,
) -> Host<(InletEnd, OutletEnd)> {
    let (port, onward) = (Port::new(), Port::new());
    let (stop, stopped) = watch::channel(false);
    let (receiving, sending) = (port.clone(), onward.clone());
    let process = tokio::spawn(async move {
        while let Ok(Some(message)) = receiving.receive().await {
            if sending.send(message).await.is_err() {
                return;
            }
        }
        receiving.finish();
        receiving.end_receiving(End::Closed);
        sending.end_sending(End::Closed);
    });
    let (mut sink, mut source) = (port.clone(), onward);
    let (from, to) = (from.clone(), to.clone());
    let reach = tokio::spawn(async move {
        let outlet = Outlet::take_over(carrier.clone(), &to, &to.from[0], epoch).await;
        let mut outlet = outlet.expect("it can send");
        let mut gate = StoredGate::default();
        let sent = source.clone();
        gate.outlet(move || sent.through(), outlet.progress());
        let inlet = Inlet::take_over(carrier, &from, &from.to[0], epoch).await;
        let mut inlet = inlet.expect("it can receive");
        if once {
            let mut origins = Origins::default();
            let sent = source.clone();
            let output = origins.output(move || sent.through());
            let origins = Arc::new(origins);
            let finishing = origins.clone();
            sink.on_finish(move |count| finishing.finished(count));
            inlet = inlet.note_inputs(origins.clone());
            outlet = outlet.know_again(origins, output);
        }
        let (mut stop_in, mut stop_out) = (stopped.clone(), stopped);
        tokio::join!(
            inlet.run(&mut sink, &gate, &mut stop_in),
            outlet.run(&mut source, &mut stop_out),
        )
    });
    Host {
        port,
        stop,
        process,
        reach,
    }
}
