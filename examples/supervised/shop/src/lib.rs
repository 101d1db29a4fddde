//! Sells: most orders are what a till understands.

use transputer_guest::{Error, Sender, process};

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
