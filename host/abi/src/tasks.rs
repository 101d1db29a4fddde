//! The functions of `wit/async/` as blocking ones, for components that are instantiated as a whole.
//!
//! They are what the outline of a stackless component is checked against (`form::blocking`): a core module
//! does not tell the types of what it imports.

use wasmtime::Result;
use wasmtime::component::{Linker, Resource};

use crate::HostCalls;
use crate::bindings::transputer::csp::alternation::{self, Guard, Order};
use crate::bindings::transputer::csp::channel::{self, End, Patience, Small};
use crate::bindings::transputer::csp::process;
use crate::handles::{Barrier, Child, Prepared, Receiver, Sender};
use crate::link::TASKS;

type Ports<T> = Vec<(String, Resource<T>)>;

/// Links each function: by its name, with its parameters and their types, and what it calls.
macro_rules! blocking {
    ($interface:ident: $($name:literal ($($argument:ident: $type:ty),*) = $call:path;)*) => {
        $($interface.func_wrap_async(
            $name,
            |mut store, ($($argument,)*): ($($type,)*)| {
                Box::new(async move { Ok(($call(store.data_mut() $(, $argument)*).await?,)) })
            },
        )?;)*
    };
}

/// The same for functions without a result.
macro_rules! blocking_without_result {
    ($interface:ident: $($name:literal ($($argument:ident: $type:ty),*) = $call:path;)*) => {
        $($interface.func_wrap_async(
            $name,
            |mut store, ($($argument,)*): ($($type,)*)| {
                Box::new(async move { $call(store.data_mut() $(, $argument)*).await })
            },
        )?;)*
    };
}

/// Adds them to what components are linked with.
///
/// # Errors
/// Those of the linker.
pub fn add_tasks<T: HostCalls>(linker: &mut Linker<T>) -> Result<()> {
    let mut tasks = linker.instance(TASKS)?;
    tasks.func_wrap("own-set", |_, (): ()| Ok((0_u32,)))?;
    blocking! { tasks:
        "send-small" (sender: u32, message: Small) = channel::Host::send_small;
        "send-some" (sender: u32, packed: Vec<u8>) = channel::Host::send_some;
        "receive-some" (receiver: u32, most: u32) = channel::Host::receive_some;
        "send" (sender: Resource<Sender>, message: Vec<u8>) = channel::HostSender::send;
        "send-by" (sender: Resource<Sender>, message: Vec<u8>, deadline: u64) =
            channel::HostSender::send_by;
        "send-batch" (sender: Resource<Sender>, packed: Vec<u8>, patience: Patience) =
            channel::HostSender::send_batch;
        "send-ends" (
            sender: Resource<Sender>, message: Vec<u8>, ends: Vec<End>, patience: Patience
        ) = channel::HostSender::send_ends;
        "receive" (receiver: Resource<Receiver>) = channel::HostReceiver::receive;
        "receive-by" (receiver: Resource<Receiver>, deadline: u64) =
            channel::HostReceiver::receive_by;
        "receive-batch" (receiver: Resource<Receiver>, most: u32, patience: Patience) =
            channel::HostReceiver::receive_batch;
        "receive-ends" (receiver: Resource<Receiver>, patience: Patience) =
            channel::HostReceiver::receive_ends;
        "sync" (barrier: Resource<Barrier>, patience: Patience) = channel::HostBarrier::sync;
        "select" (guards: Vec<Guard>, order: Order) = alternation::Host::select;
        "choose" (
            prepared: Resource<Prepared>, enabled: Option<Vec<u32>>, offers: Vec<(u32, Vec<u8>)>,
            patience: Patience
        ) = alternation::HostPrepared::wait;
        "spawn" (
            component: String, name: Option<String>, args: Vec<u8>,
            inputs: Ports<Receiver>, outputs: Ports<Sender>
        ) = process::Host::spawn;
        "spawn-patiently" (
            component: String, name: Option<String>, args: Vec<u8>,
            inputs: Ports<Receiver>, outputs: Ports<Sender>, patience: Patience
        ) = process::Host::spawn_patiently;
        "wait" (child: Resource<Child>, patience: Patience) = process::HostChild::wait;
    }
    blocking_without_result! { tasks:
        "sleep-until" (deadline: u64) = process::Host::sleep_until;
        "yield-now" () = process::Host::yield_now;
        "kill" (child: Resource<Child>, reason: String) = process::HostChild::kill;
    }
    Ok(())
}
