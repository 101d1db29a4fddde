//! Ctrl-C.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use super::network;

fn interrupt(child: &Child) {
    let status = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn an_interrupted_network_says_what_was_in_flight() {
    let folder = network(
        r#"
[process.echo]
component = "{guest:echo}"

[stdin]
to = "echo.lines"

[stdout]
from = "echo.out"
"#,
    );
    let mut child = Command::new(env!("CARGO_BIN_EXE_transputer"))
        .arg("run")
        .arg(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    // Once a line has come back, the network runs, and will wait for the next.
    stdin.write_all(b"hello\n").unwrap();
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "hello\n");
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{errors}");
    assert!(errors.contains("interrupted"), "{errors}");
    assert!(errors.contains("  echo "), "{errors}");
    drop(stdin);
}
