//! A pattern in a request.

use event_pattern::Pattern;
use serde::Deserialize;

use crate::fault::Fault;
use crate::state::pattern::EventPattern;

/// The text that a request gives for a pattern, and what compiling it gave, which happens before the engine's lock is
/// taken. A stored request's was accepted when it came, and is compiled when it is needed.
#[derive(Debug, Deserialize)]
#[serde(from = "String")]
pub(super) struct GivenPattern {
    text: String,
    compiled: Option<Result<Pattern, Fault>>,
}

impl From<String> for GivenPattern {
    fn from(text: String) -> Self {
        Self { text, compiled: None }
    }
}

impl GivenPattern {
    /// An empty text stands for no pattern.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Compiles the text, if there is one, within EventBridge's own limits.
    pub(super) fn compile_if_any(given: &mut Option<Self>) {
        if let Some(given) = given {
            given.compiled = Some(compile(&given.text));
        }
    }

    /// AWS's refusal of the pattern, or its size in memory if it was compiled here.
    pub(super) fn check(&self) -> Result<Option<usize>, Fault> {
        match &self.compiled {
            Some(Ok(pattern)) => Ok(Some(pattern.bytes())),
            Some(Err(fault)) => Err(fault.clone()),
            None => Ok(None),
        }
    }

    /// As a rule or an archive has it.
    pub(super) fn into_pattern(self) -> EventPattern {
        match self.compiled {
            Some(Ok(pattern)) => EventPattern::ready(&self.text, pattern),
            Some(Err(_)) | None => EventPattern::new(&self.text),
        }
    }
}

/// A pattern within EventBridge's own limits, or AWS's refusal of it.
pub(super) fn compile(text: &str) -> Result<Pattern, Fault> {
    let compiled = Pattern::compile_for_eventbridge(text);
    compiled
        .map(|(pattern, _)| pattern)
        .map_err(|error| Fault::new("InvalidEventPatternException", error.message()))
}
