//! Telling whoever runs a host what an outlet or inlet had to do.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Where nothing has moved for so long although there is work, something is begun anew, and that is told.
pub(crate) const STALLED: Duration = Duration::from_secs(5);

/// Who is told; nobody at first.
#[derive(Clone, Default)]
pub(crate) struct Notices(Option<Arc<dyn Fn(String) + Send + Sync>>);

impl Notices {
    pub(crate) fn to(listener: impl Fn(String) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }

    pub(crate) fn tell(&self, text: String) {
        if let Some(listener) = &self.0 {
            listener(text);
        }
    }
}

impl fmt::Debug for Notices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Notices").field(&self.0.is_some()).finish()
    }
}
