//! The operations that wait on one side of a channel, first in, first out.
//!
//! An entry lives in a node of a vector: entering allocates only while that grows, and an entry
//! that was settled leaves without being moved. It is linked into the queue while it waits.
//! Whoever serves it claims it (which unlinks it) and settles it: writes the outcome into it
//! and takes its waker. The owner then removes it, and finds the outcome inside. An owner that
//! gives up removes its entry wherever it stands. Only the owner removes entries, so a key
//! never goes stale.
//!
//! An entry of an alternation that another channel has claimed is dead: it is unlinked
//! when met, and counts for nothing. Everything here happens under the channel's lock.

use std::mem;
use std::task::Waker;

use super::claim::Claim;
use super::ends::EndKey;
use crate::clock::coarse::Moment;
use crate::sync::Arc;

/// The number of an entry in its queue.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key(usize);

const NONE: usize = usize::MAX;

/// Who waits.
pub(crate) enum Waiter {
    Operation(Option<Waker>),
    Alternation { claim: Arc<Claim>, guard: usize },
}

impl Waiter {
    /// False once an alternation communicates, or has communicated, elsewhere.
    #[inline]
    fn is_live(&self) -> bool {
        match self {
            Waiter::Operation(_) => true,
            Waiter::Alternation { claim, .. } => claim.winner().is_none(),
        }
    }

    #[inline]
    fn claim(&self) -> bool {
        match self {
            Waiter::Operation(_) => true,
            Waiter::Alternation { claim, guard } => claim.win(*guard),
        }
    }

    #[inline]
    fn take_waker(&mut self) -> Option<Waker> {
        match self {
            Waiter::Operation(waker) => waker.take(),
            Waiter::Alternation { claim, .. } => claim.take_waker(),
        }
    }

    /// Takes the waker of an operation that leaves; an alternation keeps its own, for
    /// its other entries.
    pub(crate) fn forget_waker(&mut self) -> Option<Waker> {
        match self {
            Waiter::Operation(waker) => waker.take(),
            Waiter::Alternation { .. } => None,
        }
    }
}

/// Tells one wait from all others at its channel.
#[derive(Copy, Clone)]
pub(crate) struct Ticket {
    pub(crate) number: u64,
    pub(crate) since: Moment,
}

impl Ticket {
    #[inline]
    pub(crate) fn new(number: u64) -> Self {
        Ticket {
            number,
            since: Moment::now(),
        }
    }
}

/// One operation, or one guard of an alternation.
pub(crate) struct Entry<C> {
    pub(crate) waiter: Waiter,
    pub(crate) end: EndKey,
    pub(crate) ticket: Ticket,
    /// A deadline will end the wait.
    pub(crate) timed: bool,
    /// What is offered or wanted, and in the end the outcome.
    pub(crate) content: C,
}

impl<C> Entry<C> {
    /// Whether it is that of an operation whose waker was taken.
    fn is_spent(&self) -> bool {
        matches!(self.waiter, Waiter::Operation(None))
    }
}

struct Node<C> {
    /// None while the node is free.
    entry: Option<Entry<C>>,
    previous: usize,
    /// The node behind this one, in the queue or, while it is free, among the free ones.
    next: usize,
    linked: bool,
}

pub(crate) struct Queue<C> {
    nodes: Vec<Node<C>>,
    /// The first node that is free.
    free: usize,
    head: usize,
    tail: usize,
    linked: usize,
}

impl<C> Queue<C> {
    pub(crate) fn new() -> Self {
        Queue {
            nodes: Vec::new(),
            free: NONE,
            head: NONE,
            tail: NONE,
            linked: 0,
        }
    }

    /// How many entries wait, dead ones that nobody has met yet included.
    pub(crate) fn len(&self) -> usize {
        self.linked
    }

    /// Appends an entry.
    #[inline(always)]
    pub(crate) fn enter(&mut self, entry: Entry<C>) -> Key {
        if self.free == NONE {
            self.add_free();
        }
        let key = self.free;
        let previous = self.tail;
        let node = &mut self.nodes[key];
        self.free = node.next;
        let empty = node.entry.replace(entry);
        debug_assert!(empty.is_none(), "a free node is empty");
        mem::forget(empty);
        node.previous = previous;
        node.next = NONE;
        node.linked = true;
        match previous {
            NONE => self.head = key,
            previous => self.nodes[previous].next = key,
        }
        self.tail = key;
        self.linked += 1;
        Key(key)
    }

