//! A plugin with a fault: it panics over what it does not understand.

use transputer_guest::{Error, Receiver, Sender, process};

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
