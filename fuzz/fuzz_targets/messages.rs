//! Messages of strangers, read as types of the guest SDK, and printed by the host.
#![no_main]

use libfuzzer_sys::fuzz_target;
use transputer_guest::message::{from_bytes, to_bytes};
use transputer_guest::{Bytes, Message};
use transputer_network::signature::PayloadType;
use transputer_network::value;

#[derive(Message, Debug)]
struct Line {
    number: u64,
    r#type: String,
    note: Option<String>,
    nested: Option<Byte>,
}

#[derive(Message, Debug)]
struct Byte(u8);

#[derive(Message, Debug)]
enum Shape {
    Point,
    Circle(f32),
    Square(i8, u16),
    Named {
        name: String,
        parts: Vec<(char, bool)>,
    },
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&kind, message)) = bytes.split_first() else {
        return;
    };
    match kind % 16 {
        0 => check::<u8>(message),
        1 => check::<i64>(message),
        2 => check::<f64>(message),
        3 => check::<char>(message),
        4 => check::<String>(message),
        5 => check::<()>(message),
        6 => check::<Vec<u16>>(message),
        7 => check::<Vec<()>>(message),
        8 => check::<Vec<Bytes>>(message),
        9 => check::<Line>(message),
        10 => check::<Shape>(message),
        11 => check::<Vec<(Line, Option<Shape>)>>(message),
        12 => check::<Result<i32, String>>(message),
        13 => check::<Vec<u8>>(message),
        14 => check::<Option<f32>>(message),
        _ => check::<Vec<Result<Vec<Bytes>, Vec<Shape>>>>(message),
    }
});

/// What can be read is written, read and written again as the same bytes, and the host prints it.
fn check<T: Message>(message: &[u8]) {
    let ty = PayloadType::parse(&T::TYPE.to_string()).expect("the host reads the SDK's types");
    let printed = value::print(&ty, message);
    let Ok(value) = from_bytes::<T>(message) else {
        return;
    };
    let written = to_bytes(&value).expect("it holds no ends");
    let again = from_bytes::<T>(&written).expect("what the SDK writes it reads");
    assert_eq!(to_bytes(&again).as_ref(), Ok(&written));
    let _ = printed;
    value::print(&ty, &written).expect("the host prints what the SDK writes");
}
