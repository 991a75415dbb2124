//! Pages of what the local endpoints list.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::page;

/// The page that is asked for: `?nextToken=…`, from the page before.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page {
    next_token: Option<String>,
}

impl Page {
    /// The number in a token of the listing `of`.
    pub(super) fn number(&self, of: &str) -> Result<Option<u64>, Fault> {
        let read = |token: &String| {
            page::decode_token(of, token)
                .ok()
                .and_then(|text| text.parse().ok())
        };
        let bad = || Fault::validation("The nextToken was not issued here, or not for this.");
        self.next_token
            .as_ref()
            .map(|token| read(token).ok_or_else(bad))
            .transpose()
    }
}

/// Adds the token of the next page, if there is one.
pub(super) fn with_token(mut answer: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        answer["nextToken"] = json!(next);
    }
    answer
}
