//! Real channels and the oracle, driven by the same steps and compared after each of them.

mod oracle;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

use transputer_core::channel::{Ahead, Outgoing};
use transputer_core::{
    Alternation, ChannelError, Chosen, Guard, Options, Order, Outcome, Overflow, Receiver, Sender,
    Side, channel,
};

use crate::channel_support::{Polled, poison};
use oracle::{OpId, Oracle, Served, Wish};

/// One step. Numbers are taken modulo what there is.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Send(usize),
    Receive(usize),
    TrySend(usize),
    TryReceive(usize),
    PutBack(usize),
    Drain(usize, usize),
    /// So many messages at once, in batches of at most so many; one by one if that is 0.
    SendAll(usize, usize, usize),
    /// Takes at most so many ahead, and leaves off where a batch is larger than that.
    Prefetch(usize, usize, usize),
    Alternate {
        /// Channel, and whether to send.
        guards: Vec<(usize, bool)>,
        fair: bool,
        skip: bool,
    },
    Poll(usize),
    Cancel(usize),
    Poison(usize),
    DropSender(usize),
    DropReceiver(usize),
}

#[derive(Debug, PartialEq)]
enum Done {
    /// If it was refused: the message, and why.
    Sent(Result<(), (u64, ChannelError)>),
    Received(Result<u64, ChannelError>),
    Chosen {
        guard: usize,
        outcome: Result<Outcome<u64>, ChannelError>,
        unsent: Vec<(usize, u64)>,
    },
}

impl From<Chosen<u64>> for Done {
    fn from(chosen: Chosen<u64>) -> Self {
        Done::Chosen {
            guard: chosen.guard,
            outcome: match chosen.outcome {
                Outcome::Failed(error) => Err(error.into()),
                outcome => Ok(outcome),
            },
            unsent: chosen.unsent,
        }
    }
}

/// What the oracle says that an operation returns.
fn expected(wishes: &[Wish], alternation: bool, (guard, served): (usize, Served)) -> Done {
    if alternation {
        let unsent = |(n, wish): (usize, &Wish)| {
            let was_sent = n == guard && served == Served::Sent;
            Some((n, wish.message?)).filter(|_| !was_sent)
        };
        let unsent = wishes.iter().enumerate().filter_map(unsent).collect();
        let outcome = match served {
            Served::Sent => Ok(Outcome::Sent),
            Served::Received { message, .. } => Ok(Outcome::Received(message)),
            Served::Failed(error) => Err(error),
        };
        return Done::Chosen {
            guard,
            outcome,
            unsent,
        };
    }
    match (wishes[0].message, served) {
        (Some(_), Served::Sent) => Done::Sent(Ok(())),
        (Some(message), Served::Failed(error)) => Done::Sent(Err((message, error))),
        (None, Served::Received { message, .. }) => Done::Received(Ok(message)),
        (None, Served::Failed(error)) => Done::Received(Err(error)),
        (wish, served) => panic!("{wish:?} was served with {served:?}"),
    }
}

struct Running {
    id: OpId,
    alternation: bool,
    real: Polled<Pin<Box<dyn Future<Output = Done>>>>,
}

struct Ends {
    sender: Option<Sender<u64>>,
    receiver: Option<Receiver<u64>>,
    probe: std::sync::Arc<dyn transputer_core::Inspect>,
}

pub(crate) struct World {
    oracle: Oracle,
    ends: Vec<Ends>,
    running: Vec<Running>,
    message: u64,
}

enum End {
    Sender(Sender<u64>, u64),
    Receiver(Receiver<u64>),
}

impl World {
    pub(crate) fn new(kinds: &[(usize, Overflow)]) -> Self {
        let mut oracle = Oracle::default();
        let mut ends = Vec::new();
        for &(capacity, overflow) in kinds {
            oracle.open(capacity, overflow);
            let (sender, receiver) = channel(Options::bounded(capacity).overflow(overflow));
            ends.push(Ends {
                probe: sender.inspect(),
                sender: Some(sender),
                receiver: Some(receiver),
            });
        }
        World {
            oracle,
            ends,
            running: Vec::new(),
            message: 0,
        }
    }

