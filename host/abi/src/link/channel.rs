//! `transputer:csp/channel`, as core functions. Generated: see `tests/generated`.

use wasmtime::Result;

use super::{Imports, begins, can_wait, fast, give, may_return_list, plain, put};
use crate::HostCalls;
use crate::bindings::transputer::csp::channel as wit;
use crate::canonical::{Source, Spilled, no_case};
use crate::handles::{handle, resource};
use crate::stackless::Call;
use crate::trampolines::WAIT;

pub(super) const INTERFACE: &str = "transputer:csp/channel@0.1.0";

/// The functions that block.
pub(super) const BLOCKING: [&str; 12] = [
    "[method]barrier.sync",
    "[method]receiver.receive",
    "[method]receiver.receive-batch",
    "[method]receiver.receive-by",
    "[method]receiver.receive-ends",
    "[method]sender.send",
    "[method]sender.send-batch",
    "[method]sender.send-by",
    "[method]sender.send-ends",
    "receive-some",
    "send-small",
    "send-some",
];

pub(super) fn link<T: HostCalls>(imports: &mut Imports<T>) -> Result<()> {
    link_functions(imports)?;
    link_sender(imports)?;
    link_receiver(imports)?;
    link_barrier(imports)?;
    Ok(())
}

fn link_functions<T: HostCalls>(imports: &mut Imports<T>) -> Result<()> {
    can_wait!(
        imports,
        INTERFACE,
        "send-small",
        |memory,
         host,
         sender: u32,
         message_length: u32,
         message_low: u64,
         message_high: u64,
         to: u32| {
            let message = wit::Small {
                length: message_length,
                low: message_low,
                high: message_high,
            };
            let parkings = host.parkings();
            let answer = wit::Host::send_small(host, sender, message).await?;
            let waited = host.parkings() != parkings;
            host.abi_mut().note_waited(0, waited);
            give(host, memory, to, answer)
        }
    );
    fast!(
        imports,
        INTERFACE,
        "send-small",
        0,
        |memory,
         host,
         sender: u32,
         message_length: u32,
         message_low: u64,
         message_high: u64,
         to: u32| {
            let message = wit::Small {
                length: message_length,
                low: message_low,
                high: message_high,
            };
            match host.try_send_small(sender, message)? {
                Some(answer) => give(host, memory, to, answer),
                None => Ok(WAIT),
            }
        }
    );
    begins!(
        imports,
        "send-small",
        |memory,
         host,
         sender: u32,
         message_length: u32,
         message_low: u64,
         message_high: u64,
         to: u32| to,
        {
            let message = wit::Small {
                length: message_length,
                low: message_low,
                high: message_high,
            };
            Call::SendSmall { sender, message }
        }
    );
    can_wait!(
        imports,
        INTERFACE,
        "send-some",
        |memory, host, sender: u32, packed: u32, packed_length: u32, to: u32| {
            let source = Source::new(memory, host.call_bytes());
            let packed = source.borrowed(packed, packed_length)?;
            let answer = host.send_some_from(sender, packed).await?;
            give(host, memory, to, answer)
        }
    );
    begins!(
        imports,
        "send-some",
        |memory, host, sender: u32, packed: u32, packed_length: u32, to: u32| to,
        {
            let source = Source::new(memory, host.call_bytes());
            let packed = source.borrowed(packed, packed_length)?;
            Call::SendSome { sender, packed }
        }
    );
    can_wait!(
        imports,
        INTERFACE,
        "receive-some",
        |memory, host, receiver: u32, most: u32, to: u32| {
            let parkings = host.parkings();
            let answer = wit::Host::receive_some(host, receiver, most).await?;
            let waited = host.parkings() != parkings;
            host.abi_mut().note_waited(1, waited);
            give(host, memory, to, answer)
        }
    );
    fast!(
        imports,
        INTERFACE,
        "receive-some",
        1,
        |memory, host, receiver: u32, most: u32, to: u32| {
            match host.try_receive_some(receiver, most)? {
                Some(answer) => give(host, memory, to, answer),
                None => Ok(WAIT),
            }
        }
    );
    begins!(
        imports,
        "receive-some",
        |memory, host, receiver: u32, most: u32, to: u32| to,
        Call::ReceiveSome { receiver, most }
    );
    plain!(
        imports,
        INTERFACE,
        "open-barrier",
        |memory, host, to: u32| {
            let answer = wit::Host::open_barrier(host)?;
            put(memory, to, answer)
        }
    );
    plain!(
        imports,
        INTERFACE,
        "open",
        |memory, host, options_capacity: u32, options_overflow: u32, to: u32| {
            let options = wit::Options {
                capacity: options_capacity,
                overflow: match options_overflow {
                    0 => wit::Overflow::Block,
                    1 => wit::Overflow::DropOldest,
                    2 => wit::Overflow::DropNewest,
                    other => return no_case("overflow", other),
                },
            };
            let answer = wit::Host::open(host, options)?;
            put(memory, to, answer)
        }
    );
    plain!(
        imports,
        INTERFACE,
        "open-named",
        |memory,
         host,
         options_capacity: u32,
         options_overflow: u32,
         name: u32,
         name_length: u32,
         to: u32| {
            let source = Source::new(memory, host.call_bytes());
            let options = wit::Options {
                capacity: options_capacity,
                overflow: match options_overflow {
                    0 => wit::Overflow::Block,
                    1 => wit::Overflow::DropOldest,
                    2 => wit::Overflow::DropNewest,
                    other => return no_case("overflow", other),
                },
            };
            let name = source.text(name, name_length)?;
            let answer = wit::Host::open_named(host, options, name)?;
            put(memory, to, answer)
        }
    );
    Ok(())
}

