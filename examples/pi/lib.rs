//! A group of numbered processes: scatter, gather, reduce and the like.

use transputer_guest::{Error, Group, Packet, Receiver, Sender, process};

/// Adds up its share of a sum that comes to pi, and all shares to the whole.
#[process]
fn estimate(
    rank: u32,
    steps: u32,
    inbox: Receiver<Packet<f64>>,
    peers: Vec<Sender<Packet<f64>>>,
    answer: Option<Sender<String>>,
) -> Result<(), Error> {
    let mut group = Group::new(rank, inbox, peers)?;
    let mine = (group.rank()..steps).step_by(group.size() as usize);
    let height = |step| 4.0 / (1.0 + ((f64::from(step) + 0.5) / f64::from(steps)).powi(2));
    let sum = group.all_reduce(mine.map(height).sum::<f64>(), |a, b| a + b)?;
    match answer {
        Some(answer) => answer.send(format!("{:.6}", sum / f64::from(steps))),
        None => Ok(()),
    }
}
