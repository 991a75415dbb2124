//! A value that is never shown: credentials, and texts that may contain them.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

/// Hides what it contains from `Debug`; stored as the value itself.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Secret<T>(T);

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> Deref for Secret<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_stored_as_its_value_and_formatted_without_it() {
        let secret = Secret::from("s3cret".to_owned());
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"s3cret\"");
        assert_eq!(format!("{secret:?} {secret:#?}"), "[hidden] [hidden]");
    }
}
