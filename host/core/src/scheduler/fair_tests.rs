//! The order, in counted time: workers whose polls take as long as the test says, and nothing else.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use super::{Fair, LEFT, Timed, Turn};

const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000 * MICROSECOND;
const TICK: u64 = 2 * MILLISECOND;
/// What one message costs each side.
const MESSAGE: u64 = 10 * MICROSECOND;

#[derive(Default)]
struct Task {
    virtual_time: Cell<u64>,
    used: Cell<u64>,
    polls: Cell<u64>,
    preempted: Cell<bool>,
    does: Cell<Does>,
}

#[derive(Copy, Clone, Default)]
enum Does {
    /// Computes without end, and is preempted at each tick.
    #[default]
    Compute,
    /// Only lets others run.
    Yield,
    /// Computes so long, then waits for as long.
    Sleep(u64),
    Send(usize),
    Receive(usize),
}

impl Timed for Rc<Task> {
    fn virtual_time(&self) -> u64 {
        self.virtual_time.get()
    }

    fn charge(&self, spent: u64) -> u64 {
        self.virtual_time.update(|time| time + spent);
        self.virtual_time.get()
    }

    fn raise_to(&self, least: u64) {
        self.virtual_time.update(|time| time.max(least));
    }

    fn note_preempted(&self, preempted: bool) -> bool {
        self.preempted.replace(preempted)
    }
}

/// A stream: its two ends, and what is between them.
struct Stream {
    capacity: u64,
    sender: Rc<Task>,
    receiver: Rc<Task>,
    buffered: Cell<u64>,
    sender_waits: Cell<bool>,
    receiver_waits: Cell<bool>,
    received: Cell<u64>,
    last: Cell<u64>,
    longest_gap: Cell<u64>,
}

struct Machine {
    fair: Fair<Rc<Task>>,
    workers: Vec<Worker>,
    streams: Vec<Stream>,
    sleeping: RefCell<Vec<(u64, Rc<Task>)>>,
}

struct Worker {
    /// When its poll ends, or when it looks for a task again.
    time: Cell<u64>,
    turn: RefCell<Turn<Rc<Task>>>,
    /// Whom it polls, and how long.
    polls: RefCell<Option<(Rc<Task>, u64)>>,
}

/// What is left to do after a poll.
enum Then {
    Preempted,
    Yielded,
    Parked,
}

impl Machine {
    fn new(workers: usize) -> Self {
        Self {
            fair: Fair::new(workers, Duration::from_nanos(TICK)),
            workers: (0..workers)
                .map(|_| Worker {
                    time: Cell::new(0),
                    turn: RefCell::new(Turn::new(0)),
                    polls: RefCell::default(),
                })
                .collect(),
            streams: Vec::new(),
            sleeping: RefCell::default(),
        }
    }

    fn add(&self, does: Does) -> Rc<Task> {
        let task = Rc::new(Task::default());
        task.does.set(does);
        self.fair.push(task.clone());
        task
    }

    fn add_stream(&mut self, capacity: u64) {
        let number = self.streams.len();
        let stream = Stream {
            capacity,
            sender: self.add(Does::Send(number)),
            receiver: self.add(Does::Receive(number)),
            buffered: Cell::new(0),
            sender_waits: Cell::new(false),
            receiver_waits: Cell::new(false),
            received: Cell::new(0),
            last: Cell::new(0),
            longest_gap: Cell::new(0),
        };
        self.streams.push(stream);
    }

    /// Runs until every worker has come to this time.
    fn run_until(&self, end: u64) {
        loop {
            let times = self.workers.iter().map(|worker| worker.time.get());
            let Some((worker, now)) = times.enumerate().min_by_key(|(_, time)| *time) else {
                return;
            };
            if now >= end {
                return;
            }
            self.wake_sleeping(now);
            self.end_poll(worker, now);
            self.begin_poll(worker, now);
        }
    }

    fn wake_sleeping(&self, now: u64) {
        let due: Vec<_> = self
            .sleeping
            .borrow_mut()
            .extract_if(.., |(until, _)| *until <= now)
            .collect();
        for (_, task) in due {
            self.fair.push(task);
        }
    }

    fn begin_poll(&self, worker: usize, now: u64) {
        let Worker { time, turn, polls } = &self.workers[worker];
        let turn = &mut *turn.borrow_mut();
        let Some(task) = self.fair.next(worker, turn) else {
            time.set(now + MICROSECOND);
            turn.begin(now + MICROSECOND);
            return;
        };
        let long = match task.does.get() {
            Does::Compute => (now / TICK + 1) * TICK - now,
            Does::Yield => MESSAGE,
            Does::Sleep(long) => long,
            Does::Send(stream) => self.streams[stream].room() * MESSAGE,
            Does::Receive(stream) => self.streams[stream].buffered.get().max(1) * MESSAGE,
        };
        time.set(now + long);
        *polls.borrow_mut() = Some((task, long));
    }