fn link_sender<T: HostCalls>(imports: &mut Imports<T>) -> Result<()> {
    can_wait!(
        imports,
        INTERFACE,
        "[method]sender.send",
        |memory, host, this: u32, message: u32, message_length: u32, to: u32| {
            let source = Source::new(memory, host.call_bytes());
            let this = resource(this)?;
            let message = source.message(message, message_length)?;
            let answer = wit::HostSender::send(host, this, message).await?;
            give(host, memory, to, answer)
        }
    );
    begins!(
        imports,
        "send",
        |memory, host, this: u32, message: u32, message_length: u32, to: u32| to,
        {
            let source = Source::new(memory, host.call_bytes());
            let this = resource(this)?;
            let message = source.message(message, message_length)?;
            Call::SenderSend { this, message }
        }
    );
    plain!(
        imports,
        INTERFACE,
        "[method]sender.number",
        |_, host, this: u32| {
            let this = resource(this)?;
            wit::HostSender::number(host, this)
        }
    );
    plain!(
        imports,
        INTERFACE,
        "[method]sender.try-send",
        |memory, host, this: u32, message: u32, message_length: u32, to: u32| {
            let source = Source::new(memory, host.call_bytes());
            let this = resource(this)?;
            let message = source.message(message, message_length)?;
            let answer = wit::HostSender::try_send(host, this, message)?;
            put(memory, to, answer)
        }
    );
    can_wait!(
        imports,
        INTERFACE,
        "[method]sender.send-by",
        |memory, host, this: u32, message: u32, message_length: u32, deadline: u64, to: u32| {
            let source = Source::new(memory, host.call_bytes());
            let this = resource(this)?;
            let message = source.message(message, message_length)?;
            let answer = wit::HostSender::send_by(host, this, message, deadline).await?;
            give(host, memory, to, answer)
        }
    );
    begins!(
        imports,
        "send-by",
        |memory, host, this: u32, message: u32, message_length: u32, deadline: u64, to: u32| to,
        {
            let source = Source::new(memory, host.call_bytes());
            let this = resource(this)?;
            let message = source.message(message, message_length)?;
            Call::SenderSendBy {
                this,
                message,
                deadline,
            }
        }
    );
    can_wait!(
        imports,
        INTERFACE,
        "[method]sender.send-batch",
        |memory,
         host,
         this: u32,
         packed: u32,
         packed_length: u32,
         patience_case: u32,
         patience_content: u64,
         to: u32| {
            let source = Source::new(memory, host.call_bytes());
            let this = resource(this)?;
            let packed = source.message(packed, packed_length)?;
            let patience = match patience_case {
                0 => wit::Patience::Forever,
                1 => wit::Patience::Until(patience_content),
                2 => wit::Patience::Never,
                other => return no_case("patience", other),
            };
            let answer = wit::HostSender::send_batch(host, this, packed, patience).await?;
            give(host, memory, to, answer)
        }
    );
    begins!(
        imports,
        "send-batch",
        |memory, host, arguments: u32, to: u32| to,
        {
            let source = Source::new(memory, host.call_bytes());
            let arguments = Spilled::new(memory, arguments, 32, 8)?;
            let this = arguments.u32(0)?;
            let packed = arguments.u32(4)?;
            let packed_length = arguments.u32(8)?;
            let patience_case = arguments.u8(16)?;
            let patience_content = arguments.u64(24)?;
            let this = resource(this)?;
            let packed = source.message(packed, packed_length)?;
            let patience = match patience_case {
                0 => wit::Patience::Forever,
                1 => wit::Patience::Until(patience_content),
                2 => wit::Patience::Never,
                other => return no_case("patience", other),
            };
            Call::SenderSendBatch {
                this,
                packed,
                patience,
            }
        }
    );
    can_wait!(
        imports,
        INTERFACE,
        "[method]sender.send-ends",
        |memory,
         host,
         this: u32,
         message: u32,
         message_length: u32,
         ends: u32,
         ends_length: u32,
         patience_case: u32,
         patience_content: u64,
         to: u32| {
            let source = Source::new(memory, host.call_bytes());
            let this = resource(this)?;
            let message = source.message(message, message_length)?;
            let ends = source.list(ends, ends_length)?;
            let patience = match patience_case {
                0 => wit::Patience::Forever,
                1 => wit::Patience::Until(patience_content),
                2 => wit::Patience::Never,
                other => return no_case("patience", other),
            };
            let answer = wit::HostSender::send_ends(host, this, message, ends, patience).await?;
            give(host, memory, to, answer)
        }
    );
    begins!(
        imports,
        "send-ends",
        |memory, host, arguments: u32, to: u32| to,
        {
            let source = Source::new(memory, host.call_bytes());
            let arguments = Spilled::new(memory, arguments, 40, 8)?;
            let this = arguments.u32(0)?;
            let message = arguments.u32(4)?;
            let message_length = arguments.u32(8)?;
            let ends = arguments.u32(12)?;
            let ends_length = arguments.u32(16)?;
            let patience_case = arguments.u8(24)?;
            let patience_content = arguments.u64(32)?;
            let this = resource(this)?;
            let message = source.message(message, message_length)?;
            let ends = source.list(ends, ends_length)?;
            let patience = match patience_case {
                0 => wit::Patience::Forever,
                1 => wit::Patience::Until(patience_content),
                2 => wit::Patience::Never,
                other => return no_case("patience", other),
            };
            Call::SenderSendEnds {
                this,
                message,
                ends,
                patience,
            }
        }
    );
    plain!(
        imports,
        INTERFACE,
        "[method]sender.clone",
        |_, host, this: u32| {
            let this = resource(this)?;
            handle(&wit::HostSender::clone(host, this)?)
        }
    );
    plain!(
        imports,
        INTERFACE,
        "[static]sender.close",
        |_, host, this: u32| {
            let this = resource(this)?;
            wit::HostSender::close(host, this)
        }
    );
    plain!(
        imports,
        INTERFACE,
        "[method]sender.poison",
        |memory, host, this: u32, reason: u32, reason_length: u32| {
            let source = Source::new(memory, host.call_bytes());
            let this = resource(this)?;
            let reason = source.text(reason, reason_length)?;
            wit::HostSender::poison(host, this, reason)
        }
    );
    may_return_list!(
        imports,
        INTERFACE,
        "[method]sender.reason",
        |memory, host, this: u32, to: u32| {
            let this = resource(this)?;
            let answer = wit::HostSender::reason(host, this)?;
            give(host, memory, to, answer)
        }
    );
    may_return_list!(
        imports,
        INTERFACE,
        "[method]sender.cause",
        |memory, host, this: u32, to: u32| {
            let this = resource(this)?;
            let answer = wit::HostSender::cause(host, this)?;
            give(host, memory, to, answer)
        }
    );
    plain!(
        imports,
        INTERFACE,
        "[method]sender.statistics",
        |memory, host, this: u32, to: u32| {
            let this = resource(this)?;
            let answer = wit::HostSender::statistics(host, this)?;
            put(memory, to, answer)
        }
    );
    plain!(
        imports,
        INTERFACE,
        "[resource-drop]sender",
        |_, host, this: u32| wit::HostSender::drop(host, resource(this)?)
    );
    Ok(())
}

