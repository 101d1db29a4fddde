//! Ledgers under `kill -9`: hosts as programs of their own, and a real server. Each case kills ten times;
//! `TRANSPUTER_REACH_KILLS=50` says otherwise.

mod support;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use support::hosts::{Ledger, Verdict, receiver, relay, sender};
use support::server::{self, Server};
use transputer_reach::carrier::{Carrier, Channel, Side};
use transputer_reach::nats::{NatsCarrier, NatsOptions};
use transputer_reach::{InletEnd, OutletEnd};

const COUNT: u64 = 3000;

fn kills() -> u64 {
    let said = std::env::var("TRANSPUTER_REACH_KILLS").ok();
    said.and_then(|text| text.parse().ok()).unwrap_or(10)
}

/// What a host of these tests does; it goes through the environment.
#[derive(Clone, Debug)]
struct Role {
    what: &'static str,
    url: String,
    ledger: String,
    epoch: u64,
    port: String,
    shared: bool,
    replicas: u8,
}

fn channels(shared: bool) -> [Channel; 2] {
    let mut first = Channel::new("first", 32, "a.out", "r.in");
    if shared {
        (first.senders, first.receivers) = (Side::Shared, Side::Shared);
        first.from = (0..3).map(|it| format!("a{it}.out")).collect();
        first.to = (0..3).map(|it| format!("r{it}.in")).collect();
    }
    [first, Channel::new("second", 32, "r.out", "b.in")]
}

impl Role {
    fn new(what: &'static str, server: &Server, folder: &Path, ledger: &str) -> Self {
        Self {
            what,
            url: server.url(),
            ledger: folder.join(ledger).display().to_string(),
            epoch: 1,
            port: String::new(),
            shared: false,
            replicas: 1,
        }
    }

    fn at(&self, port: &str) -> Self {
        Self {
            port: port.to_owned(),
            shared: true,
            ..self.clone()
        }
    }

    /// Starts a program that is this host.
    fn start(&self) -> Host {
        let child = Command::new(std::env::current_exe().expect("a program"))
            .args(["--exact", "this_is_a_host", "--nocapture"])
            .env("REACH_ROLE", self.what)
            .env("REACH_URL", &self.url)
            .env("REACH_LEDGER", &self.ledger)
            .env("REACH_EPOCH", self.epoch.to_string())
            .env("REACH_PORT", &self.port)
            .env("REACH_REPLICAS", self.replicas.to_string())
            .env("REACH_SHARED", if self.shared { "1" } else { "0" })
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        Host(child.expect("it starts"))
    }
}

/// A program; killed when it is dropped.
struct Host(Child);

