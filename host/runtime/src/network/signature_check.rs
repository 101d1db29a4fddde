//! Whether ports and arguments given at run time fit a signature.
//!
//! What a network file wires is checked before anything runs; this is for processes that
//! are spawned by others, who may give anything: it takes a time linear in what they give, in steps,
//! and names only the first faults.

use std::collections::{HashMap, HashSet};

use minicbor::Decoder;
use minicbor::data::Type;

use crate::process::{Pace, Wiring};
use transputer_network::signature::{
    Argument, Arity, Direction, MOST_ENDS, Port, Signature, split_index,
};

/// Faults that an error names.
const NAMED: usize = 8;

/// Lists and maps in each other, in a value.
const DEEPEST: usize = 128;

/// Items of a value in one step.
const STEP: usize = 1_024;

/// The first faults, and how many there are.
#[derive(Default)]
struct Faults {
    named: Vec<String>,
    count: usize,
}

impl Faults {
    fn add(&mut self, fault: impl FnOnce() -> String) {
        if self.named.len() < NAMED {
            self.named.push(fault());
        }
        self.count += 1;
    }

    fn conclude(self, signature: &Signature) -> Result<(), String> {
        let more = match self.count - self.named.len() {
            0 if self.count == 0 => return Ok(()),
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        Err(format!(
            "does not fit process `{}`: {}{more}",
            signature.process,
            self.named.join("; ")
        ))
    }
}

/// Checks that every end that the signature asks for is given once, and no other.
pub(crate) fn check_ports(signature: &Signature, wiring: &Wiring) -> Result<(), String> {
    let inputs = wiring.inputs.iter().map(|(name, _)| name.as_str());
    let outputs = wiring.outputs.iter().map(|(name, _)| name.as_str());
    let ports = signature.ports.iter();
    let ports = ports.map(|port| (port.name.as_str(), port)).collect();
    let mut faults = Faults::default();
    side(signature, &ports, Direction::Input, inputs, &mut faults);
    side(signature, &ports, Direction::Output, outputs, &mut faults);
    faults.conclude(signature)
}

fn side<'a>(
    signature: &Signature,
    ports: &HashMap<&str, &Port>,
    direction: Direction,
    given: impl Iterator<Item = &'a str>,
    faults: &mut Faults,
) {
    let mut seen = HashSet::new();
    for end in given {
        let (name, index) = split_index(end);
        match ports.get(name) {
            Some(port) if port.direction != direction => {
                let declared = port.direction;
                faults.add(|| format!("port `{end}` is an {declared}, not an {direction}"));
            }
            Some(port) => match (port.arity, index) {
                (Arity::One | Arity::Optional, None) => {}
                (Arity::List, Some(index)) if index < MOST_ENDS => {}
                (Arity::Array(count), Some(index)) if index < count => {}
                (Arity::List | Arity::Array(_), None) => faults.add(|| {
                    format!(
                        "port `{end}` is an array, of which each end is given by itself: `{end}[0]`"
                    )
                }),
                (Arity::List, Some(_)) => {
                    faults.add(|| format!("port `{end}` is beyond {MOST_ENDS} ends"));
                }
                (Arity::Array(count), Some(_)) => {
                    faults.add(|| format!("port `{end}` is beyond its {count} ends"));
                }
                (Arity::One | Arity::Optional, Some(_)) => {
                    faults.add(|| format!("port `{name}` is no array, and has no `{end}`"));
                }
            },
            None => faults.add(|| format!("it has no port `{end}`")),
        }
        if !seen.insert(end) {
            faults.add(|| format!("port `{end}` is given twice"));
        }
    }
    for end in signature.missing_ends(direction, seen.into_iter()) {
        faults.add(|| format!("its {direction} port `{end}` is not given"));
    }
}

