//! Cargo, run for guests.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use anyhow::Context as _;
use cargo_metadata::{CrateType, Message, Metadata, MetadataCommand, Target, TargetKind};

use super::freshness::{Stamp, TARGET_DIRECTORY};
use super::toolchain::Toolchain;
use super::{Artifact, Package, TARGET};
use crate::exit::BadInput;
use crate::progress::{Progress, Step};
use crate::terminal;

/// The profile that guests are built with.
const PROFILE: &str = "guest";

/// That profile, for workspaces that don't define it.
const PROFILE_SETTINGS: [&str; 6] = [
    "profile.guest.inherits=\"release\"",
    "profile.guest.opt-level=3",
    "profile.guest.lto=true",
    "profile.guest.codegen-units=1",
    "profile.guest.panic=\"abort\"",
    "profile.guest.strip=\"debuginfo\"",
];

/// The profile of guests whose backtraces name files and lines: as the other, with the lines of the code.
const DEBUG_PROFILE: &str = "guest-debug";

const DEBUG_SETTINGS: [&str; 3] = [
    "profile.guest-debug.inherits=\"guest\"",
    "profile.guest-debug.debug=\"line-tables-only\"",
    "profile.guest-debug.strip=\"none\"",
];

/// Guests are linked at fixed addresses. The target's own choice, code that can lie anywhere, makes
/// variables of all constants that hold addresses, and scatters the real ones among them.
/// The stack's hot end, 1 KiB past the 1 MiB that rustc gives it, shares its page with constants.
const FLAGS: &str = "target.wasm32-wasip2.rustflags=[\"-Crelocation-model=static\",\"-Clink-arg=-zstack-size=1049600\"]";

/// Variables that a surrounding cargo sets for itself, and that guests must not get.
const NOT_FOR_GUESTS: [&str; 10] = [
    "CARGO_BUILD_RUSTC",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_TARGET_DIR",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTDOCFLAGS",
    "RUSTFLAGS",
];

/// A package and the workspace that it belongs to.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) package: Package,
    /// The workspace's folder.
    pub(super) root: PathBuf,
    /// Whether its code is to name its files and lines.
    pub(super) debug: bool,
    /// The targets that make components.
    targets: Vec<Target>,
}

impl Member {
    /// Asks cargo where a package belongs and what it makes.
    pub(super) fn find(package: Package, debug: bool) -> anyhow::Result<Member> {
        let manifest = package.manifest();
        let metadata = metadata(&manifest)?;
        let found = metadata
            .packages
            .into_iter()
            .find(|found| found.manifest_path == manifest);
        let targets: Vec<Target> = found
            .into_iter()
            .flat_map(|found| found.targets)
            .filter(makes_component)
            .collect();
        if targets.is_empty() {
            return Err(BadInput::new(format!(
                "package `{}` makes no component; put `crate-type = [\"cdylib\"]` under [lib] in {}",
                package.name,
                manifest.display()
            ))
            .into());
        }
        Ok(Member {
            package,
            root: metadata.workspace_root.into(),
            debug,
            targets,
        })
    }
}

impl Member {
    /// The folder under which it is built: its workspace's, or that of all lone files.
    fn built_in(&self) -> &Path {
        self.package.built_in().unwrap_or(&self.root)
    }
}

/// The folder under which members of one workspace are built.
fn built_in<'a>(root: &'a Path, members: &[&'a Member]) -> &'a Path {
    members.first().map_or(root, |member| member.built_in())
}

fn makes_component(target: &Target) -> bool {
    target.crate_types.contains(&CrateType::CDyLib) && (is_library(target) || target.is_example())
}

fn is_library(target: &Target) -> bool {
    target.is_kind(TargetKind::CDyLib)
}

/// `cargo` without what a surrounding cargo set.
pub(super) fn cargo() -> Command {
    let mut command = Command::new("cargo");
    for variable in NOT_FOR_GUESTS {
        command.env_remove(variable);
    }
    command
}

fn metadata(manifest: &Path) -> anyhow::Result<Metadata> {
    let arguments = MetadataCommand::new()
        .manifest_path(manifest)
        .no_deps()
        .cargo_command();
    let output = cargo()
        .args(arguments.get_args())
        .stdin(Stdio::null())
        .output()
        .context("cannot run cargo, which builds guests; is Rust installed?")?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        let text = format!(
            "cargo refuses {}:\n{}",
            manifest.display(),
            errors.trim_end()
        );
        return Err(BadInput::new(text).into());
    }
    let text = String::from_utf8(output.stdout).context("cargo metadata is not UTF-8")?;
    MetadataCommand::parse(text).context("cannot read what cargo metadata says")
}

