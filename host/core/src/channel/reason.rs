//! Why channels are poisoned.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use super::options::KeepAlive;

/// Why a channel was poisoned, for people. Clones share the text; with the last one goes what was
/// to last as long, for whoever counts what reasons take.
#[derive(Clone)]
pub struct Reason(Arc<Inner>);

struct Inner {
    text: Box<str>,
    _keep_alive: Option<KeepAlive>,
}

impl Reason {
    /// A reason that keeps something alive for as long as anybody has it.
    pub fn keeping(text: impl Into<Box<str>>, keep_alive: KeepAlive) -> Self {
        Self::new(text.into(), Some(keep_alive))
    }

    fn new(text: Box<str>, keep_alive: Option<KeepAlive>) -> Self {
        Self(Arc::new(Inner {
            text,
            _keep_alive: keep_alive,
        }))
    }
}

impl From<&str> for Reason {
    fn from(text: &str) -> Self {
        Self::new(text.into(), None)
    }
}

impl From<String> for Reason {
    fn from(text: String) -> Self {
        Self::new(text.into(), None)
    }
}

impl Deref for Reason {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0.text
    }
}

impl PartialEq for Reason {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Reason {}

impl Hash for Reason {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}
