//! Asks for far more chance than it needs, by WASI preview 1.
#![expect(unsafe_code, reason = "it calls WASI past std")]

use transputer_guest::{Error, Sender};

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn random_get(to: *mut u8, length: usize) -> u16;
}

/// Draws so many random bytes in one call, as often as it is told to, and tells before and after.
#[transputer_guest::process]
fn draws_chance(bytes: u64, times: u64, told: Sender<Vec<u8>>) -> Result<(), Error> {
    let length = usize::try_from(bytes).map_err(|error| error.to_string())?;
    let mut drawn = vec![0_u8; length];
    told.send(Vec::new())?;
    for _ in 0..times {
        // SAFETY: there is room for as many.
        let failed = unsafe { random_get(drawn.as_mut_ptr(), length) };
        assert_eq!(failed, 0, "there is chance for everybody");
    }
    assert!(drawn.iter().any(|byte| *byte != 0));
    told.send(Vec::new())?;
    Ok(())
}