    fn end_poll(&self, worker: usize, now: u64) {
        let Worker { turn, polls, .. } = &self.workers[worker];
        let Some((task, long)) = polls.take() else {
            return;
        };
        task.used.update(|used| used + long);
        task.polls.update(|polls| polls + 1);
        let then = match task.does.get() {
            Does::Compute => Then::Preempted,
            Does::Yield => Then::Yielded,
            Does::Sleep(long) => {
                let until = now + 2 * long;
                self.sleeping.borrow_mut().push((until, task.clone()));
                Then::Parked
            }
            Does::Send(stream) => self.streams[stream].sent(&self.fair, worker, long / MESSAGE),
            Does::Receive(stream) => {
                self.streams[stream].received(&self.fair, worker, now, long / MESSAGE)
            }
        };
        let again = !matches!(then, Then::Parked);
        self.fair
            .settle(worker, &mut turn.borrow_mut(), task.clone(), again, || now);
        match then {
            Then::Parked => {}
            Then::Preempted => self.fair.push_preempted(&turn.borrow(), task),
            Then::Yielded => self.fair.push_last(worker, task),
        }
    }
}

impl Stream {
    /// At a rendezvous the message that a sender waits with counts as buffered.
    fn room(&self) -> u64 {
        self.capacity + 1 - self.buffered.get()
    }

    /// The sender has sent so many messages: it goes on if there is room again.
    fn sent(&self, fair: &Fair<Rc<Task>>, worker: usize, messages: u64) -> Then {
        self.buffered.update(|buffered| buffered + messages);
        if self.receiver_waits.take() {
            fair.push_to_slot(worker, self.receiver.clone());
        }
        self.sender_waits.set(self.room() == 0);
        if self.room() == 0 {
            Then::Parked
        } else {
            Then::Preempted
        }
    }

    fn received(&self, fair: &Fair<Rc<Task>>, worker: usize, now: u64, most: u64) -> Then {
        let messages = self.buffered.get().min(most);
        self.buffered.update(|buffered| buffered - messages);
        self.received.update(|received| received + messages);
        if messages > 0 {
            let gap = now - self.last.replace(now);
            self.longest_gap.set(self.longest_gap.get().max(gap));
        }
        if messages > 0 && self.sender_waits.take() {
            fair.push_sender(worker, self.sender.clone());
        }
        self.receiver_waits.set(self.buffered.get() == 0);
        if self.buffered.get() == 0 {
            Then::Parked
        } else {
            Then::Preempted
        }
    }
}

const LONG: u64 = 1_000 * MILLISECOND;

/// Messages that a stream carries beside others.
fn received(workers: usize, capacity: u64, others: &[Does]) -> (u64, u64) {
    let mut machine = Machine::new(workers);
    for does in others {
        machine.add(*does);
    }
    machine.add_stream(capacity);
    machine.run_until(LONG);
    let stream = &machine.streams[0];
    (stream.received.get(), stream.longest_gap.get())
}

#[test]
fn a_stream_has_its_share_beside_loops() {
    for workers in [1, 2] {
        for capacity in [0, 1, 128] {
            let (alone, _) = received(workers, capacity, &[]);
            for loops in [2, 8, 100] {
                let (beside, gap) = received(workers, capacity, &vec![Does::Compute; loops]);
                let due = (2.0 * workers as f64 / (2.0 + loops as f64)).min(1.0);
                let share = beside as f64 / (alone as f64 * due);
                assert!(
                    share >= 0.7,
                    "{share} of its share, {loops} loops, capacity {capacity}, {workers} workers"
                );
                if loops == 2 {
                    assert!(gap <= 10 * MILLISECOND, "{gap} ns from message to message");
                }
            }
        }
    }
}

#[test]
fn loops_have_their_share_beside_streams() {
    for capacity in [0, 1, 128] {
        let mut machine = Machine::new(1);
        let loops = [(); 2].map(|()| machine.add(Does::Compute));
        machine.add_stream(capacity);
        machine.add_stream(capacity);
        machine.run_until(LONG);
        // Six processes.
        for one in loops {
            let share = one.used.get() as f64 / (LONG / 6) as f64;
            assert!((0.7..1.6).contains(&share), "{share} of its share");
        }
    }
}

#[test]
fn a_stream_has_its_share_beside_one_that_only_lets_others_run() {
    for capacity in [0, 1, 128] {
        let (alone, _) = received(1, capacity, &[]);
        let (beside, _) = received(1, capacity, &[Does::Yield]);
        let share = beside as f64 / (alone as f64 * 2.0 / 3.0);
        assert!(share >= 0.7, "{share} of its share, capacity {capacity}");
    }
}

