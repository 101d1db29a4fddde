//! The `transputer` command, as its users meet it.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

mod bad_input;
#[cfg(unix)]
mod browser;
mod building;
#[cfg(unix)]
mod dead_letter_size;
#[cfg(unix)]
mod dead_letters;
#[cfg(unix)]
mod debugging;
mod exploring;
mod help;
mod limits;
mod logs;
mod otlp;
#[cfg(unix)]
mod packing;
mod page;
mod raw;
#[cfg(unix)]
mod registry;
mod running;
#[cfg(unix)]
mod signals;
#[cfg(unix)]
mod stderr;
mod stdin;
#[cfg(target_os = "linux")]
mod storage;
mod supervising;
mod terminal;
mod typed;
mod watching;

/// The command, without what the surroundings could change.
fn transputer() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_transputer"));
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    command
}

/// A guest program of `tests/guests`, which `tools/test` builds first.
fn guest(name: &str) -> PathBuf {
    let built = "../../target/guests/wasm32-wasip2/guest/examples";
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(built)
        .join(format!("{name}.wasm"));
    file.canonicalize()
        .unwrap_or_else(|_| panic!("the guest `{name}` is not built: run tools/test"))
}

/// A folder with this text as network.toml, in which `{NAME}` stands for the file of a
/// guest program.
fn network(text: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("temporary folders can be made");
    let mut text = text.to_owned();
    while let Some(start) = text.find("{guest:") {
        let end = start + text[start..].find('}').expect("a closing brace");
        let file = guest(&text[start + "{guest:".len()..end]);
        text.replace_range(start..=end, &file.display().to_string());
    }
    write(folder.path(), "network.toml", &text);
    folder
}

fn write(folder: &Path, name: &str, contents: impl AsRef<[u8]>) {
    let file = folder.join(name);
    std::fs::create_dir_all(file.parent().expect("a file in a folder")).unwrap();
    std::fs::write(file, contents).unwrap();
}