impl Host {
    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    fn has_ended(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(Some(_)))
    }

    /// Waits for its end, which must be a success.
    fn end(&mut self, what: &str, ledger: &str) {
        let until = Instant::now() + Duration::from_secs(120);
        while Instant::now() < until {
            if let Ok(Some(status)) = self.0.try_wait() {
                assert!(status.success(), "{what}: {status}");
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let read = Ledger::numbers_in(Path::new(ledger));
        panic!(
            "{what} stands still after {} in {ledger}, last {:?}",
            read.len(),
            read.last()
        );
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Not a test: what the programs of these tests run.
#[test]
fn this_is_a_host() {
    let Ok(role) = std::env::var("REACH_ROLE") else {
        return;
    };
    let var = |name: &str| std::env::var(name).expect("the test sets it");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let ended = runtime.unwrap().block_on(async {
        let urls = var("REACH_URL").split(',').map(str::to_owned).collect();
        let mut options = NatsOptions::new(urls, "kills", &role);
        options.replicas = var("REACH_REPLICAS").parse().unwrap();
        let carrier: Arc<dyn Carrier> = loop {
            match NatsCarrier::connect(&options).await {
                Ok(carrier) => break Arc::new(carrier),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        };
        let shared = var("REACH_SHARED") == "1";
        let [mut first, second] = channels(shared);
        let port = var("REACH_PORT");
        first.from.sort_by_key(|it| *it != port);
        first.to.sort_by_key(|it| *it != port);
        let epoch = var("REACH_EPOCH").parse().unwrap();
        let ledger = Ledger::in_file(Path::new(&var("REACH_LEDGER")));
        let zero = Duration::ZERO;
        let work = Duration::from_micros(300);
        match &*role {
            "send" => {
                sender(carrier, &first, epoch, COUNT, &ledger, zero)
                    .end()
                    .await
                    .0
                    == OutletEnd::Closed
            }
            "receive" => {
                receiver(carrier, &first, epoch, &ledger, work)
                    .end()
                    .await
                    .0
                    == InletEnd::Closed
            }
            "last" => {
                receiver(carrier, &second, epoch, &ledger, work)
                    .end()
                    .await
                    .0
                    == InletEnd::Closed
            }
            "relay" | "relay once" => {
                let once = role == "relay once";
                let ends = relay(carrier, &first, &second, epoch, once).end().await;
                ends == (InletEnd::Closed, OutletEnd::Closed)
            }
            role => panic!("what is {role}?"),
        }
    });
    assert!(ended, "{role} did not close");
}

fn pause(rng: &mut fastrand::Rng) {
    std::thread::sleep(Duration::from_millis(rng.u64(20..200)));
}

fn verdict(case: &str, folder: &Path, killed: u64, most_repeated: usize) {
    let ledger = Ledger::numbers_in(&folder.join("received"));
    let verdict = Verdict::of(&ledger, COUNT);
    eprintln!(
        "{case}: {COUNT} sent, {killed} kills: {} lost, {} repeated, {} out of order",
        verdict.lost.len(),
        verdict.repeated,
        verdict.disordered
    );
    assert!(killed > 0, "{case}: nothing was killed");
    assert!(
        verdict.lost.is_empty() && verdict.disordered == 0,
        "{case}: {verdict:?}"
    );
    assert!(verdict.repeated <= most_repeated, "{case}: {verdict:?}");
}

/// Kills one host again and again; each time the next incarnation takes over.
fn kill_host(case: &str, which: &'static str, most_repeated: usize) {
    let Some(server) = Server::start(case) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut rng = fastrand::Rng::with_seed(7);
    let role = |what: &'static str, ledger| Role::new(what, &server, folder.path(), ledger);
    let mut roles = vec![role("send", "sent")];
    match which {
        "relay" | "relay once" => {
            let relay = role(which, "relayed");
            roles.extend([relay, role("last", "received")]);
        }
        _ => roles.push(role("receive", "received")),
    }
    let mut hosts: Vec<Host> = roles.iter().map(Role::start).collect();
    let victim = roles.iter().position(|role| role.what == which).unwrap();
    let mut killed = 0;
    while killed < kills() {
        pause(&mut rng);
        if hosts[victim].has_ended() {
            break;
        }
        hosts[victim].kill();
        killed += 1;
        roles[victim].epoch += 1;
        hosts[victim] = roles[victim].start();
    }
    for (host, role) in hosts.iter_mut().zip(&roles) {
        host.end(role.what, &role.ledger);
    }
    verdict(
        case,
        folder.path(),
        killed,
        most_repeated * usize::try_from(killed).unwrap(),
    );
}

/// Kills the server again and again.
fn kill_server(case: &str, extra: &str, forget: bool) {
    let Some(mut server) = Server::start_with(case, extra) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut rng = fastrand::Rng::with_seed(7);
    let sender = Role::new("send", &server, folder.path(), "sent");
    let receiver = Role::new("receive", &server, folder.path(), "received");
    let (mut sending, mut receiving) = (sender.start(), receiver.start());
    let mut killed = 0;
    while killed < kills() && !receiving.has_ended() {
        pause(&mut rng);
        server.restart(forget);
        killed += 1;
    }
    receiving.end("receive", &receiver.ledger);
    sending.end("send", &sender.ledger);
    verdict(case, folder.path(), killed, 0);
}

#[test]
fn a_receiving_host_is_killed() {
    // What it has, and what it finished while its answers were on their way.
    kill_host("receiver killed", "receive", 1 + 32);
}

#[test]
fn a_sending_host_is_killed() {
    kill_host("sender killed", "send", 32);
}

#[test]
fn a_relay_is_killed() {
    kill_host("relay killed", "relay", 1 + 64);
}

#[test]
fn a_relay_that_answers_once_is_killed() {
    kill_host("relay killed, redeliver-once", "relay once", 0);
}

#[test]
fn the_server_is_killed() {
    kill_server("server killed", "", false);
}

#[test]
fn the_server_is_killed_and_its_data_lost() {
    kill_server("server and data killed", "", true);
}

#[test]
fn one_of_three_servers_is_killed() {
    let case = "one of three servers killed";
    let Some(mut servers) = Server::start_cluster(case) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut rng = fastrand::Rng::with_seed(7);
    let urls: Vec<_> = servers.iter().map(Server::url).collect();
    let role = |what, ledger| Role {
        url: urls.join(","),
        replicas: 3,
        ..Role::new(what, &servers[0], folder.path(), ledger)
    };
    let (sender, receiver) = (role("send", "sent"), role("receive", "received"));
    let (mut sending, mut receiving) = (sender.start(), receiver.start());
    let received = folder.path().join("received");
    let mut killed = 0;
    while killed < kills() && !receiving.has_ended() {
        // The one before must have caught up: two of three must live.
        let before = Ledger::numbers_in(&received).len();
        let until = Instant::now() + Duration::from_secs(60);
        while Ledger::numbers_in(&received).len() < before + 100 && !receiving.has_ended() {
            assert!(Instant::now() < until, "{case}: nothing moves");
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(500));
        let victim = rng.usize(0..3);
        servers[victim].restart(false);
        killed += 1;
    }
    receiving.end("receive", &receiver.ledger);
    sending.end("send", &sender.ledger);
    verdict(case, folder.path(), killed, 0);
}

#[test]
fn one_of_several_receivers_is_killed() {
    let case = "several of each, a receiver killed";
    let Some(server) = Server::start(case) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut rng = fastrand::Rng::with_seed(7);
    let path = folder.path();
    let roles = |what, side: &str, port: &str| -> Vec<Role> {
        let one = |it| {
            let role = Role::new(what, &server, path, &format!("{what}{it}"));
            role.at(&format!("{side}{it}.{port}"))
        };
        (0..3).map(one).collect()
    };
    let (sending, receiving) = (roles("send", "a", "out"), roles("receive", "r", "in"));
    let mut senders: Vec<Host> = sending.iter().map(Role::start).collect();
    let mut receivers: Vec<Host> = receiving.iter().map(Role::start).collect();
    let mut killed = 0;
    while killed < kills() && !senders.iter_mut().all(Host::has_ended) {
        pause(&mut rng);
        let victim = rng.usize(0..3);
        receivers[victim].kill();
        killed += 1;
        receivers[victim] = receiving[victim].start();
    }
    for (host, role) in senders.iter_mut().zip(&sending) {
        host.end(role.what, &role.ledger);
    }
    for (host, role) in receivers.iter_mut().zip(&receiving) {
        host.end(role.what, &role.ledger);
    }
    let mut counts = vec![0; usize::try_from(COUNT).unwrap() + 1];
    for role in &receiving {
        for number in Ledger::numbers_in(Path::new(&role.ledger)) {
            counts[usize::try_from(number).unwrap()] += 1;
        }
    }
    // Each of the three senders sent each number.
    let lost = counts[1..].iter().filter(|count| **count < 3).count();
    let repeated: i32 = counts[1..].iter().map(|count| (count - 3).max(0)).sum();
    eprintln!("{case}: 3 times {COUNT} sent, {killed} kills: {lost} lost, {repeated} repeated");
    assert_eq!(lost, 0);
    assert!(
        repeated <= 2 * i32::try_from(killed).unwrap(),
        "{repeated} repeated"
    );
}

#[test]
fn a_server_is_there_to_test_with_or_that_is_said() {
    if server::program().is_none() {
        server::not_checked("ledgers under kills");
    }
}
