//! Calls that a guest could make long, by what it gives or what it asks for.
//!
//! What one call may give is bounded before it is read ([`HostCalls::call_bytes`]): more traps. Of a
//! message only half of that is read: the host sees that it is too large, and says so.
//! What takes long within that bound is done in steps ([`HostCalls::step`]). Here is what the two
//! ways to instantiate have in common, and what takes the place of wasmtime's own functions in each.

use wasmtime::component::{self, Resource, WasmList};
use wasmtime::{Result, StoreContextMut, bail};
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::io::poll;
use wasmtime_wasi::p2::bindings::random::{insecure, random};
use wasmtime_wasi::random::WasiRandomView as _;

use crate::HostCalls;
use crate::bindings::transputer::csp::channel as wit;
use crate::handles::Sender;

/// Pollables that one call may wait for.
const POLLABLES: usize = 4_096;

/// Random bytes in one step.
const STEP: usize = 4_096;

/// Where random bytes come from.
#[derive(Copy, Clone)]
pub(crate) enum Chance {
    Secure,
    Insecure,
}

/// Refuses to wait for more at once than a call may.
pub(crate) fn check_pollables(count: usize) -> Result<()> {
    if count > POLLABLES {
        bail!("one call waits for {count} things at once, but may for {POLLABLES}");
    }
    Ok(())
}

/// So many random bytes, if a call may ask for as many.
pub(crate) async fn random_bytes<T: HostCalls>(
    host: &mut T,
    chance: Chance,
    length: u64,
) -> Result<Vec<u8>> {
    let most = host.call_bytes();
    let length = match usize::try_from(length) {
        Ok(length) if length <= most => length,
        _ => bail!("one call asks for {length} random bytes, but may for {most}"),
    };
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        let some = STEP.min(length - bytes.len()) as u64;
        let random = host.random();
        bytes.extend(match chance {
            Chance::Secure => random::Host::get_random_bytes(random, some)?,
            Chance::Insecure => insecure::Host::get_insecure_random_bytes(random, some)?,
        });
        host.step().await;
    }
    Ok(bytes)
}

/// Puts functions that keep to their bounds in the place of those that wasmtime has linked for
/// components that are instantiated as a whole.
///
/// # Errors
/// Those of the linker.
pub fn bound<T: HostCalls>(linker: &mut component::Linker<T>) -> Result<()> {
    linker.allow_shadowing(true);
    bound_messages(linker)?;
    bound_wasi(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// The bytes of a message or a batch as a guest gives it; of one that is longer than half of what a
/// call may give, only so many.
fn given<T: HostCalls>(store: &StoreContextMut<'_, T>, list: &WasmList<u8>) -> Vec<u8> {
    let bytes = list.as_le_slice(store);
    bytes[..bytes.len().min(store.data().call_bytes() / 2)].to_vec()
}

fn bound_messages<T: HostCalls>(linker: &mut component::Linker<T>) -> Result<()> {
    type This = Resource<Sender>;
    let mut channel = linker.instance(crate::link::CHANNEL)?;
    channel.func_wrap_async(
        "send-some",
        |mut store, (sender, packed): (u32, WasmList<u8>)| {
            Box::new(async move {
                let packed = given(&store, &packed);
                Ok((store.data_mut().send_some(sender, packed).await?,))
            })
        },
    )?;
    channel.func_wrap_async(
        "[method]sender.send",
        |mut store, (this, message): (This, WasmList<u8>)| {
            Box::new(async move {
                let message = given(&store, &message);
                Ok((store.data_mut().send(this, message).await?,))
            })
        },
    )?;
    channel.func_wrap(
        "[method]sender.try-send",
        |mut store, (this, message): (This, WasmList<u8>)| {
            let message = given(&store, &message);
            Ok((store.data_mut().try_send(this, message)?,))
        },
    )?;
    channel.func_wrap_async(
        "[method]sender.send-by",
        |mut store, (this, message, deadline): (This, WasmList<u8>, u64)| {
            Box::new(async move {
                let message = given(&store, &message);
                Ok((store.data_mut().send_by(this, message, deadline).await?,))
            })
        },
    )?;
    channel.func_wrap_async(
        "[method]sender.send-batch",
        |mut store, (this, packed, patience): (This, WasmList<u8>, wit::Patience)| {
            Box::new(async move {
                let packed = given(&store, &packed);
                Ok((store.data_mut().send_batch(this, packed, patience).await?,))
            })
        },
    )?;
    channel.func_wrap_async(
        "[method]sender.send-ends",
        |mut store,
         (this, message, ends, patience): (This, WasmList<u8>, Vec<wit::End>, wit::Patience)| {
            Box::new(async move {
                let message = given(&store, &message);
                let sent = store.data_mut().send_ends(this, message, ends, patience);
                Ok((sent.await?,))
            })
        },
    )
}

fn bound_wasi<T: HostCalls>(linker: &mut component::Linker<T>) -> Result<()> {
    // As wasmtime-wasi calls them: any version of WASI 0.2 is one.
    linker
        .instance("wasi:random/random@0.2.12")?
        .func_wrap_async("get-random-bytes", |mut store, (length,): (u64,)| {
            Box::new(async move {
                let host = store.data_mut();
                Ok((random_bytes(host, Chance::Secure, length).await?,))
            })
        })?;
    linker
        .instance("wasi:random/insecure@0.2.12")?
        .func_wrap_async(
            "get-insecure-random-bytes",
            |mut store, (length,): (u64,)| {
                Box::new(async move {
                    let host = store.data_mut();
                    Ok((random_bytes(host, Chance::Insecure, length).await?,))
                })
            },
        )?;
    linker.instance("wasi:io/poll@0.2.12")?.func_wrap_async(
        "poll",
        |mut store, (pollables,): (Vec<Resource<DynPollable>>,)| {
            Box::new(async move {
                check_pollables(pollables.len())?;
                let table = store.data_mut().ctx().table;
                Ok((poll::Host::poll(table, pollables).await?,))
            })
        },
    )
}
