//! Whether a message is of a type: what a process of the Rust SDK would decode, and nothing else.

use std::fmt;

use minicbor::Decoder;
use minicbor::data::Type;

use crate::signature::{Case, Field, PayloadType, Shape};

/// What is wrong with a message that is not of a type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected `{expected}`{}, found {found}", place(.path))]
#[non_exhaustive]
pub struct Misfit {
    /// Where in the message: names of fields and cases, and indices, from outside to inside. Empty for all of it.
    pub path: String,
    /// The type that is expected there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

fn place(path: &str) -> String {
    match path.is_empty() {
        true => String::new(),
        false => format!(" at `{path}`"),
    }
}

/// Checks that a message is of a type, before it is sent to a process that would fail on it. Fields that a record does not
/// have are allowed, as they are in the process; of `list<u8>` every message is.
///
/// ```
/// use transputer_network::signature::PayloadType;
/// use transputer_network::value::fits;
///
/// let ty = PayloadType::parse("record { id: u64, tags: list<string> }")?;
/// let misfit = fits(&ty, &[0x05]).unwrap_err();
/// assert_eq!(
///     misfit.to_string(),
///     "expected `record { id: u64, tags: list<string> }`, found the integer 5"
/// );
/// # Ok::<(), transputer_network::signature::TypeError>(())
/// ```
///
/// # Errors
///
/// [`Misfit`], with the first place where it is not.
pub fn fits(ty: &PayloadType, message: &[u8]) -> Result<(), Misfit> {
    if ty.is_bytes() {
        return Ok(());
    }
    let mut check = Check {
        decoder: Decoder::new(message),
        path: Vec::new(),
    };
    check.value(ty.shape())?;
    match message.len() - check.decoder.position() {
        0 => Ok(()),
        rest => Err(check.misfit_of(ty.shape(), format!("{rest} bytes after its end"))),
    }
}

/// A step from a value into it.
enum Step<'s> {
    Name(&'s str),
    Index(u64),
}

struct Check<'m, 's> {
    decoder: Decoder<'m>,
    path: Vec<Step<'s>>,
}

impl<'s> Check<'_, 's> {
    fn value(&mut self, shape: &'s Shape) -> Result<(), Misfit> {
        let at = self.decoder.position();
        let right = match shape {
            Shape::Bool => self.decoder.bool().is_ok(),
            Shape::Integer { signed, bits } => self.integer(*signed, *bits),
            Shape::F32 | Shape::F64 => self.float(),
            Shape::Char => self.char(),
            Shape::String => self.text().is_some(),
            Shape::List(item) if **item == Shape::BYTE && self.at_bytes() => {
                self.decoder.skip().is_ok()
            }
            Shape::List(item) => return self.items(shape, None, |_| Some(&**item)),
            Shape::Tuple(items) => {
                let length = items.len() as u64;
                let at = |index: u64| items.get(usize::try_from(index).ok()?);
                return self.items(shape, Some(length), at);
            }
            Shape::Option(inner) => match self.kind() {
                Some(Type::Null | Type::Undefined) => self.decoder.skip().is_ok(),
                _ => return self.value(inner),
            },
            Shape::Record(fields) => return self.record(shape, fields),
            Shape::Enum(names) => {
                let name = self.text();
                name.is_some_and(|name| names.contains(&name))
            }
            Shape::Variant(cases) => return self.variant(shape, cases),
            Shape::Result(ok, err) => return self.result(shape, ok.as_deref(), err.as_deref()),
            Shape::Sender(_) | Shape::Receiver(_) | Shape::Barrier => {
                let found = "a value, which holds no ends of channels: use `send_with_ends`";
                return Err(self.misfit_of(shape, found.to_owned()));
            }
        };
        match right {
            true => Ok(()),
            false => Err(self.misfit(shape, at)),
        }
    }

    fn kind(&self) -> Option<Type> {
        self.decoder.datatype().ok()
    }

    fn at_bytes(&self) -> bool {
        matches!(self.kind(), Some(Type::Bytes | Type::BytesIndef))
    }

