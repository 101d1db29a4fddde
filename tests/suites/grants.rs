//! A process reaches what it was granted, and gets WASI's ordinary error for everything else.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use transputer::plan::{Directory, Variable};
use transputer::{ChannelOptions, Grants, HostOptions, Verdict};
use transputer_tests::{guest, guest_of, host, input, new_host, output};

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
    Grants {
        directories: vec![Directory {
            host: host.to_owned(),
            guest: "/data".to_owned(),
            write,
        }],
        ..Grants::default()
    }
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

#[test]
fn variables_are_granted_by_name() {
    let granted = Grants {
        env: vec![
            Variable::Inherited("PATH".to_owned()),
            Variable::Inherited("NO_SUCH_VARIABLE_HERE".to_owned()),
            Variable::Fixed {
                name: "LANG".to_owned(),
                value: "C".to_owned(),
            },
        ],
        ..Grants::default()
    };
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
        let grants = Grants {
            stdio,
            ..Grants::default()
        };
        let [out, err] = answers(grants, ["stdout written", "stderr written"]);
        assert_eq!((out.as_str(), err.as_str()), ("done", "done"));
    }
}

#[test]
fn clocks_are_granted() {
    let granted = Grants {
        clocks: true,
        ..Grants::default()
    };
    let [year, slept] = answers(granted, ["year", "sleep"]);
    let year: u32 = year.parse().expect("a year");
    assert!(year >= 2024, "{year}");
    assert_eq!(slept, "some time");
}

#[test]
fn a_seeded_run_never_knows_what_time_it_is() {
    let host = new_host(HostOptions {
        seed: Some(3),
        max_processes: 10,
        ..HostOptions::default()
    });
    for clocks in [false, true] {
        let grants = Grants {
            clocks,
            ..Grants::default()
        };
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
                // A guest that is refused never comes.
                let _ = stream.and_then(|mut stream| stream.write_all(text.as_bytes()));
            }
        });
        address
    };
    let (granted, other) = (listener("welcome"), listener("not for you"));
    let grants = Grants {
        network: vec![granted],
        ..Grants::default()
    };
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
