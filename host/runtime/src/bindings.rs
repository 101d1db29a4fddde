//! What wasmtime makes of `wit/`: the only `bindgen!` of the host.
//!
//! Functions that can park the process are async; the others return at once.
#![allow(missing_docs)]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "guest",
    imports: {
        "transputer:csp/channel.[method]sender.send": async | trappable,
        "transputer:csp/channel.[method]sender.send-by": async | trappable,
        "transputer:csp/channel.[method]sender.send-batch": async | trappable,
        "transputer:csp/channel.[method]sender.send-ends": async | trappable,
        "transputer:csp/channel.[method]receiver.receive": async | trappable,
        "transputer:csp/channel.[method]receiver.receive-by": async | trappable,
        "transputer:csp/channel.[method]receiver.receive-batch": async | trappable,
        "transputer:csp/channel.[method]receiver.receive-ends": async | trappable,
        "transputer:csp/channel.send-small": async | trappable,
        "transputer:csp/channel.send-some": async | trappable,
        "transputer:csp/channel.receive-some": async | trappable,
        "transputer:csp/channel.[method]barrier.sync": async | trappable,
        "transputer:csp/alternation.select": async | trappable,
        "transputer:csp/alternation.[method]prepared.wait": async | trappable,
        "transputer:csp/process.spawn": async | trappable,
        "transputer:csp/process.spawn-patiently": async | trappable,
        "transputer:csp/process.sleep-until": async | trappable,
        "transputer:csp/process.yield-now": async | trappable,
        "transputer:csp/process.[method]child.wait": async | trappable,
        default: trappable,
    },
    exports: { default: async },
    with: {
        "transputer:csp/channel.sender": crate::message::Sender,
        "transputer:csp/channel.receiver": crate::message::Receiver,
        "transputer:csp/channel.barrier": crate::message::Barrier,
        "transputer:csp/alternation.prepared": crate::process::Prepared,
        "transputer:csp/process.child": crate::process::Child,
    },
});