/// Builds members of the workspace in `root`, and leaves a stamp for each.
pub(super) fn build(
    root: &Path,
    members: &[&Member],
    toolchain: &Toolchain,
    progress: Progress,
) -> anyhow::Result<Vec<Stamp>> {
    let began = SystemTime::now();
    let names: Vec<&str> = members
        .iter()
        .map(|member| member.package.label())
        .collect();
    let guests = names.join(", ");
    let step = progress.step(format!("building {guests}"));
    let artifacts = run(command(root, members, toolchain)?, &step, &guests)?;
    let mut stamps = Vec::new();
    for member in members {
        let manifest = member.package.manifest();
        let label = member.package.lone.as_ref();
        let label = label.map(|lone| format!("{}.wasm", lone.label));
        let mut made: Vec<Artifact> = artifacts
            .iter()
            .filter(|(of, _)| *of == manifest)
            .map(|(_, artifact)| Artifact {
                label: label.clone(),
                ..artifact.clone()
            })
            .collect();
        made.sort_by(|a, b| a.name.cmp(&b.name));
        let stamp = Stamp::new(&member.package, root, began, made)?.debug(member.debug);
        stamp.save(&member.package, member.built_in())?;
        stamps.push(stamp);
    }
    step.finish(format!("built {guests}"));
    Ok(stamps)
}

fn command(root: &Path, members: &[&Member], toolchain: &Toolchain) -> anyhow::Result<Command> {
    // Members of one call have the same.
    let debug = members.iter().any(|member| member.debug);
    let mut command = cargo();
    command
        .current_dir(root)
        .args([
            "build",
            "--quiet",
            "--message-format",
            "json-render-diagnostics",
        ])
        .args(["--profile", if debug { DEBUG_PROFILE } else { PROFILE }])
        .args(["--target", TARGET])
        .args(["--config", FLAGS])
        .arg("--target-dir")
        .arg(built_in(root, members).join(TARGET_DIRECTORY));
    let colour = if terminal::stderr_is_coloured() {
        "always"
    } else {
        "never"
    };
    command.args(["--color", colour]);
    if !defines_profile(root)? {
        for setting in PROFILE_SETTINGS {
            command.args(["--config", setting]);
        }
    }
    for setting in DEBUG_SETTINGS.iter().filter(|_| debug) {
        command.args(["--config", setting]);
    }
    let mut library = false;
    for member in members {
        command.args(["--package", &member.package.name]);
        for target in &member.targets {
            if is_library(target) {
                library = true;
            } else {
                command.args(["--example", &target.name]);
            }
        }
    }
    if library {
        command.arg("--lib");
    }
    if let Some(rustc) = toolchain.rustc() {
        command.env("RUSTC", rustc);
    }
    Ok(command)
}

/// Whether the workspace in `root` itself says how guests are compiled.
fn defines_profile(root: &Path) -> anyhow::Result<bool> {
    let manifest = root.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest)
        .with_context(|| format!("cannot read {}", manifest.display()))?;
    let manifest: toml::Table = text
        .parse()
        .map_err(|error| BadInput::new(format!("{}: {error}", manifest.display())))?;
    let profiles = manifest.get("profile").and_then(toml::Value::as_table);
    Ok(profiles.is_some_and(|profiles| profiles.contains_key(PROFILE)))
}

/// Runs cargo, passing on its errors as they are; what it made, with the manifest
/// of the package that each belongs to.
fn run(
    mut command: Command,
    step: &Step,
    guests: &str,
) -> anyhow::Result<Vec<(PathBuf, Artifact)>> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot run cargo, which builds guests; is Rust installed?")?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let artifacts = std::thread::scope(|scope| {
        if let Some(stderr) = stderr {
            scope.spawn(move || {
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    step.pass_on(&line);
                }
            });
        }
        stdout.map_or_else(|| Ok(Vec::new()), |stdout| artifacts(stdout, step, guests))
    });
    let status = child.wait().context("cannot wait for cargo")?;
    if !status.success() {
        return Err(BadInput::new(format!("cargo could not build {guests} (see above)")).into());
    }
    artifacts
}

fn artifacts(
    stdout: impl std::io::Read,
    step: &Step,
    guests: &str,
) -> anyhow::Result<Vec<(PathBuf, Artifact)>> {
    let mut artifacts = Vec::new();
    let mut crates = 0;
    for message in Message::parse_stream(BufReader::new(stdout)) {
        let message = message.context("cannot read what cargo says")?;
        let Message::CompilerArtifact(made) = message else {
            continue;
        };
        crates += 1;
        step.now(format!(
            "building {guests}: {crates} crates, {}",
            made.target.name
        ));
        if !makes_component(&made.target) {
            continue;
        }
        let component = made
            .filenames
            .iter()
            .find(|file| file.extension() == Some("wasm"));
        if let Some(file) = component {
            let artifact = Artifact {
                name: made.target.name.clone(),
                library: is_library(&made.target),
                label: None,
                file: file.clone().into(),
            };
            artifacts.push((made.manifest_path.into(), artifact));
        }
    }
    Ok(artifacts)
}
