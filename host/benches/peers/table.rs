//! The table.

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, Table, presets};

use crate::cases::{Case, Row, Unit};
use crate::measure::Results;

const NOTHING: &str = "-";

/// All results, aligned or in Markdown.
pub(crate) fn render(cases: &[Case], results: &[Results], markdown: bool) -> String {
    let mut table = Table::new();
    table
        .load_style(match markdown {
            true => presets::ASCII_MARKDOWN,
            false => presets::NOTHING,
        })
        .set_header(["Work", "Transputer", "Go", "Erlang", "to Go", "to Erlang"]);
    for (case, result) in cases.iter().zip(results) {
        for row in &case.rows {
            table.add_row(line(row, &result.medians));
        }
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt()
}

fn line(row: &Row, medians: &[BTreeMap<String, f64>]) -> Vec<String> {
    let figure = |index: usize| medians.get(index)?.get(row.figure).copied();
    let mut cells = vec![row.label.clone()];
    cells.extend((0..3).map(|index| match figure(index) {
        Some(value) => shown(value, row.unit),
        None => NOTHING.to_owned(),
    }));
    cells.extend((1..3).map(|index| match (figure(0), figure(index)) {
        (Some(ours), Some(theirs)) => ratio(ours, theirs, row.unit),
        _ => NOTHING.to_owned(),
    }));
    cells
}

/// How many times as much ours costs; under 1, ours is ahead.
fn ratio(ours: f64, theirs: f64, unit: Unit) -> String {
    let ratio = match unit {
        Unit::Count if theirs < 0.5 => f64::INFINITY,
        Unit::Factor => theirs / ours,
        _ => ours / theirs,
    };
    // Against nothing, or next to nothing, a ratio says nothing.
    match ratio.is_finite() && ratio > 0.0 {
        true if ratio < 0.1 => format!("{ratio:.3}"),
        true if ratio < 10.0 => format!("{ratio:.2}"),
        true => format!("{ratio:.0}"),
        false => NOTHING.to_owned(),
    }
}

fn shown(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Time => time(value),
        Unit::Rate(bytes) => format!("{:.0} MB/s", bytes as f64 * 1_000.0 / value),
        Unit::Bytes if value < 1_024.0 => format!("{value:.0} B"),
        Unit::Bytes => format!("{:.1} KiB", value / 1_024.0),
        Unit::Count => format!("{value:.2}"),
        Unit::Factor => format!("{value:.2} times"),
    }
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        under if under < 1e2 => format!("{under:.1} ns"),
        under if under < 1e4 => format!("{under:.0} ns"),
        under if under < 1e6 => format!("{:.1} µs", under / 1e3),
        under if under < 1e9 => format!("{:.1} ms", under / 1e6),
        long => format!("{:.2} s", long / 1e9),
    }
}
