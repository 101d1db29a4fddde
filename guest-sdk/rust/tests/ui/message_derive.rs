use transputer_guest::Message;

#[derive(Message)]
struct Borrowed<'a> {
    text: &'a str,
}

#[derive(Message)]
enum Never {}

#[derive(Message)]
union Either {
    a: u32,
    b: f32,
}

struct Unknown;

#[derive(Message)]
struct Holds {
    unknown: Unknown,
}

fn main() {}
