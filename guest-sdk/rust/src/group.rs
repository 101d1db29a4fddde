//! Groups of numbered processes that do something together, in MPI's words.

use std::collections::VecDeque;
use std::fmt;

use crate::alternation::Alternation;
use crate::channel::{Receiver, Sender, channel};
use crate::error::{Error, Undecodable};
use crate::message::{Message, Reader, Type, Writer};

/// One process's place in a group of numbered processes, its **ranks**: they send to each other, and do something
/// all together.
///
/// In a network file, each rank has a port for what the others send to it, and an array of ports with one for
/// each of them:
///
/// ```toml
/// [arguments]
/// ranks = 4
/// steps = 1000000
///
/// [process.estimate]
/// component = "lib.rs:estimate"
/// count = "ranks"
/// index = "rank"
///
/// [[channel]]                       # what anybody sends to rank i
/// for = "i in 0..ranks"
/// from = "estimate[*].peers[i]"
/// to = "estimate[i].inbox"
/// capacity = 16
/// ```
///
/// ```
/// use transputer_guest::{Error, Group, Packet, Receiver, Sender};
///
/// /// Adds up its share of a sum that comes to pi.
/// #[transputer_guest::process]
/// fn estimate(
///     rank: u32,
///     steps: u32,
///     inbox: Receiver<Packet<f64>>,
///     peers: Vec<Sender<Packet<f64>>>,
///     pi: Option<Sender<f64>>,
/// ) -> Result<(), Error> {
///     let mut group = Group::new(rank, inbox, peers)?;
///     let mine = (group.rank()..steps).step_by(group.size() as usize);
///     let height = |step| 4.0 / (1.0 + ((f64::from(step) + 0.5) / f64::from(steps)).powi(2));
///     let sum = group.reduce(mine.map(height).sum::<f64>(), |a, b| a + b, 0)?;
///     if let (Some(sum), Some(pi)) = (sum, pi) {
///         pi.send(sum / f64::from(steps))?;
///     }
///     Ok(())
/// }
/// # fn main() {}
/// ```
///
/// A process that spawns its ranks itself opens their channels with [`open`](Group::open).
///
/// What arrives before it is asked for is kept by the rank, in its own memory. As in an MPI library, a rank that waits to send
/// takes in what arrives meanwhile, so two that both send before they receive do not wait for each other. A rank
/// that fails poisons the group, and the others with it.
pub struct Group<T> {
    rank: u32,
    inbox: Receiver<Packet<T>>,
    /// By rank; its own is not needed.
    peers: Vec<Option<Sender<Packet<T>>>>,
    /// What has arrived and was not asked for.
    kept: VecDeque<Packet<T>>,
    /// How many operations of all ranks together there have been.
    operations: u64,
}

/// What ranks of a [`Group`] send to each other.
#[derive(Debug)]
pub struct Packet<T> {
    source: u32,
    /// What its sender gave, or which operation of all ranks it is part of.
    tag: u64,
    /// Nothing, where only that it arrives matters.
    value: Option<T>,
}

/// Why ranks cannot go on.
///
/// It converts to [`Error`], for `?` in a process.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum GroupError {
    /// There is no such rank in the group.
    NoRank {
        /// What was asked for.
        rank: u32,
        /// How many ranks there are, counted from 0.
        size: u32,
    },
    /// The rank that was to take or to send a message has ended; `None` if any could have sent it.
    Gone(Option<u32>),
    /// There must be a value for each rank.
    Values {
        /// How many ranks there are.
        expected: u32,
        /// How many values there are.
        found: usize,
    },
    /// A channel does not work.
    Channel(Error),
}

/// The tags of operations of all ranks begin here; those of messages are below.
const TOGETHER: u64 = 1 << 32;

/// The ends that make a rank: for a process that is to be spawned.
#[derive(Debug)]
pub struct Rank<T> {
    /// Its number.
    pub rank: u32,
    /// Where it receives.
    pub inbox: Receiver<Packet<T>>,
    /// Where it sends, by rank.
    pub peers: Vec<Sender<Packet<T>>>,
}

