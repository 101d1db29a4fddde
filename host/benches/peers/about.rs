//! What a run was made with, and where.

use std::process::Command;
use std::time::{Instant, SystemTime};

use cargo_metadata::MetadataCommand;

use crate::building::Profile;
use crate::ours;

/// The machine, the versions, and how busy it was.
pub(crate) struct About {
    began: Instant,
    date: String,
    machine: String,
    versions: String,
    how: String,
    load: [String; 2],
}

impl About {
    /// As it is at the beginning of a run.
    pub(crate) fn now(profile: &Profile, quick: bool, times: u32) -> anyhow::Result<Self> {
        let work = match quick {
            true => "a tenth of the work (`--quick`)",
            false => "the whole work",
        };
        Ok(Self {
            began: Instant::now(),
            date: humantime::format_rfc3339_seconds(SystemTime::now())
                .to_string()
                .replace('T', " ")
                .replace('Z', " UTC"),
            machine: machine(),
            versions: versions()?,
            how: format!(
                "profile `{}`, {work}, medians of {times} runs",
                described(&profile.name)
            ),
            load: [load(), String::new()],
        })
    }

    /// As it has become at its end.
    pub(crate) fn until_now(mut self) -> Self {
        self.load[1] = load();
        self
    }

    /// Sentences for people.
    pub(crate) fn text(&self) -> String {
        let Self {
            date,
            machine,
            versions,
            how,
            load: [before, after],
            ..
        } = self;
        let minutes = self.began.elapsed().as_secs().div_ceil(60);
        format!(
            "{date}, {minutes} minutes; {how}.\n{versions}.\n{machine}; load average {before} \
             at the beginning, {after} at the end."
        )
    }
}

fn described(profile: &str) -> String {
    match profile {
        "dist" => "dist (fat LTO, one codegen unit)".to_owned(),
        "release" => "release (no LTO)".to_owned(),
        other => other.to_owned(),
    }
}

/// What a file says after one of its labels, or the whole of it.
fn from_file(file: &str, label: Option<&str>) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let Some(label) = label else {
        return Some(text.trim().to_owned());
    };
    let line = text.lines().find_map(|line| line.strip_prefix(label))?;
    Some(line.trim_start_matches([' ', '\t', ':']).trim().to_owned())
}

fn machine() -> String {
    let unknown = || "unknown".to_owned();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let processor = from_file("/proc/cpuinfo", Some("model name")).unwrap_or_else(unknown);
    let memory = from_file("/proc/meminfo", Some("MemTotal")).unwrap_or_else(unknown);
    let kernel = from_file("/proc/sys/kernel/osrelease", None).unwrap_or_else(unknown);
    format!("{cores} cores ({processor}), {memory} of memory, Linux {kernel}")
}

fn load() -> String {
    let all = from_file("/proc/loadavg", None).unwrap_or_default();
    all.split(' ').next().unwrap_or_default().to_owned()
}

fn versions() -> anyhow::Result<String> {
    let manifest = ours::repository().join("Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).exec()?;
    let wasmtime = metadata
        .packages
        .iter()
        .find(|package| package.name == "wasmtime");
    let wasmtime = wasmtime.map_or("unknown".to_owned(), |package| package.version.to_string());
    let commit = said_by("git", &["describe", "--always", "--dirty", "--abbrev=9"]);
    let rustc = said_by("rustc", &["--version"]).replace("rustc ", "");
    let go = said_by("go", &["version"]).replace("go version go", "");
    let release = "io:format(\"~s\", [erlang:system_info(otp_release)]), halt().";
    let erlang = said_by("erl", &["-noshell", "-eval", release]);
    let short = |text: &str| text.split(' ').next().unwrap_or_default().to_owned();
    Ok(format!(
        "Commit {commit}, rustc {}, wasmtime {wasmtime}; Go {}; Erlang/OTP {erlang}",
        short(&rustc),
        short(&go)
    ))
}

/// The first line that a program prints about itself.
fn said_by(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.current_dir(ours::repository()).args(arguments);
    let said = command
        .output()
        .ok()
        .filter(|output| output.status.success());
    let text = said.and_then(|output| String::from_utf8(output.stdout).ok());
    let line = text.and_then(|text| text.lines().next().map(str::to_owned));
    line.unwrap_or_else(|| "none".to_owned())
}
