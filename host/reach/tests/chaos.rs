//! What is lost, repeated or disordered under faults: with the server in memory, thousands of times in virtual time.

mod support;

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use support::hosts::{Host, Ledger, Verdict, receiver, relay, sender};
use tokio::time::{Instant, sleep, timeout};
use transputer_reach::carrier::{Carrier, Channel};
use transputer_reach::memory::{Chaos, Forget, MemoryServer};
use transputer_reach::{InletEnd, OutletEnd};

const LEASE: Duration = Duration::from_secs(2);
const COUNT: u64 = 120;

/// After this come the numbers of a sender that took over.
const NEW: u64 = 1_000_000;

/// How many seeds each case has; `TRANSPUTER_REACH_SEEDS` says otherwise.
fn seeds() -> std::ops::Range<u64> {
    let most = std::env::var("TRANSPUTER_REACH_SEEDS").ok();
    0..most.and_then(|text| text.parse().ok()).unwrap_or(150)
}

/// Runs a case for each seed, in virtual time; a seed that hangs fails.
fn each_seed<F: Future<Output = ()>>(case: impl Fn(u64) -> F) {
    for seed in seeds() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let case = async { timeout(Duration::from_secs(3600), case(seed)).await };
        let done = runtime.block_on(case);
        done.unwrap_or_else(|_| panic!("seed {seed} stands still"));
    }
}

fn connect(server: &MemoryServer) -> Arc<dyn Carrier> {
    Arc::new(server.connect())
}

fn channel(rng: &mut Rng) -> Channel {
    Channel::new("lines", rng.u64(1..20), "a.out", "b.in")
}

async fn pause(rng: &mut Rng, most: u64) {
    sleep(Duration::from_millis(rng.u64(1..most))).await;
}

fn assert_kept(seed: u64, ledger: &Ledger, most_repeated: usize) {
    let verdict = Verdict::of(&ledger.all(), COUNT);
    assert!(
        verdict.lost.is_empty() && verdict.disordered == 0 && verdict.repeated <= most_repeated,
        "seed {seed}: {verdict:?}, more than {most_repeated} repeated? {:?}",
        ledger.all()
    );
}

/// Waits for both ends, which must have closed.
async fn closed<A, B>(seed: u64, sender: Host<(OutletEnd, A)>, receiver: Host<(InletEnd, B)>) {
    let (sent, received) = tokio::join!(sender.end(), receiver.end());
    assert_eq!(
        (sent.0, received.0),
        (OutletEnd::Closed, InletEnd::Closed),
        "seed {seed}"
    );
}

#[test]
fn nothing_is_lost_or_repeated_whatever_gets_lost_on_the_way() {
    each_seed(async |seed| {
        let mut rng = Rng::with_seed(seed);
        let server = MemoryServer::new(seed, Chaos::all(0.02), LEASE);
        let channel = channel(&mut rng);
        let (stored, received) = (Ledger::default(), Ledger::default());
        let zero = Duration::ZERO;
        let sender = sender(connect(&server), &channel, 1, COUNT, &stored, zero);
        let receiver = receiver(connect(&server), &channel, 1, &received, zero);
        closed(seed, sender, receiver).await;
        assert_kept(seed, &received, 0);
        assert_eq!(server.messages("lines"), 0, "seed {seed}");
    });
}

#[test]
fn a_server_may_be_killed_and_forget_all_that_it_had() {
    each_seed(async |seed| {
        let mut rng = Rng::with_seed(seed);
        let server = MemoryServer::new(seed, Chaos::all(0.01), LEASE);
        let channel = channel(&mut rng);
        let (stored, received) = (Ledger::default(), Ledger::default());
        let work = Duration::from_millis(rng.u64(0..8));
        let sender = sender(
            connect(&server),
            &channel,
            1,
            COUNT,
            &stored,
            Duration::ZERO,
        );
        let receiver = receiver(connect(&server), &channel, 1, &received, work);
        for _ in 0..5 {
            pause(&mut rng, 400).await;
            server.stop();
            pause(&mut rng, 50).await;
            server.start(match rng.u8(0..4) {
                0 => Forget::Nothing,
                1 => Forget::Latest(rng.u64(1..6)),
                2 => Forget::Logs,
                _ => Forget::Everything,
            });
        }
        closed(seed, sender, receiver).await;
        assert_kept(seed, &received, 0);
    });
}

#[test]
fn a_receiving_host_may_be_killed() {
    each_seed(async |seed| {
        let mut rng = Rng::with_seed(seed);
        let server = MemoryServer::new(seed, Chaos::all(0.01), LEASE);
        let channel = channel(&mut rng);
        let (stored, received) = (Ledger::default(), Ledger::default());
        let work = Duration::from_millis(rng.u64(0..8));
        let sender = sender(
            connect(&server),
            &channel,
            1,
            COUNT,
            &stored,
            Duration::ZERO,
        );
        let mut host = receiver(connect(&server), &channel, 1, &received, work);
        for kill in 1..=5 {
            pause(&mut rng, 500).await;
            host.kill();
            host = receiver(connect(&server), &channel, 1 + kill, &received, work);
        }
        closed(seed, sender, host).await;
        // One is in the hands of the process, and the answers for as many as fill the channel may be on their way.
        let capacity = usize::try_from(channel.capacity).unwrap();
        assert_kept(seed, &received, 5 * (1 + capacity));
    });
}