impl<T: Message> Group<T> {
    /// The place of this rank. `peers` has a sender to the inbox of each rank, its own included.
    ///
    /// # Errors
    ///
    /// [`GroupError::NoRank`] if there are not so many peers.
    pub fn new(
        rank: u32,
        inbox: Receiver<Packet<T>>,
        peers: Vec<Sender<Packet<T>>>,
    ) -> Result<Self, GroupError> {
        // With its own sender it would never notice that all others are gone.
        let others = peers.into_iter().enumerate();
        let group = Group {
            rank,
            inbox,
            peers: others
                .map(|(index, peer)| (index != rank as usize).then_some(peer))
                .collect(),
            kept: VecDeque::new(),
            operations: 0,
        };
        group.check(rank)?;
        Ok(group)
    }

    /// Opens the channels of a group, in each of which `capacity` messages can wait.
    ///
    /// ```no_run
    /// use transputer_guest::{Error, Group, spawn};
    ///
    /// # fn process() -> Result<(), Error> {
    /// for rank in Group::<f64>::open(4, 16)? {
    ///     spawn("estimate")
    ///         .argument("rank", rank.rank)
    ///         .input("inbox", rank.inbox)
    ///         .outputs("peers", rank.peers)
    ///         .start()?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`channel`].
    pub fn open(size: u32, capacity: u32) -> Result<Vec<Rank<T>>, Error> {
        let channels = (0..size).map(|_| channel(capacity));
        let (senders, inboxes): (Vec<Sender<_>>, Vec<_>) =
            channels.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
        let ranks = inboxes.into_iter().zip(0..).map(|(inbox, rank)| Rank {
            rank,
            inbox,
            peers: senders.clone(),
        });
        Ok(ranks.collect())
    }

    /// Its number, from 0.
    pub fn rank(&self) -> u32 {
        self.rank
    }

    /// How many ranks there are.
    pub fn size(&self) -> u32 {
        self.peers.len() as u32
    }

    /// Sends a value to one rank. A tag says what it is about; of messages of one rank with one tag the order is kept.
    ///
    /// # Errors
    ///
    /// [`GroupError`].
    pub fn send(&mut self, value: T, to: u32, tag: u32) -> Result<(), GroupError> {
        self.check(to)?;
        let packet = self.packet(tag.into(), Some(value));
        match to == self.rank {
            true => self.kept.push_back(packet),
            false => self.send_packet(&packet, to)?,
        }
        Ok(())
    }

    /// Waits for a value of one rank, with this tag.
    ///
    /// # Errors
    ///
    /// [`GroupError`].
    pub fn receive(&mut self, from: u32, tag: u32) -> Result<T, GroupError> {
        self.check(from)?;
        self.take(Some(from), tag.into()).map(|(_, value)| value)
    }

    /// Waits for a value of whichever rank sends one with this tag first, and says which that was.
    ///
    /// # Errors
    ///
    /// [`GroupError`].
    pub fn receive_any(&mut self, tag: u32) -> Result<(u32, T), GroupError> {
        self.take(None, tag.into())
    }

    /// Sends to one rank and receives from one, as in a ring.
    ///
    /// # Errors
    ///
    /// [`GroupError`].
    pub fn send_receive(
        &mut self,
        value: T,
        to: u32,
        from: u32,
        tag: u32,
    ) -> Result<T, GroupError> {
        self.send(value, to, tag)?;
        self.receive(from, tag)
    }

    /// Waits until every rank has come here. Like all that follow, it is called by every rank, in the same order.
    ///
    /// # Errors
    ///
    /// [`GroupError`].
    pub fn barrier(&mut self) -> Result<(), GroupError> {
        let tag = self.next_operation();
        let (rank, size) = (self.rank, self.size());
        let mut distance = 1;
        while distance < size {
            let packet = self.packet(tag, None);
            self.send_packet(&packet, (rank + distance) % size)?;
            self.take_packet(Some((rank + size - distance) % size), tag)?;
            distance *= 2;
        }
        Ok(())
    }

    /// Gives every rank the value of `root`, which is `Some` there and `None` elsewhere.
    ///
    /// # Errors
    ///
    /// [`GroupError`].
    pub fn broadcast(&mut self, value: Option<T>, root: u32) -> Result<T, GroupError> {
        self.check(root)?;
        let tag = self.next_operation();
        let size = self.size();
        // A tree, in which the place of a rank is its distance from the root.
        let place = (self.rank + size - root) % size;
        let mut packet = match place {
            0 => self.packet(tag, value),
            _ => {
                let above = place & (place - 1);
                let value = self.take(Some((root + above) % size), tag)?.1;
                self.packet(tag, Some(value))
            }
        };
        if packet.value.is_none() {
            return Err(GroupError::Values {
                expected: 1,
                found: 0,
            });
        }
        let mut distance = match place {
            0 => size.next_power_of_two(),
            _ => 1 << place.trailing_zeros(),
        };
        while distance > 1 {
            distance /= 2;
            if place + distance < size {
                self.send_packet(&packet, (root + place + distance) % size)?;
            }
        }
        packet.value.take().ok_or(GroupError::Gone(Some(root)))
    }

