//! The tables.

use comfy_table::{CellAlignment, Table, presets};

use crate::about::About;
use crate::case::{Case, Row, Unit};
use crate::measure::{Language, Results};
use crate::targets::{self, Judgement, Target};

const NOTHING: &str = "-";

/// All tables, aligned.
pub(crate) fn plain(about: &About, cases: &[Case], results: &[Results]) -> String {
    let tables = [comparison(cases, results, false), contract(results, false)];
    format!("\n{}\n\n{}", tables.join("\n\n"), about.text())
}

/// All tables in Markdown, after what they were made with.
pub(crate) fn markdown(about: &About, cases: &[Case], results: &[Results]) -> String {
    let comparison = comparison(cases, results, true);
    let contract = contract(results, true);
    format!(
        "{}\n\n{comparison}\n\n### Targets\n\n{contract}",
        about.text()
    )
}

fn table(markdown: bool, header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(match markdown {
            true => presets::ASCII_MARKDOWN,
            false => presets::NOTHING,
        })
        .set_header(header);
    table
}

fn right_aligned(mut table: Table) -> String {
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt()
}

/// Every figure, beside the peers'.
fn comparison(cases: &[Case], results: &[Results], markdown: bool) -> String {
    let header = ["Work", "Transputer", "Go", "Erlang", "to Go", "to Erlang"];
    let mut table = table(markdown, &header);
    for (case, result) in cases.iter().zip(results) {
        for row in &case.rows {
            table.add_row(line(row, result));
        }
    }
    right_aligned(table)
}

fn line(row: &Row, result: &Results) -> Vec<String> {
    let figure = |language| result.median(language, row.figure);
    let mut cells = vec![row.label.clone()];
    cells.extend(Language::ALL.map(|language| match figure(language) {
        Some(value) => row.unit.shown(value),
        None => NOTHING.to_owned(),
    }));
    let peers = [Language::Go, Language::Erlang];
    cells.extend(
        peers.map(|peer| match (figure(Language::Ours), figure(peer)) {
            (Some(ours), Some(theirs)) => ratio(ours, theirs, row.unit),
            _ => NOTHING.to_owned(),
        }),
    );
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

/// What was promised about what was measured.
fn contract(results: &[Results], markdown: bool) -> String {
    let mut table = table(markdown, &["Target", "First", "", "Then", ""]);
    for target in targets::all() {
        let judged = target.judge(results);
        if judged.iter().any(Option::is_some) {
            table.add_row(judged_line(&target, &judged));
        }
    }
    right_aligned(table)
}

fn judged_line(target: &Target, [first, then]: &[Option<Judgement>; 2]) -> Vec<String> {
    let verdict = |judgement: &Option<Judgement>| match judgement {
        Some(Judgement { value, held: true }) => format!("{value}, held"),
        Some(Judgement { value, held: false }) => format!("{value}, missed"),
        None => NOTHING.to_owned(),
    };
    let then_bound = target
        .then
        .as_ref()
        .map_or(NOTHING.to_owned(), |then| then.text());
    vec![
        target.work.clone(),
        target.first.text(),
        verdict(first),
        then_bound,
        verdict(then),
    ]
}
