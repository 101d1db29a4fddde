//! Guests from source, and new networks.

use std::path::Path;

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::contains;

use super::{network, transputer, write};

/// A package of one source file that needs no other crate.
fn package(folder: &Path, source: &str) {
    let manifest = "[package]\nname = \"guest\"\nedition = \"2024\"\n\n\
                    [lib]\ncrate-type = [\"cdylib\"]\n\n[workspace]\n";
    write(folder, "Cargo.toml", manifest);
    write(folder, "src/lib.rs", source);
}

#[test]
fn guests_are_built_once_and_again_when_their_source_changes() {
    let folder = network("[process.guest]\ncomponent = \"guest\"\n");
    package(&folder.path().join("guest"), "pub fn one() {}");
    let file = "guest/target/guests/wasm32-wasip2/guest/guest.wasm";
    let build = || {
        transputer()
            .arg("build")
            .arg(folder.path())
            .assert()
            .success()
    };
    build()
        .stdout(contains(file))
        .stderr(contains("built guest in"));
    build()
        .stdout(contains(file))
        .stderr(contains("up to date"));
    package(&folder.path().join("guest"), "pub fn two() {}");
    build()
        .stdout(contains(file))
        .stderr(contains("built guest in"));
    transputer()
        .args(["build", "--quiet"])
        .arg(folder.path())
        .assert()
        .success()
        .stderr("");
}

#[test]
fn errors_of_the_compiler_are_shown_as_they_are() {
    let folder = network("[process.guest]\ncomponent = \"guest\"\n");
    package(&folder.path().join("guest"), "fn broken( {}");
    for command in ["run", "build"] {
        transputer()
            .arg(command)
            .arg(folder.path())
            .assert()
            .code(2)
            .stderr(contains("src/lib.rs:1:").and(contains("fn broken( {}")))
            .stderr(contains("cargo could not build guest"));
    }
}

#[test]
fn a_package_without_a_component_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "Cargo.toml", "[package]\nname = \"plain\"\n");
    write(folder.path(), "src/lib.rs", "");
    transputer()
        .arg("build")
        .arg(folder.path())
        .assert()
        .code(2)
        .stderr(contains("`plain`").and(contains("cdylib")));
}

#[test]
fn unbuilt_guests_are_named_by_check_and_by_run_without_build() {
    let folder = network("[process.guest]\ncomponent = \"guest\"\n");
    package(&folder.path().join("guest"), "");
    transputer()
        .arg("check")
        .arg(folder.path())
        .assert()
        .success()
        .stderr(contains("not built yet").and(contains("guest")));
    transputer()
        .args(["run", "--no-build"])
        .arg(folder.path())
        .assert()
        .code(2)
        .stderr(contains("network.toml:2:").and(contains("not built")));
}

#[test]
fn without_any_toolchain_the_error_names_all_ways_to_one() {
    let folder = tempfile::tempdir().unwrap();
    package(folder.path(), "");
    let empty = tempfile::tempdir().unwrap();
    // Neither a rustc with the target, nor rustup's leave, nor a usable folder.
    write(empty.path(), "not-made-by-the-script", "");
    transputer()
        .arg("build")
        .arg(folder.path())
        .env("RUSTC", "no-such-rustc")
        .env("RUSTUP_AUTO_INSTALL", "0")
        .env("TRANSPUTER_TOOLCHAIN", empty.path())
        .assert()
        .code(4)
        .stderr(contains("rustup target add wasm32-wasip2"))
        .stderr(contains("RUSTUP_AUTO_INSTALL=0 forbids it"))
        .stderr(contains("TRANSPUTER_TOOLCHAIN").and(contains("RUSTC")));
}

/// Hides the folder that is its first argument, then runs the others.
const HIDING: &str =
    "mount -t tmpfs none \"$1\" && test -z \"$(ls -A \"$1\")\" && shift && exec \"$@\"";

/// Runs a program where the repository cannot be seen, as on the machine of somebody who has none; or where it can, and
/// says so, if this machine does not let us hide it.
fn without_repository(program: &Path) -> Command {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let repository = repository.canonicalize().unwrap();
    let hiding = |ways: &[&str], program: &Path| {
        let mut command = Command::new("unshare");
        command.args(ways).args(["--", "sh", "-c", HIDING, "sh"]);
        command.arg(&repository).arg(program);
        command
    };
    let ways: [&[&str]; 2] = [&["--mount"], &["--user", "--map-root-user", "--mount"]];
    let works = |ways: &&&[&str]| {
        let tried = hiding(ways, Path::new("true")).output();
        tried.is_ok_and(|tried| tried.status.success())
    };
    match ways.iter().find(works) {
        Some(ways) => hiding(ways, program),
        None => {
            eprintln!("NOT CHECKED: that the repository is not needed; `unshare` cannot hide it");
            Command::new(program)
        }
    }
}