    /// Gives every rank the item of `root`'s list that has its number. The list is looked at only there.
    ///
    /// # Errors
    ///
    /// [`GroupError`].
    pub fn scatter(&mut self, values: Vec<T>, root: u32) -> Result<T, GroupError> {
        self.check(root)?;
        let tag = self.next_operation();
        if self.rank != root {
            return self.take(Some(root), tag).map(|(_, value)| value);
        }
        let (expected, found) = (self.size(), values.len());
        let mut own = None;
        if found != expected as usize {
            return Err(GroupError::Values { expected, found });
        }
        for (value, rank) in values.into_iter().zip(0..) {
            match rank == root {
                true => own = Some(value),
                false => {
                    let packet = self.packet(tag, Some(value));
                    self.send_packet(&packet, rank)?;
                }
            }
        }
        own.ok_or(GroupError::Values { expected, found })
    }

    /// For `root`, what each rank gave, by number; `None` for the others.
    ///
    /// # Errors
    ///
    /// [`GroupError`].
    pub fn gather(&mut self, value: T, root: u32) -> Result<Option<Vec<T>>, GroupError> {
        self.check(root)?;
        let tag = self.next_operation();
        if self.rank != root {
            let packet = self.packet(tag, Some(value));
            self.send_packet(&packet, root)?;
            return Ok(None);
        }
        self.collect(value, tag).map(Some)
    }

    /// What each rank gave, by number, for every rank.
    ///
    /// # Errors
    ///
    /// [`GroupError`].
    pub fn all_gather(&mut self, value: T) -> Result<Vec<T>, GroupError> {
        let tag = self.next_operation();
        let mut packet = self.packet(tag, Some(value));
        for distance in 1..self.size() {
            self.send_packet(&packet, (self.rank + distance) % self.size())?;
        }
        let value = packet.value.take().ok_or(GroupError::Gone(None))?;
        self.collect(value, tag)
    }

    /// For `root`, what `combine` makes of the values of all ranks; `None` for the others. The ranks keep their order,
    /// and which pairs are combined first depends on nothing but their number, so that sums of floats are the same each time.
    ///
    /// # Errors
    ///
    /// [`GroupError`].
    pub fn reduce(
        &mut self,
        value: T,
        combine: impl Fn(T, T) -> T,
        root: u32,
    ) -> Result<Option<T>, GroupError> {
        self.check(root)?;
        let tag = self.next_operation();
        let (rank, size) = (self.rank, self.size());
        let mut result = Some(value);
        let mut distance = 1;
        while distance < size
            && let Some(value) = result.take()
        {
            if rank & distance != 0 {
                let packet = self.packet(tag, Some(value));
                self.send_packet(&packet, rank - distance)?;
                break;
            }
            result = Some(match rank + distance < size {
                true => combine(value, self.take(Some(rank + distance), tag)?.1),
                false => value,
            });
            distance *= 2;
        }
        // Now rank 0 has it.
        match (result, root) {
            (result, 0) => Ok(result),
            (Some(value), _) => {
                let packet = self.packet(tag, Some(value));
                self.send_packet(&packet, root)?;
                Ok(None)
            }
            (None, _) if rank == root => self.take(Some(0), tag).map(|(_, value)| Some(value)),
            (None, _) => Ok(None),
        }
    }

    /// What `combine` makes of the values of all ranks, for every rank.
    ///
    /// # Errors
    ///
    /// [`GroupError`].
    pub fn all_reduce(&mut self, value: T, combine: impl Fn(T, T) -> T) -> Result<T, GroupError> {
        let reduced = self.reduce(value, combine, 0)?;
        self.broadcast(reduced, 0)
    }
}

