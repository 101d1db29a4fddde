//! `transputer:csp/channel`, as core functions.

use wasmtime::Result;
use wasmtime::component::Resource;

use super::call::{Imports, gated, plain, tries, waits};
use super::gates::WAIT;
use super::handle::{handle, resource};
use super::lift::{check_aligned, list, list_of_bytes, no_case, patience, text};
use super::lower::{DONE, Lower, write};
use crate::bindings::transputer::csp::channel::{self as wit, Host as _};
use crate::bindings::transputer::csp::channel::{HostBarrier, HostReceiver, HostSender};
use crate::message::{Barrier, Receiver, Sender};
use crate::process::ProcessState;

pub(super) const CHANNEL: &str = "transputer:csp/channel@0.1.0";

pub(super) fn link(imports: &mut Imports) -> Result<()> {
    link_small(imports)?;
    link_sender(imports)?;
    link_receiver(imports)?;
    link_barrier(imports)?;
    gated!(
        imports,
        CHANNEL,
        "open",
        |memory, state, capacity: u32, overflow: u32, to: u32| {
            let overflow = match overflow {
                0 => wit::Overflow::Block,
                1 => wit::Overflow::DropOldest,
                2 => wit::Overflow::DropNewest,
                _ => return no_case("overflow", overflow),
            };
            let opened = state.open(wit::Options { capacity, overflow })?;
            state.give(memory, to, opened)
        }
    );
    gated!(
        imports,
        CHANNEL,
        "open-barrier",
        |memory, state, to: u32| {
            let opened = wit::Host::open_barrier(state)?;
            state.give(memory, to, opened)
        }
    );
    Ok(())
}

/// What `give` does, quicker, for the answer that is given most.
#[inline]
fn give_sent(memory: &mut [u8], to: u32, answer: Result<(), wit::Error>) -> Result<u64> {
    let answer = match answer {
        Ok(()) => [0, 0],
        Err(error) => [1, error as u8],
    };
    write(memory, to as usize, &answer)?;
    Ok(DONE)
}

/// The same for a small message.
#[inline]
fn give_received(
    state: &mut ProcessState,
    memory: &mut [u8],
    to: u32,
    answer: Result<wit::Received, wit::Error>,
) -> Result<u64> {
    let Ok(wit::Received::Small(small)) = answer else {
        return state.give(memory, to, answer);
    };
    let to = to as usize;
    check_aligned(to, <Result<wit::Received, wit::Error>>::ALIGN)?;
    let mut bytes = [0; <Result<wit::Received, wit::Error>>::SIZE];
    bytes[16..20].copy_from_slice(&small.length.to_le_bytes());
    bytes[24..32].copy_from_slice(&small.low.to_le_bytes());
    bytes[32..40].copy_from_slice(&small.high.to_le_bytes());
    write(memory, to, &bytes)?;
    Ok(DONE)
}

fn link_small(imports: &mut Imports) -> Result<()> {
    waits!(
        imports,
        CHANNEL,
        "send-small",
        |memory, state, sender: u32, length: u32, low: u64, high: u64, to: u32| {
            let parkings = state.process.parkings();
            let sent = match state.sends_small(sender, wit::Small { length, low, high }) {
                Ok(sends) => sends.await?,
                Err(error) => return give_sent(memory, to, Err(error)),
            };
            let answer = state.sent_small(sender, length, sent);
            state.direct.send_waited = state.process.parkings() != parkings;
            give_sent(memory, to, answer)
        }
    );
    tries!(
        imports,
        CHANNEL,
        "send-small",
        unless | direct | direct.send_waited,
        |memory, state, sender: u32, length: u32, low: u64, high: u64, to: u32| {
            let answer = state.try_small(sender, &wit::Small { length, low, high })?;
            answer.map_or(Ok(WAIT), |answer| give_sent(memory, to, answer))
        }
    );
    waits!(
        imports,
        CHANNEL,
        "send-some",
        |memory, state, sender: u32, packed: u32, length: u32, to: u32| {
            let packed = list_of_bytes(memory, packed, length)?;
            let sent = state
                .send_packed(sender, packed, wit::Patience::Forever)
                .await?;
            state.give(memory, to, sent)
        }
    );
    waits!(
        imports,
        CHANNEL,
        "receive-some",
        |memory, state, receiver: u32, most: u32, to: u32| {
            let parkings = state.process.parkings();
            let Some(receives) = state.receives_some(receiver) else {
                return give_received(state, memory, to, Err(wit::Error::Moved));
            };
            let received = receives.await;
            let answer = state.received_some(receiver, most, received);
            state.direct.receive_waited = state.process.parkings() != parkings;
            give_received(state, memory, to, answer)
        }
    );
    tries!(
        imports,
        CHANNEL,
        "receive-some",
        unless | direct | direct.receive_waited,
        |memory, state, receiver: u32, most: u32, to: u32| {
            let answer = state.try_some(receiver, most);
            answer.map_or(Ok(WAIT), |answer| give_received(state, memory, to, answer))
        }
    );
    Ok(())
}

