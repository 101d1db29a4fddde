//! What processes are promised at channels to other hosts, as they find it out themselves.

use super::hosts::{Host, Network};
use super::server::Server;

#[test]
fn tries_deadlines_and_guards_hold_across_hosts() {
    let Some(server) = Server::start("tries, deadlines and guards") else {
        return;
    };
    let network = Network::new(
        r#"
        [process.guards]
        component = "{guest guards_across}"
        place = "one"
        [process.late]
        component = "{guest late_reader}"
        place = "two"
        [[channel]]
        from = "guards.numbers"
        to = "late.numbers"
        capacity = 2
        remote = true
        [[channel]]
        from = "guards.go"
        to = "late.go"
        capacity = 1
        remote = true
        [[channel]]
        from = "late.out"
        to = "guards.answers"
        capacity = 1
        remote = true
        [limits]
        message = "64 KiB"
        [stdout]
        from = "guards.told"
        format = "lines"
        "#,
    );
    let one = Host::start(&network.folder, &server, "one", "h1");
    let two = Host::start(&network.folder, &server, "two", "h2");
    let (code, told) = one.end();
    let expected = "try: Err(WouldBlock)\n\
                    deadline: Err(TimedOut)\n\
                    send guard: false\n\
                    try to receive: Err(WouldBlock)\n\
                    receive guard: false\n\
                    send guard with room: true\n\
                    answer: 1\n\
                    answer: 2\n\
                    answer: 3\n\
                    after the last: Err(Closed)\n";
    assert_eq!((code, &*told), (Some(0), expected), "{}", two.said());
    assert_eq!(two.end().0, Some(0));
}

#[test]
fn a_message_from_another_host_is_tried_again_and_then_a_dead_letter() {
    let Some(server) = Server::start("attempts and dead letters") else {
        return;
    };
    let network = Network::new(
        r#"
        [process.count]
        component = "{guest count}"
        arguments = { limit = 667 }
        place = "one"
        [process.crashes]
        component = "{guest crashes}"
        place = "two"
        [process.crashes.restart]
        policy = "on-failure"
        backoff = { initial = "1 ms", maximum = "1 ms" }
        attempts = 2
        dead-letter = "letters.numbers"
        [process.letters]
        component = "{guest sum}"
        place = "two"
        [process.sum]
        component = "{guest sum}"
        place = "two"
        [[channel]]
        from = "count.numbers"
        to = "crashes.numbers"
        capacity = 8
        remote = true
        [[channel]]
        from = "crashes.out"
        to = "sum.numbers"
        [limits]
        message = "64 KiB"
        [stdout]
        from = ["letters.total", "sum.total"]
        format = "cbor"
        "#,
    );
    let one = Host::start(&network.folder, &server, "one", "h1");
    let two = Host::start(&network.folder, &server, "two", "h2");
    assert_eq!(one.end().0, Some(0));
    let (code, mut numbers) = two.end_in_bytes();
    assert_eq!(code, Some(0));
    // Two integers in CBOR, in any order: the sum of 0 to 665, and the dead letter.
    let (sum, letter) = ([0x1a, 0x00, 0x03, 0x61, 0x05], [0x19, 0x02, 0x9a]);
    if numbers.starts_with(&letter) {
        numbers.rotate_left(letter.len());
    }
    assert_eq!(numbers, [&sum[..], &letter].concat());
}
