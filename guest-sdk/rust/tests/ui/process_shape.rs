struct State;

impl State {
    #[transputer_guest::process]
    fn method(&self) {}
}

#[transputer_guest::process]
fn generic<T>(value: T) {
    drop(value);
}

#[transputer_guest::process]
fn patterns((a, b): (u64, u64)) {
    let _ = a + b;
}

#[transputer_guest::process(name = "x")]
unsafe extern "C" fn options() {}

fn main() {}