fn sender(handle: u32) -> Result<Resource<Sender>> {
    resource(handle)
}

fn link_sender(imports: &mut Imports) -> Result<()> {
    waits!(
        imports,
        CHANNEL,
        "[method]sender.send",
        |memory, state, this: u32, message: u32, length: u32, to: u32| {
            let message = list_of_bytes(memory, message, length)?.to_vec();
            let answer = HostSender::send(state, sender(this)?, message).await?;
            state.give(memory, to, answer)
        }
    );
    plain!(
        imports,
        CHANNEL,
        "[method]sender.number",
        |_, state, this: u32| HostSender::number(state, sender(this)?)
    );
    gated!(
        imports,
        CHANNEL,
        "[method]sender.try-send",
        |memory, state, this: u32, message: u32, length: u32, to: u32| {
            let message = list_of_bytes(memory, message, length)?.to_vec();
            let answer = HostSender::try_send(state, sender(this)?, message)?;
            state.give(memory, to, answer)
        }
    );
    waits!(
        imports,
        CHANNEL,
        "[method]sender.send-by",
        |memory, state, this: u32, message: u32, length: u32, deadline: u64, to: u32| {
            let message = list_of_bytes(memory, message, length)?.to_vec();
            let answer = HostSender::send_by(state, sender(this)?, message, deadline).await?;
            state.give(memory, to, answer)
        }
    );
    waits!(
        imports,
        CHANNEL,
        "[method]sender.send-batch",
        |memory, state, this: u32, packed: u32, length: u32, case: u32, time: u64, to: u32| {
            let packed = list_of_bytes(memory, packed, length)?.to_vec();
            let patience = patience(case, time)?;
            let answer = HostSender::send_batch(state, sender(this)?, packed, patience).await?;
            state.give(memory, to, answer)
        }
    );
    waits!(
        imports,
        CHANNEL,
        "[method]sender.send-ends",
        |memory,
         state,
         this: u32,
         message: u32,
         length: u32,
         ends: u32,
         count: u32,
         case: u32,
         time: u64,
         to: u32| {
            let message = list_of_bytes(memory, message, length)?.to_vec();
            let ends = list(memory, ends, count)?;
            let patience = patience(case, time)?;
            let answer =
                HostSender::send_ends(state, sender(this)?, message, ends, patience).await?;
            state.give(memory, to, answer)
        }
    );
    plain!(
        imports,
        CHANNEL,
        "[method]sender.clone",
        |_, state, this: u32| handle(&HostSender::clone(state, sender(this)?)?)
    );
    plain!(
        imports,
        CHANNEL,
        "[static]sender.close",
        |_, state, this: u32| HostSender::close(state, sender(this)?)
    );
    plain!(
        imports,
        CHANNEL,
        "[method]sender.poison",
        |memory, state, this: u32, reason: u32, length: u32| {
            HostSender::poison(state, sender(this)?, text(memory, reason, length)?)
        }
    );
    gated!(
        imports,
        CHANNEL,
        "[method]sender.reason",
        |memory, state, this: u32, to: u32| {
            let reason = HostSender::reason(state, sender(this)?)?;
            state.give(memory, to, reason)
        }
    );
    gated!(
        imports,
        CHANNEL,
        "[method]sender.statistics",
        |memory, state, this: u32, to: u32| {
            let statistics = HostSender::statistics(state, sender(this)?)?;
            state.give(memory, to, statistics)
        }
    );
    plain!(
        imports,
        CHANNEL,
        "[resource-drop]sender",
        |_, state, this: u32| HostSender::drop(state, sender(this)?)
    );
    Ok(())
}

fn receiver(handle: u32) -> Result<Resource<Receiver>> {
    resource(handle)
}

