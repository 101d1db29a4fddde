//! Structs and enums as messages.

use transputer_guest::{Error, Message, Receiver, Sender};

/// A line with its number.
#[derive(Message)]
struct Line {
    number: u64,
    text: String,
    marks: Vec<Mark>,
}

/// What is remarkable about a line.
#[derive(Message)]
enum Mark {
    Empty,
    Long(u32),
    Words { count: u32, longest: Option<String> },
}

/// Marks lines: empty ones, those over 80 characters, and how many words they have.
#[transputer_guest::process]
fn record(lines: Receiver<Line>, marked: Sender<Line>) -> Result<(), Error> {
    for mut line in lines {
        line.marks.push(mark(&line.text));
        marked.send(&line)?;
    }
    Ok(())
}

fn mark(text: &str) -> Mark {
    if text.is_empty() {
        return Mark::Empty;
    }
    let characters = text.chars().count();
    if characters > 80 {
        return Mark::Long(characters as u32);
    }
    Mark::Words {
        count: text.split_whitespace().count() as u32,
        longest: text
            .split_whitespace()
            .max_by_key(|word| word.len())
            .map(str::to_owned),
    }
}
