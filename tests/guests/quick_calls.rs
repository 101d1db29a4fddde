//! The calls that take numbers for ends, with numbers and lengths that are wrong.

use std::cell::Cell;

use transputer_guest::bindings::transputer::csp::channel::{
    Error as Refused, Options, Overflow, Received, Small, open, receive_some, send_small, send_some,
};
use transputer_guest::{Error, Sender};

/// Makes every call as it should be and as it should not be, under a limit of 8 bytes on messages;
/// sends the number of checks. Then, if asked, sends itself batches until its memory is full.
#[transputer_guest::process]
fn quick_calls(fill: bool, checks: Sender<u64>) -> Result<(), Error> {
    let options = Options {
        capacity: 1 << 20,
        overflow: Overflow::Block,
    };
    let (sender, receiver) = open(options).map_err(|error| Error::Failed(format!("{error:?}")))?;
    let (to, from) = (sender.number(), receiver.number());
    let small = |length| Small {
        length,
        low: u64::from_le_bytes(*b"transput"),
        high: u64::MAX,
    };
    let passed = Cell::new(0);
    let check = |holds: bool, what: &str| {
        passed.update(|passed| passed + u64::from(holds));
        holds.then_some(()).ok_or(Error::Failed(what.to_owned()))
    };
    for number in [to + 1_000, u32::MAX] {
        let sent = send_small(number, small(1));
        check(sent == Err(Refused::Moved), "send-small, forged")?;
        let sent = send_some(number, b"\x01\0\0\0a");
        let refused = sent.error == Some(Refused::Moved) && sent.count == 0;
        check(refused, "send-some, forged")?;
        let received = receive_some(number, 10);
        let refused = matches!(received, Err(Refused::Moved));
        check(refused, "receive-some, forged")?;
    }
    for length in [17, u32::MAX] {
        let sent = send_small(to, small(length));
        check(sent == Err(Refused::Malformed), "send-small, length")?;
    }
    let sent = send_small(to, small(9));
    check(sent == Err(Refused::TooLarge), "send-small, over the limit")?;
    let sent = send_some(to, b"\x01\0\0\0a\x09\0\0\x00123456789\x01\0\0\0b");
    let stopped = sent.error == Some(Refused::TooLarge) && sent.count == 1;
    check(stopped, "send-some, over the limit")?;
    let sent = send_some(to, b"\x02\0\0\0bc\xff\xff\xff\xffd");
    let stopped = sent.error == Some(Refused::Malformed) && sent.count == 1;
    check(stopped, "send-some, malformed")?;
    check(send_small(to, small(8)).is_ok(), "send-small")?;
    let received = receive_some(from, 1);
    let first = matches!(
        received,
        Ok(Received::Small(Small {
            length: 1,
            low: 0x61,
            high: 0
        }))
    );
    check(first, "receive-some, one")?;
    let received = receive_some(from, 10);
    let packed = b"\x02\0\0\0bc\x08\0\0\0transput";
    let both = matches!(&received, Ok(Received::Batch(batch)) if batch == packed);
    check(both, "receive-some, a batch")?;
    drop(sender);
    let received = receive_some(from, 10);
    let closed = matches!(received, Err(Refused::Closed));
    check(closed, "receive-some, closed")?;
    let sent = send_small(to, small(1));
    check(sent == Err(Refused::Moved), "send-small, closed")?;
    checks.send(passed.get())?;
    let (sender, _receiver) = open(options).map_err(|error| Error::Failed(format!("{error:?}")))?;
    let batch = b"\x01\0\0\0a".repeat(10_000);
    if !fill {
        return Ok(());
    }
    loop {
        let sent = send_some(sender.number(), &batch);
        check(sent.error.is_none(), "send-some, much")?;
    }
}
