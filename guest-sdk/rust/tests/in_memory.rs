//! Processes in tests on the machine itself, as their authors write them: no host, no component.

use std::time::{Duration, Instant};

use transputer_guest::{
    Barrier, Broadcast, Client, Error, Group, GroupError, Outcome, Packet, Receiver, Refused,
    Request, Sender, Server, channel, now, par, process, receive_any, select, sleep, spawn,
};

/// Passes on what the prime does not divide.
#[process]
fn filter(prime: u64, candidates: Receiver<u64>, survivors: Sender<u64>) -> Result<(), Error> {
    for candidate in candidates {
        if candidate % prime != 0 {
            survivors.send(candidate)?;
        }
    }
    Ok(())
}

/// Sends so many numbers.
#[process]
fn generator(count: u64, numbers: Sender<u64>) -> Result<(), Error> {
    for number in 0..count {
        numbers.send(number)?;
    }
    Ok(())
}

/// The same in batches.
#[process]
fn quick_generator(count: u64, numbers: Sender<u64>) -> Result<(), Error> {
    let numbers = numbers.buffered();
    for number in 0..count {
        numbers.send(number)?;
    }
    Ok(())
}

/// Panics over the first number.
#[process]
fn panics(numbers: Receiver<u64>, out: Sender<u64>) -> Result<(), Error> {
    let number = numbers.receive()?;
    assert!(number == 0, "no {number}, please");
    out.send(number)
}

/// Fails over the first number.
#[process]
fn fails(numbers: Receiver<u64>, out: Sender<u64>) -> Result<(), String> {
    let number = numbers.receive().map_err(|error| error.to_string())?;
    drop(out);
    Err(format!("{number} is not to its taste"))
}

/// Fails after the first number, and ends its child with it.
#[process]
fn parent(numbers: Receiver<u64>, never: Receiver<u64>, nowhere: Sender<u64>) -> Result<(), Error> {
    let child = spawn("relay").input("from", never).output("to", nowhere);
    child.start_linked()?;
    numbers.receive()?;
    Err("that is enough".into())
}

/// Receives, then sends: two of them wait for each other.
#[process]
fn relay(from: Receiver<u64>, to: Sender<u64>) -> Result<(), Error> {
    let number = from.receive()?;
    to.send(number)
}

/// Answers with the double.
#[process]
fn doubles(requests: Receiver<Request<u64, u64>>) -> Result<(), Error> {
    Server::new([requests]).serve(|number| 2 * number)
}

/// Arrives at a barrier that it is sent.
#[process]
fn member(barriers: Receiver<Barrier>, done: Sender<u64>) -> Result<(), Error> {
    let barrier = barriers.receive()?;
    for phase in 0..3 {
        barrier.sync()?;
        done.send(phase)?;
    }
    Ok(())
}

/// Sleeps.
#[process]
fn sleeps(milliseconds: u64) {
    sleep(Duration::from_millis(milliseconds));
}

#[test]
fn a_process_is_a_function() {
    let (numbers, candidates) = channel(16).unwrap();
    let (survivors, odd) = channel(16).unwrap();
    for number in 0..10_u64 {
        numbers.send(number).unwrap();
    }
    drop(numbers);
    filter(2, candidates, survivors).unwrap();
    assert_eq!(odd.into_iter().collect::<Vec<_>>(), [1, 3, 5, 7, 9]);
}

#[test]
fn processes_are_spawned_by_their_names_and_meet_at_rendezvous() {
    for generator in ["generator", "quick_generator"] {
        let (numbers, candidates) = channel::<u64>(0).unwrap();
        let (survivors, odd) = channel::<u64>(0).unwrap();
        let generator = spawn(generator)
            .argument("count", 10_u64)
            .output("numbers", numbers)
            .start()
            .unwrap();
        let filter = spawn("filter")
            .name("odd")
            .argument("prime", 2_u64)
            .input("candidates", candidates)
            .output("survivors", survivors)
            .start()
            .unwrap();
        assert!(filter.name().starts_with("odd"));
        assert_eq!(odd.into_iter().collect::<Vec<_>>(), [1, 3, 5, 7, 9]);
        assert_eq!(generator.wait(), Outcome::Finished);
        assert_eq!(filter.wait(), Outcome::Finished);
    }
}

#[test]
fn what_cannot_be_spawned_is_refused() {
    let refused = spawn("nobody").start().unwrap_err();
    assert!(matches!(refused.why(), Refused::UnknownComponent(_)));
    let misfit = spawn("filter").argument("prime", 2_u64).start().unwrap();
    let Outcome::Failed(text) = misfit.wait() else {
        panic!("its ports are not wired");
    };
    assert!(
        text.contains("input `candidates` (u64) is not wired"),
        "{text}"
    );
}

