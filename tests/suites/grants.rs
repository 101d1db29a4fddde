//! A process reaches what it was granted, and gets WASI's ordinary error for everything else.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use transputer::plan::{Directory, Variable};
use transputer::{
    ChannelOptions, Event, Grants, HostOptions, Level, Replace, Restart, Unfinished, Verdict,
};
use transputer_tests::{Events, guest, guest_file, guest_of, host, input, new_host, output};

/// What a process with these grants answers to each of these questions.
fn answers<const N: usize>(grants: Grants, questions: [&str; N]) -> [String; N] {
    answers_on(host(), grants, questions)
}

fn answers_on<const N: usize>(
    host: &transputer::Host,
    grants: Grants,
    questions: [&str; N],
) -> [String; N] {
    let mut network = host.network("asking");
    network
        .process("asks", &guest_of(host, "asks_wasi"))
        .grants(grants);
    let asked = input(&mut network, "asks.questions");
    let answered = output(&mut network, "asks.answers");
    let running = network.start().expect("whatever it is granted, it starts");
    let answers = questions.map(|question| {
        asked.send_value(&question).expect("it receives");
        answered.receive_value().expect("it answers")
    });
    drop(asked);
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
    answers
}

fn directory(host: &Path, write: bool) -> Grants {
    Grants::default().directory(Directory::new(host, "/data").write(write))
}

#[test]
fn nothing_is_granted_by_default() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let connect = format!("connect {address}");
    let questions = [
        "read /data/file",
        "read /etc/passwd",
        "write /data/file",
        "variable PATH",
        "variables",
        connect.as_str(),
        "year",
        "sleep",
    ];
    let [
        read,
        passwd,
        write,
        variable,
        variables,
        connected,
        year,
        slept,
    ] = answers(Grants::default(), questions);
    assert_eq!((read.as_str(), passwd.as_str()), ("NotFound", "NotFound"));
    assert_eq!(write, "NotFound");
    assert_eq!(variable, "environment variable not found");
    assert_eq!(variables, "0");
    assert_eq!(connected, "PermissionDenied");
    assert_eq!((year.as_str(), slept.as_str()), ("1970", "some time"));
}

#[test]
fn a_directory_can_be_read_or_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "inside").expect("a file");
    std::fs::write(folder.path().with_extension("outside"), "outside").expect("a file");
    let outside = folder.path().with_extension("outside");
    let up = format!(
        "read /data/../{}",
        outside.file_name().expect("a name").to_string_lossy()
    );

    let questions = ["read /data/file", "write /data/file", up.as_str()];
    let [read, write, escaped] = answers(directory(folder.path(), false), questions);
    assert_eq!(read, "inside");
    assert_eq!(write, "PermissionDenied");
    assert_ne!(escaped, "outside");
    assert_eq!(
        std::fs::read_to_string(&file).expect("it is there"),
        "inside"
    );

    let [read, write, escaped] = answers(directory(folder.path(), true), questions);
    assert_eq!((read.as_str(), write.as_str()), ("inside", "done"));
    assert_ne!(escaped, "outside");
    assert_eq!(
        std::fs::read_to_string(&file).expect("it is there"),
        "written"
    );
    std::fs::remove_file(outside).expect("it was written");
}

/// A link that is put in the place of a granted directory leads nobody out of it, whoever comes to be
/// after that.
#[cfg(unix)]
#[test]
fn a_directory_is_opened_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (granted, outside) = (folder.path().join("granted"), folder.path().join("outside"));
    for (directory, text) in [(&granted, "inside"), (&outside, "outside")] {
        std::fs::create_dir(directory).expect("a folder");
        std::fs::write(directory.join("file"), text).expect("a file");
    }
    let mut network = host().network("asking");
    network
        .process("asks", &guest("asks_wasi"))
        .grants(directory(&granted, false))
        .restart(Restart::on_failure().unfinished(Unfinished::Drop));
    let asked = input(&mut network, "asks.questions");
    let answered = output(&mut network, "asks.answers");
    let running = network.start().expect("the directory is there");
    let read = || {
        asked.send_value(&"read /data/file").expect("it receives");
        answered.receive_value::<String>().expect("it answers")
    };
    assert_eq!(read(), "inside");
    std::fs::rename(&granted, folder.path().join("moved")).expect("it can be moved");
    std::os::unix::fs::symlink("outside", &granted).expect("a link can be put there");
    assert_eq!(read(), "inside", "who has it open");
    running
        .replace("asks", &guest("asks_wasi"), Replace::default())
        .expect("it waits for a question");
    assert_eq!(read(), "inside", "a replacement");
    asked.send_value(&"fail").expect("it receives");
    assert_eq!(read(), "inside", "the next incarnation");
    drop(asked);
    assert_eq!(running.wait().restarts, 1);
}

#[test]
fn a_directory_that_cannot_be_opened_is_refused_when_the_network_starts() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = refusal(&[("asks", &folder.path().join("missing"), false)]);
    for part in ["process `asks`", "missing", "cannot be opened"] {
        assert!(refused.contains(part), "{refused}");
    }
}

#[test]
fn a_directory_beneath_one_that_may_be_written_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (upper, lower) = (folder.path().join("data"), folder.path().join("data/sub"));
    std::fs::create_dir_all(&lower).expect("folders");
    let refused = refusal(&[("writer", &upper, true), ("reader", &lower, false)]);
    for part in [
        "process `reader` is granted",
        "data/sub",
        "beneath",
        "process `writer` may write",
    ] {
        assert!(refused.contains(part), "{refused}");
    }
}

