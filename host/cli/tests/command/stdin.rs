//! Lines of standard input that cannot be taken.

use predicates::prelude::*;
use predicates::str::contains;
use tempfile::TempDir;

use super::{guest, network, transputer};

/// Copies lines of text of at most 60 bytes, through one process or two.
fn copying(processes: usize, on_bad_line: &str) -> TempDir {
    let mut text = format!(
        "[stdin]\nto = \"copies-1.lines\"\n{on_bad_line}\n[stdout]\nfrom = \"copies-{processes}.out\"\n\
         [limits]\nmessage = 62\n"
    );
    let component = guest("copies_text");
    for number in 1..=processes {
        text += &format!("[process.copies-{number}]\ncomponent = {component:?}\n");
        if number > 1 {
            let before = number - 1;
            text += &format!(
                "[[channel]]\nfrom = \"copies-{before}.out\"\nto = \"copies-{number}.lines\"\n"
            );
        }
    }
    network(&text)
}

fn run(folder: &TempDir, more: &[&str]) -> assert_cmd::Command {
    let mut command = transputer();
    command.arg("run").arg(folder.path()).args(more);
    command
}

/// So many good lines.
fn good(lines: u32) -> String {
    (1..=lines).map(|line| format!("{line}\n")).collect()
}

const NOT_TEXT: &[u8] = b"bad \xff\n";

fn too_long() -> Vec<u8> {
    [&b"x".repeat(61)[..], b"\n"].concat()
}

#[test]
fn what_came_before_a_bad_line_gets_through_then_the_network_fails() {
    let folder = copying(1, "");
    for (bad, problem) in [
        (NOT_TEXT, "line 1001: not UTF-8 from byte 5 on"),
        (&too_long(), "line 1001: longer than the 60 bytes"),
    ] {
        for seed in [&[][..], &["--seed", "3"]] {
            let stdin = [good(1_000).as_bytes(), bad, b"never read\n"].concat();
            run(&folder, seed)
                .write_stdin(stdin)
                .assert()
                .code(1)
                .stdout(good(1_000))
                .stderr(contains(problem).and(contains("`on-bad-line`")));
        }
    }
}

/// The only process takes it as an end; the input was bad all the same, and the host is not to blame.
#[test]
fn a_bad_line_that_nobody_fails_for_is_no_success() {
    let folder = network(
        "[process.tolerates]\ncomponent = \"{guest:tolerates_poison}\"\n\
         [stdin]\nto = \"tolerates.numbers\"\nformat = \"json\"\n\
         [stdout]\nfrom = \"tolerates.result\"\nformat = \"json\"\n",
    );
    for seed in [&[][..], &["--seed", "3"]] {
        run(&folder, seed)
            .write_stdin("1\n2\nthree\n")
            .assert()
            .code(1)
            .stdout(contains("[3,\"").and(contains("line 3")))
            .stderr(contains("stdin: line 3: "));
    }
    run(&folder, &[]).write_stdin("1\n2\n").assert().code(0);
}

#[test]
fn bad_lines_are_skipped_and_counted() {
    let folder = copying(2, "on-bad-line = \"skip\"");
    let bad = [NOT_TEXT, &too_long(), NOT_TEXT].concat();
    let stdin = [good(5).as_bytes(), &bad, good(5).as_bytes()].concat();
    run(&folder, &[])
        .write_stdin(stdin.clone())
        .assert()
        .code(0)
        .stdout(good(5).repeat(2))
        .stderr(contains("line 7: longer than the 60 bytes"))
        .stderr(contains("3 lines of stdin skipped"));
    run(&folder, &["--format", "json"])
        .write_stdin(stdin.clone())
        .assert()
        .code(0)
        .stderr(contains(r#""bad_lines":{"skipped":3,"cut":0}"#));
    run(&folder, &["-q"])
        .write_stdin(stdin)
        .assert()
        .code(0)
        .stderr("");
}

#[test]
fn bad_lines_are_cut_and_counted() {
    let folder = copying(1, "on-bad-line = \"cut\"");
    // The cut does not part a character of two bytes.
    let long = format!("{}\u{e9}\n", "x".repeat(59));
    let stdin = [b"one\n", NOT_TEXT, long.as_bytes(), b"two\n"].concat();
    let stdout = format!("one\nbad \n{}\ntwo\n", "x".repeat(59));
    run(&folder, &[])
        .write_stdin(stdin)
        .assert()
        .code(0)
        .stdout(stdout)
        .stderr(contains("2 lines of stdin cut"));
}

/// Where a message of the process may be a few bytes only, a piece of the stream is no more.
#[test]
fn bytes_come_in_pieces_that_may_be_received() {
    let folder = network(
        "[process.echo]\ncomponent = \"{guest:echo}\"\nlimits.message = 7\n\
         [stdin]\nto = \"echo.lines\"\nformat = \"bytes\"\n\
         [stdout]\nfrom = \"echo.out\"\nformat = \"bytes\"\n",
    );
    let text = "no piece is longer than seven bytes";
    run(&folder, &[])
        .write_stdin(text)
        .assert()
        .code(0)
        .stdout(text);
}
