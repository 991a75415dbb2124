//! When tokens were last used: noted in memory, and stored once a minute, so that no read of the API writes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::store::{Result, Store};

/// How often uses are stored.
const INTERVAL: Duration = Duration::from_mins(1);

/// The uses that are not stored yet: one a token at most.
#[derive(Debug, Default)]
pub(crate) struct Uses(Mutex<BTreeMap<String, i64>>);

impl Uses {
    fn noted(&self) -> MutexGuard<'_, BTreeMap<String, i64>> {
        // A map is never half changed, so a poisoned lock is safe to use.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a token was used.
    pub(crate) fn note(&self, id: &str, at_ms: i64) {
        let mut noted = self.noted();
        match noted.get_mut(id) {
            Some(last) => *last = at_ms,
            None => drop(noted.insert(id.to_owned(), at_ms)),
        }
    }

    /// The last use of a token that is not stored yet.
    pub(crate) fn last_ms(&self, id: &str) -> Option<i64> {
        self.noted().get(id).copied()
    }

    /// Stores what was noted; what cannot be stored stays noted.
    pub(crate) async fn flush(&self, store: &Store) -> Result<()> {
        let used: Vec<(String, i64)> = self.noted().clone().into_iter().collect();
        if used.is_empty() {
            return Ok(());
        }
        let mut tx = store.begin().await?;
        tx.note_use(&used).await?;
        tx.commit().await?;
        let mut noted = self.noted();
        for (id, at_ms) in used {
            // Unless it was used again meanwhile.
            if noted.get(&id) == Some(&at_ms) {
                noted.remove(&id);
            }
        }
        Ok(())
    }
}

/// Stores uses until stopped, and once more then.
pub(crate) async fn store(store: Store, uses: Arc<Uses>, stop: CancellationToken) {
    loop {
        let is_stopped = tokio::select! {
            () = stop.cancelled() => true,
            () = tokio::time::sleep(INTERVAL) => false,
        };
        if let Err(error) = uses.flush(&store).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "when tokens were last used cannot be stored; it is tried again in a minute"
            );
        }
        if is_stopped {
            return;
        }
    }
}
