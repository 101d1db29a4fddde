//! What is lost, repeated or disordered under faults: with the server in memory, thousands of times in virtual time.

mod support;

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use support::hosts::{Host, Ledger, Verdict, receiver, relay, sender};
use support::{Port, number, numbered};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use transputer_reach::carrier::{Carrier, Channel};
use transputer_reach::memory::{Chaos, Forget, MemoryServer};
use transputer_reach::{Inlet, InletCounts, InletEnd, NoGate, Outlet, OutletCounts, OutletEnd};

const LEASE: Duration = Duration::from_secs(2);
const COUNT: u64 = 120;

/// How often a host is killed in each case.
const KILLS: u64 = 5;

/// After this come the numbers of a sender that took over.
const NEW: u64 = 1_000_000;

/// How many seeds each case has; `TRANSPUTER_REACH_SEEDS` says otherwise.
fn seeds() -> std::ops::Range<u64> {
    let most = std::env::var("TRANSPUTER_REACH_SEEDS").ok();
    0..most.and_then(|text| text.parse().ok()).unwrap_or(150)
}

/// Runs a case for each seed, in virtual time; a seed that hangs fails.
fn each_seed<F: Future<Output = ()>>(share: f64, case: impl Fn(World) -> F) {
    for seed in seeds() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let case = async {
            let world = World::new(seed, Chaos::all(share));
            timeout(Duration::from_secs(3600), case(world)).await
        };
        let done = runtime.block_on(case);
        done.unwrap_or_else(|_| panic!("seed {seed} stands still"));
    }
}

type Sending = Host<(OutletEnd, OutletCounts)>;
type Receiving = Host<(InletEnd, InletCounts)>;

/// A server, a channel from a sender to a receiver, and what both note.
struct World {
    seed: u64,
    rng: Rng,
    server: MemoryServer,
    channel: Channel,
    stored: Ledger,
    received: Ledger,
    /// How long the receiver works on a message.
    work: Duration,
}

impl World {
    fn new(seed: u64, chaos: Chaos) -> Self {
        let mut rng = Rng::with_seed(seed);
        Self {
            seed,
            server: MemoryServer::new(seed, chaos, LEASE),
            channel: Channel::new("lines", rng.u64(1..20), "a.out", "b.in"),
            stored: Ledger::default(),
            received: Ledger::default(),
            work: Duration::from_millis(rng.u64(0..8)),
            rng,
        }
    }

    fn connect(&self) -> Arc<dyn Carrier> {
        Arc::new(self.server.connect())
    }

    fn sender(&self, epoch: u64) -> Sending {
        let (channel, zero) = (&self.channel, Duration::ZERO);
        sender(self.connect(), channel, epoch, COUNT, &self.stored, zero)
    }

    fn receiver(&self, epoch: u64) -> Receiving {
        let (carrier, channel) = (self.connect(), &self.channel);
        receiver(carrier, channel, epoch, &self.received, self.work)
    }

    async fn pause(&mut self, most: u64) {
        sleep(Duration::from_millis(self.rng.u64(1..most))).await;
    }

    /// Waits for both ends, which must have closed.
    async fn closed(&self, sender: Sending, receiver: Receiving) {
        let (sent, received) = tokio::join!(sender.end(), receiver.end());
        let ends = (sent.0, received.0);
        assert_eq!(
            ends,
            (OutletEnd::Closed, InletEnd::Closed),
            "seed {}",
            self.seed
        );
    }

    fn assert_kept(&self, most_repeated: u64) {
        let verdict = Verdict::of(&self.received.all(), COUNT);
        let most_repeated = usize::try_from(most_repeated).unwrap();
        assert!(
            verdict.lost.is_empty() && verdict.disordered == 0 && verdict.repeated <= most_repeated,
            "seed {}: {verdict:?}, more than {most_repeated} repeated? {:?}",
            self.seed,
            self.received.all()
        );
    }
}

#[test]
fn nothing_is_lost_or_repeated_whatever_gets_lost_on_the_way() {
    each_seed(0.02, async |world| {
        let (sender, receiver) = (world.sender(1), world.receiver(1));
        world.closed(sender, receiver).await;
        world.assert_kept(0);
        assert_eq!(world.server.messages("lines"), 0, "seed {}", world.seed);
    });
}

