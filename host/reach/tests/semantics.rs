//! What remote channels promise, row by row, on every carrier: the server in memory, and NATS.

mod support;

use std::time::Duration;

use support::hosts::{Ledger, receiver, sender};
use support::world::{World, on_every_carrier, soon};
use support::{End, Port, number, numbered};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use transputer_reach::carrier::{Channel, Pending, Side};
use transputer_reach::{Inlet, InletEnd, NoGate, NotWanted, Outlet, OutletEnd, Sink};

on_every_carrier! {
    messages_come_in_order_and_once,
    exactly_as_many_are_taken_as_the_channel_holds,
    a_channel_closes_after_the_last_message,
    poison_of_the_sender_is_told_with_kind_and_reason,
    poison_of_the_receiver_is_told_with_kind_and_reason,
    a_sender_hears_that_nobody_receives,
    what_is_not_finished_comes_again_on_another_host,
    a_host_that_leaves_hands_over_at_once,
    a_channel_of_another_capacity_is_refused,
    the_newest_is_dropped_where_the_channel_says_so,
    several_senders_and_receivers_share_a_channel,
    an_inlet_ends_although_its_process_is_gone,
}

type Outward = JoinHandle<OutletEnd>;
type Inward = JoinHandle<InletEnd>;

async fn outlet(world: &World, channel: &Channel, epoch: u64) -> (Port, Outward) {
    let (port, carrier, from) = (Port::new(), world.host().await, channel.from[0].clone());
    let outlet = Outlet::take_over(carrier, channel, &from, epoch).await;
    let mut outlet = outlet.expect("it takes over");
    let mut source = port.clone();
    let task = tokio::spawn(async move {
        let (_keep, mut stop) = watch::channel(false);
        outlet.run(&mut source, &mut stop).await
    });
    (port, task)
}

async fn inlet(
    world: &World,
    channel: &Channel,
    epoch: u64,
) -> (Port, Inward, watch::Sender<bool>) {
    let (port, carrier, to) = (Port::new(), world.host().await, channel.to[0].clone());
    let mut inlet = Inlet::take_over(carrier, channel, &to, epoch)
        .await
        .expect("it takes over");
    let mut sink = port.clone();
    let (tell, mut stop) = watch::channel(false);
    let task = tokio::spawn(async move { inlet.run(&mut sink, &NoGate, &mut stop).await });
    (port, task, tell)
}

fn lines(capacity: u64) -> Channel {
    Channel::new("a.out -> b.in", capacity, "a.out", "b.in")
}

async fn messages_come_in_order_and_once(world: World) {
    let channel = lines(16);
    let (stored, received) = (Ledger::default(), Ledger::default());
    let zero = Duration::ZERO;
    let sending = sender(world.host().await, &channel, 1, 500, &stored, zero);
    let receiving = receiver(world.host().await, &channel, 1, &received, zero);
    assert_eq!(soon(sending.end()).await.0, OutletEnd::Closed);
    assert_eq!(soon(receiving.end()).await.0, InletEnd::Closed);
    assert_eq!(received.all(), (1..=500).collect::<Vec<_>>());
}

