//! Standard error: whole lines, not too many, and nobody waits for whoever reads them.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::network;
use super::raw::put_guest;

fn run(folder: &TempDir, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_transputer"));
    command.arg("run").arg(folder.path()).args(more);
    command
}

/// A network that logs more than a pipe and the command's own queue hold, and tells when it has.
fn chatter(guest: &str) -> TempDir {
    let folder = network(&format!(
        r#"
[process.chatter]
component = "{guest}.wasm"

[process.echo]
component = "{{guest:echo}}"

[[channel]]
from = "chatter.told"
to = "echo.lines"

[stdout]
from = "echo.out"
"#
    ));
    put_guest(folder.path(), guest);
    folder
}

/// Starts a command whose standard error nobody reads, and waits until it has said a lot.
fn unread(folder: &TempDir) -> Child {
    let mut child = run(folder, &["--workers", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut said).unwrap();
    assert_eq!(said, "aaaa\n", "the only worker goes on");
    child
}

#[test]
fn an_interrupt_works_while_nobody_reads() {
    let folder = chatter("chatters");
    let mut child = unread(&folder);
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn lines_that_nobody_read_in_time_are_counted() {
    let folder = chatter("babbles");
    let mut child = unread(&folder);
    let mut text = String::new();
    let mut stderr = child.stderr.take().unwrap();
    stderr.read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let (mut printed, mut missing) = (0, 0);
    for line in text.lines() {
        match line.strip_prefix("warning: ") {
            Some(rest) => {
                let (count, rest) = rest.split_once(' ').unwrap();
                assert!(rest.starts_with("lines are missing here"), "{line}");
                missing += count.parse::<u64>().unwrap();
            }
            None => {
                assert_eq!(line, format!("info  chatter: {}", "a".repeat(300)));
                printed += 1;
            }
        }
    }
    assert!(missing > 0);
    assert_eq!(printed + missing, 9_000);
}

#[test]
fn each_line_is_one_write() {
    let text = "[process.floods]\ncomponent = \"{guest:floods_log}\"\narguments = { lines = 500 }\n\
                [process.fails]\ncomponent = \"{guest:returns_err}\"\narguments = { text = \"no\" }\n\
                [stdout]\nfrom = \"fails.out\"\n";
    let folder = network(text);
    for color in ["always", "never"] {
        // Each write is a datagram of its own.
        let (ours, theirs) = UnixDatagram::pair().unwrap();
        let mut command = run(&folder, &["--color", color]);
        command.stderr(OwnedFd::from(theirs)).stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        // It holds the other end.
        drop(command);
        let mut lines = 0;
        let mut buffer = vec![0; 1 << 20];
        // Whoever waits for the end of datagrams waits for ever: the last line is known.
        loop {
            let length = ours.recv(&mut buffer).unwrap();
            let text = std::str::from_utf8(&buffer[..length]).unwrap();
            assert!(text.ends_with('\n'), "half a line: {text:?}");
            lines += text.lines().count();
            if text.contains("did not finish") {
                break;
            }
        }
        assert!(lines > 500, "{lines}");
        assert_eq!(child.wait().unwrap().code(), Some(1));
    }
}

#[test]
fn output_and_log_do_not_mix_in_one_file() {
    let folder = network(
        "[process.floods]\ncomponent = \"{guest:floods_log}\"\narguments = { lines = 5000 }\n\
         [process.count]\ncomponent = \"{guest:count}\"\narguments = { limit = 100000 }\n\
         [stdout]\nfrom = \"count.numbers\"\nformat = \"lines\"\n",
    );
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut command = run(&folder, &["--workers", "2"]);
    command.stdout(writer.try_clone().unwrap()).stderr(writer);
    let mut child = command.spawn().unwrap();
    drop(command);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert!(child.wait().unwrap().success());
    let (mut numbers, mut logged) = (0, 0);
    for line in text.lines() {
        if line == numbers.to_string() {
            numbers += 1;
        } else {
            assert_eq!(line, format!("info  floods: line {logged}"));
            logged += 1;
        }
    }
    assert_eq!((numbers, logged), (100_000, 5_000));
}

#[test]
fn what_happens_again_and_again_is_counted() {
    let folder = network(
        "[process.root]\ncomponent = \"breeds.wasm\"\ngrants.spawn = [\"traps\"]\n\
         [components]\ntraps = \"traps.wasm\"\n",
    );
    put_guest(folder.path(), "breeds");
    put_guest(folder.path(), "traps");
    let output = run(&folder, &["--quiet"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    let printed = text
        .lines()
        .filter(|line| line.starts_with("ended "))
        .count();
    let counted = text
        .lines()
        .find_map(|line| {
            line.strip_prefix("transputer: not printed, because there were too many: ")
        })
        .unwrap_or_else(|| panic!("{text}"));
    let (counted, kind) = counted.split_once(' ').unwrap();
    assert_eq!(kind, "processes that trapped");
    assert!(printed >= 100, "{printed}");
    assert_eq!(printed + counted.parse::<usize>().unwrap(), 2_000);

    let output = run(&folder, &["--format", "json"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let objects = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let counts: Vec<_> = objects
        .filter(|object| object["not_printed"].is_object())
        .collect();
    let [counts] = &counts[..] else {
        panic!("{counts:?}");
    };
    let counted = counts["not_printed"]["processes that trapped"]
        .as_u64()
        .unwrap();
    assert!(counted > 0 && counted <= 1_900, "{counted}");
}
