//! Pages of listings, with each service's own limit and refusal of a token it did not issue.

use serde_json::Value;

use crate::fault::Fault;
use crate::page::{self, Page};

/// A page of a listing of the events service.
pub(crate) fn events_page<'k, T>(
    of: &str,
    items: impl Iterator<Item = (&'k str, T)>,
    token: Option<&str>,
    limit: Option<usize>,
) -> Result<Page<T>, Fault> {
    page::page(of, items, token, limit.unwrap_or(100)).map_err(|_| {
        Fault::validation("Parameter NextToken is not valid. Reason: The token was not issued here.")
    })
}

/// A page of a listing of custom event buses and what belongs to them.
pub(crate) fn eventsv2_page<'k, T>(
    of: &str,
    items: impl Iterator<Item = (&'k str, T)>,
    token: Option<&str>,
    limit: Option<usize>,
) -> Result<Page<T>, Fault> {
    page::page(of, items, token, limit.unwrap_or(100)).map_err(|_| {
        Fault::new(
            "InvalidInputException",
            "NextToken is not valid: it was not issued here.",
        )
    })
}

/// A page of a listing of the logs service.
pub(crate) fn logs_page<'k, T>(
    of: &str,
    items: impl Iterator<Item = (&'k str, T)>,
    token: Option<&str>,
    limit: Option<usize>,
) -> Result<Page<T>, Fault> {
    page::page(of, items, token, limit.unwrap_or(50))
        .map_err(|_| Fault::parameter("The specified nextToken is invalid."))
}

/// A page of a listing of IAM.
pub(crate) fn iam_page<'k, T>(
    of: &str,
    items: impl Iterator<Item = (&'k str, T)>,
    token: Option<&str>,
    limit: Option<usize>,
) -> Result<Page<T>, Fault> {
    page::page(of, items, token, limit.unwrap_or(100))
        .map_err(|_| Fault::new("ValidationError", "Invalid Marker: it was not issued here."))
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
