use transputer_guest::Message;

#[derive(Message)]
struct Tree {
    children: Vec<Tree>,
}

fn main() {}
