//! Types of messages and arguments, written as in WIT.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The type of a message or an argument, in WIT's syntax, extended by
/// `sender<T>` and `receiver<T>` for ends that travel in messages.
///
/// Two are equal if they are written alike, apart from white space.
///
/// ```
/// use transputer_network::signature::PayloadType;
///
/// let ty = PayloadType::parse("record{id:u64,line : string}")?;
/// assert_eq!(ty.to_string(), "record { id: u64, line: string }");
/// # Ok::<(), transputer_network::signature::TypeError>(())
/// ```
#[derive(Clone)]
pub struct PayloadType {
    text: Arc<str>,
    shape: Arc<Shape>,
}

/// What is wrong with the text of a type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a type: {reason}, at character {column}")]
#[non_exhaustive]
pub struct TypeError {
    /// The text; only its beginning if it is long.
    pub text: String,
    /// What was expected and what was found.
    pub reason: String,
    /// Where in the text, counted in characters from 1.
    pub column: usize,
}

/// The structure of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Bool,
    /// An integer of at most 64 bits.
    Integer {
        signed: bool,
        bits: u32,
    },
    F32,
    F64,
    Char,
    String,
    List(Box<Shape>),
    Option(Box<Shape>),
    Tuple(Vec<Shape>),
    /// `None` stands for a side without a value.
    Result(Option<Box<Shape>>, Option<Box<Shape>>),
    Record(Vec<Field>),
    Variant(Vec<Case>),
    Enum(Vec<String>),
    Sender(Box<Shape>),
    Receiver(Box<Shape>),
    Barrier,
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) shape: Shape,
}

/// A case of a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) shape: Option<Shape>,
}

/// How deep types may nest; also bounds the recursion over a type.
const MAX_DEPTH: usize = 32;

/// The longest text of a type, in bytes.
const MAX_LENGTH: usize = 16 * 1024;

impl PayloadType {
    /// Reads a type.
    ///
    /// # Errors
    ///
    /// If it is not written as WIT writes types, nests deeper than 32, or is
    /// longer than 16 KiB.
    pub fn parse(text: &str) -> Result<Self, TypeError> {
        let mut parser = Parser::new(text);
        if text.len() > MAX_LENGTH {
            return Err(parser.error(format!("it is longer than {MAX_LENGTH} bytes")));
        }
        let shape = parser.shape(0)?;
        if let Some(rest) = parser.peek() {
            return Err(parser.error(format!("expected its end, found `{rest}`")));
        }
        Ok(PayloadType {
            text: shape.to_string().into(),
            shape: Arc::new(shape),
        })
    }

    /// `list<u8>`: raw bytes without a codec.
    pub fn bytes() -> Self {
        let shape = Shape::List(Box::new(Shape::BYTE));
        PayloadType {
            text: shape.to_string().into(),
            shape: Arc::new(shape),
        }
    }

    /// The type in its canonical form.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is `list<u8>`, whose messages are raw bytes without a codec.
    pub fn is_bytes(&self) -> bool {
        self.shape.is_bytes()
    }

    /// Whether it is an `option`, and so may be left out among arguments.
    pub fn is_option(&self) -> bool {
        matches!(*self.shape, Shape::Option(_))
    }

    /// Whether messages of this type carry ends of channels.
    pub fn carries_ends(&self) -> bool {
        self.shape.carries_ends()
    }

    pub(crate) fn shape(&self) -> &Shape {
        &self.shape
    }
}

impl Shape {
    pub(crate) const BYTE: Shape = Shape::unsigned(8);

    const fn unsigned(bits: u32) -> Shape {
        Shape::Integer {
            signed: false,
            bits,
        }
    }

    const fn signed(bits: u32) -> Shape {
        Shape::Integer { signed: true, bits }
    }

    pub(crate) fn is_bytes(&self) -> bool {
        matches!(self, Shape::List(item) if **item == Shape::BYTE)
    }

    fn carries_ends(&self) -> bool {
        match self {
            Shape::Sender(_) | Shape::Receiver(_) | Shape::Barrier => true,
            Shape::List(inner) | Shape::Option(inner) => inner.carries_ends(),
            Shape::Tuple(items) => items.iter().any(Shape::carries_ends),
            Shape::Result(ok, err) => [ok, err].into_iter().flatten().any(|s| s.carries_ends()),
            Shape::Record(fields) => fields.iter().any(|field| field.shape.carries_ends()),
            Shape::Variant(cases) => cases
                .iter()
                .any(|case| case.shape.as_ref().is_some_and(Shape::carries_ends)),
            _ => false,
        }
    }
}

