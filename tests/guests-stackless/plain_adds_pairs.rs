//! A component that wit-bindgen alone makes of the contract: its own runtime waits for the calls.

#![allow(unsafe_code)]

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use transputer::csp0_1_0::channel::Error;
use transputer::csp0_2_0::tasks;

wit_bindgen::generate!({
    path: "../../wit/async",
    world: "guest-async",
    generate_all,
});

const SIGNATURE: [u8; 232] = *br#"{"version":1,"process":"plain_adds_pairs","ports":[
    {"name":"left","direction":"input","type":"list<u8>"},
    {"name":"right","direction":"input","type":"list<u8>"},
    {"name":"pairs","direction":"output","type":"list<u8>"}]}"#;

#[used]
#[unsafe(link_section = "transputer:signature")]
static SIGNED: [u8; SIGNATURE.len()] = SIGNATURE;

struct Plain;

export!(Plain);

impl Guest for Plain {
    /// Receives from both inputs at once, and sends what came, the one behind the other.
    async fn run(
        _: Vec<u8>,
        inputs: Vec<(String, Receiver)>,
        outputs: Vec<(String, Sender)>,
    ) -> Result<(), String> {
        let input = |wanted: &str| {
            let mut inputs = inputs.iter();
            inputs.find(|(name, _)| name == wanted).map(|it| &it.1)
        };
        let (Some(left), Some(right)) = (input("left"), input("right")) else {
            return Err("it lacks a port".to_owned());
        };
        let Some((_, pairs)) = outputs.first() else {
            return Err("it lacks a port".to_owned());
        };
        loop {
            let both = both(tasks::receive(left), tasks::receive(right)).await;
            let mut pair = match both {
                (Err(Error::Closed), Err(Error::Closed)) => return Ok(()),
                (Ok(mut left), Ok(right)) => {
                    left.extend(right);
                    left
                }
                other => return Err(format!("half a pair: {other:?}")),
            };
            pair.push(b'.');
            tasks::send(pairs, pair)
                .await
                .map_err(|error| error.to_string())?;
        }
    }
}

/// Waits for both.
async fn both<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut from_a, mut from_b) = (None, None);
    poll_fn(move |context| {
        if from_a.is_none()
            && let Poll::Ready(output) = a.as_mut().poll(context)
        {
            from_a = Some(output);
        }
        if from_b.is_none()
            && let Poll::Ready(output) = b.as_mut().poll(context)
        {
            from_b = Some(output);
        }
        match (from_a.take(), from_b.take()) {
            (Some(a), Some(b)) => Poll::Ready((a, b)),
            (a, b) => {
                (from_a, from_b) = (a, b);
                Poll::Pending
            }
        }
    })
    .await
}