fn link_receiver(imports: &mut Imports) -> Result<()> {
    waits!(
        imports,
        CHANNEL,
        "[method]receiver.receive",
        |memory, state, this: u32, to: u32| {
            let answer = HostReceiver::receive(state, receiver(this)?).await?;
            state.give(memory, to, answer)
        }
    );
    plain!(
        imports,
        CHANNEL,
        "[method]receiver.number",
        |_, state, this: u32| HostReceiver::number(state, receiver(this)?)
    );
    gated!(
        imports,
        CHANNEL,
        "[method]receiver.try-receive",
        |memory, state, this: u32, to: u32| {
            let answer = HostReceiver::try_receive(state, receiver(this)?)?;
            state.give(memory, to, answer)
        }
    );
    waits!(
        imports,
        CHANNEL,
        "[method]receiver.receive-by",
        |memory, state, this: u32, deadline: u64, to: u32| {
            let answer = HostReceiver::receive_by(state, receiver(this)?, deadline).await?;
            state.give(memory, to, answer)
        }
    );
    waits!(
        imports,
        CHANNEL,
        "[method]receiver.receive-batch",
        |memory, state, this: u32, most: u32, case: u32, time: u64, to: u32| {
            let patience = patience(case, time)?;
            let answer =
                HostReceiver::receive_batch(state, receiver(this)?, most, patience).await?;
            state.give(memory, to, answer)
        }
    );
    waits!(
        imports,
        CHANNEL,
        "[method]receiver.receive-ends",
        |memory, state, this: u32, case: u32, time: u64, to: u32| {
            let patience = patience(case, time)?;
            let answer = HostReceiver::receive_ends(state, receiver(this)?, patience).await?;
            state.give(memory, to, answer)
        }
    );
    plain!(
        imports,
        CHANNEL,
        "[method]receiver.clone",
        |_, state, this: u32| handle(&HostReceiver::clone(state, receiver(this)?)?)
    );
    plain!(
        imports,
        CHANNEL,
        "[static]receiver.close",
        |_, state, this: u32| HostReceiver::close(state, receiver(this)?)
    );
    plain!(
        imports,
        CHANNEL,
        "[method]receiver.poison",
        |memory, state, this: u32, reason: u32, length: u32| {
            HostReceiver::poison(state, receiver(this)?, text(memory, reason, length)?)
        }
    );
    gated!(
        imports,
        CHANNEL,
        "[method]receiver.reason",
        |memory, state, this: u32, to: u32| {
            let reason = HostReceiver::reason(state, receiver(this)?)?;
            state.give(memory, to, reason)
        }
    );
    gated!(
        imports,
        CHANNEL,
        "[method]receiver.statistics",
        |memory, state, this: u32, to: u32| {
            let statistics = HostReceiver::statistics(state, receiver(this)?)?;
            state.give(memory, to, statistics)
        }
    );
    plain!(
        imports,
        CHANNEL,
        "[resource-drop]receiver",
        |_, state, this: u32| HostReceiver::drop(state, receiver(this)?)
    );
    Ok(())
}

fn barrier(handle: u32) -> Result<Resource<Barrier>> {
    resource(handle)
}

fn link_barrier(imports: &mut Imports) -> Result<()> {
    gated!(
        imports,
        CHANNEL,
        "[method]barrier.enrol",
        |memory, state, this: u32, to: u32| {
            let enrolled = HostBarrier::enrol(state, barrier(this)?)?;
            state.give(memory, to, enrolled)
        }
    );
    waits!(
        imports,
        CHANNEL,
        "[method]barrier.sync",
        |memory, state, this: u32, case: u32, time: u64, to: u32| {
            let answer = HostBarrier::sync(state, barrier(this)?, patience(case, time)?).await?;
            state.give(memory, to, answer)
        }
    );
    plain!(
        imports,
        CHANNEL,
        "[method]barrier.members",
        |_, state, this: u32| HostBarrier::members(state, barrier(this)?)
    );
    plain!(
        imports,
        CHANNEL,
        "[method]barrier.poison",
        |memory, state, this: u32, reason: u32, length: u32| {
            HostBarrier::poison(state, barrier(this)?, text(memory, reason, length)?)
        }
    );
    gated!(
        imports,
        CHANNEL,
        "[method]barrier.reason",
        |memory, state, this: u32, to: u32| {
            let reason = HostBarrier::reason(state, barrier(this)?)?;
            state.give(memory, to, reason)
        }
    );
    plain!(
        imports,
        CHANNEL,
        "[resource-drop]barrier",
        |_, state, this: u32| HostBarrier::drop(state, barrier(this)?)
    );
    Ok(())
}