#[test]
fn an_alternation_chooses() {
    let (a, from_a) = channel::<u64>(1).unwrap();
    let (_b, from_b) = channel::<u64>(1).unwrap();
    let (full, _rest) = channel::<u64>(1).unwrap();
    full.send(0).unwrap();
    a.send(7).unwrap();
    let chosen = select! {
        number = receive(from_a) => number.map(|number| ("a", number)),
        number = receive(from_b) => number.map(|number| ("b", number)),
        sent = send(full, 1) => sent.map(|()| ("sent", 1)),
    };
    assert_eq!(chosen.unwrap().unwrap(), ("a", 7));
    let began = Instant::now();
    let chosen = select! {
        number = receive(from_a) => number.is_ok(),
        number = receive(from_b) => number.is_ok(),
        after(Duration::from_millis(30)) => false,
    };
    assert!(!chosen.unwrap());
    assert!(began.elapsed() >= Duration::from_millis(30));
    assert_eq!(select! { _ = receive(from_b) => 1, skip => 2 }.unwrap(), 2);
    a.send(8).unwrap();
    assert_eq!(receive_any(&[from_b, from_a]).unwrap(), (1, Ok(8)));
}

#[test]
fn time_passes() {
    let (_kept, nothing) = channel::<u64>(0).unwrap();
    let before = now();
    let timeout = Duration::from_millis(20);
    assert_eq!(nothing.receive_timeout(timeout), Err(Error::TimedOut));
    sleep(timeout);
    assert!(before.elapsed() >= 2 * timeout);
    assert_eq!(nothing.try_receive(), Err(Error::WouldBlock));
}

#[test]
fn a_panic_is_told_to_the_peers() {
    let (numbers, from) = channel(0).unwrap();
    let (out, answers) = channel::<u64>(0).unwrap();
    let child = spawn("panics")
        .input("numbers", from)
        .output("out", out)
        .start()
        .unwrap();
    let ended = child.monitor();
    numbers.send(13_u64).unwrap();
    let error = answers.receive().unwrap_err();
    let Error::PeerTrapped { reason, peer } = error else {
        panic!("{error}");
    };
    assert!(reason.contains("trapped: no 13, please"), "{reason}");
    assert_eq!(peer.unwrap().name, "panics");
    assert_eq!(child.wait(), Outcome::Trapped("no 13, please".to_owned()));
    assert_eq!(ended.receive().unwrap().0, "trapped: no 13, please");
}

#[test]
fn a_failure_is_told_to_the_peers() {
    let (numbers, from) = channel(0).unwrap();
    let (out, answers) = channel::<u64>(0).unwrap();
    let child = spawn("fails")
        .input("numbers", from)
        .output("out", out)
        .start()
        .unwrap();
    numbers.send(3_u64).unwrap();
    assert!(matches!(answers.receive(), Err(Error::PeerFailed { .. })));
    assert_eq!(
        child.wait(),
        Outcome::Failed("3 is not to its taste".to_owned())
    );
}

#[test]
fn processes_that_wait_for_each_other_are_found() {
    let (to_first, from_second) = channel::<u64>(0).unwrap();
    let (to_second, from_first) = channel::<u64>(0).unwrap();
    let start = |name: &str, from, to| {
        let relay = spawn("relay").name(name).input("from", from);
        relay.output("to", to).start().unwrap()
    };
    let first = start("romeo", from_second, to_second);
    let second = start("juliet", from_first, to_first);
    for child in [first, second] {
        let Outcome::Failed(text) = child.wait() else {
            panic!("both wait");
        };
        let cycles = ["romeo -> juliet -> romeo", "juliet -> romeo -> juliet"];
        assert!(
            cycles.iter().any(|cycle| text.contains(cycle)) || text.contains("process `"),
            "{text}"
        );
    }
}