    pub(crate) fn take(&mut self, step: Step) {
        match step {
            Step::Send(n) => self.start(&[(n, true)], None, false),
            Step::Receive(n) => self.start(&[(n, false)], None, false),
            Step::Alternate { guards, fair, skip } => {
                let order = if fair { Order::Fair } else { Order::Priority };
                self.start(&guards, Some(order), skip);
            }
            Step::TrySend(n) => self.try_send(n % self.ends.len()),
            Step::TryReceive(n) => {
                self.try_receive(n % self.ends.len());
            }
            Step::PutBack(n) => self.put_back(n % self.ends.len()),
            Step::Drain(n, most) => self.drain(n % self.ends.len(), most),
            Step::SendAll(n, messages, batch) => {
                self.send_all(n % self.ends.len(), messages, batch);
            }
            Step::Prefetch(n, most, batch) => self.prefetch(n % self.ends.len(), most, batch),
            Step::Poll(n) if !self.running.is_empty() => self.poll(n % self.running.len()),
            Step::Cancel(n) if !self.running.is_empty() => {
                let running = self.running.remove(n % self.running.len());
                self.oracle.cancel(running.id);
                drop(running);
            }
            Step::Poll(_) | Step::Cancel(_) => {}
            Step::Poison(n) => {
                let n = n % self.ends.len();
                let first = self.oracle.poison(n, poison("model"));
                assert_eq!(self.ends[n].probe.poison(poison("model")), first);
            }
            Step::DropSender(n) => {
                let n = n % self.ends.len();
                if self.ends[n].sender.take().is_some() {
                    self.oracle.drop_end(n, true);
                }
            }
            Step::DropReceiver(n) => {
                let n = n % self.ends.len();
                if self.ends[n].receiver.take().is_some() {
                    self.oracle.drop_end(n, false);
                }
            }
        }
        self.compare();
    }

    /// Ends everything: what still waits is woken by it, and nothing is left.
    pub(crate) fn wind_up(&mut self) {
        for n in 0..self.ends.len() {
            self.take(Step::DropSender(n));
            self.take(Step::Poison(n));
        }
        while !self.running.is_empty() {
            let before = self.running.len();
            self.take(Step::Poll(0));
            assert!(
                self.running.len() < before,
                "it waits at a poisoned channel"
            );
        }
    }

    fn next_message(&mut self) -> u64 {
        self.message += 1;
        self.message
    }

    /// Starts an operation of its own, or an alternation if there is an order.
    fn start(&mut self, guards: &[(usize, bool)], order: Option<Order>, skip: bool) {
        let (mut wishes, mut owned) = (Vec::new(), Vec::new());
        for &(n, send) in guards {
            let channel = n % self.ends.len();
            let same = |wish: &Wish| wish.channel == channel && wish.message.is_some() == send;
            if order == Some(Order::Fair) && wishes.iter().any(same) {
                // Which of two such guards is served, chance decides.
                continue;
            }
            let message = send.then(|| self.next_message());
            let ends = &self.ends[channel];
            owned.push(match (message, &ends.sender, &ends.receiver) {
                (Some(message), Some(sender), _) => End::Sender(sender.clone(), message),
                (None, _, Some(receiver)) => End::Receiver(receiver.clone()),
                // That end is gone.
                _ => continue,
            });
            wishes.push(Wish { channel, message });
        }
        if owned.is_empty() {
            return;
        }
        let id = self.oracle.start(wishes);
        let mut real = Polled::new(future(owned, order, self.message, skip));
        let ready = self.oracle.ready(id);
        let alternation = order.is_some();
        match real.poll() {
            Poll::Ready(done) => self.finished_at_once(id, &ready, order, skip, done),
            Poll::Pending => {
                assert!(
                    ready.is_empty() && !skip,
                    "it waits, but {ready:?} are ready"
                );
                for guard in 0..self.oracle.ops[&id].wishes.len() {
                    self.oracle.enter(id, guard);
                }
                self.running.push(Running {
                    id,
                    alternation,
                    real,
                });
            }
        }
    }