#[test]
fn a_server_may_be_killed_and_forget_all_that_it_had() {
    each_seed(0.01, async |mut world| {
        let (sender, receiver) = (world.sender(1), world.receiver(1));
        for _ in 0..KILLS {
            world.pause(400).await;
            world.server.stop();
            world.pause(50).await;
            world.server.start(match world.rng.u8(0..4) {
                0 => Forget::Nothing,
                1 => Forget::Latest(world.rng.u64(1..6)),
                2 => Forget::Logs,
                _ => Forget::Everything,
            });
        }
        world.closed(sender, receiver).await;
        world.assert_kept(0);
    });
}

#[test]
fn a_receiving_host_may_be_killed() {
    each_seed(0.01, async |mut world| {
        let sender = world.sender(1);
        let mut host = world.receiver(1);
        for kill in 1..=KILLS {
            world.pause(500).await;
            host.kill();
            host = world.receiver(1 + kill);
        }
        world.closed(sender, host).await;
        // One is in the hands of the process, and the answers for as many as fill the channel may be on their way.
        world.assert_kept(KILLS * (1 + world.channel.capacity));
    });
}

#[test]
fn a_sending_host_may_be_killed() {
    each_seed(0.01, async |mut world| {
        let receiver = world.receiver(1);
        let mut host = world.sender(1);
        for kill in 1..=KILLS {
            world.pause(500).await;
            host.kill();
            host = world.sender(1 + kill);
        }
        world.closed(host, receiver).await;
        // It begins behind what it knows to be stored; what was stored without its knowledge is sent again.
        world.assert_kept(KILLS * world.channel.capacity);
    });
}

/// Kills the host between two channels; how often one message may come again for each kill and each that fits in both.
fn kill_relay(once: bool) {
    each_seed(0.01, async |mut world| {
        let first = Channel::new("first", world.rng.u64(1..20), "a.out", "r.in");
        // The last receiver is that of the world's channel.
        world.channel.from = vec!["r.out".to_owned()];
        let second = world.channel.clone();
        let carrier = world.connect();
        let sender = sender(carrier, &first, 1, COUNT, &world.stored, Duration::ZERO);
        let receiver = world.receiver(1);
        let mut host = relay(world.connect(), &first, &second, 1, once);
        for kill in 1..=KILLS {
            world.pause(700).await;
            host.kill();
            host = relay(world.connect(), &first, &second, 1 + kill, once);
        }
        let ends = host.end().await;
        let seed = world.seed;
        assert_eq!(ends, (InletEnd::Closed, OutletEnd::Closed), "seed {seed}");
        world.closed(sender, receiver).await;
        // What it had sent on and not finished is sent on again.
        let again = KILLS * (1 + first.capacity + second.capacity);
        world.assert_kept(if once { 0 } else { again });
    });
}

#[test]
fn a_relay_may_be_killed() {
    kill_relay(false);
}

#[test]
fn what_a_relay_answers_once_is_not_repeated_when_it_is_killed() {
    kill_relay(true);
}