#[test]
fn a_directory_with_the_code_of_a_process_is_refused() {
    let folder = guest_file("asks_wasi");
    let folder = folder.parent().expect("a file in a folder");
    let refused = refusal(&[("asks", folder, false)]);
    for part in [
        "process `asks`",
        "the component of process",
        "asks_wasi.wasm",
    ] {
        assert!(refused.contains(part), "{refused}");
    }
}

/// Why a network of processes with these directories does not start.
fn refusal(granted: &[(&str, &Path, bool)]) -> String {
    let mut network = host().network("asking");
    let mut ends = Vec::new();
    for (process, path, write) in granted {
        network
            .process(process, &guest("asks_wasi"))
            .grants(directory(path, *write));
        let questions = input(&mut network, &format!("{process}.questions"));
        ends.push((
            questions,
            output(&mut network, &format!("{process}.answers")),
        ));
    }
    let refused = network.start().expect_err("it must not start");
    refused.to_string()
}

#[test]
fn variables_are_granted_by_name() {
    let granted = Grants::default()
        .variable(Variable::Inherited("PATH".to_owned()))
        .variable(Variable::Inherited("NO_SUCH_VARIABLE_HERE".to_owned()))
        .variable(Variable::Fixed {
            name: "LANG".to_owned(),
            value: "C".to_owned(),
        });
    let questions = [
        "variable PATH",
        "variable LANG",
        "variable HOME",
        "variables",
    ];
    let [path, lang, home, count] = answers(granted, questions);
    assert_eq!(path, std::env::var("PATH").expect("every test has one"));
    assert_eq!(lang, "C");
    assert_eq!(home, "environment variable not found");
    assert_eq!(count, "2", "what the host has not is left out");
}

#[test]
fn standard_output_is_swallowed_unless_it_is_granted() {
    // What is written shows in the test of the command; here, that both start and can write.
    for stdio in [false, true] {
        let grants = Grants::default().stdio(stdio);
        let [out, err] = answers(grants, ["stdout written", "stderr written"]);
        assert_eq!((out.as_str(), err.as_str()), ("done", "done"));
    }
}

#[test]
fn clocks_are_granted() {
    let granted = Grants::default().clocks(true);
    let [year, slept] = answers(granted, ["year", "sleep"]);
    let year: u32 = year.parse().expect("a year");
    assert!(year >= 2024, "{year}");
    assert_eq!(slept, "some time");
}

#[test]
fn a_seeded_run_never_knows_what_time_it_is() {
    let host = new_host(HostOptions::default().seed(3).max_processes(10));
    for clocks in [false, true] {
        let grants = Grants::default().clocks(clocks);
        let [year] = answers_on(&host, grants, ["year"]);
        assert_eq!(year, "1970");
    }
}

#[test]
fn the_network_is_granted_by_host_and_port() {
    let listener = |text: &'static str| -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A guest that is refused never gets here.
                let _ = stream.and_then(|mut stream| stream.write_all(text.as_bytes()));
            }
        });
        address
    };
    let (granted, other) = (listener("welcome"), listener("not for you"));
    let grants = Grants::default().address(granted);
    let (granted, other) = (format!("connect {granted}"), format!("connect {other}"));
    let [welcome, refused] = answers(grants, [granted.as_str(), other.as_str()]);
    assert_eq!(welcome, "welcome");
    assert_eq!(refused, "PermissionDenied");
}

#[test]
fn spawning_is_granted_by_component() {
    let run = |allowed: bool| {
        let mut network = host().network("spawning");
        let mut settings = network.process("crowds", &guest("crowds"));
        settings
            .argument("children", 1_i64)
            .argument("patience", "now");
        if allowed {
            settings.may_spawn("parks", &guest("parks"));
        }
        let told = network
            .output("crowds.told", ChannelOptions::bounded(1))
            .expect("it is free");
        let release = input(&mut network, "crowds.release");
        let running = network.start().expect("it starts");
        let started = told.receive_value::<String>().is_ok();
        drop((release, told));
        (started, running.wait())
    };
    let (started, report) = run(true);
    assert!(started, "{report:?}");
    let (started, report) = run(false);
    assert!(!started);
    let outcome = report.failures[0].outcome.to_string();
    assert!(
        outcome.contains("no component `parks` may be spawned here"),
        "{outcome}"
    );
}

#[test]
fn what_is_printed_without_a_grant_is_logged() {
    let mut network = host().network("printing");
    network.process("prints", &guest("prints"));
    let events = Events::of(&mut network);
    let running = network.start().expect("it starts");
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
    let events = events.list();
    let lines = events.iter().filter_map(|event| match event {
        Event::Log { level, line, .. } => Some((*level, line.as_str())),
        _ => None,
    });
    let (short, long): (Vec<_>, Vec<_>) = lines.partition(|(_, line)| !line.contains("long"));
    let expected = [
        (Level::Info, "to standard output"),
        (Level::Debug, "to standard error"),
        (Level::Info, "in two pieces"),
        (Level::Info, "odd: \u{fffd}"),
    ];
    assert_eq!(short, expected);
    // A line that is too long for the log becomes several, of which nothing is cut.
    let text: String = long.iter().map(|(_, line)| *line).collect();
    assert_eq!(text, "long ".repeat(1_000));
    assert!(long.iter().all(|(_, line)| line.len() <= 4096));
}