    fn integer(&mut self, signed: bool, bits: u32) -> bool {
        let Ok(number) = self.decoder.int().map(i128::from) else {
            return false;
        };
        match signed {
            true => (-(1_i128 << (bits - 1))..1 << (bits - 1)).contains(&number),
            false => (0..1_i128 << bits).contains(&number),
        }
    }

    fn float(&mut self) -> bool {
        match self.kind() {
            Some(Type::F16 | Type::F32 | Type::F64) => self.decoder.skip().is_ok(),
            _ => self.decoder.int().is_ok(),
        }
    }

    fn char(&mut self) -> bool {
        if matches!(self.kind(), Some(Type::String | Type::StringIndef)) {
            return self.text().is_some_and(|text| text.chars().count() == 1);
        }
        let number = self.decoder.u32().ok();
        number.and_then(char::from_u32).is_some()
    }

    fn text(&mut self) -> Option<String> {
        match self.kind()? {
            Type::String => self.decoder.str().ok().map(str::to_owned),
            Type::StringIndef => self.decoder.str_iter().ok()?.collect::<Result<_, _>>().ok(),
            _ => None,
        }
    }

    /// Whether one more item follows, of those that have begun; the mark at the end of a list without a length is
    /// taken.
    fn another(&mut self, length: Option<u64>, seen: u64) -> bool {
        match length {
            Some(length) => seen < length,
            None if self.kind() == Some(Type::Break) => {
                self.decoder.set_position(self.decoder.position() + 1);
                false
            }
            None => true,
        }
    }

    fn items(
        &mut self,
        shape: &'s Shape,
        wanted: Option<u64>,
        item: impl Fn(u64) -> Option<&'s Shape>,
    ) -> Result<(), Misfit> {
        let at = self.decoder.position();
        let Ok(length) = self.decoder.array() else {
            return Err(self.misfit(shape, at));
        };
        let mut seen = 0;
        while self.another(length, seen) {
            let Some(inner) = item(seen) else {
                return Err(self.misfit_of(shape, format!("more than {seen} items")));
            };
            self.within(Step::Index(seen), inner)?;
            seen += 1;
        }
        match wanted.is_none_or(|wanted| wanted == seen) {
            true => Ok(()),
            false => Err(self.misfit_of(shape, format!("{seen} items"))),
        }
    }

    fn within(&mut self, step: Step<'s>, shape: &'s Shape) -> Result<(), Misfit> {
        self.path.push(step);
        self.value(shape)?;
        self.path.pop();
        Ok(())
    }

    fn record(&mut self, shape: &'s Shape, fields: &'s [Field]) -> Result<(), Misfit> {
        let at = self.decoder.position();
        let Ok(length) = self.decoder.map() else {
            return Err(self.misfit(shape, at));
        };
        let mut there = vec![false; fields.len()];
        let mut seen = 0;
        while self.another(length, seen) {
            let at = self.decoder.position();
            let Some(name) = self.text() else {
                return Err(self.misfit(shape, at));
            };
            match fields.iter().position(|field| field.name == name) {
                Some(index) if there[index] => {
                    return Err(self.misfit_of(shape, format!("the field `{name}` twice")));
                }
                Some(index) => {
                    there[index] = true;
                    self.within(Step::Name(&fields[index].name), &fields[index].shape)?;
                }
                None if self.decoder.skip().is_ok() => {}
                None => return Err(self.misfit_of(shape, "something that is not CBOR".to_owned())),
            }
            seen += 1;
        }
        let mut missing = fields
            .iter()
            .zip(there)
            .filter(|(field, there)| !there && !matches!(field.shape, Shape::Option(_)));
        match missing.next() {
            None => Ok(()),
            Some((field, _)) => Err(self.misfit_of(shape, format!("no field `{}`", field.name))),
        }
    }

    fn variant(&mut self, shape: &'s Shape, cases: &'s [Case]) -> Result<(), Misfit> {
        let payload = |name: &str| {
            let case = cases.iter().find(|case| case.name == name)?;
            Some((case.name.as_str(), case.shape.as_ref()))
        };
        self.case(shape, payload)
    }