#[test]
fn a_new_network_runs_as_it_is_and_needs_nothing_of_the_repository() {
    let folder = tempfile::tempdir().unwrap();
    let sdk = folder.path().join("sdk");
    // As it is installed: by itself, elsewhere.
    let installed = folder.path().join("transputer");
    std::fs::copy(env!("CARGO_BIN_EXE_transputer"), &installed).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = without_repository(&installed);
        command.current_dir(folder.path()).args(arguments);
        command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
        command.env("TRANSPUTER_SDK", &sdk).assert()
    };
    run(&["new", "hello"])
        .code(0)
        .stderr(contains("transputer run hello"));
    run(&["run", "hello"])
        .code(0)
        .stdout("Hello, world!\n".repeat(3));
    run(&["run", "hello", "--arg", "times=1", "--arg", "whom=you"])
        .code(0)
        .stdout("Hello, you!\n");
    run(&["check", "hello"])
        .code(0)
        .stdout(contains("greeter.greetings"));
    run(&["test", "hello"])
        .code(0)
        .stdout(contains("test another ... ok").and(contains("2 passed, 0 failed")));
    // The stamp lists every file that went into the component.
    let stamp = folder.path().join("hello/target/guests/stamps");
    let stamp = std::fs::read_to_string(stamp.join("hello-processes.json")).unwrap();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let repository = repository.canonicalize().unwrap();
    assert!(stamp.contains("guest/src/lib.rs"), "{stamp}");
    assert!(
        !stamp.contains(&repository.display().to_string()),
        "{stamp}"
    );
    // Its process is tested on the machine itself, with Cargo alone.
    let mut cargo = without_repository(Path::new("cargo"));
    cargo
        .args(["test", "--quiet"])
        .current_dir(folder.path().join("hello"))
        .env_remove("CARGO_TARGET_DIR")
        .assert()
        .success()
        .stdout(contains("1 passed"));
}

/// A network of two files, `network.toml` and `lib.rs`.
#[test]
fn one_file_holds_all_processes_of_a_network() {
    let folder = network(
        "[arguments]\ncount = 3\n\
         [process.generator]\ncomponent = \"lib.rs:generator\"\n\
         [process.lines]\ncomponent = \"lib.rs:lines\"\n\
         [[channel]]\nfrom = \"generator.numbers\"\nto = \"lines.numbers\"\n\
         [stdout]\nfrom = \"lines.lines\"\n",
    );
    let source = "use transputer_guest::{Error, Receiver, Sender, process};\n\
        #[process]\n\
        fn generator(count: u64, numbers: Sender<u64>) -> Result<(), Error> {\n\
            (0..count).try_for_each(|number| numbers.send(number))\n\
        }\n\
        #[process]\n\
        fn lines(numbers: Receiver<u64>, lines: Sender<String>) -> Result<(), Error> {\n\
            numbers.into_iter().try_for_each(|number| lines.send(number.to_string()))\n\
        }\n";
    write(folder.path(), "lib.rs", source);
    for ways in [&[][..], &["--no-core-modules"]] {
        transputer()
            .args(["run", "--quiet"])
            .args(ways)
            .arg(folder.path())
            .assert()
            .code(0)
            .stdout("0\n1\n2\n");
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 2, "nothing is put beside them: {left:?}");
    transputer()
        .args(["build", "--quiet", "--out"])
        .arg(folder.path().join("out"))
        .arg(folder.path())
        .assert()
        .code(0);
    let built = folder.path().join("out").read_dir().unwrap().next();
    let built = built.unwrap().unwrap().path();
    transputer()
        .arg("inspect")
        .arg(&built)
        .assert()
        .code(0)
        .stdout(contains("generator\n").and(contains("lines\n")));
    let mut one = built.into_os_string();
    one.push(":lines");
    transputer()
        .arg("inspect")
        .arg(one)
        .assert()
        .code(0)
        .stdout(contains("numbers: u64"));
}