fn link_receiver<T: HostCalls>(imports: &mut Imports<T>) -> Result<()> {
    can_wait!(
        imports,
        INTERFACE,
        "[method]receiver.receive",
        |memory, host, this: u32, to: u32| {
            let this = resource(this)?;
            let answer = wit::HostReceiver::receive(host, this).await?;
            give(host, memory, to, answer)
        }
    );
    begins!(imports, "receive", |memory, host, this: u32, to: u32| to, {
        let this = resource(this)?;
        Call::ReceiverReceive { this }
    });
    plain!(
        imports,
        INTERFACE,
        "[method]receiver.number",
        |_, host, this: u32| {
            let this = resource(this)?;
            wit::HostReceiver::number(host, this)
        }
    );
    may_return_list!(
        imports,
        INTERFACE,
        "[method]receiver.try-receive",
        |memory, host, this: u32, to: u32| {
            let this = resource(this)?;
            let answer = wit::HostReceiver::try_receive(host, this)?;
            give(host, memory, to, answer)
        }
    );
    can_wait!(
        imports,
        INTERFACE,
        "[method]receiver.receive-by",
        |memory, host, this: u32, deadline: u64, to: u32| {
            let this = resource(this)?;
            let answer = wit::HostReceiver::receive_by(host, this, deadline).await?;
            give(host, memory, to, answer)
        }
    );
    begins!(
        imports,
        "receive-by",
        |memory, host, this: u32, deadline: u64, to: u32| to,
        {
            let this = resource(this)?;
            Call::ReceiverReceiveBy { this, deadline }
        }
    );
    can_wait!(
        imports,
        INTERFACE,
        "[method]receiver.receive-batch",
        |memory, host, this: u32, most: u32, patience_case: u32, patience_content: u64, to: u32| {
            let this = resource(this)?;
            let patience = match patience_case {
                0 => wit::Patience::Forever,
                1 => wit::Patience::Until(patience_content),
                2 => wit::Patience::Never,
                other => return no_case("patience", other),
            };
            let answer = wit::HostReceiver::receive_batch(host, this, most, patience).await?;
            give(host, memory, to, answer)
        }
    );
    begins!(
        imports,
        "receive-batch",
        |memory, host, this: u32, most: u32, patience_case: u32, patience_content: u64, to: u32| to,
        {
            let this = resource(this)?;
            let patience = match patience_case {
                0 => wit::Patience::Forever,
                1 => wit::Patience::Until(patience_content),
                2 => wit::Patience::Never,
                other => return no_case("patience", other),
            };
            Call::ReceiverReceiveBatch {
                this,
                most,
                patience,
            }
        }
    );
    can_wait!(
        imports,
        INTERFACE,
        "[method]receiver.receive-ends",
        |memory, host, this: u32, patience_case: u32, patience_content: u64, to: u32| {
            let this = resource(this)?;
            let patience = match patience_case {
                0 => wit::Patience::Forever,
                1 => wit::Patience::Until(patience_content),
                2 => wit::Patience::Never,
                other => return no_case("patience", other),
            };
            let answer = wit::HostReceiver::receive_ends(host, this, patience).await?;
            give(host, memory, to, answer)
        }
    );
    begins!(
        imports,
        "receive-ends",
        |memory, host, this: u32, patience_case: u32, patience_content: u64, to: u32| to,
        {
            let this = resource(this)?;
            let patience = match patience_case {
                0 => wit::Patience::Forever,
                1 => wit::Patience::Until(patience_content),
                2 => wit::Patience::Never,
                other => return no_case("patience", other),
            };
            Call::ReceiverReceiveEnds { this, patience }
        }
    );
    plain!(
        imports,
        INTERFACE,
        "[method]receiver.clone",
        |_, host, this: u32| {
            let this = resource(this)?;
            handle(&wit::HostReceiver::clone(host, this)?)
        }
    );
    plain!(
        imports,
        INTERFACE,
        "[static]receiver.close",
        |_, host, this: u32| {
            let this = resource(this)?;
            wit::HostReceiver::close(host, this)
        }
    );
    plain!(
        imports,
        INTERFACE,
        "[method]receiver.poison",
        |memory, host, this: u32, reason: u32, reason_length: u32| {
            let source = Source::new(memory, host.call_bytes());
            let this = resource(this)?;
            let reason = source.text(reason, reason_length)?;
            wit::HostReceiver::poison(host, this, reason)
        }
    );
    may_return_list!(
        imports,
        INTERFACE,
        "[method]receiver.reason",
        |memory, host, this: u32, to: u32| {
            let this = resource(this)?;
            let answer = wit::HostReceiver::reason(host, this)?;
            give(host, memory, to, answer)
        }
    );
    may_return_list!(
        imports,
        INTERFACE,
        "[method]receiver.cause",
        |memory, host, this: u32, to: u32| {
            let this = resource(this)?;
            let answer = wit::HostReceiver::cause(host, this)?;
            give(host, memory, to, answer)
        }
    );
    plain!(
        imports,
        INTERFACE,
        "[method]receiver.statistics",
        |memory, host, this: u32, to: u32| {
            let this = resource(this)?;
            let answer = wit::HostReceiver::statistics(host, this)?;
            put(memory, to, answer)
        }
    );
    plain!(
        imports,
        INTERFACE,
        "[resource-drop]receiver",
        |_, host, this: u32| wit::HostReceiver::drop(host, resource(this)?)
    );
    Ok(())
}