#[test]
fn a_sending_host_may_be_killed() {
    each_seed(async |seed| {
        let mut rng = Rng::with_seed(seed);
        let server = MemoryServer::new(seed, Chaos::all(0.01), LEASE);
        let channel = channel(&mut rng);
        let (stored, received) = (Ledger::default(), Ledger::default());
        let work = Duration::from_millis(rng.u64(0..8));
        let mut host = sender(
            connect(&server),
            &channel,
            1,
            COUNT,
            &stored,
            Duration::ZERO,
        );
        let receiver = receiver(connect(&server), &channel, 1, &received, work);
        for kill in 1..=5 {
            pause(&mut rng, 500).await;
            host.kill();
            host = sender(
                connect(&server),
                &channel,
                1 + kill,
                COUNT,
                &stored,
                Duration::ZERO,
            );
        }
        closed(seed, host, receiver).await;
        // It begins behind what it knows to be stored; what was stored without its knowledge is sent again.
        let capacity = usize::try_from(channel.capacity).unwrap();
        assert_kept(seed, &received, 5 * capacity);
    });
}

#[test]
fn a_relay_may_be_killed() {
    each_seed(async |seed| {
        let mut rng = Rng::with_seed(seed);
        let server = MemoryServer::new(seed, Chaos::all(0.01), LEASE);
        let first = Channel::new("first", rng.u64(1..20), "a.out", "r.in");
        let second = Channel::new("second", rng.u64(1..20), "r.out", "b.in");
        let (stored, received) = (Ledger::default(), Ledger::default());
        let work = Duration::from_millis(rng.u64(0..12));
        let sender = sender(connect(&server), &first, 1, COUNT, &stored, Duration::ZERO);
        let receiver = receiver(connect(&server), &second, 1, &received, work);
        let mut host = relay(connect(&server), &first, &second, 1);
        for kill in 1..=5 {
            pause(&mut rng, 700).await;
            host.kill();
            host = relay(connect(&server), &first, &second, 1 + kill);
        }
        let (into, out) = host.end().await;
        assert_eq!(
            (into, out),
            (InletEnd::Closed, OutletEnd::Closed),
            "seed {seed}"
        );
        closed(seed, sender, receiver).await;
        // What it had sent on and not finished is sent on again.
        let capacity = usize::try_from(first.capacity + second.capacity).unwrap();
        assert_kept(seed, &received, 5 * (1 + capacity));
    });
}

#[test]
fn hosts_that_come_back_after_another_took_over_are_fenced() {
    each_seed(async |seed| {
        let mut rng = Rng::with_seed(seed);
        let server = MemoryServer::new(seed, Chaos::all(0.01), LEASE);
        let channel = channel(&mut rng);
        let (stored, received) = (Ledger::default(), Ledger::default());
        let (before, lost) = (Ledger::default(), Ledger::default());
        let work = Duration::from_millis(rng.u64(1..4));
        let (old_out, old_in) = (server.connect(), server.connect());
        let sending: Arc<dyn Carrier> = Arc::new(old_out.clone());
        let receiving: Arc<dyn Carrier> = Arc::new(old_in.clone());
        let zombie_out = sender(sending, &channel, 1, u64::MAX, &before, work);
        let zombie_in = receiver(receiving, &channel, 1, &lost, work);
        // Both have taken over before they stop.
        while lost.len() == 0 {
            sleep(work).await;
        }
        pause(&mut rng, 300).await;
        old_out.freeze();
        old_in.freeze();
        let began = Instant::now();
        // Its numbers are others, so that both can be told apart.
        stored.note(NEW);
        let (new, count) = (connect(&server), NEW + COUNT);
        let sender = sender(new, &channel, 2, count, &stored, Duration::ZERO);
        let host = receiver(connect(&server), &channel, 2, &received, work);
        sleep(Duration::from_millis(rng.u64(1..2000))).await;
        old_out.thaw();
        old_in.thaw();
        let (out, _) = timeout(Duration::from_secs(60), zombie_out.end())
            .await
            .unwrap();
        let (into, _) = timeout(Duration::from_secs(60), zombie_in.end())
            .await
            .unwrap();
        assert_eq!(out, OutletEnd::Fenced, "seed {seed}");
        // One that comes back after all is over finds nothing that it could take.
        assert!(
            matches!(into, InletEnd::Fenced | InletEnd::Closed),
            "seed {seed}: {into:?}"
        );
        closed(seed, sender, host).await;
        assert!(began.elapsed() < Duration::from_secs(600), "seed {seed}");
        // While they change places both may receive; together they have everything, each in order.
        let is_new = |it: &&u64| **it > NEW;
        let (old, new) = (lost.all(), received.all());
        for ledger in [&old, &new] {
            let ledger: Vec<_> = ledger.iter().filter(is_new).collect();
            assert!(ledger.is_sorted(), "seed {seed}: {ledger:?}");
        }
        let missing = (NEW + 1..=NEW + COUNT).find(|it| !old.contains(it) && !new.contains(it));
        assert_eq!(missing, None, "seed {seed}: {old:?} {new:?}");
    });
}
