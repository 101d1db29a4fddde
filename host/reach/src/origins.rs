//! Of which input a message was made.
//!
//! A process that sends only in answer to what it receives at its one input, and always the same answer to the same
//! message, sends the same again after another host has taken over. Each of its messages gets an identifier made of the
//! input and of its place among the answers to it. By that the carrier knows it again.
//!
//! # Invariants
//!
//! - The process is in none of its calls while it is told that it has finished an input. So whatever was handed out
//!   at a port before that, belongs to that input or to an earlier one; and whatever is handed out later does not.
//! - The stamp of an input is noted before the process can have it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::carrier::Stamp;

/// How many messages the process has sent at a port.
type Sends = Box<dyn Fn() -> u64 + Send + Sync>;

/// The inputs of one process, and where among its messages each was finished.
#[derive(Default)]
pub struct Origins {
    sends: Vec<Sends>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The inputs from number `first` on, in the order in which they were offered.
    offered: VecDeque<(String, Stamp)>,
    /// How many were offered before those.
    passed: u64,
    outputs: Vec<Output>,
}

/// One port.
#[derive(Default)]
struct Output {
    /// After how many of its messages something happened, in order.
    marks: VecDeque<(u64, Mark)>,
    /// The message that was asked for last.
    asked: u64,
    /// How many inputs were finished before that one, and the next as far as is known.
    finished: u64,
    /// How many messages had been sent before the first answer to the present input.
    before: u64,
}

impl Output {
    /// Takes account of what happened before this message was sent.
    fn go_to(&mut self, number: u64) {
        while let Some((at, mark)) = self.marks.front().copied()
            && at < number
        {
            self.marks.pop_front();
            self.before = at;
            if let Mark::Finished(count) = mark {
                self.finished = count;
            }
        }
    }
}

#[derive(Copy, Clone)]
enum Mark {
    /// So many inputs are finished.
    Finished(u64),
    /// The process began anew, and answers the present input again.
    Again,
}

impl Origins {
    /// Adds a port; returns its number. `sends` counts what the process has sent there; it must count a message before
    /// the process goes on.
    pub fn output(&mut self, sends: impl Fn() -> u64 + Send + Sync + 'static) -> usize {
        self.sends.push(Box::new(sends));
        self.lock().outputs.push(Output::default());
        self.sends.len() - 1
    }

    /// So many inputs are finished. Called while the process is in none of its calls of this part.
    pub fn finished(&self, count: u64) {
        self.mark(Mark::Finished(count));
    }

    /// The process begins anew: what it has not finished, it gets again.
    pub fn again(&self) {
        self.mark(Mark::Again);
    }

    fn mark(&self, mark: Mark) {
        let sent: Vec<u64> = self.sends.iter().map(|sends| sends()).collect();
        let mut state = self.lock();
        for (output, sent) in state.outputs.iter_mut().zip(sent) {
            // Of inputs without an answer only the last one matters.
            match (output.marks.back_mut(), mark) {
                (Some((at, last)), Mark::Finished(_)) if *at == sent => *last = mark,
                (Some((at, _)), Mark::Again) if *at == sent => {}
                _ => output.marks.push_back((sent, mark)),
            }
        }
    }

    /// This input is about to be offered to the process.
    pub(crate) fn offered(&self, port: &str, stamp: Stamp) {
        let mut state = self.lock();
        state.offered.push_back((port.to_owned(), stamp));
        // What was finished before the next message of each port has no answers that will be asked about.
        let needed = state.outputs.iter_mut().map(|output| {
            output.go_to(output.asked + 1);
            output.finished
        });
        let needed = needed.min().unwrap_or(u64::MAX);
        while state.passed < needed && state.offered.len() > 1 {
            state.offered.pop_front();
            state.passed += 1;
        }
    }

    /// The identifier of a port's message with this number; each number is asked for once, in order.
    pub(crate) fn id(&self, output: usize, number: u64) -> Option<String> {
        let mut state = self.lock();
        let State {
            offered,
            passed,
            outputs,
        } = &mut *state;
        let output = outputs.get_mut(output)?;
        output.go_to(number);
        output.asked = number;
        let index = usize::try_from(output.finished.checked_sub(*passed)?).ok()?;
        let (port, stamp) = offered.get(index)?;
        Some(format!("{port} {stamp} {}", number - output.before))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Origins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Origins")
            .field("outputs", &self.sends.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    struct Process {
        origins: Origins,
        sent: [Arc<AtomicU64>; 2],
        received: u64,
    }

    impl Process {
        fn new() -> Self {
            let mut origins = Origins::default();
            let sent = [(); 2].map(|()| Arc::new(AtomicU64::new(0)));
            for sent in &sent {
                let sent = sent.clone();
                origins.output(move || sent.load(Ordering::Relaxed));
            }
            Self {
                origins,
                sent,
                received: 0,
            }
        }

        fn receive(&mut self, number: u64) {
            if self.received > 0 {
                self.origins.finished(self.received);
            }
            self.received += 1;
            self.origins.offered("a.out", Stamp::new(1, number));
        }

        fn send(&self, port: usize) -> u64 {
            self.sent[port].fetch_add(1, Ordering::Relaxed) + 1
        }

        fn id(&self, port: usize, number: u64) -> String {
            self.origins.id(port, number).expect("it is known")
        }
    }

    #[test]
    fn answers_are_known_by_their_inputs() {
        let mut process = Process::new();
        process.receive(5);
        assert_eq!((process.send(0), process.send(0)), (1, 2));
        process.receive(6);
        process.receive(7);
        // The outlet asks as late as it likes.
        assert_eq!(process.send(0), 3);
        let ids: Vec<_> = (1..=3).map(|number| process.id(0, number)).collect();
        assert_eq!(ids, ["a.out 1 5 1", "a.out 1 5 2", "a.out 1 7 1"]);
        process.receive(8);
        assert_eq!(process.send(1), 1);
        assert_eq!(process.id(1, 1), "a.out 1 8 1");
    }

    #[test]
    fn a_process_that_begins_anew_gives_the_same_answers() {
        let mut process = Process::new();
        process.receive(1);
        process.send(0);
        process.receive(2);
        process.send(0);
        process.origins.again();
        process.send(0);
        process.send(0);
        let ids: Vec<_> = (1..=4).map(|number| process.id(0, number)).collect();
        assert_eq!(
            ids,
            ["a.out 1 1 1", "a.out 1 2 1", "a.out 1 2 1", "a.out 1 2 2"]
        );
    }

    #[test]
    fn what_nobody_can_ask_about_is_forgotten() {
        let mut process = Process::new();
        for number in 1..=10_000 {
            process.receive(number);
            let sent = process.send(0);
            process.id(0, sent);
            // The other port answers every hundredth.
            if number % 100 == 0 {
                let sent = process.send(1);
                assert_eq!(process.id(1, sent), format!("a.out 1 {number} 1"));
            }
        }
        let state = process.origins.lock();
        assert!(state.offered.len() <= 3, "{}", state.offered.len());
        let marks = state.outputs.iter().map(|output| output.marks.len());
        assert!(marks.max() <= Some(2));
    }
}