/// How packets travel.
impl<T: Message> Group<T> {
    fn check(&self, rank: u32) -> Result<(), GroupError> {
        let size = self.size();
        match rank < size {
            true => Ok(()),
            false => Err(GroupError::NoRank { rank, size }),
        }
    }

    fn next_operation(&mut self) -> u64 {
        self.operations += 1;
        TOGETHER + self.operations
    }

    fn packet(&self, tag: u64, value: Option<T>) -> Packet<T> {
        Packet {
            source: self.rank,
            tag,
            value,
        }
    }

    /// A value of each rank, by number, of which this one's is known.
    fn collect(&mut self, own: T, tag: u64) -> Result<Vec<T>, GroupError> {
        let mut own = Some(own);
        let values = (0..self.size()).map(|rank| match own.take_if(|_| rank == self.rank) {
            Some(own) => Ok(own),
            None => self.take(Some(rank), tag).map(|(_, value)| value),
        });
        values.collect()
    }

    /// Sends to another rank, and takes in what arrives until that is done.
    fn send_packet(&mut self, packet: &Packet<T>, to: u32) -> Result<(), GroupError> {
        let gone = |error| match error {
            Error::Closed => GroupError::Gone(Some(to)),
            error => GroupError::Channel(error),
        };
        let Some(Some(peer)) = self.peers.get(to as usize) else {
            return Err(GroupError::Gone(Some(to)));
        };
        let mut may_receive = true;
        loop {
            let mut alternation = Alternation::priority();
            let sending = alternation.send(peer, packet);
            let receiving = may_receive.then(|| alternation.receive(&self.inbox));
            let mut chosen = alternation.wait()?;
            if let Some(sent) = chosen.sent(&sending) {
                return sent.map_err(gone);
            }
            match receiving.and_then(|receiving| chosen.received(&receiving)) {
                Some(Ok(packet)) => self.kept.push_back(packet),
                Some(Err(Error::Closed)) => may_receive = false,
                Some(Err(error)) => return Err(error.into()),
                None => {}
            }
        }
    }

    /// Takes a value of this rank, or of any, with this tag.
    fn take(&mut self, from: Option<u32>, tag: u64) -> Result<(u32, T), GroupError> {
        let packet = self.take_packet(from, tag)?;
        match packet.value {
            Some(value) => Ok((packet.source, value)),
            None => Err(GroupError::Values {
                expected: 1,
                found: 0,
            }),
        }
    }

    fn take_packet(&mut self, from: Option<u32>, tag: u64) -> Result<Packet<T>, GroupError> {
        let fits = |packet: &Packet<T>| {
            packet.tag == tag && from.is_none_or(|source| source == packet.source)
        };
        if let Some(place) = self.kept.iter().position(fits)
            && let Some(packet) = self.kept.remove(place)
        {
            return Ok(packet);
        }
        loop {
            match self.inbox.receive() {
                Ok(packet) if fits(&packet) => return Ok(packet),
                Ok(packet) => self.kept.push_back(packet),
                Err(Error::Closed) => return Err(GroupError::Gone(from)),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl<T: Message> Message for Packet<T> {
    const TYPE: &'static Type = <(u32, u64, Option<T>)>::TYPE;

    fn write(&self, writer: &mut Writer) {
        writer.array(3);
        self.source.write(writer);
        self.tag.write(writer);
        self.value.write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        let (source, tag, value) = Message::read(reader)?;
        Ok(Packet { source, tag, value })
    }
}

impl<T> fmt::Debug for Group<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rank {} of {}", self.rank, self.peers.len())
    }
}

impl fmt::Display for GroupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GroupError::NoRank { rank, size } => {
                write!(
                    f,
                    "there is no rank {rank} in a group of {size}, counted from 0"
                )
            }
            GroupError::Gone(Some(rank)) => {
                write!(f, "rank {rank} has ended, and this one needs it")
            }
            GroupError::Gone(None) => f.write_str("all other ranks have ended"),
            GroupError::Values { expected, found } => {
                write!(
                    f,
                    "expected {expected} values, one for each rank, found {found}"
                )
            }
            GroupError::Channel(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for GroupError {}

impl From<Error> for GroupError {
    fn from(error: Error) -> Self {
        GroupError::Channel(error)
    }
}

impl From<GroupError> for Error {
    fn from(error: GroupError) -> Self {
        match error {
            GroupError::Channel(error) => error,
            error => Error::Failed(error.to_string()),
        }
    }
}