/// What waits, what the receiver has, and what it has not finished: all count.
async fn exactly_as_many_are_taken_as_the_channel_holds(world: World) {
    let channel = lines(3);
    let (sending, _out) = outlet(&world, &channel, 1).await;
    for number in 1..=3 {
        soon(sending.send(numbered(number))).await.unwrap();
    }
    let pause = Duration::from_millis(300);
    assert!(timeout(pause, sending.send(numbered(4))).await.is_err());
    let (receiving, _in, _stop) = inlet(&world, &channel, 1).await;
    let first = soon(receiving.receive()).await.unwrap();
    assert_eq!(first.as_deref().map(number), Some(1));
    // The process has the first, but has not finished it: message 4 still waits at the port.
    sleep(pause).await;
    assert_eq!(sending.through(), 3);
    soon(receiving.receive()).await.unwrap();
    soon(async {
        while sending.through() < 4 {
            sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    assert!(timeout(pause, sending.send(numbered(5))).await.is_err());
}

async fn a_channel_closes_after_the_last_message(world: World) {
    let channel = lines(8);
    let (sending, out) = outlet(&world, &channel, 1).await;
    for number in 1..=5 {
        soon(sending.send(numbered(number))).await.unwrap();
    }
    sending.end_sending(End::Closed);
    let (receiving, into, _stop) = inlet(&world, &channel, 1).await;
    for expected in 1..=5 {
        let message = soon(receiving.receive()).await.unwrap();
        assert_eq!(message.as_deref().map(number), Some(expected));
    }
    assert!(!out.is_finished(), "the last message is not finished");
    assert_eq!(soon(receiving.receive()).await, Ok(None));
    assert_eq!(soon(out).await.unwrap(), OutletEnd::Closed);
    assert_eq!(soon(into).await.unwrap(), InletEnd::Closed);
}

async fn poison_of_the_sender_is_told_with_kind_and_reason(world: World) {
    let channel = lines(8);
    let (sending, out) = outlet(&world, &channel, 1).await;
    let (receiving, into, _stop) = inlet(&world, &channel, 1).await;
    soon(sending.send(numbered(1))).await.unwrap();
    let poison = End::Poisoned(
        "trapped".to_owned(),
        "process a trapped: unreachable".to_owned(),
    );
    sending.end_sending(poison.clone());
    assert_eq!(soon(out).await.unwrap(), OutletEnd::Failed);
    let told = soon(async {
        loop {
            if let Err(end) = receiving.receive().await {
                return end;
            }
        }
    });
    assert_eq!(told.await, poison);
    assert!(
        matches!(soon(into).await.unwrap(), InletEnd::Poisoned { kind, .. } if kind == "trapped")
    );
}

async fn poison_of_the_receiver_is_told_with_kind_and_reason(world: World) {
    let channel = lines(8);
    let (sending, out) = outlet(&world, &channel, 1).await;
    let (receiving, into, _stop) = inlet(&world, &channel, 1).await;
    soon(sending.send(numbered(1))).await.unwrap();
    soon(receiving.receive()).await.unwrap();
    receiving.end_receiving(End::Poisoned(
        "failed".to_owned(),
        "process b failed: no".to_owned(),
    ));
    assert_eq!(soon(into).await.unwrap(), InletEnd::Failed);
    let (kind, reason) = ("failed".to_owned(), "process b failed: no".to_owned());
    assert_eq!(
        soon(out).await.unwrap(),
        OutletEnd::Poisoned { kind, reason }
    );
}

async fn a_sender_hears_that_nobody_receives(world: World) {
    let channel = lines(4);
    let (sending, out) = outlet(&world, &channel, 1).await;
    for number in 1..=3 {
        soon(sending.send(numbered(number))).await.unwrap();
    }
    let (receiving, into, _stop) = inlet(&world, &channel, 1).await;
    soon(receiving.receive()).await.unwrap();
    receiving.end_receiving(End::Closed);
    assert!(matches!(
        soon(into).await.unwrap(),
        InletEnd::NotWanted { dropped: 2.. }
    ));
    assert!(matches!(
        soon(out).await.unwrap(),
        OutletEnd::NotWanted { .. }
    ));
}

async fn what_is_not_finished_comes_again_on_another_host(world: World) {
    let channel = lines(8);
    let (sending, _out) = outlet(&world, &channel, 1).await;
    for number in 1..=4 {
        soon(sending.send(numbered(number))).await.unwrap();
    }
    let (receiving, into, stop) = inlet(&world, &channel, 1).await;
    for expected in 1..=2 {
        let message = soon(receiving.receive()).await.unwrap();
        assert_eq!(message.as_deref().map(number), Some(expected));
    }
    // The first is finished, because the second was asked for; then the host dies.
    sleep(Duration::from_millis(100)).await;
    into.abort();
    drop(stop);
    let (receiving, _in, _stop) = inlet(&world, &channel, 2).await;
    for expected in 2..=4 {
        let message = soon(receiving.receive()).await.unwrap();
        assert_eq!(message.as_deref().map(number), Some(expected));
    }
}

async fn a_host_that_leaves_hands_over_at_once(world: World) {
    let channel = lines(8);
    let (sending, _out) = outlet(&world, &channel, 1).await;
    soon(sending.send(numbered(1))).await.unwrap();
    let (receiving, into, stop) = inlet(&world, &channel, 1).await;
    soon(receiving.receive()).await.unwrap();
    stop.send_replace(true);
    assert_eq!(soon(into).await.unwrap(), InletEnd::Left);
    let (receiving, _in, _stop) = inlet(&world, &channel, 2).await;
    let message = timeout(Duration::from_secs(10), receiving.receive())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(message.as_deref().map(number), Some(1));
}

async fn a_channel_of_another_capacity_is_refused(world: World) {
    let (_sending, _out) = outlet(&world, &lines(64), 1).await;
    let inlet = Inlet::take_over(world.host().await, &lines(128), "b.in", 1).await;
    let Err(InletEnd::Refused(text)) = inlet else {
        panic!("it is refused: {inlet:?}");
    };
    assert!(
        text.contains("capacity 64, and the network's file says 128"),
        "{text}"
    );
}

async fn the_newest_is_dropped_where_the_channel_says_so(world: World) {
    let channel = lines(3);
    let outlet = Outlet::take_over(world.host().await, &channel, "a.out", 1).await;
    let mut outlet = outlet.unwrap().drop_newest();
    let progress = outlet.progress();
    let (port, mut source) = {
        let port = Port::new();
        (port.clone(), port)
    };
    let out = tokio::spawn(async move {
        let (_keep, mut stop) = watch::channel(false);
        outlet.run(&mut source, &mut stop).await
    });
    for number in 1..=10 {
        soon(port.send(numbered(number))).await.unwrap();
    }
    port.end_sending(End::Closed);
    let (receiving, _in, _stop) = inlet(&world, &channel, 1).await;
    for expected in 1..=3 {
        let message = soon(receiving.receive()).await.unwrap();
        assert_eq!(message.as_deref().map(number), Some(expected));
    }
    assert_eq!(soon(receiving.receive()).await, Ok(None));
    assert_eq!(progress.borrow().dropped, 7);
    assert_eq!(soon(out).await.unwrap(), OutletEnd::Closed);
}

async fn several_senders_and_receivers_share_a_channel(world: World) {
    let mut channel = lines(8);
    channel.senders = Side::Shared;
    channel.receivers = Side::Shared;
    channel.from = vec!["a.out".to_owned(), "c.out".to_owned()];
    channel.to = vec!["b.in".to_owned(), "d.in".to_owned()];
    let (one, two) = (Ledger::default(), Ledger::default());
    let mut tasks = Vec::new();
    for (port, first) in [("a.out", 0), ("c.out", 1000)] {
        let mut channel = channel.clone();
        channel.from.sort_by_key(|it| it != port);
        let (sending, out) = outlet(&world, &channel, 1).await;
        tokio::spawn(async move {
            for number in first + 1..=first + 100 {
                sending.send(numbered(number)).await.unwrap();
            }
            sending.end_sending(End::Closed);
        });
        tasks.push(out);
    }
    let mut receivers = Vec::new();
    for (port, ledger) in [("b.in", &one), ("d.in", &two)] {
        let mut channel = channel.clone();
        channel.to.sort_by_key(|it| it != port);
        receivers.push(receiver(
            world.host().await,
            &channel,
            1,
            ledger,
            Duration::from_millis(1),
        ));
    }
    for host in receivers {
        assert_eq!(soon(host.end()).await.0, InletEnd::Closed);
    }
    for task in tasks {
        assert_eq!(soon(task).await.unwrap(), OutletEnd::Closed);
    }
    let mut all = [one.all(), two.all()].concat();
    for ledger in [one.all(), two.all()] {
        let (low, high): (Vec<u64>, Vec<u64>) = ledger.iter().partition(|it| **it <= 100);
        assert!(low.is_sorted() && high.is_sorted(), "{ledger:?}");
        assert!(!ledger.is_empty());
    }
    all.sort_unstable();
    assert_eq!(all, (1..=100).chain(1001..=1100).collect::<Vec<_>>());
}

/// A process that takes each message at once, and of which nothing is left after the last one.
struct Vanishing {
    taken: u64,
    last: u64,
    tell: Option<watch::Sender<u64>>,
    told: watch::Receiver<u64>,
}

impl Sink for Vanishing {
    fn offer(&mut self, _bytes: bytes::Bytes) {}

    fn taken(&mut self) -> Pending<'_, Result<(), NotWanted>> {
        self.taken += 1;
        if let Some(tell) = &self.tell {
            tell.send_replace(self.taken);
        }
        if self.taken == self.last {
            self.tell = None;
        }
        Box::pin(std::future::ready(Ok(())))
    }

    fn unwanted(&mut self) -> Pending<'_, ()> {
        Box::pin(std::future::pending())
    }

    fn close(&mut self) {}

    fn poison(&mut self, _kind: &str, _reason: &str) {}

    fn finished(&mut self) -> watch::Receiver<u64> {
        self.told.clone()
    }

    fn failure(&mut self) -> Option<(String, String)> {
        None
    }
}

/// The arm of a `select` once waited for ever for a process that could tell nothing any more.
async fn an_inlet_ends_although_its_process_is_gone(world: World) {
    let channel = lines(8);
    let (sending, out) = outlet(&world, &channel, 1).await;
    for number in 1..=3 {
        soon(sending.send(numbered(number))).await.unwrap();
    }
    let (tell, told) = watch::channel(0);
    let mut sink = Vanishing {
        taken: 0,
        last: 3,
        tell: Some(tell),
        told,
    };
    let inlet = Inlet::take_over(world.host().await, &channel, "b.in", 1).await;
    let mut inlet = inlet.expect("it takes over");
    let closing = async {
        sleep(Duration::from_millis(300)).await;
        sending.end_sending(End::Closed);
    };
    // Nobody is left to say that it should stop, either.
    let mut stop = watch::channel(false).1;
    let (end, ()) =
        soon(async { tokio::join!(inlet.run(&mut sink, &NoGate, &mut stop), closing) }).await;
    assert_eq!(end, InletEnd::Closed);
    assert_eq!(soon(out).await.unwrap(), OutletEnd::Closed);
}
