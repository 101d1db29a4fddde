//! Waits for many things at once, by WASI preview 1.
#![expect(unsafe_code, reason = "it calls WASI past std")]

use transputer_guest::Error;

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn poll_oneoff(wanted: *const u8, ready: *mut u8, count: usize, events: *mut usize) -> u16;
}

/// Bytes of a subscription, and of an event.
const SUBSCRIPTION: usize = 48;
const EVENT: usize = 32;

/// Waits for so many clocks at once: all of them ring in a millisecond.
#[transputer_guest::process]
fn polls_many(clocks: u64) -> Result<(), Error> {
    let count = usize::try_from(clocks).map_err(|error| error.to_string())?;
    let mut wanted = vec![0_u8; SUBSCRIPTION * count];
    for subscription in wanted.chunks_mut(SUBSCRIPTION) {
        // The monotonic clock, and the time from now, in nanoseconds.
        subscription[16] = 1;
        subscription[24..32].copy_from_slice(&1_000_000_u64.to_le_bytes());
    }
    let mut ready = vec![0_u8; EVENT * count];
    let mut events = 0;
    // SAFETY: there is room for as many of each.
    let failed =
        unsafe { poll_oneoff(wanted.as_ptr(), ready.as_mut_ptr(), count, &raw mut events) };
    assert_eq!(failed, 0, "these are clocks");
    assert!((1..=count).contains(&events), "{events} of {count}");
    Ok(())
}
