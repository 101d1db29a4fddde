//! Pictures as images.

use std::fmt::Write as _;

use super::layout::{self, Layout};
use super::{Arrow, ArrowKind, Box, BoxKind, Picture, cut};
use crate::printable::one_line;

/// The width of a character of each size of text, at most as people mostly write.
const NAME: f64 = 8.6;
const SMALL: f64 = 6.4;

/// The most characters of a name, and of a line below it or of a label.
const LONGEST_NAME: usize = 28;
const LONGEST_LABEL: usize = 36;

const STYLE: &str = "
    svg { --ink: #1c2733; --soft: #5b6b7b; --line: #7b8b9b; --box: #ffffff; --edge: #b9c5d1; --bad: #b3372f; }
    @media (prefers-color-scheme: dark) {
      svg { --ink: #e6edf3; --soft: #9fb0c0; --line: #7b8b9b; --box: #18212b; --edge: #405264; --bad: #ff8a80; }
    }
    text { font-family: system-ui, sans-serif; fill: var(--ink); text-anchor: middle; dominant-baseline: central; }
    .name { font-size: 14px; font-weight: 600; }
    .detail, .label { font-size: 11.5px; fill: var(--soft); }
    rect { fill: var(--box); stroke: var(--edge); stroke-width: 1.5; }
    .spawned rect { stroke-dasharray: 5 4; }
    .outside rect { stroke: none; fill: none; }
    path { fill: none; stroke: var(--line); stroke-width: 1.6; }
    marker path { fill: var(--line); stroke: none; }
    .dead path { stroke: var(--bad); stroke-dasharray: 6 4; }
    .spawns path, .link path { stroke-dasharray: 2 4; }
";

pub(super) fn text(picture: &Picture) -> String {
    let (layout, middles) = place(picture);
    let Layout { width, height, .. } = layout;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>{}</title>\n<style>{STYLE}</style>\n\
         <defs><marker id=\"head\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7\" \
         markerHeight=\"7\" orient=\"auto-start-reverse\"><path d=\"M0 0L10 5L0 10z\"/></marker></defs>\n",
        escaped(&picture.title)
    );
    for (arrow, way) in picture.arrows.iter().zip(&middles) {
        draw_arrow(&mut text, picture, arrow, way, &layout);
    }
    for (one, middle) in picture.boxes.iter().zip(&layout.boxes) {
        draw_box(&mut text, one, *middle);
    }
    text.push_str("</svg>\n");
    text
}

/// How an arrow goes: in one piece, or in two around its label.
enum Way {
    Whole(usize),
    Around {
        label: usize,
        halves: [usize; 2],
    },
    /// Back to where it comes from.
    Loop,
}

/// Where everything lies. A label takes a place of its own on the way of its arrow.
fn place(picture: &Picture) -> (Layout, Vec<Way>) {
    let mut sizes: Vec<_> = picture.boxes.iter().map(size).collect();
    let mut arrows = Vec::new();
    let mut ways = Vec::new();
    for arrow in &picture.arrows {
        if arrow.from == arrow.to {
            ways.push(Way::Loop);
            continue;
        }
        if arrow.label.is_empty() {
            ways.push(Way::Whole(arrows.len()));
            arrows.push((arrow.from, arrow.to));
            continue;
        }
        let label = sizes.len();
        sizes.push((width(&arrow.label, LONGEST_LABEL, SMALL) + 8.0, 18.0));
        let first = arrows.len();
        arrows.extend([(arrow.from, label), (label, arrow.to)]);
        ways.push(Way::Around {
            label,
            halves: [first, first + 1],
        });
    }
    (layout::place(&sizes, &arrows), ways)
}

fn width(text: &str, most: usize, character: f64) -> f64 {
    let characters = one_line(text).chars().count().min(most);
    f64::from(u32::try_from(characters).unwrap_or(u32::MAX)) * character
}

/// The size of a box.
fn size(one: &Box) -> (f64, f64) {
    let name = width(&one.name, LONGEST_NAME, NAME);
    let detail = width(&one.detail, LONGEST_LABEL, SMALL);
    let height = if one.detail.is_empty() { 36.0 } else { 50.0 };
    ((name.max(detail) + 24.0).max(56.0), height)
}

fn draw_box(text: &mut String, one: &Box, (x, y): (f64, f64)) {
    let (width, height) = size(one);
    let class = match one.kind {
        BoxKind::Process => "process",
        BoxKind::Spawned => "spawned",
        BoxKind::Outside => "outside",
        BoxKind::Channel => "channel",
    };
    let corner = if one.kind == BoxKind::Channel {
        height / 2.0
    } else {
        8.0
    };
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "<g class=\"{class}\"><rect x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"{corner:.0}\"/>",
        x - width / 2.0,
        y - height / 2.0,
    );
    let name = escaped(&cut(&one.name, LONGEST_NAME));
    if one.detail.is_empty() {
        let _ = write!(
            text,
            "<text class=\"name\" x=\"{x}\" y=\"{y}\">{name}</text>"
        );
    } else {
        let detail = escaped(&cut(&one.detail, LONGEST_LABEL));
        let _ = write!(
            text,
            "<text class=\"name\" x=\"{x}\" y=\"{:.1}\">{name}</text>\
             <text class=\"detail\" x=\"{x}\" y=\"{:.1}\">{detail}</text>",
            y - 9.0,
            y + 10.0
        );
    }
    text.push_str("</g>\n");
}

fn draw_arrow(text: &mut String, picture: &Picture, arrow: &Arrow, way: &Way, layout: &Layout) {
    let class = match arrow.kind {
        ArrowKind::Channel => "channel-arrow",
        ArrowKind::DeadLetters => "dead",
        ArrowKind::Spawns => "spawns",
        ArrowKind::Link => "link",
    };
    let head = match arrow.kind {
        ArrowKind::Link => "",
        _ => " marker-end=\"url(#head)\"",
    };
    let path = |number: usize| curve(&layout.arrows[number]);
    let _ = write!(text, "<g class=\"{class}\">");
    match way {
        Way::Whole(number) => {
            let _ = write!(text, "<path d=\"{}\"{head}/>", path(*number));
        }
        Way::Loop => {
            let (x, y) = layout.boxes[arrow.from];
            let top = y - size(&picture.boxes[arrow.from]).1 / 2.0;
            let _ = write!(
                text,
                "<path d=\"M{:.1} {top:.1}C{:.1} {:.1} {:.1} {:.1} {:.1} {top:.1}\"{head}/>",
                x - 12.0,
                x - 26.0,
                top - 24.0,
                x + 26.0,
                top - 24.0,
                x + 12.0,
            );
        }
        Way::Around { label, halves } => {
            let (x, y) = layout.boxes[*label];
            let label = escaped(&cut(&arrow.label, LONGEST_LABEL));
            let _ = write!(
                text,
                "<path d=\"{}\"/><path d=\"{}\"{head}/><text class=\"label\" x=\"{x}\" y=\"{y}\">{label}</text>",
                path(halves[0]),
                path(halves[1]),
            );
        }
    }
    text.push_str("</g>\n");
}

/// A path's description.
fn curve(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (index, (x, y)) in points.iter().enumerate() {
        let command = match index {
            0 => "M",
            1 => "C",
            _ => " ",
        };
        let _ = write!(path, "{command}{x} {y}");
    }
    path
}

/// Text with its markup escaped, without characters that XML forbids.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in one_line(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
