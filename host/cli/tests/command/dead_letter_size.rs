//! The size of a dead-letter file is limited.

use std::io::BufRead as _;

use predicates::prelude::*;
use predicates::str::contains;

use super::dead_letters::{ANSWERS, file, line, records, run};
use super::network;
use super::raw::put_guest;

/// A guest without any grant opens a channel, and has it drop 6.4 MB.
#[test]
fn a_guest_cannot_fill_the_disk() {
    let folder = network("[process.fills]\ncomponent = \"fills_disk.wasm\"\n");
    put_guest(folder.path(), "fills_disk");
    run(&folder, &[])
        .assert()
        .code(0)
        .stderr(contains("200 messages sent and never received").and(contains("left in").not()));
    assert!(!file(&folder).exists());

    // Half of the limit is for what channels drop: three lines of 32 KiB of zeros.
    run(
        &folder,
        &["--dead-letter-opened", "--dead-letter-max", "400KiB"],
    )
    .assert()
    .code(0)
    .stderr(contains(
        "0 in flight, 3 not delivered; it was full, and lacks 197",
    ));
    let length = std::fs::metadata(file(&folder)).unwrap().len();
    assert!(length <= 400 << 10, "{length} bytes");
}

#[test]
fn a_full_file_ends_stdin_unless_answers_make_room() {
    let folder = network(ANSWERS);
    let limit = 64 << 10;
    let stdin: String = (0..20_000).map(|number| line(number) + "\n").collect();
    let output = run(&folder, &["--dead-letter-max", "64KiB"])
        .write_stdin(stdin.clone())
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("is full"), "{errors}");
    let length = std::fs::metadata(file(&folder)).unwrap().len();
    assert!(length <= limit, "{length} bytes");
    // What was accepted is in the file, and was answered.
    let accepted = records(&file(&folder)).len() - 1;
    let answered = output.stdout.lines().count();
    assert_eq!(accepted, answered);
    std::fs::remove_file(file(&folder)).unwrap();

    run(&folder, &["--dead-letter-max", "64KiB", "--one-to-one"])
        .write_stdin(stdin.clone())
        .assert()
        .code(0)
        .stdout(stdin)
        .stderr("");
    assert!(!file(&folder).exists());
}
