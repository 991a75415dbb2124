//! The detail types by name.

use std::fmt;
use std::str::FromStr;

use crate::nearest::nearest;

/// What an event is about: its `detail-type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventType {
    /// A run has ended.
    RunExecuted,
    /// Somebody changed something.
    AuditLog,
}

impl EventType {
    /// Every detail type Scalr sends.
    pub const ALL: [Self; 2] = [Self::RunExecuted, Self::AuditLog];

    /// The `detail-type` on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RunExecuted => "RunExecuted",
            Self::AuditLog => "AuditLog",
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EventType {
    type Err = UnknownType;

    fn from_str(given: &str) -> Result<Self, UnknownType> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str() == given)
            .ok_or_else(|| UnknownType {
                given: given.to_owned(),
            })
    }
}

/// No detail type has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownType {
    /// The name that was asked for.
    pub given: String,
}

impl UnknownType {
    /// The detail type that was probably meant.
    pub fn nearest(&self) -> Option<&'static str> {
        nearest(&self.given, EventType::ALL.map(EventType::as_str))
    }
}

impl fmt::Display for UnknownType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scalr sends no event type `{}`", self.given)?;
        if let Some(near) = self.nearest() {
            write!(f, "; did you mean `{near}`?")?;
        } else {
            f.write_str(".")?;
        }
        let [first, second] = EventType::ALL;
        write!(f, " Event types are `{first}` and `{second}`.")
    }
}

impl std::error::Error for UnknownType {}
