//! Which ends of channels a process takes at its ports: one each, none or one, or one for each place of an array.

use std::collections::{BTreeMap, BTreeSet};

use super::{Direction, Port, Signature};

/// The most ends at one array of ports.
pub const MOST_ENDS: u32 = 10_000;

/// How many ends a port takes.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Arity {
    /// One, which must be wired.
    #[default]
    One,
    /// One or none.
    Optional,
    /// Any number, as an array of ports: `inputs[0]`, `inputs[1]`, and so on.
    List,
    /// This many, as an array of ports.
    Array(u32),
}

impl Arity {
    /// Whether its ends have indices.
    #[must_use]
    pub fn is_array(self) -> bool {
        matches!(self, Arity::List | Arity::Array(_))
    }
}

/// Why a process has no end of a name.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndFault {
    /// It has no such port.
    NoPort,
    /// The port is an array, and its name has no index.
    NoIndex,
    /// The port is no array, and its name has an index.
    NoArray,
    /// The array has only so many ends.
    OutOfRange(u32),
}

/// The name of an end: of a port, and its place in an array of ports.
///
/// ```
/// use transputer_network::signature::split_index;
///
/// assert_eq!(split_index("inputs[3]"), ("inputs", Some(3)));
/// assert_eq!(split_index("input"), ("input", None));
/// // There is one way to write an index.
/// assert_eq!(split_index("inputs[03]"), ("inputs[03]", None));
/// ```
#[must_use]
pub fn split_index(end: &str) -> (&str, Option<u32>) {
    let split = || {
        let (name, index) = end.strip_suffix(']')?.rsplit_once('[')?;
        let canonical = index == "0" || !index.starts_with(['0', '+']);
        let index = index.parse().ok().filter(|_| canonical)?;
        Some((name, Some(index)))
    };
    split().unwrap_or((end, None))
}

impl Signature {
    /// The port that has an end of this name: `inputs[2]` is of the array of ports `inputs`.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn port_of_end(&self, end: &str) -> Result<&Port, EndFault> {
        let (name, index) = split_index(end);
        let port = self.port(name).ok_or(EndFault::NoPort)?;
        match (port.arity, index) {
            (Arity::One | Arity::Optional, None) => Ok(port),
            (Arity::One | Arity::Optional, Some(_)) => Err(EndFault::NoArray),
            (Arity::List | Arity::Array(_), None) => Err(EndFault::NoIndex),
            (Arity::List, Some(index)) if index < MOST_ENDS => Ok(port),
            (Arity::List, Some(_)) => Err(EndFault::OutOfRange(MOST_ENDS)),
            (Arity::Array(count), Some(index)) if index < count => Ok(port),
            (Arity::Array(count), Some(_)) => Err(EndFault::OutOfRange(count)),
        }
    }

    /// The names of the ends that a process must have in one direction, and that are not among those given; of an
    /// array of ports, the first.
    pub fn missing_ends<'g>(
        &self,
        direction: Direction,
        given: impl Iterator<Item = &'g str>,
    ) -> Vec<String> {
        let mut indices: BTreeMap<&str, BTreeSet<Option<u32>>> = BTreeMap::new();
        for end in given {
            let (name, index) = split_index(end);
            indices.entry(name).or_default().insert(index);
        }
        let none = BTreeSet::new();
        let missing = self.facing(direction).filter_map(|port| {
            let given = indices.get(port.name.as_str()).unwrap_or(&none);
            let first_without = |count: u32| {
                let index = (0..count).find(|index| !given.contains(&Some(*index)))?;
                Some(format!("{}[{index}]", port.name))
            };
            match port.arity {
                Arity::One => (!given.contains(&None)).then(|| port.name.clone()),
                Arity::Optional => None,
                Arity::List => first_without(given.last().copied().flatten()?),
                Arity::Array(count) => first_without(count),
            }
        });
        missing.collect()
    }
}
