//! What PutEvents and PutRawEvents of a custom event bus give: a row for each entry, as many as a hundred.

use std::sync::Arc;

use serde::Serialize;

/// The answer. Its members are in the order of their names, as all outputs have them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PutResults {
    pub(crate) entries: Vec<PutResult>,
    pub(crate) failed_entry_count: usize,
}

/// What became of an entry.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum PutResult {
    #[serde(rename_all = "PascalCase")]
    Accepted {
        event_id: Arc<str>,
        sequence_number: String,
        success_code: &'static str,
    },
    #[serde(rename_all = "PascalCase")]
    Refused {
        error_code: &'static str,
        error_message: String,
    },
}
