//! A shop with a fault: its till panics over what it does not understand.

use transputer_guest::{Error, Receiver, Sender, process};

const ORDERS: [&str; 6] = [
    "3 apples at 20",
    "2 pears at 35",
    "a melon, please",
    "1 plum at 5",
    "4 figs at a friend's price",
    "10 nuts at 1",
];

/// Hands out orders, each a line.
#[process]
fn shop(orders: Sender<String>) -> Result<(), Error> {
    for order in ORDERS {
        orders.send(order.to_owned())?;
    }
    Ok(())
}

/// Turns orders, `COUNT things at PRICE`, into amounts.
#[process]
fn till(orders: Receiver<String>, amounts: Sender<u64>) -> Result<(), Error> {
    for order in orders {
        let (things, price) = order.split_once(" at ").expect("a price");
        let (count, _) = things.split_once(' ').expect("a count");
        let count: u64 = count.parse().expect("a count is a number");
        let price: u64 = price.parse().expect("a price is a number");
        amounts.send(count * price)?;
    }
    Ok(())
}

/// Writes the amounts with their total, then the orders of which nothing could be made.
#[process]
fn ledger(
    amounts: Receiver<u64>,
    refused: Receiver<String>,
    lines: Sender<String>,
) -> Result<(), Error> {
    let mut total = 0;
    for amount in amounts {
        lines.send(format!("{amount:>5}"))?;
        total += amount;
    }
    lines.send(format!("{total:>5} in total"))?;
    for order in refused {
        lines.send(format!("not understood: {order}"))?;
    }
    Ok(())
}
