//! Pages of listings, with each service's own limit and refusal of a token it did not issue.

use serde_json::Value;

use crate::fault::Fault;
use crate::page::{self, Page};

/// How a service pages its listings.
pub(crate) struct Pages {
    /// How much a page has where the caller says nothing.
    limit: usize,
    /// The refusal of a token that was not issued here.
    refused: fn() -> Fault,
}

pub(crate) const EVENTS_PAGES: Pages = Pages {
    limit: 100,
    refused: || Fault::validation("Parameter NextToken is not valid. Reason: The token was not issued here."),
};

pub(crate) const EVENTSV2_PAGES: Pages = Pages {
    limit: 100,
    refused: || {
        let why = "NextToken is not valid: it was not issued here.";
        Fault::new("InvalidInputException", why)
    },
};

pub(crate) const LOGS_PAGES: Pages = Pages {
    limit: 50,
    refused: || Fault::parameter("The specified nextToken is invalid."),
};

pub(crate) const IAM_PAGES: Pages = Pages {
    limit: 100,
    refused: || Fault::new("ValidationError", "Invalid Marker: it was not issued here."),
};

impl Pages {
    /// A page of the listing `of`.
    pub(crate) fn page<'k, T>(
        &self,
        of: &str,
        items: impl Iterator<Item = (&'k str, T)>,
        token: Option<&str>,
        limit: Option<usize>,
    ) -> Result<Page<T>, Fault> {
        page::page(of, items, token, limit.unwrap_or(self.limit)).map_err(|_| (self.refused)())
    }
}

/// An object without the members that are null: AWS omits absent members.
pub(crate) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .collect(),
        ),
        other => other,
    }
}