#[test]
fn hosts_that_come_back_after_another_took_over_are_fenced() {
    each_seed(0.01, async |mut world| {
        let (seed, channel) = (world.seed, world.channel.clone());
        let (before, lost) = (Ledger::default(), Ledger::default());
        world.work = Duration::from_millis(world.rng.u64(1..4));
        let work = world.work;
        let (old_out, old_in) = (world.server.connect(), world.server.connect());
        let sending: Arc<dyn Carrier> = Arc::new(old_out.clone());
        let receiving: Arc<dyn Carrier> = Arc::new(old_in.clone());
        let zombie_out = sender(sending, &channel, 1, u64::MAX, &before, work);
        let zombie_in = receiver(receiving, &channel, 1, &lost, work);
        // Both have taken over before they stop.
        while lost.len() == 0 {
            sleep(work).await;
        }
        world.pause(300).await;
        old_out.freeze();
        old_in.freeze();
        let began = Instant::now();
        // Its numbers are others, so that both can be told apart.
        world.stored.note(NEW);
        let (new, count) = (world.connect(), NEW + COUNT);
        let sender = sender(new, &channel, 2, count, &world.stored, Duration::ZERO);
        let host = world.receiver(2);
        world.pause(2000).await;
        old_out.thaw();
        old_in.thaw();
        let soon = Duration::from_secs(60);
        let (out, _) = timeout(soon, zombie_out.end()).await.unwrap();
        let (into, _) = timeout(soon, zombie_in.end()).await.unwrap();
        assert_eq!(out, OutletEnd::Fenced, "seed {seed}");
        // One that comes back after all is over finds nothing that it could take.
        assert!(
            matches!(into, InletEnd::Fenced | InletEnd::Closed),
            "seed {seed}: {into:?}"
        );
        world.closed(sender, host).await;
        assert!(began.elapsed() < Duration::from_secs(600), "seed {seed}");
        // While they change places both may receive; together they have everything, each in order.
        let is_new = |it: &&u64| **it > NEW;
        let (old, new) = (lost.all(), world.received.all());
        for ledger in [&old, &new] {
            let ledger: Vec<_> = ledger.iter().filter(is_new).collect();
            assert!(ledger.is_sorted(), "seed {seed}: {ledger:?}");
        }
        let missing = (NEW + 1..=NEW + COUNT).find(|it| !old.contains(it) && !new.contains(it));
        assert_eq!(missing, None, "seed {seed}: {old:?} {new:?}");
    });
}

/// Where a server neither refuses nor does what it is asked, both sides begin anew by themselves.
#[test]
fn what_does_not_move_although_there_is_work_is_begun_anew() {
    each_seed(0.0, async |mut world| {
        let (sender, receiver) = (world.sender(1), world.receiver(1));
        let mut silenced = 0;
        while silenced < 4 {
            world.pause(100).await;
            match silenced % 2 {
                0 => world.server.mute_consumers("lines"),
                _ => world.server.lose_all_of_the_sender("lines"),
            }
            silenced += 1;
        }
        let (sent, received) = tokio::join!(sender.end(), receiver.end());
        let seed = world.seed;
        assert_eq!(sent.0, OutletEnd::Closed, "seed {seed}");
        assert_eq!(received.0, InletEnd::Closed, "seed {seed}");
        let begun_anew = sent.1.rebuilt + received.1.renewed;
        assert!(begun_anew > 0, "seed {seed}: nothing was begun anew");
        world.assert_kept(0);
    });
}

#[test]
fn what_is_begun_anew_is_told() {
    each_seed(0.0, async |world| {
        let (channel, seed) = (&world.channel, world.seed);
        let (tell, told) = std::sync::mpsc::channel();
        let outlet = Outlet::take_over(world.connect(), channel, "a.out", 1).await;
        let inlet = Inlet::take_over(world.connect(), channel, "b.in", 1).await;
        let (out, into) = (tell.clone(), tell);
        let mut outlet = outlet
            .unwrap()
            .on_notice(move |text| out.send(text).unwrap());
        let mut inlet = inlet
            .unwrap()
            .on_notice(move |text| into.send(text).unwrap());
        world.server.lose_all_of_the_sender("lines");
        world.server.mute_consumers("lines");
        let (sending, receiving) = (Port::new(), Port::new());
        let (mut source, mut sink) = (sending.clone(), receiving.clone());
        let (_keep, stop) = watch::channel(false);
        let (mut one, mut other) = (stop.clone(), stop);
        tokio::spawn(async move { outlet.run(&mut source, &mut one).await });
        tokio::spawn(async move { inlet.run(&mut sink, &NoGate, &mut other).await });
        sending.send(numbered(1)).await.unwrap();
        let message = receiving.receive().await.unwrap();
        assert_eq!(message.as_deref().map(number), Some(1), "seed {seed}");
        let told: Vec<String> = told.try_iter().collect();
        assert_eq!(told.len(), 2, "seed {seed}: {told:?}");
        assert!(
            told[0].contains("of `a.out` have not been stored for"),
            "{told:?}"
        );
        assert!(
            told[1].contains("wait for `b.in` and none has come for"),
            "{told:?}"
        );
    });
}
