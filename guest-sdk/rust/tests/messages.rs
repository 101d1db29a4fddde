//! The form of messages: exact bytes, and what strangers may send.

use std::fmt::Debug;

use transputer_guest::message::{from_bytes, to_bytes};
use transputer_guest::{Bytes, Error, Message, Receiver, Sender};

#[derive(Message, Debug, PartialEq, Clone)]
struct Line {
    number: u64,
    r#type: String,
    note: Option<String>,
}

#[derive(Message, Debug, PartialEq)]
struct Wrapper<T>(T);

#[derive(Message, Debug, PartialEq)]
struct Pair(u8, String);

#[derive(Message, Debug, PartialEq)]
struct Tick;

#[derive(Message, Debug, PartialEq)]
struct Nothing {}

#[derive(Message, Debug, PartialEq)]
enum Colour {
    Red,
    Green,
}

#[derive(Message, Debug, PartialEq)]
enum Shape {
    Point,
    Circle(f32),
    Square(u8, u8),
    Named { name: String, colour: Colour },
}

/// Round trip, exact bytes, and every shorter message fails.
fn check<T: Message + Debug + PartialEq>(value: T, bytes: &[u8]) {
    assert_eq!(to_bytes(&value).as_deref(), Ok(bytes), "{value:?}");
    assert_eq!(from_bytes::<T>(bytes).as_ref(), Ok(&value));
    for length in 0..bytes.len() {
        assert!(
            from_bytes::<T>(&bytes[..length]).is_err(),
            "{value:?} cut at {length}"
        );
    }
    let longer = [bytes, b"\x00"].concat();
    assert!(
        from_bytes::<T>(&longer).is_err(),
        "{value:?} with a byte more"
    );
}

fn error<T: Message + Debug>(bytes: &[u8]) -> String {
    match from_bytes::<T>(bytes) {
        Err(error @ Error::Undecodable(_)) => error.to_string(),
        other => panic!("decoded: {other:?}"),
    }
}