fn link_barrier<T: HostCalls>(imports: &mut Imports<T>) -> Result<()> {
    plain!(
        imports,
        INTERFACE,
        "[method]barrier.enrol",
        |memory, host, this: u32, to: u32| {
            let this = resource(this)?;
            let answer = wit::HostBarrier::enrol(host, this)?;
            put(memory, to, answer)
        }
    );
    can_wait!(
        imports,
        INTERFACE,
        "[method]barrier.sync",
        |memory, host, this: u32, patience_case: u32, patience_content: u64, to: u32| {
            let this = resource(this)?;
            let patience = match patience_case {
                0 => wit::Patience::Forever,
                1 => wit::Patience::Until(patience_content),
                2 => wit::Patience::Never,
                other => return no_case("patience", other),
            };
            let answer = wit::HostBarrier::sync(host, this, patience).await?;
            give(host, memory, to, answer)
        }
    );
    begins!(
        imports,
        "sync",
        |memory, host, this: u32, patience_case: u32, patience_content: u64, to: u32| to,
        {
            let this = resource(this)?;
            let patience = match patience_case {
                0 => wit::Patience::Forever,
                1 => wit::Patience::Until(patience_content),
                2 => wit::Patience::Never,
                other => return no_case("patience", other),
            };
            Call::BarrierSync { this, patience }
        }
    );
    plain!(
        imports,
        INTERFACE,
        "[method]barrier.members",
        |_, host, this: u32| {
            let this = resource(this)?;
            wit::HostBarrier::members(host, this)
        }
    );
    plain!(
        imports,
        INTERFACE,
        "[method]barrier.poison",
        |memory, host, this: u32, reason: u32, reason_length: u32| {
            let source = Source::new(memory, host.call_bytes());
            let this = resource(this)?;
            let reason = source.text(reason, reason_length)?;
            wit::HostBarrier::poison(host, this, reason)
        }
    );
    may_return_list!(
        imports,
        INTERFACE,
        "[method]barrier.reason",
        |memory, host, this: u32, to: u32| {
            let this = resource(this)?;
            let answer = wit::HostBarrier::reason(host, this)?;
            give(host, memory, to, answer)
        }
    );
    may_return_list!(
        imports,
        INTERFACE,
        "[method]barrier.cause",
        |memory, host, this: u32, to: u32| {
            let this = resource(this)?;
            let answer = wit::HostBarrier::cause(host, this)?;
            give(host, memory, to, answer)
        }
    );
    plain!(
        imports,
        INTERFACE,
        "[resource-drop]barrier",
        |_, host, this: u32| wit::HostBarrier::drop(host, resource(this)?)
    );
    Ok(())
}