    #[cold]
    fn add_free(&mut self) {
        let key = self.nodes.len();
        if key == 0 {
            // At most queues only one ever waits, and places for four would be wasted.
            self.nodes.reserve_exact(1);
        }
        self.nodes.push(Node {
            entry: None,
            previous: NONE,
            next: self.free,
            linked: false,
        });
        self.free = key;
    }

    /// Takes an entry out, whether it still waits or not.
    pub(crate) fn remove(&mut self, key: Key) -> Entry<C> {
        if self.nodes[key.0].linked {
            self.unlink(key);
        }
        let entry = self.node(key).entry.take();
        self.release(key);
        entry.expect(OWNED)
    }

    /// Takes the entry of an operation out that has been settled, when its outcome is known or
    /// has been taken. Nothing in it needs to be dropped.
    #[inline]
    pub(crate) fn discard(&mut self, key: Key) {
        let node = self.node(key);
        debug_assert!(!node.linked, "settled before it is discarded");
        let spent = node.entry.take();
        debug_assert!(
            spent.as_ref().is_some_and(Entry::is_spent),
            "who settles takes the waker"
        );
        mem::forget(spent);
        self.release(key);
    }

    fn release(&mut self, key: Key) {
        let free = self.free;
        self.node(key).next = free;
        self.free = key.0;
    }

    /// The first entry that can still be served.
    #[inline]
    pub(crate) fn first_live(&mut self) -> Option<Key> {
        while self.head != NONE {
            let key = Key(self.head);
            if self.entry(key).waiter.is_live() {
                return Some(key);
            }
            self.unlink(key);
        }
        None
    }

    /// Takes an entry out of the queue in order to settle it. False if an alternation
    /// was won elsewhere in this moment.
    #[must_use]
    #[inline]
    pub(crate) fn claim(&mut self, key: Key) -> bool {
        self.unlink(key);
        self.entry(key).waiter.claim()
    }

    /// Claims the first entry that can still be served.
    #[inline(always)]
    pub(crate) fn claim_first(&mut self) -> Option<Key> {
        while self.head != NONE {
            let key = Key(self.head);
            // One that is dead cannot be claimed either.
            if self.claim(key) {
                return Some(key);
            }
        }
        None
    }

    /// Writes the outcome into a claimed entry; returns what was in it, and its waker.
    #[inline]
    pub(crate) fn settle(&mut self, key: Key, outcome: C) -> (C, Option<Waker>) {
        debug_assert!(!self.nodes[key.0].linked, "claimed before settled");
        let entry = self.entry_mut(key);
        let waker = entry.waiter.take_waker();
        (mem::replace(&mut entry.content, outcome), waker)
    }

    #[inline]
    pub(crate) fn entry(&self, key: Key) -> &Entry<C> {
        self.nodes[key.0].entry.as_ref().expect(OWNED)
    }

    #[inline]
    pub(crate) fn entry_mut(&mut self, key: Key) -> &mut Entry<C> {
        self.node(key).entry.as_mut().expect(OWNED)
    }

    fn node(&mut self, key: Key) -> &mut Node<C> {
        &mut self.nodes[key.0]
    }

    /// The entries that can still be served, in order.
    pub(crate) fn live(&self) -> impl Iterator<Item = &Entry<C>> {
        std::iter::successors(self.nodes.get(self.head), |node| self.nodes.get(node.next))
            .filter_map(|node| node.entry.as_ref())
            .filter(|entry| entry.waiter.is_live())
    }

    #[inline]
    fn unlink(&mut self, key: Key) {
        let node = self.node(key);
        debug_assert!(node.linked, "unlinked once");
        let (previous, next) = (node.previous, node.next);
        node.linked = false;
        match previous {
            NONE => self.head = next,
            previous => self.nodes[previous].next = next,
        }
        match next {
            NONE => self.tail = previous,
            next => self.nodes[next].previous = previous,
        }
        self.linked -= 1;
    }
}

/// Why a key has an entry.
const OWNED: &str = "only its owner removes an entry";