    fn finished_at_once(
        &mut self,
        id: OpId,
        ready: &[usize],
        order: Option<Order>,
        skip: bool,
        done: Done,
    ) {
        let guard = match &done {
            Done::Chosen {
                outcome: Ok(Outcome::Skipped),
                ..
            } => {
                assert!(skip && ready.is_empty(), "skipped, but {ready:?} are ready");
                self.oracle.cancel(id);
                return;
            }
            Done::Chosen { guard, .. } => *guard,
            _ => 0,
        };
        assert!(ready.contains(&guard), "{guard} of {ready:?}");
        if order == Some(Order::Priority) {
            assert_eq!(guard, ready[0], "the first comes first");
        }
        self.oracle.enter(id, guard);
        let wishes = self.oracle.ops[&id].wishes.clone();
        let served = self.oracle.finish(id).expect("it was ready");
        assert_eq!(done, expected(&wishes, order.is_some(), served));
    }

    fn poll(&mut self, n: usize) {
        let running = &mut self.running[n];
        let served = self.oracle.ops[&running.id].served.clone();
        match (running.real.poll(), served) {
            (Poll::Pending, None) => {}
            (Poll::Ready(done), Some(served)) => {
                let wishes = &self.oracle.ops[&running.id].wishes;
                assert_eq!(done, expected(wishes, running.alternation, served));
                self.oracle.finish(running.id);
                self.running.remove(n);
            }
            (real, served) => panic!("{real:?}, but the oracle says {served:?}"),
        }
    }

    fn try_send(&mut self, n: usize) {
        let message = self.next_message();
        let Some(sender) = &self.ends[n].sender else {
            return;
        };
        let real = sender.try_send(message);
        let real = real.map_err(|refused| refused.into_parts());
        let wish = Wish {
            channel: n,
            message: Some(message),
        };
        let expected = match self.attempt(wish) {
            Some(Served::Sent) => Ok(()),
            Some(Served::Failed(error)) => Err((message, error)),
            None => Err((message, ChannelError::WouldBlock)),
            Some(served) => panic!("a send was served with {served:?}"),
        };
        assert_eq!(real, expected);
    }

    fn try_receive(&mut self, n: usize) -> Option<u64> {
        let real = self.ends[n].receiver.as_ref()?.try_receive();
        let real = real.map_err(ChannelError::from);
        let wish = Wish {
            channel: n,
            message: None,
        };
        let expected = match self.attempt(wish) {
            Some(Served::Received { message, .. }) => Ok(message),
            Some(Served::Failed(error)) => Err(error),
            None => Err(ChannelError::WouldBlock),
            Some(served) => panic!("a receive was served with {served:?}"),
        };
        assert_eq!(real, expected);
        real.ok()
    }

    fn attempt(&mut self, wish: Wish) -> Option<Served> {
        if wish.message.is_none() {
            self.oracle.free_ahead(wish.channel);
        }
        let id = self.oracle.start(vec![wish]);
        if !self.oracle.ready(id).is_empty() {
            self.oracle.enter(id, 0);
        }
        self.oracle.finish(id).map(|(_, served)| served)
    }

    fn put_back(&mut self, n: usize) {
        if let Some(message) = self.try_receive(n)
            && let Some(receiver) = &self.ends[n].receiver
        {
            let number = self.oracle.front_number(n);
            self.oracle.take_back(n, number, message);
            receiver.put_back(message);
        }
    }

    fn drain(&mut self, n: usize, most: usize) {
        let Some(receiver) = &self.ends[n].receiver else {
            return;
        };
        let real = receiver.drain(most, |_| true);
        let mut expected = Vec::new();
        while expected.len() < most {
            let wish = Wish {
                channel: n,
                message: None,
            };
            match self.attempt(wish) {
                Some(Served::Received { message, .. }) => expected.push(message),
                _ => break,
            }
        }
        assert_eq!(real, expected);
    }

