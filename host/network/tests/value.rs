//! Arguments become CBOR, and messages become lines.

use minicbor::Encoder;
use proptest::prelude::*;
use transputer_network::signature::PayloadType;
use transputer_network::value::{Value, encode, encode_arguments, encode_text, print};

fn ty(text: &str) -> PayloadType {
    PayloadType::parse(text).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn texts_of_the_command_line_become_cbor() {
    let cases = [
        ("bool", "true", "f5"),
        ("u8", "255", "18ff"),
        ("u64", "18446744073709551615", "1bffffffffffffffff"),
        ("u64", "0xff", "18ff"),
        ("u64", " 1_000 ", "1903e8"),
        ("s8", "-128", "387f"),
        ("s64", "-9223372036854775808", "3b7fffffffffffffff"),
        ("f64", "1.5", "fb3ff8000000000000"),
        ("f64", "2", "fb4000000000000000"),
        ("f32", "1.5", "fa3fc00000"),
        ("f64", "-inf", "fbfff0000000000000"),
        ("char", "é", "62c3a9"),
        ("string", "a \"b\"", "656120226222"),
        ("string", "", "60"),
        ("string", "true", "6474727565"),
        ("list<u8>", "[1]", "435b315d"),
        ("list<u16>", "[1, 2]", "820102"),
        ("list<list<u8>>", "[[1], \"a\"]", "8241014161"),
        ("option<u16>", "7", "07"),
        ("option<string>", "x", "6178"),
        ("tuple<u8, string>", "[1, \"a\"]", "82016161"),
        (
            "record { id: u64, line: option<string> }",
            "{ id = 1 }",
            "a262696401646c696e65f6",
        ),
        ("enum { low, high }", "high", "6468696768"),
        ("variant { none, some(u8) }", "none", "646e6f6e65"),
        (
            "variant { none, some(u8) }",
            "{ some = 3 }",
            "a164736f6d6503",
        ),
        ("result<u8, string>", "{ ok = 3 }", "a1624f6b03"),
        ("result<_, string>", "ok", "a1624f6b80"),
        ("result<_, string>", "{ err = \"x\" }", "a1634572726178"),
    ];
    for (text, value, expected) in cases {
        let encoded = encode_text(&ty(text), value).unwrap();
        assert_eq!(hex(&encoded), expected, "{value} as {text}");
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let cases = [
        (
            "bool",
            "yes",
            "expected `bool` (`true` or `false`), found `yes`",
        ),
        (
            "bool",
            "1",
            "expected `bool` (`true` or `false`), found `1`",
        ),
        ("u8", "256", "expected `u8` (0 to 255), found `256`"),
        (
            "s16",
            "-32769",
            "expected `s16` (-32768 to 32767), found `-32769`",
        ),
        (
            "u64",
            "1.0",
            "expected `u64` (0 to 18446744073709551615), found `1.0`",
        ),
        (
            "u64",
            "",
            "expected `u64` (0 to 18446744073709551615), found ``",
        ),
        ("f64", "1e999", "expected `f64` (a number), found `1e999`"),
        (
            "f32",
            "1e39",
            "expected `f32` (at most 3.4028235e38 either way), found `1e39`",
        ),
        (
            "f64",
            "9007199254740993",
            "expected `f64` (a number), found `9007199254740993`",
        ),
        (
            "char",
            "ab",
            "expected `char` (a string of one character), found `\"ab\"`",
        ),
        (
            "list<u16>",
            "1",
            "expected `list<u16>` (an array), found `1`",
        ),
        (
            "list<u16>",
            "[1, 70000]",
            "at `[1]`: expected `u16` (0 to 65535), found `70000`",
        ),
        (
            "list<list<u8>>",
            "[[1, 256]]",
            "at `[0][1]`: expected `u8` (0 to 255), found `256`",
        ),
        (
            "tuple<u8, u8>",
            "[1]",
            "expected `tuple<u8, u8>` (an array of 2), found an array of 1",
        ),
        (
            "record { id: u64, tag: string }",
            "{ id = 1 }",
            "expected a field `tag: string`, found none",
        ),
        (
            "list<record { id: u64 }>",
            "[{ id = 1, idd = 2 }]",
            "at `[0].idd`: expected one of the fields `id`, found `2`",
        ),
        (
            "enum { low, high }",
            "middle",
            "expected `enum { low, high }` (\"low\" or \"high\"), found `\"middle\"`",
        ),
        (
            "variant { none, some(u8) }",
            "\"some\"",
            "expected `variant { none, some(u8) }` (\"none\" or { some = u8 }), found `\"some\"`",
        ),
        (
            "variant { none, some(u8) }",
            "{ some = 300 }",
            "at `some`: expected `u8` (0 to 255), found `300`",
        ),
        ("option<u8>", "x", "expected `u8` (0 to 255), found `x`"),
        (
            "sender<u8>",
            "1",
            "expected `sender<u8>` (an end of a channel, which only a process can give), found `1`",
        ),
        (
            "list<string>",
            "[2024-01-01]",
            "at `[0]`: expected `string` (a string), found `2024-01-01`",
        ),
    ];
    for (text, value, expected) in cases {
        let error = encode_text(&ty(text), value).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn arguments_become_one_map() {
    let count = encode(&ty("u64"), &Value::Integer(100)).unwrap();
    let name = encode(&ty("string"), &Value::String("x".to_owned())).unwrap();
    let arguments = encode_arguments([("count", &*count), ("name", &*name)]);
    assert_eq!(arguments, b"\xa2\x65count\x18\x64\x64name\x61x");
}

/// What `print` makes of a message, or why it does not.
fn printed(text: &str, message: &[u8]) -> String {
    match print(&ty(text), message) {
        Ok(line) => String::from_utf8(line.into_owned()).unwrap(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn messages_become_lines() {
    let cases: &[(&str, &[u8], &str)] = &[
        (
            "u64",
            b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff",
            "18446744073709551615",
        ),
        (
            "s64",
            b"\x3b\x7f\xff\xff\xff\xff\xff\xff\xff",
            "-9223372036854775808",
        ),
        (
            "s64",
            b"\x3b\xff\xff\xff\xff\xff\xff\xff\xff",
            "-18446744073709551616",
        ),
        ("bool", b"\xf5", "true"),
        ("f64", b"\xfb\x3f\xf0\x00\x00\x00\x00\x00\x00", "1.0"),
        ("f32", b"\xfa\x3d\xcc\xcc\xcd", "0.1"),
        ("f64", b"\xfb\x7f\xf8\x00\x00\x00\x00\x00\x00", "NaN"),
        ("char", b"\x18\xe9", "é"),
        ("char", b"\x62\xc3\xa9", "é"),
        ("option<char>", b"\x18\xe9", "é"),
        ("option<u8>", b"\xf6", "null"),
        ("string", b"\x63a\"b", "a\"b"),
        ("string", b"\x7f\x61a\x61b\xff", "ab"),
        ("list<u8>", b"\x63raw", "\x63raw"),
        ("list<string>", b"\x82\x61a\x61\n", "[\"a\",\"\\n\"]"),
        (
            "list<f32>",
            b"\x82\xfa\x3d\xcc\xcc\xcd\xf9\x7c\x00",
            "[0.1,\"inf\"]",
        ),
        (
            "list<list<u8>>",
            b"\x82\x42\x01\x02\x5f\x41\x03\xff",
            "[[1,2],[3]]",
        ),
        (
            "record { line: string, id: u64 }",
            b"\xa2\x64line\x61x\x62id\x07",
            "{\"line\":\"x\",\"id\":7}",
        ),
        ("tuple<u8, bool>", b"\x9f\x07\xf4\xff", "[7,false]"),
        ("variant { a(u8) }", b"\xbf\x61a\x01\xff", "{\"a\":1}"),
        ("list<tuple<u8, u8>>", b"\xa1\x01\xc1\x02", "{\"1\":2}"),
    ];
    for (text, message, expected) in cases {
        assert_eq!(
            printed(text, message),
            *expected,
            "{} as {text}",
            hex(message)
        );
    }
}

#[test]
fn messages_that_are_no_cbor_are_refused() {
    let cases: &[&[u8]] = &[
        b"",
        b"\x1b\x00",
        b"\x62a",
        b"\x61\xff",
        b"\x82\x01",
        b"\xa1\x01",
        b"\xff",
        b"\x9f\x01",
        b"\xa1\x80\x01",
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xe1",
    ];
    for message in cases {
        let error = print(&ty("u64"), message).unwrap_err().to_string();
        let start = "a message of type `u64` is not CBOR that can be printed: ";
        assert!(error.starts_with(start), "{}: {error}", hex(message));
        assert!(error.len() > start.len());
    }
    let trailing = printed("u64", b"\x01\x02\x03");
    assert!(
        trailing.ends_with(": 2 bytes follow after its end"),
        "{trailing}"
    );
    let mut deep = vec![0x81; 100_000];
    deep.push(0x01);
    let deep = printed("u64", &deep);
    assert!(deep.contains("it nests deeper than 64"), "{deep}");
}

proptest! {
    #[test]
    fn no_message_makes_printing_panic(message in proptest::collection::vec(any::<u8>(), 0..64)) {
        for text in ["u64", "char", "string", "list<string>"] {
            let _ = print(&ty(text), &message);
        }
    }

    #[test]
    fn no_text_makes_encoding_panic(value in "\\PC{0,24}") {
        for text in ["u8", "f32", "char", "list<u8>", "list<s8>", "record { a: option<u8> }", "result<u8>"] {
            let _ = encode_text(&ty(text), &value);
        }
    }

    #[test]
    fn integers_survive_from_the_command_line_to_a_line(value in any::<i64>(), wide in any::<u64>()) {
        let encoded = encode_text(&ty("s64"), &value.to_string()).unwrap();
        prop_assert_eq!(printed("s64", &encoded), value.to_string());
        let encoded = encode_text(&ty("u64"), &wide.to_string()).unwrap();
        prop_assert_eq!(printed("u64", &encoded), wide.to_string());
    }

    #[test]
    fn strings_print_as_json_reads_them(text in "\\PC{0,24}") {
        let mut encoder = Encoder::new(Vec::new());
        encoder.array(1).unwrap().str(&text).unwrap();
        let line = printed("list<string>", &encoder.into_writer());
        let read: Vec<String> = serde_json::from_str(&line).unwrap();
        prop_assert_eq!(read, [text]);
    }
}
