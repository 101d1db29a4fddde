//! What anybody with credentials may put on the subjects of a run, and where parts say that they stand still, read as a
//! host does.
#![no_main]

use libfuzzer_sys::fuzz_target;
use transputer_reach::lookout;
use transputer_reach::nats::read_junk;

fuzz_target!(|bytes: &[u8]| {
    lookout::read_junk(&String::from_utf8_lossy(bytes));
    let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
    let mut next = || parts.next().unwrap_or_default();
    let (header, hint, subject) = (next(), next(), next());
    read_junk(
        &String::from_utf8_lossy(header),
        hint,
        &String::from_utf8_lossy(subject),
    );
});