/// Checks that a CBOR map has every argument of the signature and no other. Whether the
/// values are of the right types is for the process to see.
pub(crate) async fn check_arguments(
    signature: &Signature,
    arguments: &[u8],
    pace: &mut Pace,
) -> Result<(), String> {
    let known: HashMap<&str, &Argument> = signature
        .arguments
        .iter()
        .map(|argument| (argument.name.as_str(), argument))
        .collect();
    let mut names = Names::new(arguments);
    let mut given = HashSet::new();
    let mut faults = Faults::default();
    loop {
        let name = names.next(pace).await.map_err(|fault| {
            format!(
                "the arguments of `{}` are not a CBOR map from names to values: {fault}",
                signature.process
            )
        })?;
        let Some(name) = name else { break };
        if !known.contains_key(name) {
            faults.add(|| format!("it has no argument `{name}`"));
            // With so many faults, who gave them cares little for the others.
            if faults.count > NAMED {
                return faults.conclude(signature);
            }
        } else if !given.insert(name) {
            faults.add(|| format!("its argument `{name}` is given twice"));
        }
    }
    for argument in &signature.arguments {
        if !given.contains(argument.name.as_str()) && !argument.ty.is_option() {
            faults.add(|| {
                format!(
                    "its argument `{}: {}` is missing",
                    argument.name, argument.ty
                )
            });
        }
    }
    faults.conclude(signature)
}

/// The names in a CBOR map, or in nothing.
struct Names<'a> {
    decoder: Decoder<'a>,
    size: usize,
    /// Pairs to come: nothing before the first; up to a break, if their number is not given.
    left: Option<Option<u64>>,
}

impl<'a> Names<'a> {
    fn new(arguments: &'a [u8]) -> Self {
        Self {
            decoder: Decoder::new(arguments),
            size: arguments.len(),
            left: None,
        }
    }

