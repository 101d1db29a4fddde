//! `soak PROCESSES`: churns through this many processes, and fails if they leave anything behind.
//! `tools/soak` runs it.

use std::process::ExitCode;
use std::time::Instant;

use transputer_tests::Churn;

/// Processes in one network; after each, the host's counts must be what they were.
const ROUND: u64 = 10_000;

/// The share of all processes after which resident memory may not grow further ...
const WARM_UP: f64 = 0.1;

/// ... by more than this. Allocators keep what they have got, so it wavers.
const SLACK: u64 = 8 << 20;

fn main() -> ExitCode {
    let processes = std::env::args().nth(1).map_or(Ok(1_000_000), |n| n.parse());
    let Ok(processes) = processes else {
        eprintln!("usage: soak [PROCESSES]");
        return ExitCode::from(2);
    };
    match soak(processes) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("soak: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn soak(processes: u64) -> Result<(), String> {
    let churn = Churn::new();
    let started = Instant::now();
    let (mut done, mut shown) = (0, 0);
    let mut warm = None;
    println!("{:>10}  {:>10}  {:>8}", "processes", "resident", "seconds");
    show(0, started)?;
    while done < processes {
        done += churn.round(ROUND.min(processes - done));
        let is_warm = done as f64 >= processes as f64 * WARM_UP;
        if is_warm && warm.is_none() {
            warm = Some(resident()?);
        }
        if done >= processes || done - shown >= processes / 20 {
            shown = done;
            show(done, started)?;
        }
        if let Some(warm) = warm {
            let now = resident()?;
            if now > warm + SLACK {
                return Err(format!(
                    "resident memory grew from {} to {} after the warm-up, and may by {}",
                    mebibytes(warm),
                    mebibytes(now),
                    mebibytes(SLACK)
                ));
            }
        }
    }
    println!(
        "{done} processes, {:.1} µs each; the host's counts came back after every {ROUND}",
        started.elapsed().as_micros() as f64 / done as f64
    );
    Ok(())
}

fn show(done: u64, started: Instant) -> Result<(), String> {
    let seconds = started.elapsed().as_secs_f64();
    println!("{done:>10}  {:>10}  {seconds:>8.1}", mebibytes(resident()?));
    Ok(())
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// The program's resident memory in bytes.
fn resident() -> Result<u64, String> {
    let file = "/proc/self/status";
    let status = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kibibytes
        .map(|kibibytes| kibibytes << 10)
        .ok_or_else(|| format!("{file} has no line VmRSS"))
}
