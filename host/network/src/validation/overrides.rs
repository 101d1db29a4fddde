//! Arguments from the command line.

use std::fmt;
use std::str::FromStr;

/// An argument from the command line: `name=value`, for every process that has
/// one of that name, or `process.name=value`.
///
/// ```
/// use transputer_network::validation::ArgumentOverride;
///
/// let count: ArgumentOverride = "generator.count=100".parse()?;
/// assert_eq!(count.process.as_deref(), Some("generator"));
/// assert_eq!((&*count.name, &*count.value), ("count", "100"));
/// # Ok::<(), transputer_network::validation::OverrideError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArgumentOverride {
    /// The only process it is for.
    pub process: Option<String>,
    /// The argument's name.
    pub name: String,
    /// Its value, as [`encode_text`](crate::value::encode_text) reads it.
    pub value: String,
}

/// A text that is not an argument.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected `name=value` or `process.name=value`, found {found:?}")]
#[non_exhaustive]
pub struct OverrideError {
    /// The text.
    pub found: String,
}

impl ArgumentOverride {
    /// A value for the argument of this name, of every process that has one.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            process: None,
            name: name.into(),
            value: value.into(),
        }
    }

    /// The same value, for this process only.
    #[must_use]
    pub fn of_process(self, process: impl Into<String>) -> Self {
        let process = Some(process.into());
        Self { process, ..self }
    }
}

impl FromStr for ArgumentOverride {
    type Err = OverrideError;

    fn from_str(text: &str) -> Result<Self, OverrideError> {
        let error = || OverrideError {
            found: text.to_owned(),
        };
        let (target, value) = text.split_once('=').ok_or_else(error)?;
        let (process, name) = match target.split_once('.') {
            Some((process, name)) => (Some(process), name),
            None => (None, target),
        };
        if name.is_empty() || name.contains('.') || process.is_some_and(str::is_empty) {
            return Err(error());
        }
        Ok(ArgumentOverride {
            process: process.map(str::to_owned),
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

impl fmt::Display for ArgumentOverride {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(process) = &self.process {
            write!(f, "{process}.")?;
        }
        write!(f, "{}={}", self.name, self.value)
    }
}