    /// The next name; its value is skipped.
    async fn next(&mut self, pace: &mut Pace) -> Result<Option<&'a str>, String> {
        let decoder = &mut self.decoder;
        if self.size == 0 {
            return Ok(None);
        }
        let left = match &mut self.left {
            Some(left) => left,
            None => self.left.insert(decoder.map().map_err(text)?),
        };
        let over = match left {
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
            None => take_break(decoder)?,
        };
        if !over {
            let name = decoder.str().map_err(text)?;
            skip(decoder, pace).await?;
            return Ok(Some(name));
        }
        if decoder.position() < self.size {
            return Err("something follows the map".to_owned());
        }
        Ok(None)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn text(error: minicbor::decode::Error) -> String {
    error.to_string()
}

/// Whether a break comes next, which is taken.
fn take_break(decoder: &mut Decoder<'_>) -> Result<bool, String> {
    let over = matches!(decoder.datatype().map_err(text)?, Type::Break);
    if over {
        decoder.set_position(decoder.position() + 1);
    }
    Ok(over)
}

/// Skips a value, in steps.
async fn skip(decoder: &mut Decoder<'_>, pace: &mut Pace) -> Result<(), String> {
    // Of each list or map that has begun, how many items are to come; `None` up to a break.
    let mut open: Vec<Option<u64>> = Vec::new();
    let mut items = 0_usize;
    loop {
        match open.last_mut() {
            Some(Some(0)) => {
                open.pop();
            }
            Some(None) if take_break(decoder)? => {
                open.pop();
            }
            inside => {
                if let Some(Some(left)) = inside {
                    *left -= 1;
                }
                open.extend(begin(decoder)?);
                if open.len() > DEEPEST {
                    return Err(format!("a value is nested more than {DEEPEST} deep"));
                }
            }
        }
        if open.is_empty() {
            return Ok(());
        }
        items += 1;
        if items.is_multiple_of(STEP) {
            pace.step().await;
        }
    }
}

/// Takes the beginning of a list, a map or a text in pieces, and tells how many items are in it; or
/// takes the whole of any other value.
fn begin(decoder: &mut Decoder<'_>) -> Result<Option<Option<u64>>, String> {
    let many = |items: Option<u64>, each: u64| match items.map(|items| items.checked_mul(each)) {
        Some(None) => Err("a map is longer than the arguments".to_owned()),
        Some(items) => Ok(Some(items)),
        None => Ok(Some(None)),
    };
    match decoder.datatype().map_err(text)? {
        Type::Array | Type::ArrayIndef => many(decoder.array().map_err(text)?, 1),
        Type::Map | Type::MapIndef => many(decoder.map().map_err(text)?, 2),
        Type::BytesIndef | Type::StringIndef => {
            decoder.set_position(decoder.position() + 1);
            Ok(Some(None))
        }
        Type::Tag => {
            decoder.tag().map_err(text)?;
            // What is tagged follows.
            Ok(Some(Some(1)))
        }
        Type::Break => Err("a break where a value is to come".to_owned()),
        _ => decoder.skip().map_err(text).map(|()| None),
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::task::{Context, Poll, Waker};

    use super::{STEP, check_arguments};
    use crate::process::{Pace, Turn};
    use transputer_network::signature::{Argument, PayloadType, Signature};

    fn signature() -> Signature {
        let mut signature = Signature::new("p");
        for (name, ty) in [("a", "list<u64>"), ("b", "option<u64>")] {
            let ty = PayloadType::parse(ty).expect("it is a type");
            signature.arguments.push(Argument::new(name, ty));
        }
        signature
    }

    fn check(arguments: &[u8]) -> Result<(), String> {
        let signature = signature();
        let mut pace = Pace::free();
        let mut checking = pin!(check_arguments(&signature, arguments, &mut pace));
        match checking
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(checked) => checked,
            Poll::Pending => panic!("it never waits there"),
        }
    }

    #[test]
    fn all_forms_of_values_are_skipped() {
        let values: [&[u8]; 9] = [
            &[0x80],
            &[0x82, 0x01, 0x81, 0x00],
            &[0x9f, 0x01, 0xa1, 0x61, b'x', 0xf6, 0xff],
            &[0xbf, 0x01, 0x80, 0xff],
            &[0x7f, 0x61, b'x', 0x60, 0xff],
            &[0x5f, 0xff],
            &[0xc1, 0xc1, 0x00],
            &[0xf9, 0x00, 0x00],
            &[0x43, 1, 2, 3],
        ];
        for value in values {
            let map = [&[0xa1, 0x61, b'a'], value].concat();
            assert_eq!(check(&map), Ok(()), "{value:?}");
            let endless = [&[0xbf, 0x61, b'b', 0xf6, 0x61, b'a'], value, &[0xff]].concat();
            assert_eq!(check(&endless), Ok(()), "{value:?}");
            for cut in 0..map.len() {
                assert!(check(&map[..cut]).is_err(), "{value:?} cut at {cut}");
            }
            let more = [&map[..], &[0]].concat();
            let refused = check(&more).expect_err("something follows");
            assert!(refused.contains("follows the map"), "{refused}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_but_not_without_end() {
        let refused = check(&[0xa1, 0x61, b'c', 0]).expect_err("there is no `c`");
        assert!(refused.contains("no argument `c`"), "{refused}");
        assert!(refused.contains("`a: list<u64>` is missing"), "{refused}");
        let twice = [0xa2, 0x61, b'a', 0, 0x61, b'a', 0];
        let refused = check(&twice).expect_err("it is there twice");
        assert!(refused.contains("`a` is given twice"), "{refused}");
        // A map of ten thousand unknown names, of which no more than the first are read.
        let mut many = vec![0xb9, 0x27, 0x10];
        many.extend([0x61, b'x', 0].repeat(9));
        let refused = check(&many).expect_err("it has none of these");
        assert!(refused.ends_with("and 1 more"), "{refused}");
        assert_eq!(refused.matches("`x`").count(), super::NAMED);
    }

    #[test]
    fn nothing_is_nested_without_end() {
        let deep = |levels: usize| {
            let mut map = vec![0xa1, 0x61, b'a'];
            map.extend(vec![0x81; levels]);
            map.push(0);
            check(&map)
        };
        assert_eq!(deep(super::DEEPEST), Ok(()));
        assert!(deep(super::DEEPEST + 1).is_err());
    }

    /// A tick passes at each look, so that each step ends a turn.
    #[test]
    fn a_long_value_is_checked_in_steps() {
        const STEPS: usize = 16;
        let ticks = Arc::new(AtomicU64::new(0));
        let mut pace = Pace::of(&Turn::new(&ticks), false);
        let mut arguments = vec![0xa1, 0x61, b'a', 0x9f];
        arguments.extend(vec![0; STEPS * STEP]);
        arguments.push(0xff);
        let signature = signature();
        let mut checking = pin!(check_arguments(&signature, &arguments, &mut pace));
        let mut yields = 0;
        let mut context = Context::from_waker(Waker::noop());
        ticks.fetch_add(1, Ordering::Relaxed);
        let checked = loop {
            match checking.as_mut().poll(&mut context) {
                Poll::Ready(checked) => break checked,
                Poll::Pending => yields += 1,
            }
        };
        assert_eq!(checked, Ok(()));
        assert!(yields >= STEPS, "{yields}");
    }
}