    fn send_all(&mut self, n: usize, messages: usize, batch: usize) {
        let messages: VecDeque<u64> = (0..messages).map(|_| self.next_message()).collect();
        let Some(sender) = &self.ends[n].sender else {
            return;
        };
        let mut outgoing = Numbers {
            rest: messages.clone(),
            batch,
        };
        let real = sender.try_send_all(&mut outgoing);
        let (mut sent, mut result) = (0, Ok(()));
        for message in messages {
            let wish = Wish {
                channel: n,
                message: Some(message),
            };
            let error = match self.attempt(wish) {
                Some(Served::Sent) => {
                    sent += 1;
                    continue;
                }
                Some(Served::Failed(error)) => error,
                None => ChannelError::WouldBlock,
                Some(served) => panic!("a send was served with {served:?}"),
            };
            result = Err((message, error));
            break;
        }
        let refused = real.result.map_err(|refused| refused.into_parts());
        assert_eq!((real.sent, refused), (sent, result));
        assert_eq!(real.waiting, self.oracle.statistics(n).waiting);
    }

    fn prefetch(&mut self, n: usize, most: usize, batch: usize) {
        let Some(receiver) = &self.ends[n].receiver else {
            return;
        };
        let mut real = Vec::new();
        receiver.prefetch(most, |ahead| match ahead {
            Ahead::One(message) => {
                real.push(*message);
                1
            }
            Ahead::Batch(held, most) => {
                let taken = held.len().min(most).min(batch);
                real.extend(held.drain(..taken));
                taken
            }
        });
        // No batch is larger than 4: then it leaves nothing.
        let most = if batch < 4 {
            most.min(real.len())
        } else {
            most
        };
        assert_eq!(real, self.oracle.take_ahead(n, most));
    }

    fn compare(&self) {
        for (n, ends) in self.ends.iter().enumerate() {
            assert_eq!(ends.probe.statistics(), self.oracle.statistics(n));
            let look = ends.probe.snapshot();
            let count = |side| look.waiting.iter().filter(|w| w.side == side).count();
            let waiting = (count(Side::Send), count(Side::Receive));
            assert_eq!(waiting, self.oracle.waiting(n), "who waits at {n}");
            let (senders, receivers) = (look.senders.len(), look.receivers.len());
            let model = &self.oracle.channels[n];
            assert_eq!((senders, receivers), (model.senders, model.receivers));
        }
        for running in &self.running {
            let served = self.oracle.ops[&running.id].served.is_some();
            assert_eq!(running.real.wakes(), usize::from(served), "wake-ups");
        }
    }
}

/// Messages that come in batches.
struct Numbers {
    rest: VecDeque<u64>,
    batch: usize,
}

impl Iterator for Numbers {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.rest.pop_front()
    }
}

impl Outgoing<u64> for Numbers {
    fn next_batch(&mut self, most: usize, _: usize) -> Option<VecDeque<u64>> {
        let messages = self.rest.len().min(self.batch).min(most);
        (messages > 0).then(|| self.rest.drain(..messages).collect())
    }
}

fn future(
    owned: Vec<End>,
    order: Option<Order>,
    seed: u64,
    skip: bool,
) -> Pin<Box<dyn Future<Output = Done>>> {
    Box::pin(async move {
        let Some(order) = order else {
            return match &owned[0] {
                End::Sender(sender, message) => {
                    let sent = sender.send(*message).await;
                    Done::Sent(sent.map_err(|refused| refused.into_parts()))
                }
                End::Receiver(receiver) => {
                    Done::Received(receiver.receive().await.map_err(ChannelError::from))
                }
            };
        };
        let mut guards: Vec<_> = owned
            .iter()
            .map(|end| match end {
                End::Sender(sender, message) => Guard::Send(sender, *message),
                End::Receiver(receiver) => Guard::Receive(receiver),
            })
            .collect();
        if skip {
            guards.push(Guard::Skip);
        }
        Alternation::seeded(order, seed).wait(guards).await.into()
    })
}
