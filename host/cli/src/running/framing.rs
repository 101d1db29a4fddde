//! Where messages end in a stream of bytes.

use transputer::plan::Format;

/// Follows a stream, and knows whether a message has begun and not ended.
#[derive(Debug)]
pub(crate) enum Framing {
    /// Any piece is a message.
    Bytes,
    /// Whether the last byte did not end a line.
    Lines {
        open: bool,
    },
    Cbor(Items),
}

impl Framing {
    pub(crate) fn new(format: Format) -> Framing {
        match format {
            Format::Lines | Format::Json | Format::Csv => Framing::Lines { open: false },
            Format::Cbor => Framing::Cbor(Items::default()),
            _ => Framing::Bytes,
        }
    }

    /// Whether a message has begun and not ended.
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Framing::Bytes => false,
            Framing::Lines { open } => *open,
            Framing::Cbor(items) => items.is_open(),
        }
    }

    /// These bytes came next.
    pub(crate) fn follow(&mut self, bytes: &[u8]) {
        match (self, bytes.last()) {
            (_, None) | (Framing::Bytes, _) => {}
            (Framing::Lines { open }, Some(last)) => *open = *last != b'\n',
            (Framing::Cbor(items), _) => {
                let mut rest = bytes;
                while !rest.is_empty() {
                    rest = items.follow(rest);
                }
            }
        }
    }

    /// How many of these bytes belong to the message that has begun.
    pub(crate) fn follow_to_end(&mut self, bytes: &[u8]) -> usize {
        match self {
            Framing::Bytes => 0,
            Framing::Lines { open } => {
                let end = bytes.iter().position(|byte| *byte == b'\n');
                *open = end.is_none();
                end.map_or(bytes.len(), |end| end + 1)
            }
            Framing::Cbor(items) => {
                let mut rest = bytes;
                while items.is_open() && !rest.is_empty() {
                    rest = items.follow(rest);
                }
                bytes.len() - rest.len()
            }
        }
    }
}

/// Follows a sequence of CBOR items (RFC 8949). If they are not well-formed, it makes some sense of them,
/// and leaves the error to whoever reads them.
#[derive(Debug, Default)]
pub(crate) struct Items {
    /// How many items each array, map or tag still lacks; [`UNTIL_BREAK`] if that is not known.
    nesting: Vec<u64>,
    /// Bytes that the present string still lacks.
    string: u64,
    /// The head of an item that has begun: its major type, its argument so far, and how many bytes of
    /// that are still to come.
    head: Option<(u8, u64, u8)>,
}

/// Ends with a break.
const UNTIL_BREAK: u64 = u64::MAX;

impl Items {
    fn is_open(&self) -> bool {
        !self.nesting.is_empty() || self.string > 0 || self.head.is_some()
    }

    /// Follows the beginning of these bytes, of which there is one at least, up to the end of an
    /// item at most; the rest.
    fn follow<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        if self.string > 0 {
            let length = usize::try_from(self.string).unwrap_or(usize::MAX);
            let length = length.min(bytes.len());
            self.string -= length as u64;
            if self.string == 0 {
                self.item_ends();
            }
            return &bytes[length..];
        }
        let (&byte, rest) = match bytes.split_first() {
            Some(split) => split,
            None => return bytes,
        };
        match self.head.take() {
            Some((major, argument, 1)) => self.head_ends(major, argument << 8 | u64::from(byte)),
            Some((major, argument, more)) => {
                self.head = Some((major, argument << 8 | u64::from(byte), more - 1));
            }
            None => self.head_begins(byte >> 5, byte & 31),
        }
        rest
    }

    fn head_begins(&mut self, major: u8, info: u8) {
        match (major, info) {
            (_, 24..=27) => self.head = Some((major, 0, 1 << (info - 24))),
            (2..=5, 31) => self.nesting.push(UNTIL_BREAK),
            (7, 31) => {
                self.nesting.pop();
                self.item_ends();
            }
            (_, 28..) => self.item_ends(),
            _ => self.head_ends(major, info.into()),
        }
    }

    fn head_ends(&mut self, major: u8, argument: u64) {
        match major {
            2 | 3 => self.string = argument,
            4 => self
                .nesting
                .extend(Some(argument).filter(|items| *items > 0)),
            5 => {
                let items = argument.saturating_mul(2);
                self.nesting.extend(Some(items).filter(|items| *items > 0));
            }
            6 => return self.nesting.push(1),
            _ => {}
        }
        if major < 2 || major == 7 || argument == 0 {
            self.item_ends();
        }
    }

    /// An item has ended, and with it all those whose last it was.
    fn item_ends(&mut self) {
        while let Some(lacking) = self.nesting.last_mut() {
            if *lacking == UNTIL_BREAK {
                return;
            }
            *lacking -= 1;
            if *lacking > 0 {
                return;
            }
            self.nesting.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Items of every kind: a number, a long one, strings, an empty one, an array of a map and a tag,
    /// an array and a string of unknown length, a float, and an empty map.
    const ITEMS: [&[u8]; 9] = [
        &[0x07],
        &[0x19, 0x01, 0x00],
        &[0x62, b'h', b'i'],
        &[0x40],
        &[0x82, 0xa1, 0x01, 0x61, b'x', 0xc1, 0x18, 0x20],
        &[0x9f, 0x01, 0x9f, 0xff, 0x80, 0xff],
        &[0x5f, 0x41, 0x00, 0x42, 0x01, 0x02, 0xff],
        &[0xfb, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0xa0],
    ];

    #[test]
    fn a_cbor_item_is_open_until_its_last_byte() {
        for item in ITEMS {
            let mut framing = Framing::new(Format::Cbor);
            for (index, byte) in item.iter().enumerate() {
                framing.follow(&[*byte]);
                assert_eq!(
                    framing.is_open(),
                    index + 1 < item.len(),
                    "{item:x?} {index}"
                );
            }
        }
        let mut framing = Framing::new(Format::Cbor);
        framing.follow(&ITEMS.concat());
        assert!(!framing.is_open());
    }

    #[test]
    fn what_has_begun_is_followed_to_its_end() {
        for item in ITEMS {
            for cut in 1..item.len() {
                let mut framing = Framing::new(Format::Cbor);
                framing.follow(&item[..cut]);
                let rest = [&item[cut..], &[0x82, 0x01]].concat();
                assert_eq!(framing.follow_to_end(&rest), item.len() - cut, "{item:x?}");
                assert!(!framing.is_open());
            }
        }
        let mut framing = Framing::new(Format::Lines);
        framing.follow(b"one\ntw");
        assert!(framing.is_open());
        assert_eq!(framing.follow_to_end(b"o\nthree"), 2);
        assert!(!framing.is_open());
        let mut framing = Framing::new(Format::Bytes);
        framing.follow(b"x");
        assert_eq!(framing.follow_to_end(b"y"), 0);
    }

    #[test]
    fn nonsense_is_followed_all_the_same() {
        let mut framing = Framing::new(Format::Cbor);
        framing.follow(&[0xff, 0x1c, 0xff, 0xfc, 0x3f]);
        assert!(!framing.is_open());
    }
}
