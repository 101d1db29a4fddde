//! Signatures are found in components, and damaged ones are refused.

use proptest::prelude::*;
use transputer_network::signature::{
    Direction, MAX_SECTION_SIZE, PayloadType, SECTION, Signature, SignatureError,
};

const MODULE: &[u8] = b"\0asm\x01\0\0\0";
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

const FILTER: &str = r#"{"version":1,"process":"filter","doc":"Drops\nmultiples.","arguments":[{"name":"prime","type":"u64"}],"ports":[{"name":"candidates","direction":"input","type":"u64"},{"name":"survivors","direction":"output","type":"list< u8 >"}]}"#;

/// A length as WebAssembly writes it.
fn length(mut length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (length & 0x7f) as u8;
        length >>= 7;
        if length == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

fn section(id: u8, contents: &[u8]) -> Vec<u8> {
    [&[id][..], &length(contents.len()), contents].concat()
}

fn custom(name: &str, contents: &[u8]) -> Vec<u8> {
    section(
        0,
        &[&length(name.len()), name.as_bytes(), contents].concat(),
    )
}

fn component(sections: &[Vec<u8>]) -> Vec<u8> {
    [COMPONENT, &sections.concat()].concat()
}

fn nested(sections: &[Vec<u8>]) -> Vec<u8> {
    section(1, &[MODULE, &sections.concat()].concat())
}

fn signature(text: &str) -> Vec<u8> {
    custom(SECTION, text.as_bytes())
}

/// The error that a section with this text makes.
fn refusal(text: &str) -> String {
    Signature::read(&component(&[signature(text)]))
        .unwrap_err()
        .to_string()
}

#[test]
fn a_signature_is_found_wherever_it_is() {
    let own = component(&[custom("name", b"x"), signature(FILTER)]);
    let inside = component(&[nested(&[custom("other", b""), signature(FILTER)])]);
    let both = component(&[nested(&[signature(FILTER)]), signature(FILTER)]);
    let deep = component(&[section(4, &inside)]);
    let joined = component(&[signature(&format!("{FILTER}\0\0{FILTER}"))]);
    for bytes in [own, inside, both, deep, joined] {
        let signature = Signature::read(&bytes).unwrap().unwrap();
        assert_eq!(
            signature.to_string(),
            "filter(prime: u64, candidates: receiver<u64>, survivors: sender<list<u8>>)"
        );
        assert_eq!(signature.doc, "Drops");
        assert_eq!(signature.ports[0].direction, Direction::Input);
        assert!(signature.port("survivors").unwrap().ty.is_bytes());
        let outputs: Vec<&str> = signature.outputs().map(|port| &*port.name).collect();
        assert_eq!(outputs, ["survivors"]);
    }
}

#[test]
fn a_component_may_have_several_processes() {
    let double = r#"{"version":1,"process":"double"}"#;
    let joined = component(&[nested(&[signature(&format!("{FILTER}\0{double}{FILTER}"))])]);
    let apart = component(&[signature(FILTER), nested(&[signature(double)])]);
    for bytes in [joined, apart] {
        let all = Signature::read_all(&bytes).unwrap();
        let names: Vec<&str> = all.iter().map(|it| &*it.process).collect();
        assert_eq!(names, ["double", "filter"]);
        let chosen = |name| Signature::choose(all.clone(), Some(name));
        assert_eq!(chosen("double").unwrap().unwrap().process, "double");
        assert_eq!(
            chosen("trouble").unwrap_err().to_string(),
            "it has no process `trouble`; it has `double`, `filter`"
        );
        assert_eq!(
            Signature::read(&bytes).unwrap_err().to_string(),
            "it has several processes, `double`, `filter`; choose one by its name, as in `FILE:double`"
        );
    }
    assert_eq!(Signature::choose(Vec::new(), Some("filter")), Ok(None));
    let many: Vec<String> = (0..20)
        .map(|number| double.replace("double", &format!("p{number:02}")))
        .collect();
    let error = Signature::read(&component(&[signature(&many.concat())])).unwrap_err();
    assert!(
        error.to_string().contains("`p15` and 4 more; choose"),
        "{error}"
    );
}

#[test]
fn a_component_may_have_no_signature() {
    assert_eq!(Signature::read(COMPONENT), Ok(None));
    let other = component(&[custom("transputer:signatures", b"{}"), nested(&[])]);
    assert_eq!(Signature::read(&other), Ok(None));
}

#[test]
fn what_is_no_component_is_refused() {
    assert_eq!(Signature::read(MODULE), Err(SignatureError::CoreModule));
    for bytes in [
        &b""[..],
        b"\0asm",
        b"#!/bin/sh\n",
        &component(&[vec![0, 9, 1]]),
    ] {
        let error = Signature::read(bytes).unwrap_err();
        assert!(matches!(error, SignatureError::NotWasm { .. }), "{error}");
        let error = error.to_string();
        assert!(error.starts_with("it is no WebAssembly component, or a damaged one: "));
        assert!(error.ends_with("; build it again"));
    }
}

#[test]
fn a_damaged_signature_is_refused() {
    let sdk = "; build the component with a Transputer SDK of this version";
    let holds_none = "the custom section `transputer:signature` holds no signature: ";
    for text in [
        "",
        "{",
        "[]",
        "7",
        r#"{"version":"1"}"#,
        r#"{"version":1}"#,
        "\u{fe}",
    ] {
        let error = refusal(text);
        assert!(
            error.starts_with(holds_none) && error.ends_with(sdk),
            "{text}: {error}"
        );
    }
    let not_utf8 = component(&[custom(SECTION, b"{\"version\":1,\"process\":\"\xff\"}")]);
    let error = Signature::read(&not_utf8).unwrap_err();
    assert!(matches!(error, SignatureError::Malformed { .. }), "{error}");

    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(refusal(&deep).contains("recursion limit"));

    let large = component(&[custom(SECTION, &vec![b' '; MAX_SECTION_SIZE + 1])]);
    let size = MAX_SECTION_SIZE + 1;
    assert_eq!(
        Signature::read(&large),
        Err(SignatureError::TooLarge { size })
    );
}

#[test]
fn a_signature_that_contradicts_itself_is_refused() {
    let cases = [
        (
            FILTER.replace("\"version\":1", "\"version\":2"),
            "its signature has version 2, and this host reads version 1; build the component with an SDK of the same version as the host",
        ),
        (
            format!("{FILTER}{}", FILTER.replace("survivors", "rest")),
            "it carries two signatures that differ, `filter(prime: u64, candidates: receiver<u64>, survivors: sender<list<u8>>)` and `filter(prime: u64, candidates: receiver<u64>, rest: sender<list<u8>>)`; rename one of the two processes",
        ),
        (
            FILTER.replace("\"filter\"", "\"\\u001b[2J\""),
            "\"\\u{1b}[2J\" is not a valid name for a process; use letters, digits, `_` and `-`",
        ),
        (
            FILTER.replace("\"prime\"", "\"a.b\""),
            "\"a.b\" is not a valid name for an argument; use letters, digits, `_` and `-`",
        ),
        (
            FILTER.replace("survivors", "candidates"),
            "it has two ports of the name `candidates`; rename one of them",
        ),
        (
            FILTER.replace("list< u8 >", "list<u9>"),
            "the port `survivors`: `list<u9>` is not a type: expected a type such as `u64` or `list<u8>`, found `u9`, at character 6",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(refusal(&text), expected);
    }
    let direction = refusal(&FILTER.replace("\"input\"", "\"in\""));
    assert!(
        direction.contains("expected `input` or `output`"),
        "{direction}"
    );
}

#[test]
fn types_have_one_canonical_form() {
    let cases = [
        ("u64", "u64"),
        (" list < u8 > ", "list<u8>"),
        (
            "tuple<A>",
            "expected a type such as `u64` or `list<u8>`, found `A`",
        ),
        ("tuple<u8,s8 , f32,>", "tuple<u8, s8, f32>"),
        ("tuple<>", "tuple<>"),
        ("result", "result"),
        ("result<u8>", "result<u8>"),
        ("result<u8,_>", "result<u8>"),
        ("result< _,string>", "result<_, string>"),
        ("result<u8,string>", "result<u8, string>"),
        (
            "record{id:u64,\n line : string}",
            "record { id: u64, line: string }",
        ),
        ("variant{a,b(u64)}", "variant { a, b(u64) }"),
        ("enum { Low,high-er }", "enum { Low, high-er }"),
        ("sender<receiver<char>>", "sender<receiver<char>>"),
        ("option<option<bool>>", "option<option<bool>>"),
        ("", "expected a type, found the end"),
        ("list", "expected `<`, found the end"),
        ("list<u8", "expected `>`, found the end"),
        ("u8 u8", "expected its end, found `u`"),
        ("record { a: u8, a: u8 }", "the field `a` appears twice"),
        ("enum { a, a }", "the case `a` appears twice"),
        ("enum {}", "expected at least one case"),
        ("record { a u8 }", "expected `:`, found `u`"),
        ("list<\u{1b}>", "expected a type, found `\\u{1b}`"),
    ];
    for (text, expected) in cases {
        let found = match PayloadType::parse(text) {
            Ok(ty) => ty.to_string(),
            Err(error) => error.reason,
        };
        assert_eq!(found, expected, "{text}");
    }
    let error = PayloadType::parse("list<\u{1b}é u9>").unwrap_err();
    assert_eq!((error.column, &*error.text), (6, "list<\\u{1b}é u9>"));
}

#[test]
fn types_are_bounded() {
    let nested = |depth: usize| format!("{}u8{}", "list<".repeat(depth), ">".repeat(depth));
    assert!(PayloadType::parse(&nested(32)).is_ok());
    let error = PayloadType::parse(&nested(33)).unwrap_err();
    assert_eq!(error.reason, "it nests deeper than 32");
    assert!(PayloadType::parse(&nested(2_000)).is_err());

    let long = format!("enum {{ {} }}", "a".repeat(16 * 1024));
    let error = PayloadType::parse(&long).unwrap_err();
    assert_eq!(error.reason, "it is longer than 16384 bytes");
    assert!(error.to_string().len() < 300);
}

#[test]
fn ends_inside_a_type_are_seen() {
    for text in [
        "sender<u8>",
        "list<receiver<u8>>",
        "record { a: variant { b(sender<u8>) } }",
        "result<_, sender<u8>>",
    ] {
        assert!(PayloadType::parse(text).unwrap().carries_ends(), "{text}");
    }
    for text in ["list<u8>", "record { sender: u8 }", "enum { receiver }"] {
        assert!(!PayloadType::parse(text).unwrap().carries_ends(), "{text}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_reading_panic(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
        let _ = Signature::read_all(&bytes);
        let _ = Signature::read(&bytes);
        let _ = Signature::read(&[COMPONENT, &bytes].concat());
        let _ = Signature::read(&component(&[custom(SECTION, &bytes)]));
    }

    #[test]
    fn no_damage_makes_reading_panic(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = component(&[nested(&[signature(FILTER)]), signature(FILTER)]);
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let _ = Signature::read(&bytes);
        let _ = Signature::read(&bytes[..cut.index(bytes.len())]);
    }

    #[test]
    fn parsing_a_type_again_changes_nothing(text in "(list<|option<|tuple<|record \\{ a: |enum \\{ b|u8|_|,|>|\\}| ){0,8}") {
        if let Ok(ty) = PayloadType::parse(&text) {
            let again = PayloadType::parse(ty.as_str()).unwrap();
            prop_assert_eq!(again.as_str(), ty.as_str());
        }
    }
}