/// Senders let those pass that were woken, which here are always some: but not for ever.
#[test]
fn streams_have_their_share_beside_each_other() {
    for workers in [1, 2] {
        let mut machine = Machine::new(workers);
        for capacity in [0, 0, 1, 8, 128] {
            machine.add_stream(capacity);
        }
        machine.run_until(LONG);
        for stream in &machine.streams {
            let used = stream.sender.used.get() + stream.receiver.used.get();
            let share = used as f64 / (LONG * workers as u64 / 5) as f64;
            let capacity = stream.capacity;
            assert!((0.7..1.4).contains(&share), "{share}, capacity {capacity}");
        }
    }
}

/// Wherever the others wait.
#[test]
fn who_lets_others_run_is_behind_everybody_else() {
    let fair = Fair::new(1, Duration::from_nanos(TICK));
    let mut turn = Turn::new(0);
    let tasks: [Rc<Task>; 5] = std::array::from_fn(|_| Rc::default());
    let [preempted, woken, sender, in_slot, polite] = &tasks;
    fair.settle(0, &mut turn, preempted.clone(), true, || TICK);
    fair.push_preempted(&turn, preempted.clone());
    fair.push(woken.clone());
    fair.push_sender(0, sender.clone());
    fair.push_to_slot(0, in_slot.clone());
    fair.settle(0, &mut turn, polite.clone(), true, || 2 * TICK);
    fair.push_last(0, polite.clone());
    let mut order = Vec::new();
    while let Some(task) = fair.next(0, &mut turn) {
        fair.settle(0, &mut turn, task.clone(), false, || TICK);
        order.push(tasks.iter().position(|one| Rc::ptr_eq(one, &task)));
    }
    assert_eq!(order.len(), 5);
    assert_eq!(order.last(), Some(&Some(4)), "{order:?}");
}

/// It would be torn from the receiver that runs there.
#[test]
fn a_sender_is_left_to_the_worker_that_woke_it_for_some_turns() {
    let fair = Fair::new(2, Duration::from_nanos(TICK));
    let [mut own, mut other] = [Turn::new(0), Turn::new(0)];
    let tasks: [Rc<Task>; 3] = std::array::from_fn(|_| Rc::default());
    let [sender, woken, in_slot] = tasks;
    assert!(!fair.leaves_sender(1, &mut other));
    fair.push_sender(0, sender);
    assert!(!fair.leaves_sender(0, &mut own));
    for _ in 0..LEFT {
        assert!(fair.leaves_sender(1, &mut other));
    }
    assert!(!fair.leaves_sender(1, &mut other), "it has waited enough");
    fair.push_to_slot(1, in_slot);
    assert!(!fair.leaves_sender(1, &mut other), "another one waits here");
    assert!(fair.slots.take(1).is_some());
    assert!(fair.leaves_sender(1, &mut other));
    fair.push(woken);
    assert!(!fair.leaves_sender(1, &mut other), "not only it is ready");
}

/// Beside loops, one that lets others run has its turn after theirs.
#[test]
fn who_lets_others_run_runs_once_a_round() {
    let machine = Machine::new(1);
    let loops = [(); 3].map(|()| machine.add(Does::Compute));
    let polite = machine.add(Does::Yield);
    machine.run_until(300 * TICK);
    let turns = polite.polls.get();
    let rounds = loops.map(|one| one.polls.get());
    assert!(
        rounds.iter().all(|polls| turns <= polls + 1),
        "{turns} {rounds:?}"
    );
    assert!(turns > 50, "{turns}");
}

/// Who sleeps half of the time gets what it asks for, and no more than it.
#[test]
fn who_has_slept_does_not_catch_up_on_all_that_it_has_missed() {
    let machine = Machine::new(1);
    let one = machine.add(Does::Compute);
    machine.run_until(1_000 * MILLISECOND);
    let late = machine.add(Does::Compute);
    machine.run_until(1_100 * MILLISECOND);
    assert!(late.used.get() <= 56 * MILLISECOND, "{}", late.used.get());
    assert!(late.used.get() >= 44 * MILLISECOND, "{}", late.used.get());
    assert!(one.used.get() >= 1_044 * MILLISECOND);
}

#[test]
fn who_sleeps_now_and_then_is_served_at_once() {
    let machine = Machine::new(1);
    machine.add(Does::Compute);
    machine.add(Does::Compute);
    let sleeper = machine.add(Does::Sleep(100 * MICROSECOND));
    machine.run_until(1_000 * MILLISECOND);
    // It is woken during a loop's turn of a tick, and runs next.
    assert!(sleeper.polls.get() >= 400, "{}", sleeper.polls.get());
}
