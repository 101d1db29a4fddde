//! The functions of WASI 0.2 that take and return no handles, as core functions.
//!
//! A guest that otherwise uses preview 1 may import some of them, too: Rust's `HashMap` takes its seed
//! from `insecure-seed`. They call wasmtime-wasi with the process's context, so that grants and seeds
//! apply as they do through the component model. Functions with handles (streams, files, sockets,
//! pollables) are left to that.

use wasmtime::{Result, bail};
use wasmtime_wasi::cli::WasiCliView as _;
use wasmtime_wasi::clocks::WasiClocksView as _;
use wasmtime_wasi::p2::bindings::cli::{environment, exit};
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};
use wasmtime_wasi::random::WasiRandomView as _;

use super::{Imports, can_wait, give, may_return_list, plain, put};
use crate::HostCalls;
use crate::bounded::{Chance, random_bytes};
use crate::canonical::{List, no_case};

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
pub(crate) fn without_patch(interface: &str) -> &str {
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

pub(super) fn link<T: HostCalls>(imports: &mut Imports<T>) -> Result<()> {
    link_random(imports)?;
    link_clocks(imports)?;
    link_cli(imports)
}

fn link_random<T: HostCalls>(imports: &mut Imports<T>) -> Result<()> {
    plain!(imports, SEED, "insecure-seed", |memory, host, to: u32| {
        put(
            memory,
            to,
            insecure_seed::Host::insecure_seed(host.random())?,
        )
    });
    can_wait!(
        imports,
        RANDOM,
        "get-random-bytes",
        |memory, host, length: u64, to: u32| {
            let bytes = random_bytes(host, Chance::Secure, length).await?;
            give(host, memory, to, bytes)
        }
    );
    plain!(imports, RANDOM, "get-random-u64", |_, host| {
        random::Host::get_random_u64(host.random())
    });
    can_wait!(
        imports,
        INSECURE,
        "get-insecure-random-bytes",
        |memory, host, length: u64, to: u32| {
            let bytes = random_bytes(host, Chance::Insecure, length).await?;
            give(host, memory, to, bytes)
        }
    );
    plain!(imports, INSECURE, "get-insecure-random-u64", |_, host| {
        insecure::Host::get_insecure_random_u64(host.random())
    });
    Ok(())
}

/// As `datetime` is laid out.
fn datetime(time: wall_clock::Datetime) -> (u64, u32) {
    (time.seconds, time.nanoseconds)
}

fn link_clocks<T: HostCalls>(imports: &mut Imports<T>) -> Result<()> {
    plain!(imports, MONOTONIC, "now", |_, host| {
        monotonic_clock::Host::now(&mut host.clocks())
    });
    plain!(imports, MONOTONIC, "resolution", |_, host| {
        monotonic_clock::Host::resolution(&mut host.clocks())
    });
    plain!(imports, WALL, "now", |memory, host, to: u32| {
        put(
            memory,
            to,
            datetime(wall_clock::Host::now(&mut host.clocks())?),
        )
    });
    plain!(imports, WALL, "resolution", |memory, host, to: u32| {
        put(
            memory,
            to,
            datetime(wall_clock::Host::resolution(&mut host.clocks())?),
        )
    });
    Ok(())
}

fn link_cli<T: HostCalls>(imports: &mut Imports<T>) -> Result<()> {
    may_return_list!(
        imports,
        ENVIRONMENT,
        "get-environment",
        |memory, host, to: u32| {
            let variables = environment::Host::get_environment(&mut host.cli())?;
            give(host, memory, to, List(variables))
        }
    );
    may_return_list!(
        imports,
        ENVIRONMENT,
        "get-arguments",
        |memory, host, to: u32| {
            let arguments = environment::Host::get_arguments(&mut host.cli())?;
            give(host, memory, to, List(arguments))
        }
    );
    may_return_list!(
        imports,
        ENVIRONMENT,
        "initial-cwd",
        |memory, host, to: u32| {
            let folder = environment::Host::initial_cwd(&mut host.cli())?;
            give(host, memory, to, folder)
        }
    );
    plain!(imports, EXIT, "exit", |_, host, case: u32| {
        let status = match case {
            0 => Ok(()),
            1 => Err(()),
            _ => return no_case("result", case),
        };
        exit::Host::exit(&mut host.cli(), status)
    });
    plain!(imports, EXIT, "exit-with-code", |_, host, code: u32| {
        match u8::try_from(code) {
            Ok(code) => exit::Host::exit_with_code(&mut host.cli(), code),
            Err(_) => bail!("{code} is not an exit code"),
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
