//! What wasmtime makes of `wit/`: the only `bindgen!` of the host.
//!
//! Its traits are what a host implements, whichever way a component is instantiated: see
//! [`HostCalls`](crate::HostCalls). Functions that can park the process are async; the others
//! return at once.
#![allow(missing_docs, missing_debug_implementations)]

wasmtime::component::bindgen!({
    path: "wit",
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
        "transputer:csp/process.[method]child.kill": async | trappable,
        default: trappable,
    },
    exports: { default: async },
    with: {
        "transputer:csp/channel.sender": crate::handles::Sender,
        "transputer:csp/channel.receiver": crate::handles::Receiver,
        "transputer:csp/channel.barrier": crate::handles::Barrier,
        "transputer:csp/alternation.prepared": crate::handles::Prepared,
        "transputer:csp/process.child": crate::handles::Child,
    },
});
