//! Dining philosophers: the process that owns the forks.

use transputer_guest::{Error, Sender, channel, spawn};

/// Spawns `seats` philosophers, grants each its two forks when both are free, and sends how many
/// meals there were.
#[transputer_guest::process]
fn arbitrator(seats: u32, meals: u32, total: Sender<u64>) -> Result<(), Error> {
    let (request, requests) = channel::<(u32, bool)>(0)?;
    let mut grants = Vec::new();
    for seat in 0..seats {
        let (grant, granted) = channel::<()>(1)?;
        spawn("philosopher")
            .argument("seat", seat)
            .argument("meals", meals)
            .input("granted", granted)
            .output("requests", request.clone())
            .start()?;
        grants.push(grant);
    }
    request.close();

    let seats = grants.len();
    let mut taken = vec![false; seats];
    let mut hungry = vec![false; seats];
    let mut eaten = 0;
    for (seat, wants) in &requests {
        let seat = seat as usize;
        let (left, right) = (seat, (seat + 1) % seats);
        if wants {
            hungry[seat] = true;
        } else {
            eaten += 1;
            (taken[left], taken[right]) = (false, false);
        }
        for seat in [(seat + seats - 1) % seats, seat, (seat + 1) % seats] {
            let (left, right) = (seat, (seat + 1) % seats);
            if hungry[seat] && !taken[left] && !taken[right] {
                (taken[left], taken[right]) = (true, true);
                hungry[seat] = false;
                grants[seat].send(())?;
            }
        }
    }
    requests.ended()?;
    total.send(eaten)
}
