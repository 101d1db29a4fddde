//! What processes are promised at channels to other hosts, as they find it out themselves.

use super::hosts::{Host, Network, status, wait_until};
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

/// Numbers go from one host to `crashes` on another, which crashes over the last one; with this pause before it is
/// restarted. A second attempt makes a dead letter of it.
fn crashing(backoff: &str) -> Network {
    let text = r#"
    [process.count]
    component = "{guest count}"
    arguments = { limit = 667 }
    place = "one"
    [process.crashes]
    component = "{guest crashes}"
    place = "two"
    [process.crashes.restart]
    policy = "on-failure"
    backoff = { initial = "{backoff}", maximum = "{backoff}" }
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
    "#;
    Network::new(&text.replace("{backoff}", backoff))
}

#[test]
fn a_message_from_another_host_is_tried_again_and_then_a_dead_letter() {
    let Some(server) = Server::start("attempts and dead letters") else {
        return;
    };
    let network = crashing("1 ms");
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

/// What is told of attempts: the port, and how many.
fn attempts(network: &Network, server: &Server) -> Vec<(String, u64)> {
    let status = status(&network.folder, server);
    let attempts = status["attempts"].as_array().expect("a list");
    let told = attempts.iter().map(|it| {
        let port = it["port"].as_str().expect("a text");
        (port.to_owned(), it["attempts"].as_u64().expect("a number"))
    });
    told.collect()
}

fn a_host_goes_on_counting(server: &Server, leave: impl FnOnce(&mut Host)) {
    // Longer than the test waits, unless the second host counts on: then there is a dead letter before.
    let network = crashing("1 h");
    let mut first = Host::start(&network.folder, server, "two", "first");
    let one = Host::start(&network.folder, server, "one", "one");
    wait_until(
        || attempts(&network, server) == [("crashes.numbers".to_owned(), 1)],
        || format!("the first attempt, told: {}", first.said()),
    );
    leave(&mut first);
    let second = Host::start(&network.folder, server, "two", "second");
    second.until_it_says("part `crashes` runs here");
    second.until_it_says("from its port `numbers`, which went to its dead letters");
    drop(one);
}

#[test]
fn a_host_that_takes_over_goes_on_counting_attempts() {
    let Some(server) = Server::start("attempts after a kill") else {
        return;
    };
    a_host_goes_on_counting(&server, Host::kill);
}

#[test]
#[cfg(unix)]
fn attempts_are_counted_on_where_a_host_hands_over() {
    let Some(server) = Server::start("attempts after a hand-over") else {
        return;
    };
    a_host_goes_on_counting(&server, |first| first.signal("TERM"));
}