impl fmt::Display for PayloadType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for PayloadType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PayloadType({})", self.text)
    }
}

impl PartialEq for PayloadType {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for PayloadType {}

impl Hash for PayloadType {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl std::str::FromStr for PayloadType {
    type Err = TypeError;

    fn from_str(text: &str) -> Result<Self, TypeError> {
        PayloadType::parse(text)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Bool => f.write_str("bool"),
            Shape::Integer { signed, bits } => {
                write!(f, "{}{bits}", if *signed { "s" } else { "u" })
            }
            Shape::F32 => f.write_str("f32"),
            Shape::F64 => f.write_str("f64"),
            Shape::Char => f.write_str("char"),
            Shape::String => f.write_str("string"),
            Shape::List(item) => write!(f, "list<{item}>"),
            Shape::Option(value) => write!(f, "option<{value}>"),
            Shape::Tuple(items) => write!(f, "tuple<{}>", join(items)),
            Shape::Result(None, None) => f.write_str("result"),
            Shape::Result(Some(ok), None) => write!(f, "result<{ok}>"),
            Shape::Result(None, Some(err)) => write!(f, "result<_, {err}>"),
            Shape::Result(Some(ok), Some(err)) => write!(f, "result<{ok}, {err}>"),
            Shape::Record(fields) => write!(f, "record {{ {} }}", join(fields)),
            Shape::Variant(cases) => write!(f, "variant {{ {} }}", join(cases)),
            Shape::Enum(names) => write!(f, "enum {{ {} }}", join(names)),
            Shape::Sender(message) => write!(f, "sender<{message}>"),
            Shape::Receiver(message) => write!(f, "receiver<{message}>"),
            Shape::Barrier => f.write_str("barrier"),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.shape)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.shape {
            Some(shape) => write!(f, "{}({shape})", self.name),
            None => f.write_str(&self.name),
        }
    }
}

fn join(items: &[impl fmt::Display]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    items.join(", ")
}

/// Whether a character can be part of a name.
pub(crate) fn in_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

/// A parser that goes over the text once, without looking back.
struct Parser<'a> {
    text: &'a str,
    /// The next byte to read; always at the start of a character.
    at: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        Parser { text, at: 0 }
    }

    fn shape(&mut self, depth: usize) -> Result<Shape, TypeError> {
        if depth > MAX_DEPTH {
            return Err(self.error(format!("it nests deeper than {MAX_DEPTH}")));
        }
        let start = self.at;
        let name = self.name("a type")?;
        let shape = match name {
            "bool" => Shape::Bool,
            "u8" => Shape::unsigned(8),
            "u16" => Shape::unsigned(16),
            "u32" => Shape::unsigned(32),
            "u64" => Shape::unsigned(64),
            "s8" => Shape::signed(8),
            "s16" => Shape::signed(16),
            "s32" => Shape::signed(32),
            "s64" => Shape::signed(64),
            "f32" => Shape::F32,
            "f64" => Shape::F64,
            "char" => Shape::Char,
            "string" => Shape::String,
            "list" => Shape::List(self.inner(depth)?),
            "option" => Shape::Option(self.inner(depth)?),
            "sender" => Shape::Sender(self.inner(depth)?),
            "receiver" => Shape::Receiver(self.inner(depth)?),
            "barrier" => Shape::Barrier,
            "tuple" => Shape::Tuple(self.sequence('<', '>', |p| p.shape(depth + 1))?),
            "result" => self.result(depth)?,
            "record" => self.record(depth)?,
            "variant" => self.variant(depth)?,
            "enum" => self.enumeration()?,
            _ => {
                self.at = start;
                let reason = format!("expected a type such as `u64` or `list<u8>`, found `{name}`");
                return Err(self.error(reason));
            }
        };
        Ok(shape)
    }

    fn inner(&mut self, depth: usize) -> Result<Box<Shape>, TypeError> {
        self.expect('<')?;
        let shape = self.shape(depth + 1)?;
        self.expect('>')?;
        Ok(Box::new(shape))
    }

    fn result(&mut self, depth: usize) -> Result<Shape, TypeError> {
        if self.peek() != Some('<') {
            return Ok(Shape::Result(None, None));
        }
        self.expect('<')?;
        let ok = self.side(depth)?;
        let err = if self.peek() == Some(',') {
            self.expect(',')?;
            self.side(depth)?
        } else {
            None
        };
        self.expect('>')?;
        Ok(Shape::Result(ok, err))
    }

    /// One side of a `result`; `_` stands for no value.
    fn side(&mut self, depth: usize) -> Result<Option<Box<Shape>>, TypeError> {
        if self.peek() == Some('_') {
            self.expect('_')?;
            return Ok(None);
        }
        self.shape(depth + 1).map(|shape| Some(Box::new(shape)))
    }

    fn record(&mut self, depth: usize) -> Result<Shape, TypeError> {
        let fields = self.sequence('{', '}', |parser| {
            let name = parser.name("a field's name")?.to_owned();
            parser.expect(':')?;
            let shape = parser.shape(depth + 1)?;
            Ok(Field { name, shape })
        })?;
        self.distinct("field", fields.iter().map(|field| &*field.name))?;
        Ok(Shape::Record(fields))
    }

    fn variant(&mut self, depth: usize) -> Result<Shape, TypeError> {
        let cases = self.sequence('{', '}', |parser| {
            let name = parser.name("a case's name")?.to_owned();
            let shape = match parser.peek() {
                Some('(') => {
                    parser.expect('(')?;
                    let shape = parser.shape(depth + 1)?;
                    parser.expect(')')?;
                    Some(shape)
                }
                _ => None,
            };
            Ok(Case { name, shape })
        })?;
        self.distinct("case", cases.iter().map(|case| &*case.name))?;
        self.inhabited(cases.is_empty())?;
        Ok(Shape::Variant(cases))
    }

    fn enumeration(&mut self) -> Result<Shape, TypeError> {
        let names = self.sequence('{', '}', |parser| {
            parser.name("a case's name").map(str::to_owned)
        })?;
        self.distinct("case", names.iter().map(|name| &**name))?;
        self.inhabited(names.is_empty())?;
        Ok(Shape::Enum(names))
    }

    /// Items between two brackets, with commas in between; the last item may have one too.
    fn sequence<T>(
        &mut self,
        open: char,
        close: char,
        mut item: impl FnMut(&mut Self) -> Result<T, TypeError>,
    ) -> Result<Vec<T>, TypeError> {
        self.expect(open)?;
        let mut items = Vec::new();
        while self.peek() != Some(close) {
            items.push(item(self)?);
            if self.peek() != Some(',') {
                break;
            }
            self.expect(',')?;
        }
        self.expect(close)?;
        Ok(items)
    }

    fn distinct<'n>(
        &self,
        what: &str,
        names: impl Iterator<Item = &'n str>,
    ) -> Result<(), TypeError> {
        let mut seen = std::collections::BTreeSet::new();
        for name in names {
            if !seen.insert(name) {
                return Err(self.error(format!("the {what} `{name}` appears twice")));
            }
        }
        Ok(())
    }

    fn inhabited(&self, empty: bool) -> Result<(), TypeError> {
        match empty {
            true => Err(self.error("expected at least one case".to_owned())),
            false => Ok(()),
        }
    }

    fn name(&mut self, what: &str) -> Result<&'a str, TypeError> {
        self.skip_space();
        let rest = &self.text[self.at..];
        let length = rest.find(|c| !in_name(c)).unwrap_or(rest.len());
        if length == 0 {
            let found = self.found();
            return Err(self.error(format!("expected {what}, found {found}")));
        }
        self.at += length;
        Ok(&rest[..length])
    }

    fn expect(&mut self, expected: char) -> Result<(), TypeError> {
        if self.peek() != Some(expected) {
            let found = self.found();
            return Err(self.error(format!("expected `{expected}`, found {found}")));
        }
        self.at += expected.len_utf8();
        Ok(())
    }

    /// The next character that is not white space.
    fn peek(&mut self) -> Option<char> {
        self.skip_space();
        self.text[self.at..].chars().next()
    }

    fn skip_space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn found(&mut self) -> String {
        match self.peek() {
            Some(c) => format!("`{}`", c.escape_debug()),
            None => "the end".to_owned(),
        }
    }

    fn error(&self, reason: String) -> TypeError {
        let shown: String = self.text.chars().take(80).collect();
        let cut = if shown.len() < self.text.len() {
            "..."
        } else {
            ""
        };
        TypeError {
            text: format!("{}{cut}", shown.escape_debug()),
            reason,
            column: self.text[..self.at].chars().count() + 1,
        }
    }
}
