//! What an embedding program hears of a network's standard input and output.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};

use transputer::{Description, Event, Network, Verdict};
use transputer_tests::{guest, host};

/// A network of one process, the guest of this name.
fn network(guest_name: &str, more: &str) -> Network {
    let text = format!(
        "[components]\n{guest_name} = \"{guest_name}.wasm\"\n\
         [process.{guest_name}]\ncomponent = \"{guest_name}\"\n{more}"
    );
    let description =
        Description::parse(&text, "network.toml", Path::new(".")).expect("it is right");
    let components = BTreeMap::from([(guest_name.to_owned(), guest(guest_name))]);
    host()
        .wire(&description, &components, &[])
        .expect("everything fits")
}

/// Gives whoever waits for the network every chance to return too early.
fn linger() {
    (0..1_000).for_each(|_| std::thread::yield_now());
}

/// Writes nothing before the gate is open.
struct Gated {
    gate: mpsc::Receiver<()>,
    written: Arc<AtomicBool>,
}

impl Write for Gated {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // It is opened once, by dropping the other end.
        let _ = self.gate.recv();
        self.written.store(true, Ordering::SeqCst);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn whoever_waits_for_a_network_finds_its_output_written() {
    let text = "arguments = { limit = 3 }\n[stdout]\nfrom = \"count.numbers\"\n";
    let mut network = network("count", text);
    let (open, gate) = mpsc::channel();
    let written = Arc::new(AtomicBool::new(false));
    network.stdout(Gated {
        gate,
        written: written.clone(),
    });
    let running = network.start().expect("it starts");
    let all_here = Arc::new(Barrier::new(4));
    let waiting = [(); 3].map(|()| {
        let (running, written, all_here) = (running.clone(), written.clone(), all_here.clone());
        std::thread::spawn(move || {
            all_here.wait();
            running.wait();
            written.load(Ordering::SeqCst)
        })
    });
    all_here.wait();
    while !running.has_ended() {
        std::thread::yield_now();
    }
    linger();
    drop(open);
    for thread in waiting {
        assert!(thread.join().expect("it waits"), "it returned too early");
    }
}

#[test]
fn whoever_waits_for_a_network_has_heard_what_was_wrong_with_its_input() {
    let text = "[stdin]\nto = \"double.numbers\"\nformat = \"json\"\n\
                [stdout]\nfrom = \"double.doubled\"\nformat = \"json\"\n";
    let mut network = network("double", text);
    network.stdin(io::Cursor::new("1\nsix\n3\n"));
    let (entered, inside) = mpsc::channel();
    let (open, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    network.on_event(move |event| {
        if let Event::Endpoint { message, .. } = event {
            entered.send(message).expect("the test waits for it");
            // It is opened once, by dropping the other end.
            let _ = gate.lock().expect("no other event holds it").recv();
        }
    });
    let running = network.start().expect("it starts");
    let message = inside.recv().expect("a line is bad");
    assert!(message.starts_with("line 2: "), "{message}");
    linger();
    assert!(
        !running.has_ended(),
        "it ended while its program was being told why"
    );
    drop(open);
    // For the process, its input is broken, not complete.
    assert_eq!(running.wait().verdict(), Verdict::Failed);
}
