//! Banking: the process that orders the transfers.

use transputer_guest::{Error, Message, Sender, channel, spawn};

/// A transfer: how much, and the account that gets it.
#[derive(Message)]
struct Order {
    amount: u64,
    to: Sender<u64>,
}

/// Transfers that may be under way at once; their `done` fits into a channel of this capacity, so that
/// no account waits for the teller while the teller waits for it.
const UNDER_WAY: u32 = 64;

/// Spawns `accounts` accounts with `balance` each, orders `transfers` transfers between them, and then
/// lets them send their balances.
#[transputer_guest::process]
fn teller(accounts: u32, balance: u64, transfers: u32, balances: Sender<u64>) -> Result<(), Error> {
    let (done, finished) = channel::<()>(UNDER_WAY)?;
    let (mut orders, mut credits) = (Vec::new(), Vec::new());
    for _ in 0..accounts {
        let (order, taken) = channel::<Order>(0)?;
        let (credit, credited) = channel::<u64>(0)?;
        spawn("account")
            .argument("balance", balance)
            .input("orders", taken)
            .input("credits", credited)
            .output("done", done.clone())
            .output("balances", balances.clone())
            .start()?;
        orders.push(order);
        credits.push(credit);
    }
    balances.close();

    let mut random: u32 = 1;
    let mut next = |below: usize| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) as usize % below
    };
    for number in 0..transfers {
        if number >= UNDER_WAY {
            finished.receive()?;
        }
        let from = next(orders.len());
        let to = (from + 1 + next(orders.len() - 1)) % orders.len();
        orders[from].send(&Order {
            amount: next(1_000) as u64,
            to: credits[to].clone(),
        })?;
    }
    for _ in 0..transfers.min(UNDER_WAY) {
        finished.receive()?;
    }
    Ok(())
}
