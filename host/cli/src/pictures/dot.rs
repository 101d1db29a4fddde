//! Pictures for Graphviz.

use std::fmt::Write as _;

use super::{ArrowKind, BoxKind, Picture};
use crate::printable::one_line;

pub(super) fn text(picture: &Picture) -> String {
    let mut text = format!("digraph {} {{\n", quoted(&picture.title));
    text.push_str("    rankdir=LR;\n");
    text.push_str("    node [shape=box, style=rounded, fontname=\"sans-serif\"];\n");
    text.push_str("    edge [fontname=\"sans-serif\", fontsize=11];\n");
    for (number, one) in picture.boxes.iter().enumerate() {
        let label = match one.detail.as_str() {
            "" => quoted(&one.name),
            detail => quoted_lines(&[&one.name, detail]),
        };
        let look = match one.kind {
            BoxKind::Process => "",
            BoxKind::Spawned => ", style=\"rounded,dashed\"",
            BoxKind::Outside => ", shape=plaintext",
            BoxKind::Channel => ", shape=ellipse",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "    n{number} [label={label}{look}];");
    }
    for arrow in &picture.arrows {
        let look = match arrow.kind {
            ArrowKind::Channel => "",
            ArrowKind::DeadLetters => ", style=dashed, color=firebrick",
            ArrowKind::Spawns => ", style=dotted",
            ArrowKind::Link => ", style=dotted, dir=none, constraint=false",
        };
        let (from, to, label) = (arrow.from, arrow.to, quoted(&arrow.label));
        let _ = writeln!(text, "    n{from} -> n{to} [label={label}{look}];");
    }
    text.push_str("}\n");
    text
}

/// A quoted string: within it only the quotation mark and the backslash mean anything.
fn quoted(text: &str) -> String {
    quoted_lines(&[text])
}

fn quoted_lines(lines: &[&str]) -> String {
    let lines = lines.iter().map(|line| {
        let line = one_line(line);
        line.replace('\\', "\\\\").replace('"', "\\\"")
    });
    let lines: Vec<String> = lines.collect();
    format!("\"{}\"", lines.join("\\n"))
}
