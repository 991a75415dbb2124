//! An event pattern: its text, and its compiled form, which is made once.

use std::sync::{Arc, OnceLock};

use event_pattern::Pattern;
use serde::{Deserialize, Serialize};

/// The text is what is stored. Its compiled form is shared by all copies; a text that this version refuses, though an
/// earlier one took it, has none and matches nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct EventPattern {
    text: Arc<str>,
    #[serde(skip)]
    compiled: Arc<OnceLock<Option<Pattern>>>,
}

impl EventPattern {
    /// A pattern that is compiled when it is first needed.
    pub(crate) fn new(text: &str) -> Self {
        Self {
            text: text.into(),
            compiled: Arc::default(),
        }
    }

    /// A pattern that was compiled already.
    pub(crate) fn ready(text: &str, compiled: Pattern) -> Self {
        Self {
            text: text.into(),
            compiled: Arc::new(OnceLock::from(Some(compiled))),
        }
    }

    pub(crate) fn text(&self) -> &Arc<str> {
        &self.text
    }

    pub(crate) fn compiled(&self) -> Option<&Pattern> {
        let compile = || match Pattern::compile(&self.text) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                tracing::warn!(pattern = &*self.text, %error, "a stored pattern is refused by now: it matches nothing");
                None
            }
        };
        self.compiled.get_or_init(compile).as_ref()
    }

    /// Compiles the pattern now, rather than when the first event is matched.
    pub(crate) fn ready_now(&self) {
        self.compiled();
    }

    /// The size of the compiled form in memory, estimated.
    pub(crate) fn bytes(&self) -> usize {
        self.compiled().map_or(0, Pattern::bytes)
    }

    /// Whether both are one and the same, not two of the same text.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.compiled, &other.compiled)
    }
}