#[test]
fn a_test_that_waits_for_itself_fails_instead_of_hanging() {
    let (sender, receiver) = channel::<u64>(0).unwrap();
    assert!(matches!(sender.send(1), Err(Error::Deadlock { .. })));
    assert!(matches!(receiver.receive(), Err(Error::Deadlock { .. })));
    let (numbers, candidates) = channel::<u64>(1).unwrap();
    let (survivors, _odd) = channel::<u64>(0).unwrap();
    numbers.send(3).unwrap();
    // Nobody but this thread could receive.
    let refused = filter(2, candidates, survivors);
    assert!(
        matches!(refused, Err(Error::Deadlock { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_process_that_waits_is_killed() {
    let (numbers, from) = channel::<u64>(0).unwrap();
    let (out, answers) = channel::<u64>(0).unwrap();
    let child = spawn("relay")
        .input("from", from)
        .output("to", out)
        .start()
        .unwrap();
    assert_eq!(child.try_wait(), None);
    child.kill("enough");
    assert_eq!(child.wait(), Outcome::Stopped("enough".to_owned()));
    assert!(matches!(numbers.send(1), Err(Error::PeerKilled { .. })));
    assert!(matches!(answers.receive(), Err(Error::PeerKilled { .. })));
    let sleeper = spawn("sleeps").argument("milliseconds", 3_600_000_u64);
    let sleeper = sleeper.start().unwrap();
    sleeper.kill("morning");
    assert_eq!(sleeper.wait(), Outcome::Stopped("morning".to_owned()));
}

#[test]
fn requests_are_answered_and_ends_travel() {
    let (requests, server) = channel(0).unwrap();
    let child = spawn("doubles").input("requests", server).start().unwrap();
    let client = Client::new(requests);
    assert_eq!(client.call(21_u64), Ok(42_u64));
    assert_eq!(client.call(4_u64), Ok(8_u64));
    drop(client);
    assert_eq!(child.wait(), Outcome::Finished);
}

#[test]
fn barriers_keep_processes_in_step() {
    let mine = Barrier::new().unwrap();
    let (done, phases) = channel(16).unwrap();
    let mut children = Vec::new();
    for _ in 0..3 {
        let (give, barriers) = channel(1).unwrap();
        give.send(mine.enrol().unwrap()).unwrap();
        let member = spawn("member")
            .input("barriers", barriers)
            .output("done", done.clone());
        children.push(member.start().unwrap());
    }
    drop(done);
    for phase in 0..3 {
        mine.sync().unwrap();
        for _ in 0..3 {
            assert_eq!(phases.receive(), Ok(phase));
        }
    }
    mine.resign();
    for child in children {
        assert_eq!(child.wait(), Outcome::Finished);
    }
}

#[test]
fn a_broadcast_reaches_all_and_par_waits_for_all() {
    let mut broadcast = Broadcast::new();
    let mut subscribers = Vec::new();
    for _ in 0..3 {
        subscribers.push(broadcast.subscribe(4).unwrap());
    }
    broadcast.send(7_u64).unwrap();
    for subscriber in &subscribers {
        assert_eq!(subscriber.receive(), Ok(7));
    }
    let sleeps = |milliseconds: u64| spawn("sleeps").argument("milliseconds", milliseconds);
    par([sleeps(1), sleeps(2)]).run().unwrap();
}

#[test]
fn the_failure_of_one_stops_whoever_is_linked_with_it() {
    let (numbers, from) = channel::<u64>(0).unwrap();
    let (_kept, never) = channel::<u64>(0).unwrap();
    let (nowhere, answers) = channel::<u64>(0).unwrap();
    let parent = spawn("parent")
        .input("numbers", from)
        .input("never", never)
        .output("nowhere", nowhere)
        .start()
        .unwrap();
    // Its child waits by now, and would do so for ever.
    numbers.send(1).unwrap();
    assert!(matches!(parent.wait(), Outcome::Failed(_)));
    let error = answers.receive().unwrap_err();
    let stopped = error.peer().expect("it is the child's doing").clone();
    assert_eq!(stopped.name, "relay");
    let Outcome::Stopped(why) = stopped.outcome else {
        panic!("it was not stopped: {:?}", stopped.outcome)
    };
    assert!(why.contains("parent"), "{why}");
}

/// Passes on what comes in at any input, and how much that was.
#[process]
fn merge(
    mut inputs: Vec<Receiver<u64>>,
    merged: Sender<u64>,
    count: Option<Sender<u64>>,
) -> Result<(), Error> {
    let mut passed = 0;
    while !inputs.is_empty() {
        match receive_any(&inputs)? {
            (_, Ok(number)) => {
                merged.send(number)?;
                passed += 1;
            }
            (ended, Err(Error::Closed)) => drop(inputs.remove(ended)),
            (_, Err(error)) => return Err(error),
        }
    }
    count.map_or(Ok(()), |count| count.send(passed))
}

const HALVES: usize = 2;

/// Even numbers to the one, odd ones to the other.
#[process]
fn split(numbers: Receiver<u64>, halves: [Sender<u64>; HALVES]) -> Result<(), Error> {
    for number in numbers {
        halves[number as usize % HALVES].send(number)?;
    }
    Ok(())
}

#[test]
fn several_ports_of_one_kind() {
    let (give, numbers) = channel(0).unwrap();
    let (halves, inputs): (Vec<_>, Vec<_>) =
        (0..HALVES).map(|_| channel::<u64>(0).unwrap()).unzip();
    let (merged, all) = channel(8).unwrap();
    let (count, counted) = channel(1).unwrap();
    let split = spawn("split")
        .input("numbers", numbers)
        .outputs("halves", halves);
    let split = split.start().unwrap();
    let merge = spawn("merge")
        .inputs("inputs", inputs)
        .output("merged", merged);
    let merge = merge.output("count", count).start().unwrap();
    for number in 0..6_u64 {
        give.send(number).unwrap();
    }
    give.close();
    let mut found: Vec<u64> = all.into_iter().collect();
    found.sort_unstable();
    assert_eq!(found, [0, 1, 2, 3, 4, 5]);
    assert_eq!(counted.receive(), Ok(6));
    assert_eq!(
        (split.wait(), merge.wait()),
        (Outcome::Finished, Outcome::Finished)
    );
}

#[test]
fn ports_that_are_left_out_and_ports_that_are_missing() {
    let (merged, all) = channel::<u64>(0).unwrap();
    let merge = spawn("merge").output("merged", merged).start().unwrap();
    assert_eq!(all.receive(), Err(Error::Closed));
    assert_eq!(merge.wait(), Outcome::Finished);

    let (_give, numbers) = channel::<u64>(0).unwrap();
    let (half, _receiver) = channel::<u64>(0).unwrap();
    let split = spawn("split")
        .input("numbers", numbers)
        .outputs("halves", [half]);
    let failed = split.start().unwrap().wait();
    let Outcome::Failed(why) = failed else {
        panic!("it has one port too few: {failed:?}")
    };
    assert!(
        why.contains("`halves` is an array of 2 ports, and 1 are wired"),
        "{why}"
    );
}

/// Does each operation of a group once, and tells what came of it.
#[process]
fn rank(
    rank: u32,
    inbox: Receiver<Packet<u64>>,
    peers: Vec<Sender<Packet<u64>>>,
    results: Sender<(u32, Vec<u64>)>,
) -> Result<(), Error> {
    let mut group = Group::new(rank, inbox, peers)?;
    let (size, root) = (group.size(), group.size() - 1);
    let at_root = |list: Vec<u64>| if rank == root { list } else { Vec::new() };
    let mut found = Vec::new();
    group.barrier()?;
    found.push(group.scatter(
        at_root((0..size).map(|n| u64::from(10 * n)).collect()),
        root,
    )?);
    let gathered = group.gather(u64::from(rank), root)?;
    assert_eq!(
        gathered,
        (rank == root).then(|| (0..u64::from(size)).collect())
    );
    found.push(group.broadcast((rank == root).then_some(7), root)?);
    // Associative, and not commutative: the ranks keep their order.
    let digits = |a: u64, b: u64| a * 10_u64.pow(b.ilog10() + 1) + b;
    let reduced = group.reduce(u64::from(rank + 1), digits, root)?;
    assert_eq!(reduced.is_some(), rank == root);
    found.extend(reduced);
    found.push(group.all_reduce(u64::from(rank), |a, b| a + b)?);
    found.extend(group.all_gather(u64::from(rank * rank))?);
    let (next, last) = ((rank + 1) % size, (rank + size - 1) % size);
    found.push(group.send_receive(u64::from(rank), next, last, 3)?);
    assert!(matches!(
        group.send(0, size, 0),
        Err(GroupError::NoRank { .. })
    ));
    results.send((rank, found))
}

#[test]
fn ranks_do_things_together() {
    for size in 1..=6_u32 {
        let (results, took) = channel(0).unwrap();
        let opened = Group::<u64>::open(size, 1).unwrap();
        let started = opened.into_iter().map(|rank| {
            let spawned = spawn("rank").argument("rank", rank.rank);
            let spawned = spawned
                .input("inbox", rank.inbox)
                .outputs("peers", rank.peers);
            spawned.output("results", results.clone()).start().unwrap()
        });
        let started: Vec<_> = started.collect();
        drop(results);
        let mut all: Vec<(u32, Vec<u64>)> = took.into_iter().collect();
        all.sort();
        assert!(
            started
                .iter()
                .all(|child| child.wait() == Outcome::Finished)
        );
        let sum = u64::from(size * (size - 1) / 2);
        let digits = (1..=u64::from(size)).fold(0, |digits, digit| 10 * digits + digit);
        for (rank, found) in all {
            let mut expected = vec![u64::from(10 * rank), 7];
            expected.extend((rank == size - 1).then_some(digits));
            expected.push(sum);
            expected.extend((0..u64::from(size)).map(|n| n * n));
            expected.push(u64::from((rank + size - 1) % size));
            assert_eq!(found, expected, "rank {rank} of {size}");
        }
    }
}

#[test]
fn a_rank_notices_that_the_others_are_gone() {
    let mut ranks = Group::<u64>::open(2, 1).unwrap();
    drop(ranks.pop());
    let rank = ranks.pop().expect("there were two");
    let mut group = Group::new(rank.rank, rank.inbox, rank.peers).unwrap();
    assert_eq!(group.receive(1, 0), Err(GroupError::Gone(Some(1))));
    assert_eq!(group.send(1, 1, 0), Err(GroupError::Gone(Some(1))));
}
