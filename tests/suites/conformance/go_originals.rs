//! Go's own tests, run from where Go is installed; none of them is in this repository.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// How a program of Go's ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Whether its exit status was 0.
    pub(crate) succeeded: bool,
    /// What it wrote, to either stream.
    pub(crate) printed: String,
}

/// The folder `test` of the Go that is installed; says so, past the test's capture, if there is none.
fn tests() -> Option<&'static Path> {
    static TESTS: OnceLock<Option<PathBuf>> = OnceLock::new();
    let tests = TESTS.get_or_init(|| {
        let found = look();
        if let Err(missing) = &found {
            let line = format!("SKIPPED: no comparison with Go's own tests: {missing}\n");
            std::io::stderr().write_all(line.as_bytes()).ok();
        }
        found.ok()
    });
    tests.as_deref()
}

fn look() -> Result<PathBuf, String> {
    let asked = Command::new("go").args(["env", "GOROOT"]).output();
    let root = asked.map_err(|error| format!("`go` does not run: {error}"))?;
    let root = String::from_utf8_lossy(&root.stdout).trim().to_owned();
    let tests = Path::new(&root).join("test");
    match tests.join("chan/select3.go").is_file() {
        true => Ok(tests),
        false => Err(format!("their sources are not in {}", tests.display())),
    }
}

/// The command `go`, in Go's folder `test`, with a cache of the tests' own.
fn go(tests: &Path) -> Command {
    let mut command = Command::new("go");
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-cache");
    command.current_dir(tests).env("GOCACHE", cache);
    command
}

fn output(command: &mut Command) -> Output {
    command.output().expect("`go` ran before")
}

fn ended(output: &Output) -> Ended {
    let printed = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    Ended {
        succeeded: output.status.success(),
        printed: printed.concat(),
    }
}

/// Compiles and runs an original; `None` where there is no Go.
pub(crate) fn run(original: &str) -> Option<Ended> {
    let tests = tests()?;
    Some(ended(&output(go(tests).args(["run", original]))))
}

/// Runs an original that prints a program, then that program.
#[allow(dead_code, reason = "not every suite has such an original")]
pub(crate) fn run_output(original: &str) -> Option<Ended> {
    let tests = tests()?;
    let program = output(go(tests).args(["run", original]));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("main.go");
    fs::write(&file, program.stdout).expect("it can be written");
    Some(ended(&output(go(tests).arg("run").arg(file))))
}

/// The lines of an original that are marked as errors, and those that the compiler refuses.
#[allow(dead_code, reason = "not every suite has such an original")]
pub(crate) fn refused_lines(original: &str) -> Option<(BTreeSet<usize>, BTreeSet<usize>)> {
    let tests = tests()?;
    let source = fs::read_to_string(tests.join(original)).expect("the original is there");
    let marked = (1..)
        .zip(source.lines())
        .filter(|(_, line)| line.contains("// ERROR"));
    let folder = tempfile::tempdir().expect("a folder");
    // A file of its own: the compiler removes its output first, even a device.
    let object = folder.path().join("original.o");
    let mut compile = go(tests);
    compile.args(["tool", "compile", "-e", "-o"]).arg(object);
    let compiled = output(compile.arg(original));
    let refused = ended(&compiled).printed;
    let refused = refused.lines().filter_map(|line| {
        let place = line.strip_prefix(original)?.strip_prefix(':')?;
        place.split(':').next()?.parse().ok()
    });
    Some((
        marked.map(|(number, _)| number).collect(),
        refused.collect(),
    ))
}