#[test]
fn scalars() {
    check(0u8, b"\x00");
    check(255u8, b"\x18\xff");
    check(500u16, b"\x19\x01\xf4");
    check(u32::MAX, b"\x1a\xff\xff\xff\xff");
    check(u64::MAX, b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff");
    check(-1i8, b"\x20");
    check(-500i16, b"\x39\x01\xf3");
    check(i64::MIN, b"\x3b\x7f\xff\xff\xff\xff\xff\xff\xff");
    check(true, b"\xf5");
    check(1.5f32, b"\xfa\x3f\xc0\x00\x00");
    check(1.5f64, b"\xfb\x3f\xf8\x00\x00\x00\x00\x00\x00");
    check('é', b"\x62\xc3\xa9");
    check(String::from("abc"), b"\x63abc");
    check((), b"\x80");
}

#[test]
fn containers() {
    check(vec![1u16, 2], b"\x82\x01\x02");
    check((1u8, String::from("a")), b"\x82\x01\x61a");
    check(Some(1u8), b"\x01");
    check(None::<u8>, b"\xf6");
    check(Ok::<u8, String>(1), b"\xa1\x62Ok\x01");
    check(Err::<u8, String>("a".into()), b"\xa1\x63Err\x61a");
    check(vec![Bytes::from("ab")], b"\x81\x42ab");
}

#[test]
fn bytes_have_no_codec() {
    assert_eq!(to_bytes(&Bytes::from("ab")).as_deref(), Ok(&b"ab"[..]));
    assert_eq!(to_bytes(&vec![1u8, 2]).as_deref(), Ok(&[1u8, 2][..]));
    assert_eq!(from_bytes::<Bytes>(b"\xff\x00"), Ok(Bytes(vec![0xff, 0])));
    assert_eq!(from_bytes::<Vec<u8>>(b""), Ok(vec![]));
}

#[test]
fn records() {
    let line = Line {
        number: 7,
        r#type: "x".into(),
        note: None,
    };
    check(line.clone(), b"\xa3\x66number\x07\x64type\x61x\x64note\xf6");
    // Another order, a field that nobody knows, an option left out, indefinite length.
    let bytes = b"\xbf\x64type\x61x\x67unknown\x82\x01\x81\x02\x66number\x07\xff";
    assert_eq!(from_bytes::<Line>(bytes), Ok(line));
    check(Wrapper(7u8), b"\x07");
    check(Pair(1, "a".into()), b"\x82\x01\x61a");
    check(Tick, b"\x80");
    check(Nothing {}, b"\x80");
}

#[test]
fn variants() {
    check(Colour::Green, b"\x65Green");
    check(Shape::Point, b"\x65Point");
    check(Shape::Circle(1.5), b"\xa1\x66Circle\xfa\x3f\xc0\x00\x00");
    check(Shape::Square(1, 2), b"\xa1\x66Square\x82\x01\x02");
    check(
        Shape::Named {
            name: "n".into(),
            colour: Colour::Red,
        },
        b"\xa1\x65Named\xa2\x64name\x61n\x66colour\x63Red",
    );
}

#[test]
fn types() {
    assert_eq!(
        <Vec<(Line, Option<Shape>)>>::TYPE.to_string(),
        "list<tuple<record { number: u64, type: string, note: option<string> }, \
         option<variant { Point, Circle(f32), Square(tuple<u8, u8>), \
         Named(record { name: string, colour: enum { Red, Green } }) }>>>"
    );
    assert_eq!(
        <Wrapper<Sender<Bytes>>>::TYPE.to_string(),
        "sender<list<u8>>"
    );
    assert_eq!(<Receiver<Tick>>::TYPE.to_string(), "receiver<tuple<>>");
    assert_eq!(<Result<i32, ()>>::TYPE.to_string(), "result<s32, tuple<>>");
}

/// What other languages write for the same values.
#[test]
fn other_encodings() {
    assert_eq!(from_bytes::<f64>(b"\x01"), Ok(1.0));
    // Half precision, with the examples of RFC 8949, appendix A.
    for (bits, number) in [
        (0x0000, 0.0),
        (0x8000, -0.0),
        (0x3c00, 1.0),
        (0x3e00, 1.5),
        (0x7bff, 65504.0),
        (0x0001, 5.960464477539063e-8),
        (0x0400, 0.00006103515625),
        (0xc400, -4.0),
        (0x7c00, f64::INFINITY),
        (0xfc00, f64::NEG_INFINITY),
    ] {
        let bytes = [&[0xf9], &u16::to_be_bytes(bits)[..]].concat();
        assert_eq!(from_bytes::<f64>(&bytes), Ok(number), "{bits:04x}");
        assert_eq!(from_bytes::<f32>(&bytes), Ok(number as f32), "{bits:04x}");
        assert!(from_bytes::<f64>(&bytes[..2]).is_err());
    }
    assert!(from_bytes::<f64>(b"\xf9\x7e\x00").is_ok_and(f64::is_nan));
    assert_eq!(
        from_bytes::<f32>(b"\xfb\x3f\xf8\x00\x00\x00\x00\x00\x00"),
        Ok(1.5)
    );
    assert_eq!(
        from_bytes::<u8>(b"\x1b\x00\x00\x00\x00\x00\x00\x00\x07"),
        Ok(7)
    );
    assert_eq!(from_bytes::<char>(b"\x18\xe9"), Ok('é'));
    assert_eq!(
        from_bytes::<String>(b"\x7f\x61a\x62bc\xff"),
        Ok("abc".into())
    );
    assert_eq!(
        from_bytes::<Vec<Bytes>>(b"\x81\x82\x01\x02"),
        Ok(vec![Bytes(vec![1, 2])])
    );
    assert_eq!(from_bytes::<Vec<u16>>(b"\x9f\x01\x02\xff"), Ok(vec![1, 2]));
    assert_eq!(from_bytes::<Result<u8, u8>>(b"\xa1\x63err\x01"), Ok(Err(1)));
}

#[test]
fn errors_say_what_and_where() {
    assert_eq!(
        error::<u8>(b"\x19\x01\x2c"),
        "expected u8, found the integer 300 (byte 0)"
    );
    assert_eq!(
        error::<u64>(b"\x63abc"),
        "expected u64, found the text `abc` (byte 0)"
    );
    assert_eq!(
        error::<u64>(b""),
        "expected u64, found the end of the message (byte 0)"
    );
    assert_eq!(
        error::<Vec<(u8, u8)>>(b"\x82\x82\x01\x02\x82\x01\xf5"),
        "expected u8, found bool in `[1][1]` (byte 6)"
    );
    assert_eq!(
        error::<Line>(b"\xa1\x66number\xf5"),
        "expected u64, found bool in `.number` (byte 8)"
    );
    assert_eq!(
        error::<Line>(b"\xa1\x66number\x07"),
        "expected string, found no such field in `.type` (byte 9)"
    );
    assert_eq!(
        error::<Line>(b"\xa2\x66number\x07\x66number\x08"),
        "expected u64, found the field a second time in `.number` (byte 16)"
    );
    assert_eq!(
        error::<Colour>(b"\x64Blue"),
        "expected enum { Red, Green }, found `Blue` (byte 0)"
    );
    assert_eq!(
        error::<Shape>(b"\x66Circle"),
        "expected a payload, found none in `.Circle` (byte 0)"
    );
    assert_eq!(
        error::<u8>(b"\x01\x02"),
        "expected the end of the message, found 1 bytes more (byte 1)"
    );
    assert_eq!(
        error::<Sender<u8>>(b"\x00"),
        "expected sender<u8>, found no attached end number 0 (byte 0)"
    );
}

/// Lengths that are not there, and nesting that no stack could follow.
#[test]
fn hostile_messages() {
    let huge = b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff\x01";
    assert!(from_bytes::<Vec<u64>>(huge).is_err());
    assert!(from_bytes::<Vec<()>>(huge).is_err());
    assert!(from_bytes::<String>(b"\x7b\xff\xff\xff\xff\xff\xff\xff\xff\x01").is_err());
    assert!(from_bytes::<Vec<Bytes>>(b"\x81\x5b\x7f\xff\xff\xff\xff\xff\xff\xff").is_err());

    let mut deep = b"\xa3\x66number\x07\x64type\x61x\x61d".to_vec();
    deep.resize(deep.len() + 1_000_000, 0x81);
    assert!(from_bytes::<Line>(&deep).is_err());
    deep.push(0x00);
    assert_eq!(from_bytes::<Line>(&deep).map(|line| line.number), Ok(7));
}

/// Whatever the bytes are, decoding ends and doesn't panic.
#[test]
fn arbitrary_bytes() {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut decoded = 0;
    for _ in 0..20_000 {
        let mut bytes = Vec::new();
        loop {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.push(state as u8);
            if state & 0x700 == 0 || bytes.len() == 64 {
                break;
            }
        }
        decoded += usize::from(from_bytes::<Vec<Line>>(&bytes).is_ok());
        decoded += usize::from(from_bytes::<Shape>(&bytes).is_ok());
        decoded += usize::from(from_bytes::<Option<i16>>(&bytes).is_ok());
    }
    assert!(decoded > 0, "not one of them was a message");
}

#[test]
fn collections() {
    use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

    check(
        BTreeMap::from([(1u8, true), (2, false)]),
        b"\x82\x82\x01\xf5\x82\x02\xf4",
    );
    check(
        HashMap::from([(String::from("a"), 1u8)]),
        b"\x81\x82\x61a\x01",
    );
    check(BTreeSet::from([1u8, 2]), b"\x82\x01\x02");
    check(HashSet::from([7u16]), b"\x81\x07");
    check(VecDeque::from([1u16, 2]), b"\x82\x01\x02");
    check([1u16, 2], b"\x82\x01\x02");
    check(Box::new(7u16), b"\x07");
    assert_eq!(to_bytes(&[1u8, 2]).as_deref(), Ok(&[1, 2][..]));
    assert_eq!(from_bytes::<[u8; 2]>(&[1, 2]), Ok([1, 2]));
    assert_eq!(
        HashMap::<String, u64>::TYPE.to_string(),
        "list<tuple<string, u64>>"
    );
    assert_eq!(
        error::<[u16; 3]>(b"\x82\x01\x02"),
        "expected list<u16> of 3 items, found 2 items (byte 0)"
    );
}

#[test]
fn durations_and_numbers_of_the_machine() {
    use std::time::Duration;

    let half = Duration::new(1, 500);
    check(half, b"\xa2\x67seconds\x01\x6bnanoseconds\x19\x01\xf4");
    assert_eq!(
        error::<Duration>(b"\xa2\x67seconds\x01\x6bnanoseconds\x1a\xff\xff\xff\xff"),
        "expected fewer than 1,000,000,000 nanoseconds, found 4294967295 (byte 0)"
    );
    check(7usize, b"\x07");
    check(-1isize, b"\x20");
    assert_eq!(usize::TYPE.to_string(), "u64");
}
