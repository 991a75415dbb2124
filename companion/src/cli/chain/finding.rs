//! What is not as it should be with a chain, and what repairs it. Data only.

use serde::Serialize;

use super::seen::Link;

/// How a chain stands; the later, the worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum State {
    Working,
    /// AWS's side cannot be seen.
    Unknown,
    Paused,
    Broken,
}

/// How a chain stands, and all that keeps it from streaming.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::cli) struct Standing {
    /// The worst of what was found.
    pub(in crate::cli) state: State,
    /// In the order in which it is repaired: the stream is resumed last, since a bus drops what no rule matches.
    pub(in crate::cli) findings: Vec<Finding>,
}

/// What is not as it should be, and the commands that repair it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::cli) struct Finding {
    pub(in crate::cli) state: State,
    pub(in crate::cli) link: Option<Link>,
    pub(in crate::cli) why: String,
    pub(in crate::cli) next: Vec<String>,
}

impl Finding {
    pub(in crate::cli) fn broken(link: Link, why: impl Into<String>, next: Vec<String>) -> Self {
        Self {
            state: State::Broken,
            link: Some(link),
            why: why.into(),
            next,
        }
    }

    /// The state in words.
    pub(in crate::cli) fn state_in_words(&self) -> String {
        match (self.state, self.link) {
            (State::Working, _) => "works".to_owned(),
            (State::Unknown, _) => "not known".to_owned(),
            (State::Paused, _) => "paused".to_owned(),
            (State::Broken, None) => "broken".to_owned(),
            (State::Broken, Some(link)) => format!("broken at the {}", link.text()),
        }
    }
}
