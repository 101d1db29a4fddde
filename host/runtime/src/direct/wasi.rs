//! The functions of WASI 0.2 that take and return no handles, as core functions.
//!
//! A guest that has preview 1 for the rest may import some of them besides: Rust's `HashMap` takes
//! its seed from `insecure-seed`. They are wasmtime-wasi's own, on the process's context, so that
//! grants and seeds hold as they do through the component model. What has handles (streams, files,
//! sockets, pollables) is left to that.

use wasmtime::{Result, bail};
use wasmtime_wasi::cli::WasiCliView as _;
use wasmtime_wasi::clocks::WasiClocksView as _;
use wasmtime_wasi::p2::bindings::cli::{environment, exit};
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};
use wasmtime_wasi::random::WasiRandomView as _;

use super::call::{Imports, gated, plain};
use super::lift::no_case;
use super::lower::{DONE, List, Lower, Lowering};

// All of WASI 0.2 is one version to a linker of components, and so it is here: see
// [`without_patch`].
const SEED: &str = "wasi:random/insecure-seed@0.2";
const RANDOM: &str = "wasi:random/random@0.2";
const INSECURE: &str = "wasi:random/insecure@0.2";
const MONOTONIC: &str = "wasi:clocks/monotonic-clock@0.2";
const WALL: &str = "wasi:clocks/wall-clock@0.2";
const ENVIRONMENT: &str = "wasi:cli/environment@0.2";
const EXIT: &str = "wasi:cli/exit@0.2";

/// All that is linked.
const FUNCTIONS: [(&str, &[&str]); 7] = [
    (SEED, &["insecure-seed"]),
    (RANDOM, &["get-random-bytes", "get-random-u64"]),
    (
        INSECURE,
        &["get-insecure-random-bytes", "get-insecure-random-u64"],
    ),
    (MONOTONIC, &["now", "resolution"]),
    (WALL, &["now", "resolution"]),
    (
        ENVIRONMENT,
        &["get-environment", "get-arguments", "initial-cwd"],
    ),
    (EXIT, &["exit", "exit-with-code"]),
];

/// Whether a function is linked here, by the name of its interface without the last number of the
/// version.
pub(super) fn has(interface: &str, function: &str) -> bool {
    let mut all = FUNCTIONS.iter();
    all.any(|(from, functions)| *from == interface && functions.contains(&function))
}

/// The name of an interface of WASI 0.2 without the last number of its version, which makes no
/// difference; any other name as it is.
pub(super) fn without_patch(interface: &str) -> &str {
    match interface.rsplit_once('.') {
        Some((name, patch))
            if name.starts_with("wasi:")
                && name.ends_with("@0.2")
                && !patch.is_empty()
                && patch.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            name
        }
        _ => interface,
    }
}

pub(super) fn link(imports: &mut Imports) -> Result<()> {
    link_random(imports)?;
    link_clocks(imports)?;
    link_cli(imports)
}

/// Writes a value without lists where the guest wants it.
fn put<T: Lower>(memory: &mut [u8], to: u32, value: T) -> Result<()> {
    match Lowering::of(value)?.begin(memory, to)? {
        DONE => Ok(()),
        _ => bail!("a list that the guest did not allocate for"),
    }
}

fn link_random(imports: &mut Imports) -> Result<()> {
    plain!(imports, SEED, "insecure-seed", |memory, state, to: u32| {
        put(
            memory,
            to,
            insecure_seed::Host::insecure_seed(state.random())?,
        )
    });
    gated!(
        imports,
        RANDOM,
        "get-random-bytes",
        |memory, state, length: u64, to: u32| {
            let bytes = random::Host::get_random_bytes(state.random(), length)?;
            state.give(memory, to, bytes)
        }
    );
    plain!(imports, RANDOM, "get-random-u64", |_, state| {
        random::Host::get_random_u64(state.random())
    });
    gated!(
        imports,
        INSECURE,
        "get-insecure-random-bytes",
        |memory, state, length: u64, to: u32| {
            let bytes = insecure::Host::get_insecure_random_bytes(state.random(), length)?;
            state.give(memory, to, bytes)
        }
    );
    plain!(imports, INSECURE, "get-insecure-random-u64", |_, state| {
        insecure::Host::get_insecure_random_u64(state.random())
    });
    Ok(())
}

/// As `datetime` is laid out.
fn datetime(time: wall_clock::Datetime) -> (u64, u32) {
    (time.seconds, time.nanoseconds)
}

fn link_clocks(imports: &mut Imports) -> Result<()> {
    plain!(imports, MONOTONIC, "now", |_, state| {
        monotonic_clock::Host::now(&mut state.clocks())
    });
    plain!(imports, MONOTONIC, "resolution", |_, state| {
        monotonic_clock::Host::resolution(&mut state.clocks())
    });
    plain!(imports, WALL, "now", |memory, state, to: u32| {
        put(
            memory,
            to,
            datetime(wall_clock::Host::now(&mut state.clocks())?),
        )
    });
    plain!(imports, WALL, "resolution", |memory, state, to: u32| {
        put(
            memory,
            to,
            datetime(wall_clock::Host::resolution(&mut state.clocks())?),
        )
    });
    Ok(())
}

fn link_cli(imports: &mut Imports) -> Result<()> {
    gated!(
        imports,
        ENVIRONMENT,
        "get-environment",
        |memory, state, to: u32| {
            let variables = environment::Host::get_environment(&mut state.cli())?;
            state.give(memory, to, List(variables))
        }
    );
    gated!(
        imports,
        ENVIRONMENT,
        "get-arguments",
        |memory, state, to: u32| {
            let arguments = environment::Host::get_arguments(&mut state.cli())?;
            state.give(memory, to, List(arguments))
        }
    );
    gated!(
        imports,
        ENVIRONMENT,
        "initial-cwd",
        |memory, state, to: u32| {
            let folder = environment::Host::initial_cwd(&mut state.cli())?;
            state.give(memory, to, folder)
        }
    );
    plain!(imports, EXIT, "exit", |_, state, case: u32| {
        let status = match case {
            0 => Ok(()),
            1 => Err(()),
            _ => return no_case("result", case),
        };
        exit::Host::exit(&mut state.cli(), status)
    });
    plain!(imports, EXIT, "exit-with-code", |_, state, code: u32| {
        match u8::try_from(code) {
            Ok(code) => exit::Host::exit_with_code(&mut state.cli(), code),
            Err(_) => bail!("{code} is no exit code"),
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{SEED, without_patch};

    #[test]
    fn any_version_of_wasi_0_2_is_one() {
        for version in ["0.2.0", "0.2.6", "0.2.99"] {
            let name = format!("wasi:random/insecure-seed@{version}");
            assert_eq!(without_patch(&name), SEED);
        }
        let others = [
            "wasi:random/insecure-seed@0.2.0-rc-2023-11-10",
            "wasi:random/insecure-seed@0.3.0",
            "wasi:random/insecure-seed",
            "acme:random/insecure-seed@0.2.0",
            "wasi:random/insecure-seed@0.2.",
        ];
        for name in others {
            assert_eq!(without_patch(name), name);
        }
    }
}
