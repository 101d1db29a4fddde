//! The functions of WASI preview 1 that nearly every guest has, as core functions.
//!
//! They do what the adapter does that `wit-component` puts into a component, with the same functions
//! of WASI 0.2 behind them, so that grants, seeds and errors are the same. A component that uses more
//! of preview 1 (files, polling) is instantiated as a whole.
//!
//! What cannot be the same: the adapter takes two pages of the guest's memory for itself at its first
//! call.

use wasmtime::component::Resource;
use wasmtime::{Caller, Result};
use wasmtime_wasi::cli::WasiCliView as _;
use wasmtime_wasi::clocks::WasiClocksView as _;
use wasmtime_wasi::p2::bindings::cli::{environment, exit, stderr, stdout};
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi::p2::bindings::io::streams::HostOutputStream as _;
use wasmtime_wasi::p2::{DynOutputStream, StreamError};

use super::{Imports, calling, plain, split, waiting};
use crate::HostCalls;
use crate::bounded::{Chance, random_bytes};
use crate::canonical::{array, bytes_mut};

const INTERFACE: &str = "wasi_snapshot_preview1";

/// All that is linked.
const FUNCTIONS: [&str; 6] = [
    "clock_time_get",
    "environ_get",
    "environ_sizes_get",
    "fd_write",
    "proc_exit",
    "random_get",
];

/// Whether a module name is that of preview 1.
pub(crate) fn is_preview1(interface: &str) -> bool {
    interface == INTERFACE
}

/// Whether a function is linked here.
pub(super) fn has(interface: &str, function: &str) -> bool {
    is_preview1(interface) && FUNCTIONS.contains(&function)
}

// What a call returns.
const SUCCESS: u32 = 0;
const BADF: u32 = 8;
const IO: u32 = 29;
const OVERFLOW: u32 = 61;

// Clocks.
const REALTIME: u32 = 0;
const MONOTONIC: u32 = 1;

/// Bytes that are written to a stream at once.
const CHUNK: usize = 4096;

pub(super) fn link<T: HostCalls>(imports: &mut Imports<T>) -> Result<()> {
    plain!(
        imports,
        INTERFACE,
        "environ_sizes_get",
        |memory, host, count: u32, size: u32| {
            let variables = environment::Host::get_environment(&mut host.cli())?;
            // Each with an equals sign, and a zero at its end.
            let sizes = variables
                .iter()
                .map(|(name, value)| name.len() + value.len() + 2);
            let sum = u32::try_from(sizes.sum::<usize>())?;
            write(
                memory,
                count,
                &u32::try_from(variables.len())?.to_le_bytes(),
            )?;
            write(memory, size, &sum.to_le_bytes())?;
            Ok(SUCCESS)
        }
    );
    plain!(
        imports,
        INTERFACE,
        "environ_get",
        |memory, host, addresses: u32, texts: u32| {
            let variables = environment::Host::get_environment(&mut host.cli())?;
            let (mut addresses, mut texts) = (addresses, texts);
            for (name, value) in variables {
                write(memory, addresses, &texts.to_le_bytes())?;
                let text = format!("{name}={value}\0");
                write(memory, texts, text.as_bytes())?;
                addresses = addresses.wrapping_add(4);
                texts = texts.wrapping_add(u32::try_from(text.len())?);
            }
            Ok(SUCCESS)
        }
    );
    plain!(
        imports,
        INTERFACE,
        "clock_time_get",
        |memory, host, clock: u32, _precision: u64, to: u32| {
            let time = match clock {
                MONOTONIC => monotonic_clock::Host::now(&mut host.clocks())?,
                REALTIME => {
                    let time = wall_clock::Host::now(&mut host.clocks())?;
                    let seconds = time.seconds.checked_mul(1_000_000_000);
                    match seconds.and_then(|it| it.checked_add(time.nanoseconds.into())) {
                        Some(time) => time,
                        None => return Ok(OVERFLOW),
                    }
                }
                _ => return Ok(BADF),
            };
            write(memory, to, &time.to_le_bytes())?;
            Ok(SUCCESS)
        }
    );
    waiting!(
        imports,
        INTERFACE,
        "random_get",
        |caller, to: u32, length: u32| {
            let (memory, host) = calling(&mut caller)?;
            let to = bytes_mut(memory, to as usize, length as usize)?;
            to.copy_from_slice(&random_bytes(host, Chance::Secure, length.into()).await?);
            Ok(SUCCESS)
        }
    );
    plain!(imports, INTERFACE, "proc_exit", |_, host, status: u32| {
        // WASI 0.2 tells success from failure only.
        let status = if status == 0 { Ok(()) } else { Err(()) };
        exit::Host::exit(&mut host.cli(), status)
    });
    waiting!(
        imports,
        INTERFACE,
        "fd_write",
        |caller, file: u32, buffers: u32, count: u32, written: u32| {
            let Some((address, length)) = first_buffer(&mut caller, buffers, count).await? else {
                let (memory, _) = split(&mut caller)?;
                write(memory, written, &[0; 4])?;
                return Ok(SUCCESS);
            };
            let (memory, host) = calling(&mut caller)?;
            let text = bytes_mut(memory, address as usize, length as usize)?;
            let status = write_to_stream(host, file, text).await?;
            if status == SUCCESS {
                write(memory, written, &length.to_le_bytes())?;
            }
            Ok(status)
        }
    );
    Ok(())
}

/// How many buffers are looked at in one step.
const STEP: u32 = 4096;

/// The address and the length of the first of these buffers that has any bytes.
async fn first_buffer<T: HostCalls>(
    caller: &mut Caller<'_, T>,
    buffers: u32,
    count: u32,
) -> Result<Option<(u32, u32)>> {
    for buffer in 0..count {
        let (memory, host) = split(caller)?;
        let at = u64::from(buffers) + 8 * u64::from(buffer);
        let numbers: [u8; 8] = array(memory, usize::try_from(at)?)?;
        let [a, b, c, d, e, f, g, h] = numbers;
        let length = u32::from_le_bytes([e, f, g, h]);
        if length > 0 {
            return Ok(Some((u32::from_le_bytes([a, b, c, d]), length)));
        }
        if buffer % STEP == STEP - 1 {
            host.step().await;
        }
    }
    Ok(None)
}

/// Writes to standard output or error, whose rights are those of the process's grants.
async fn write_to_stream<T: HostCalls>(host: &mut T, file: u32, text: &[u8]) -> Result<u32> {
    let stream: Resource<DynOutputStream> = match file {
        1 => stdout::Host::get_stdout(&mut host.cli())?,
        2 => stderr::Host::get_stderr(&mut host.cli())?,
        // The others, if there are any, are directories.
        _ => return Ok(BADF),
    };
    let mut result = Ok(SUCCESS);
    for chunk in text.chunks(CHUNK) {
        let again = Resource::new_borrow(stream.rep());
        let table = host.ctx().table;
        match table.blocking_write_and_flush(again, chunk.to_vec()).await {
            Ok(()) => {
                host.step().await;
                continue;
            }
            Err(StreamError::Trap(error)) => result = Err(error),
            Err(_) => result = Ok(IO),
        }
        break;
    }
    host.ctx().table.delete(stream)?;
    result
}

/// Puts bytes into the guest's memory.
fn write(memory: &mut [u8], at: u32, value: &[u8]) -> Result<()> {
    bytes_mut(memory, at as usize, value.len())?.copy_from_slice(value);
    Ok(())
}
