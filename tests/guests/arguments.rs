//! Arguments of every kind.

use transputer_guest::{Bytes, Error, Message, Sender};

/// A place.
#[derive(Message, Debug)]
struct Point {
    x: f64,
    y: f64,
}

/// Sends its arguments as text.
#[transputer_guest::process]
fn arguments(
    flag: bool,
    small: i8,
    letter: char,
    text: String,
    raw: Bytes,
    list: Vec<u16>,
    pair: (u8, String),
    place: Point,
    absent: Option<u64>,
    out: Sender<String>,
) -> Result<(), Error> {
    out.send(format!(
        "{flag} {small} {letter} {text} {raw:?} {list:?} {pair:?} {place:?} {absent:?}"
    ))
}
