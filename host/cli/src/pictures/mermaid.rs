//! Pictures for Markdown.

use std::fmt::Write as _;

use super::{ArrowKind, BoxKind, Picture};
use crate::printable::one_line;

pub(super) fn text(picture: &Picture) -> String {
    let mut text = String::from("flowchart LR\n");
    for (number, one) in picture.boxes.iter().enumerate() {
        let mut label = escaped(&one.name);
        if !one.detail.is_empty() {
            label.push_str("<br/>");
            label.push_str(&escaped(&one.detail));
        }
        let (open, close) = match one.kind {
            BoxKind::Process => ("[", "]"),
            BoxKind::Spawned => ("[[", "]]"),
            BoxKind::Outside => ("([", "])"),
            BoxKind::Channel => ("{{", "}}"),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "    n{number}{open}\"{label}\"{close}");
    }
    for arrow in &picture.arrows {
        let line = match arrow.kind {
            ArrowKind::Channel => "-->",
            ArrowKind::DeadLetters | ArrowKind::Spawns => "-.->",
            ArrowKind::Link => "-.-",
        };
        let label = match arrow.label.as_str() {
            "" => String::new(),
            label => format!("|\"{}\"|", escaped(label)),
        };
        let _ = writeln!(text, "    n{} {line}{label} n{}", arrow.from, arrow.to);
    }
    text
}

/// Mermaid reads labels as HTML and Markdown, and has entities of its own, by numbers. What could
/// mean anything to it is written as one.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in one_line(text).chars() {
        if c.is_alphanumeric()
            || matches!(
                c,
                ' ' | '-' | '.' | ',' | ':' | '/' | '(' | ')' | '·' | '…' | '×'
            )
        {
            escaped.push(c);
        } else {
            let _ = write!(escaped, "#{};", u32::from(c));
        }
    }
    escaped
}