    fn result(
        &mut self,
        shape: &'s Shape,
        ok: Option<&'s Shape>,
        err: Option<&'s Shape>,
    ) -> Result<(), Misfit> {
        // The SDKs write and read a side without a value as an empty tuple.
        const NOTHING: &Shape = &Shape::Tuple(Vec::new());
        let payload = |name: &str| match name {
            "Ok" | "ok" => Some(("ok", Some(ok.unwrap_or(NOTHING)))),
            "Err" | "err" => Some(("err", Some(err.unwrap_or(NOTHING)))),
            _ => None,
        };
        self.case(shape, payload)
    }

    fn case(
        &mut self,
        shape: &'s Shape,
        payload: impl Fn(&str) -> Option<(&'s str, Option<&'s Shape>)>,
    ) -> Result<(), Misfit> {
        let at = self.decoder.position();
        let text = matches!(self.kind(), Some(Type::String | Type::StringIndef));
        let length = match text {
            true => Some(1),
            false => match self.decoder.map() {
                Ok(length @ (None | Some(1))) => length,
                _ => return Err(self.misfit(shape, at)),
            },
        };
        let Some(name) = self.text() else {
            return Err(self.misfit(shape, at));
        };
        match payload(&name) {
            Some((name, Some(inner))) if !text => self.within(Step::Name(name), inner)?,
            Some((_, None)) if text => {}
            Some((_, Some(_))) => {
                return Err(self.misfit_of(shape, format!("`{name}` without its payload")));
            }
            Some((_, None)) => {
                return Err(self.misfit_of(shape, format!("`{name}` with a payload")));
            }
            None => return Err(self.misfit_of(shape, format!("`{name}`"))),
        }
        match length.is_none() && self.another(None, 1) {
            true => Err(self.misfit_of(shape, "a map of several entries".to_owned())),
            false => Ok(()),
        }
    }

    /// What is at `at` is not of this shape.
    fn misfit(&self, shape: &Shape, at: usize) -> Misfit {
        let mut decoder = self.decoder.clone();
        decoder.set_position(at);
        self.misfit_of(shape, describe(&mut decoder))
    }

    fn misfit_of(&self, shape: &Shape, found: String) -> Misfit {
        let mut path = String::new();
        for step in &self.path {
            // Writing to a String cannot fail.
            let _ = match step {
                Step::Name(name) if path.is_empty() => {
                    fmt::write(&mut path, format_args!("{name}"))
                }
                Step::Name(name) => fmt::write(&mut path, format_args!(".{name}")),
                Step::Index(index) => fmt::write(&mut path, format_args!("[{index}]")),
            };
        }
        Misfit {
            path,
            expected: shape.to_string(),
            found,
        }
    }
}

/// What comes next, for people.
fn describe(decoder: &mut Decoder<'_>) -> String {
    /// Of longer texts only the length is told.
    const SHOWN: usize = 40;
    let Ok(kind) = decoder.datatype() else {
        return "the end of the message".to_owned();
    };
    let text = match kind {
        Type::Bool => match decoder.bool() {
            Ok(value) => return format!("`{value}`"),
            Err(_) => "a truth value",
        },
        Type::Null | Type::Undefined => "nothing (null)",
        Type::F16 | Type::F32 | Type::F64 => "a float",
        Type::Bytes | Type::BytesIndef => "bytes",
        Type::String | Type::StringIndef => match decoder.str() {
            Ok(text) if text.len() <= SHOWN => return format!("the text {text:?}"),
            _ => "a text",
        },
        Type::Array | Type::ArrayIndef => "a list",
        Type::Map | Type::MapIndef => "a map",
        Type::Tag => "a tag",
        Type::Break => "the end of a list",
        _ => match decoder.int() {
            Ok(int) => return format!("the integer {}", i128::from(int)),
            Err(_) => "something that is not CBOR",
        },
    };
    text.to_owned()
}
