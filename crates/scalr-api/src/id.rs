//! Identifiers: one newtype for all kinds, with the kind as a type parameter.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The identifier of an object of kind `K`: `in-…`, `run-…`, `acc-…`.
///
/// It holds only what Scalr's own clients accept (`^[a-zA-Z0-9\-._]+$`), so it can be put into a path as it is.
pub struct Id<K>(String, PhantomData<fn() -> K>);

/// Text that cannot be an identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidId(String);

impl<K> Id<K> {
    /// Longest identifier that is accepted, in bytes.
    const BYTES_MAX: usize = 255;

    /// The identifier with this text.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidId> {
        let text = text.into();
        // A path segment of dots alone would be resolved away by URL rules.
        let legal = !text.is_empty()
            && text.len() <= Self::BYTES_MAX
            && !text.bytes().all(|b| b == b'.')
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
        if legal {
            Ok(Self(text, PhantomData))
        } else {
            Err(InvalidId(text))
        }
    }

    /// The identifier's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The identifier's text, owned.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String = self.0.chars().take(64).collect();
        write!(
            f,
            "`{}` is not an id: only letters, digits, `-`, `.` and `_` are",
            shown.escape_debug()
        )
    }
}

impl std::error::Error for InvalidId {}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<K> Eq for Id<K> {}

impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<K> FromStr for Id<K> {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::new(text)
    }
}

impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de, K> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Connection;

    #[track_caller]
    fn check(text: &str, legal: bool) {
        assert_eq!(Id::<Connection>::new(text).is_ok(), legal, "{text:?}");
    }

    #[test]
    fn only_safe_path_segments_are_ids() {
        check("in-v0abc123", true);
        check("acc.x_1", true);
        check("", false);
        check(".", false);
        check("..", false);
        check("in-1/../../runs", false);
        check("in-1?x", false);
        check("in-é", false);
        check(&"a".repeat(256), false);
    }
}
