//! Whether a network over several hosts is said to be stuck when it is, and only then: random processes on hosts of
//! their own, thousands of times in virtual time.

mod support;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use support::{End, Port, numbered};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use transputer_reach::carrier::{Carrier, Channel};
use transputer_reach::lookout::{self, BEAT, Lookout, PortIndex, Ports, Still, Stuck};
use transputer_reach::memory::{Chaos, MemoryCarrier, MemoryServer};
use transputer_reach::{Inlet, Lease, NoGate, Outlet, facts};

/// How many seeds there are; `TRANSPUTER_REACH_SEEDS` says otherwise.
fn seeds() -> u64 {
    let most = std::env::var("TRANSPUTER_REACH_SEEDS").ok();
    most.and_then(|text| text.parse().ok()).unwrap_or(300)
}

/// Longer than everything that is under way takes, whatever gets lost, hosts that are stopped included.
const SETTLED: Duration = Duration::from_secs(30);

/// So long it may take until a deadlock is found: a lease whose answer was lost may have to run out first, and a message
/// that went astray to be delivered again.
const FOUND: Duration = Duration::from_secs(600);

/// No host is stopped for so long that it loses its lease.
const LEASE: Duration = Duration::from_secs(40);

/// What a process does next.
#[derive(Copy, Clone, Debug)]
enum Step {
    Send(usize),
    Receive(usize),
    Sleep(u64),
}

/// What a process is doing.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Doing {
    Runs,
    Waits(PortIndex),
    Ended,
}

/// A process as its host sees it.
#[derive(Clone)]
struct Process {
    /// And which of its steps that is.
    doing: Arc<Mutex<(Doing, u64)>>,
    /// Steps of all processes together.
    steps: Arc<AtomicU64>,
}

