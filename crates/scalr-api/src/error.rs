//! The error document of a refused call.

use serde::{Deserialize, Serialize};

use crate::bounded;

/// A body that holds errors: `{"errors": […]}`.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorDocument {
    /// The errors; the API sends at least one.
    pub errors: Vec<ErrorObject>,
}

/// One error.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorObject {
    /// The HTTP status as text.
    #[serde(
        default,
        deserialize_with = "bounded::code",
        skip_serializing_if = "Option::is_none"
    )]
    pub status: Option<String>,
    /// A code for programs.
    #[serde(
        default,
        deserialize_with = "bounded::code",
        skip_serializing_if = "Option::is_none"
    )]
    pub code: Option<String>,
    /// The kind of error, in a few fixed words.
    #[serde(
        default,
        deserialize_with = "bounded::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub title: Option<String>,
    /// What is wrong this time.
    #[serde(
        default,
        deserialize_with = "bounded::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub detail: Option<String>,
    /// The part of the request that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<ErrorSource>,
}

/// The part of the request that caused an error.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorSource {
    /// A JSON pointer into the request's body: `/data/attributes/name`.
    #[serde(
        default,
        deserialize_with = "bounded::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub pointer: Option<String>,
    /// The name of a query parameter.
    #[serde(
        default,
        deserialize_with = "bounded::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub parameter: Option<String>,
}

impl ErrorObject {
    /// An error of this HTTP status.
    pub fn new(status: u16, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            status: Some(status.to_string()),
            title: Some(title.into()),
            detail: Some(detail.into()),
            ..Self::default()
        }
    }

    /// The same error with a code.
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// The same error, pointing at a part of the request's body.
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.source.get_or_insert_default().pointer = Some(pointer.into());
        self
    }

    /// The JSON pointer into the request's body, if the server gave one.
    pub fn pointer(&self) -> Option<&str> {
        self.source.as_ref()?.pointer.as_deref()
    }

    /// All its texts that a server may have made from what it was sent.
    #[cfg(feature = "client")]
    pub(crate) fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let source = self.source.get_or_insert_default();
        let texts = [
            &mut self.code,
            &mut self.title,
            &mut self.detail,
            &mut source.pointer,
            &mut source.parameter,
        ];
        texts.into_iter().flatten()
    }

    /// The text for people: the detail, or the title where there is none.
    pub fn message(&self) -> Option<&str> {
        [&self.detail, &self.title]
            .into_iter()
            .find_map(|text| text.as_deref().filter(|text| !text.is_empty()))
    }
}

impl From<ErrorObject> for ErrorDocument {
    fn from(error: ErrorObject) -> Self {
        Self { errors: vec![error] }
    }
}
