//! `transputer new`: a network to start from.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueHint};

use crate::exit::{BadInput, Exit};
use crate::printable::one_line;
use crate::sdk;
use crate::terminal;

const EXAMPLES: &str = "\
Examples:
  transputer new hello && transputer run hello
  transputer new hello --sdk ../transputer/guest-sdk/rust";

/// Make a folder with a network of one Rust process and its tests, which runs as it is
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct New {
    /// The folder to make; its last part names the network: letters, digits, `-` and `_`, with a
    /// letter first
    #[arg(value_name = "NAME", value_hint = ValueHint::DirPath)]
    folder: PathBuf,

    /// The folder of the guest SDK for Rust [default: the one that this command carries, unpacked in the
    /// user's data folder or in the one that TRANSPUTER_SDK names]
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    sdk: Option<PathBuf>,
}

/// The files of a new network: where each goes, and what it holds.
const FILES: [(&str, &str); 8] = [
    (
        "network.toml",
        include_str!("../../templates/network/network.toml"),
    ),
    (
        "README.md",
        include_str!("../../templates/network/README.md"),
    ),
    (
        ".gitignore",
        include_str!("../../templates/network/gitignore"),
    ),
    (
        "Cargo.toml",
        include_str!("../../templates/network/package.toml"),
    ),
    ("lib.rs", include_str!("../../templates/network/lib.rs")),
    (
        "tests/greets.out",
        include_str!("../../templates/network/tests/greets.out"),
    ),
    (
        "tests/another.args",
        include_str!("../../templates/network/tests/another.args"),
    ),
    (
        "tests/another.out",
        include_str!("../../templates/network/tests/another.out"),
    ),
];

/// Stands in the templates for the network's name.
const NAME: &str = "{{name}}";
/// Stands in the templates for the dependency on the SDK, a TOML value.
const SDK: &str = "{{sdk}}";

impl New {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let folder = &self.folder;
        let name = network_name(folder)?;
        let occupied = std::fs::read_dir(folder).map(|mut entries| entries.next().is_some());
        if folder.is_file() || occupied.unwrap_or(false) {
            let text = format!("{} exists already, and is not empty", folder.display());
            return Err(BadInput::new(text).into());
        }
        let sdk = sdk::dependency(self.sdk.as_deref())?;
        for (path, template) in FILES {
            let text = template.replace(NAME, name).replace(SDK, &sdk);
            write(&folder.join(path), text.as_bytes())?;
        }
        write(&folder.join("Cargo.lock"), sdk::lock_file())?;
        terminal::note(format_args!(
            "made {0}; run it with `transputer run {0}`",
            folder.display()
        ));
        Ok(Exit::Success)
    }
}

/// The name that a folder gives its network. It stands in files of several kinds and in commands to
/// type, so it is one that means nothing special anywhere, as Cargo's are.
fn network_name(folder: &Path) -> Result<&str, BadInput> {
    let last = folder.file_name().unwrap_or(folder.as_os_str());
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let fits = |name: &&str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(allowed)
    };
    last.to_str().filter(fits).ok_or_else(|| {
        BadInput::new(format!(
            "`{}` cannot name a network: a name has ASCII letters, digits, `-` and `_`, and begins \
             with a letter",
            one_line(last.display())
        ))
    })
}

fn write(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = file.parent().unwrap_or(file);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(file, bytes))
        .with_context(|| format!("cannot write {}", file.display()))
}