impl Process {
    fn now(&self, doing: Doing) {
        let mut now = self.doing.lock().unwrap();
        *now = (doing, now.1 + 1);
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    async fn run(self, script: Vec<Step>, ports: Vec<Option<(Port, PortIndex)>>) {
        for step in script {
            self.now(Doing::Runs);
            let done = match step {
                Step::Sleep(millis) => {
                    sleep(Duration::from_millis(millis)).await;
                    true
                }
                Step::Send(at) | Step::Receive(at) => {
                    let (port, index) = ports[at].as_ref().expect("it is its own");
                    self.now(Doing::Waits(*index));
                    match step {
                        Step::Send(_) => port.send(numbered(1)).await.is_ok(),
                        _ => matches!(port.receive().await, Ok(Some(_))),
                    }
                }
            };
            if !done {
                break;
            }
        }
        for (port, index) in ports.into_iter().flatten() {
            match index {
                PortIndex::Outlet(_) => port.end_sending(End::Closed),
                PortIndex::Inlet(_) => {
                    port.finish();
                    port.end_receiving(End::Closed);
                }
            }
        }
        self.now(Doing::Ended);
    }

    /// What is said of its part.
    fn still(&self, ports: &Ports) -> Option<Still> {
        let (doing, step) = *self.doing.lock().unwrap();
        let waits_at = match doing {
            Doing::Runs => return None,
            Doing::Waits(at) => vec![at],
            Doing::Ended => Vec::new(),
        };
        ports.still(step, &waits_at, vec![format!("step {step}: {doing:?}")])
    }
}

/// Channels between random parts, and what the process of each part does.
struct World {
    parts: usize,
    channels: Vec<(Channel, usize, usize)>,
    scripts: Vec<Vec<Step>>,
}

impl World {
    fn random(rng: &mut Rng) -> Self {
        let parts = rng.usize(2..5);
        let channels: Vec<_> = (0..rng.usize(parts..parts + 3))
            .map(|index| {
                let from = rng.usize(0..parts);
                let to = (from + rng.usize(1..parts)) % parts;
                let (out, into) = (format!("p{from}.o{index}"), format!("p{to}.i{index}"));
                let channel = Channel::new(&format!("c{index}"), rng.u64(1..4), &out, &into);
                (channel, from, to)
            })
            .collect();
        let scripts = (0..parts)
            .map(|part| {
                let own: Vec<_> = (0..channels.len())
                    .filter_map(|at| match &channels[at] {
                        (_, from, _) if *from == part => Some(Step::Send(at)),
                        (_, _, to) if *to == part => Some(Step::Receive(at)),
                        _ => None,
                    })
                    .collect();
                let count = rng.usize(1..25);
                let step = |_| match own.is_empty() || rng.u8(0..5) == 0 {
                    true => Step::Sleep(rng.u64(0..3000)),
                    false => own[rng.usize(0..own.len())],
                };
                (0..count).map(step).collect()
            })
            .collect();
        Self {
            parts,
            channels,
            scripts,
        }
    }
}

/// A part on a host of its own, which looks whether the network is stuck until it has told so.
async fn part(
    carrier: Arc<dyn Carrier>,
    network: Arc<lookout::Network>,
    world: Arc<World>,
    number: usize,
    steps: Arc<AtomicU64>,
    found: Arc<Mutex<Vec<(Stuck, u64)>>>,
) {
    let name = format!("p{number}");
    let mut lease = Lease::take(carrier.clone(), &name, &name).await.unwrap();
    let epoch = lease.epoch;
    tokio::spawn(async move { lease.keep().await });
    let (mut views, mut ports, mut reach) = (Ports::default(), Vec::new(), Vec::new());
    for (channel, from, to) in &world.channels {
        let port = Port::new();
        let (seen, gone) = (port.clone(), port.clone());
        if *from == number {
            let mut outlet = Outlet::take_over(carrier.clone(), channel, &channel.from[0], epoch)
                .await
                .unwrap();
            let is_gone = move || gone.has_ended_sending();
            let index = views.outlet(
                &channel.name,
                outlet.progress(),
                move || seen.through(),
                is_gone,
            );
            let mut source = port.clone();
            reach.push(tokio::spawn(async move {
                let (_keep, mut stop) = watch::channel(false);
                outlet.run(&mut source, &mut stop).await;
                source.end_receiving(End::Closed);
            }));
            ports.push(Some((port, index)));
        } else if *to == number {
            let mut inlet = Inlet::take_over(carrier.clone(), channel, &channel.to[0], epoch)
                .await
                .unwrap();
            let mut sink = port.clone();
            let finished = transputer_reach::Sink::finished(&mut sink);
            let is_gone = move || gone.has_ended_receiving();
            let index = views.inlet(&channel.name, inlet.standing(), finished, is_gone);
            reach.push(tokio::spawn(async move {
                let (_keep, mut stop) = watch::channel(false);
                inlet.run(&mut sink, &NoGate, &mut stop).await;
            }));
            ports.push(Some((port, index)));
        } else {
            ports.push(None);
        }
    }
    let process = Process {
        doing: Arc::new(Mutex::new((Doing::Runs, 0))),
        steps,
    };
    tokio::spawn(process.clone().run(world.scripts[number].clone(), ports));
    let mut lookout = Lookout::new(carrier.clone(), network, &name, epoch);
    loop {
        sleep(BEAT).await;
        if let Some(stuck) = lookout.beat(process.still(&views)).await {
            let now = process.steps.load(Ordering::Relaxed);
            found.lock().unwrap().push((stuck, now));
            return;
        }
        let (doing, _) = *process.doing.lock().unwrap();
        if doing == Doing::Ended && reach.iter().all(|it| it.is_finished()) {
            facts::agree(&*carrier, &facts::over(&name), "ended")
                .await
                .unwrap();
            return;
        }
    }
}

/// Stops a host now and then.
async fn disturb(carriers: Vec<MemoryCarrier>, seed: u64) {
    let mut rng = Rng::with_seed(seed);
    for _ in 0..rng.u8(0..6) {
        sleep(Duration::from_millis(rng.u64(1..6000))).await;
        let carrier = &carriers[rng.usize(0..carriers.len())];
        carrier.freeze();
        sleep(Duration::from_millis(rng.u64(1..5000))).await;
        carrier.thaw();
    }
}

/// Whether the network of this seed was stuck.
async fn case(seed: u64, chaos: Chaos, disturbed: bool) -> bool {
    let mut rng = Rng::with_seed(seed);
    let server = MemoryServer::new(seed, chaos, LEASE);
    let world = Arc::new(World::random(&mut rng));
    let network = Arc::new(lookout::Network {
        parts: (0..world.parts)
            .map(|part| (format!("p{part}"), true))
            .collect(),
        channels: world.channels.iter().map(|it| it.0.clone()).collect(),
    });
    let steps = Arc::new(AtomicU64::new(0));
    let found = Arc::new(Mutex::new(Vec::new()));
    let carriers: Vec<_> = (0..world.parts).map(|_| server.connect()).collect();
    let parts: Vec<_> = (0..world.parts)
        .map(|number| {
            let carrier: Arc<dyn Carrier> = Arc::new(carriers[number].clone());
            let (network, world) = (network.clone(), world.clone());
            tokio::spawn(part(
                carrier,
                network,
                world,
                number,
                steps.clone(),
                found.clone(),
            ))
        })
        .collect();
    if disturbed {
        tokio::spawn(disturb(carriers, seed));
    }
    let (mut moved_at, mut before) = (Instant::now(), 0);
    let mut found_at = None;
    // What each part says is what all have found, and nobody goes on after that.
    while moved_at.elapsed() < FOUND && found_at.is_none_or(|at: Instant| at.elapsed() < SETTLED) {
        if parts.iter().all(|part| part.is_finished()) && found.lock().unwrap().is_empty() {
            return false;
        }
        sleep(Duration::from_millis(100)).await;
        let now = steps.load(Ordering::Relaxed);
        if now != before {
            (moved_at, before) = (Instant::now(), now);
        }
        if found_at.is_none() && !found.lock().unwrap().is_empty() {
            found_at = Some(Instant::now());
        }
    }
    let found = found.lock().unwrap().clone();
    let Some((first, _)) = found.first() else {
        panic!("seed {seed}: nobody says that it is stuck");
    };
    for (stuck, steps_then) in &found {
        assert_eq!(*steps_then, before, "seed {seed}: a false alarm");
        assert_eq!(stuck, first, "seed {seed}");
    }
    assert!(!first.waits.is_empty(), "seed {seed}");
    true
}

fn each_seed(chaos: &Chaos, disturbed: bool) {
    let mut stuck = 0;
    for seed in 0..seeds() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        stuck += u64::from(runtime.block_on(case(seed, chaos.clone(), disturbed)));
    }
    eprintln!("{} networks, {stuck} stuck, no false alarm", seeds());
    // Otherwise this shows nothing.
    assert!(stuck > seeds() / 10 && stuck < seeds());
}

#[test]
fn a_network_that_is_stuck_is_found_and_no_other() {
    each_seed(&Chaos::none(), false);
}

#[test]
fn nothing_that_is_under_way_is_overlooked() {
    each_seed(&Chaos::all(0.02), true);
}
