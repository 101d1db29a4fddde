//! How files write indices, and the loops over them.

use crate::description::Loop;
use crate::description::expression::{Expression, in_variable};

/// `cell[y][x + 1]`: a name, and which of those that have it.
pub(in crate::description) struct Indexed<'t> {
    pub(super) name: &'t str,
    pub(super) places: Vec<Place>,
}

pub(super) enum Place {
    /// `*`.
    All,
    At(Expression),
}

impl<'t> Indexed<'t> {
    /// Reads it; what is wrong with it otherwise.
    pub(in crate::description) fn parse(text: &'t str) -> Result<Self, String> {
        let (name, mut rest) = text.split_at(text.find('[').unwrap_or(text.len()));
        let mut places = Vec::new();
        while !rest.is_empty() {
            let inside = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
            let Some((inside, behind)) = inside else {
                return Err(format!("{rest:?} is no index"));
            };
            places.push(match inside.trim() {
                "*" => Place::All,
                inside => Place::At(
                    Expression::parse(inside)
                        .map_err(|why| format!("[{inside}] is no index: {why}"))?,
                ),
            });
            rest = behind;
        }
        Ok(Self {
            name: name.trim(),
            places,
        })
    }
}

impl Loop {
    /// Reads `i in 0..n`, or `i in 0..=n`; what is wrong with it otherwise.
    pub(in crate::description) fn parse(text: &str) -> Result<Self, String> {
        let (variable, range) = text.split_once(" in ").ok_or("it has no ` in `")?;
        let variable = variable.trim();
        let starts = variable.starts_with(|char: char| char.is_alphabetic() || char == '_');
        if !starts || !variable.chars().all(in_variable) {
            return Err(format!("{variable:?} is no variable"));
        }
        let (first, end) = range.split_once("..").ok_or("it has no `..`")?;
        let (end, inclusive) = match end.strip_prefix('=') {
            Some(end) => (end, true),
            None => (end, false),
        };
        Ok(Self {
            variable: variable.to_owned(),
            first: Expression::parse(first)?,
            end: Expression::parse(end)?,
            inclusive,
        })
    }
}