#[test]
fn a_process_that_a_file_does_not_have_is_named_with_those_it_has() {
    let source = "use transputer_guest::process;\n\
                  #[process]\nfn one() {}\n#[process]\nfn two() {}\n";
    for (component, said) in [
        (
            "lib.rs:three",
            "it has no process `three`; it has `one`, `two`",
        ),
        (
            "lib.rs",
            "it has several processes, `one`, `two`; choose one by its name",
        ),
    ] {
        let folder = network(&format!("[process.a]\ncomponent = \"{component}\"\n"));
        write(folder.path(), "lib.rs", source);
        transputer()
            .args(["check", "--build"])
            .arg(folder.path())
            .assert()
            .code(2)
            .stderr(contains("network.toml:2:13").and(contains(said)));
    }
}

#[test]
fn a_debug_build_tells_where_a_process_panicked() {
    let folder = network("[process.strict]\ncomponent = \"lib.rs\"\narguments.number = 3\n");
    let source = "use transputer_guest::process;\n\n\
                  #[process]\n\
                  fn strict(number: u64) {\n\
                  \x20   check(number);\n\
                  }\n\n\
                  #[inline(never)]\n\
                  fn check(number: u64) {\n\
                  \x20   assert!(number % 2 == 0, \"{number} is odd\");\n\
                  }\n";
    write(folder.path(), "lib.rs", source);
    let run = |more: &[&str]| {
        let mut command = transputer();
        command.arg("run").args(more).arg(folder.path());
        let output = command.assert().code(1).get_output().stderr.clone();
        String::from_utf8(output).unwrap()
    };
    for ways in [&["--debug"][..], &["--debug", "--no-core-modules"]] {
        let said = run(ways);
        let (_, backtrace) = said.split_once("3 is odd").expect(&said);
        let first = backtrace
            .lines()
            .find(|line| line.trim_start().starts_with("0: "))
            .expect(&said);
        assert!(
            first.contains("check") && first.contains("lib.rs:10"),
            "{said}"
        );
        assert_eq!(said.matches("3 is odd").count(), 1, "the text once: {said}");
        assert!(!said.contains("panicking"), "{said}");
        assert!(
            said.contains("strict at") && said.contains("lib.rs:5"),
            "{said}"
        );
    }
    assert!(run(&[]).contains("3 is odd"));
}

#[test]
fn tests_of_a_network_compare_what_it_says() {
    let text = "[process.echo]\ncomponent = \"{guest:echo}\"\n\
                [stdin]\nto = \"echo.lines\"\nformat = \"lines\"\n\
                [stdout]\nfrom = \"echo.out\"\nformat = \"lines\"\n";
    let folder = network(text);
    let test = |arguments: &[&str]| {
        let mut command = transputer();
        command.arg("test").arg(folder.path()).args(arguments);
        command.assert()
    };
    test(&[]).code(2).stderr(contains("NAME.out"));
    write(folder.path(), "tests/good.in", "a\nb\n");
    write(folder.path(), "tests/good.out", "a\nb\n");
    write(folder.path(), "tests/bad.in", "a\nb\n");
    write(folder.path(), "tests/bad.out", "a\nc\n");
    test(&[])
        .code(1)
        .stdout(contains("test good ... ok").and(contains("test bad ... FAILED")))
        .stdout(contains("line 2 of the output:"))
        .stdout(contains("1 passed, 1 failed"));
    test(&["good"])
        .code(0)
        .stdout(contains("1 passed, 0 failed"));
    test(&["--update"])
        .code(0)
        .stdout(contains("test bad ... updated"));
    test(&[]).code(0).stdout(contains("2 passed, 0 failed"));
    write(folder.path(), "tests/good.exit", "1");
    test(&["good"])
        .code(1)
        .stdout(contains("the exit code is 0, expected 1"));
}

#[test]
fn a_new_network_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "taken/precious.txt", "data");
    transputer()
        .current_dir(folder.path())
        .args(["new", "taken"])
        .assert()
        .code(2)
        .stderr(contains("taken").and(contains("not empty")));
    transputer()
        .current_dir(folder.path())
        .args(["new", "fresh", "--sdk", "nowhere"])
        .assert()
        .code(2)
        .stderr(contains("nowhere").and(contains("SDK")));
    assert!(predicate::path::missing().eval(&folder.path().join("fresh")));
}
