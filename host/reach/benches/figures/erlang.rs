//! Two nodes of Erlang, joined by its distribution over the loopback. Nothing is stored, and what is on its way is lost with
//! the connection.

use std::process::{Command, Stdio};

use super::measure::{Case, Figures};

/// `None` if Erlang is not there.
pub(super) fn run(case: Case) -> Option<Figures> {
    let folder = tempfile::tempdir().ok()?;
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/figures/figures.erl");
    let compiled = Command::new("erlc")
        .arg("-o")
        .arg(folder.path())
        .arg(source)
        .status();
    if !compiled.is_ok_and(|status| status.success()) {
        return None;
    }
    let numbers = [case.size as u64, case.count, case.capacity].map(|it| it.to_string());
    let output = Command::new("erl")
        .args(["-noinput", "-sname", "figures_a", "-setcookie", "figures"])
        .arg("-pa")
        .arg(folder.path())
        .args(["-s", "figures", "main"])
        .args(&numbers)
        .stderr(Stdio::inherit())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = text
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    match numbers[..] {
        [rate, p50, p99] => Some(Figures { rate, p50, p99 }),
        _ => panic!("erlang says {text}"),
    }
}
