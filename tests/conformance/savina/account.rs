//! Banking: an account.

use transputer_guest::{Error, Message, Receiver, Sender, select};

/// A transfer: how much, and the account that gets it.
#[derive(Message)]
struct Order {
    amount: u64,
    to: Sender<u64>,
}

/// Carries out orders, while it has the money, and takes credits at all times; in the end sends
/// its balance.
#[transputer_guest::process]
fn account(
    mut balance: u64,
    orders: Receiver<Order>,
    credits: Receiver<u64>,
    done: Sender<()>,
    balances: Sender<u64>,
) -> Result<(), Error> {
    let (mut ordering, mut crediting) = (true, true);
    while ordering || crediting {
        let order = select! {
            order = receive(orders) if ordering => match order {
                Err(Error::Closed) => { ordering = false; None }
                order => Some(order?),
            },
            credit = receive(credits) if crediting => match credit {
                Err(Error::Closed) => { crediting = false; None }
                credit => { balance += credit?; None }
            },
        }?;
        let Some(order) = order else { continue };
        let amount = order.amount.min(balance);
        balance -= amount;
        // Two accounts may pay each other at the same time.
        let mut paid = false;
        while !paid {
            select! {
                sent = send(order.to, &amount) => { sent?; paid = true }
                credit = receive(credits) => balance += credit?,
            }?;
        }
        done.send(())?;
    }
    balances.send(balance)
}
