//! What becomes of events, as commits make it so: for whoever watches. Nothing waits for them, and nothing is kept.

use tokio::sync::broadcast;

/// What watchers may be behind; beyond that the oldest is left out, and they are told how many.
const BEHIND_MAX: usize = 1024;

/// Something that a commit did to an event, or to some, of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Happening {
    pub(crate) connection: String,
    pub(crate) what: What,
}

impl Happening {
    /// The id and the type of an event that was accepted.
    pub(super) fn accepted(&self) -> Option<(&str, &str)> {
        match &self.what {
            What::Accepted {
                event_id,
                detail_type,
            } => Some((event_id, detail_type)),
            _ => None,
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// An event was accepted.
    Accepted { event_id: String, detail_type: String },
    /// AWS took an event, so long after it was accepted.
    Delivered {
        event_id: String,
        detail_type: String,
        after_ms: i64,
    },
    /// An event was not taken, for this reason, and stays.
    Retried { event_id: String, error: String },
    /// An event has failed: AWS does not take it. It is kept for a person to decide on.
    Failed { event_id: String, error: String },
    /// So many events were given up, for this reason.
    Dropped {
        events: usize,
        reason: &'static str,
        why: String,
    },
    /// So many failed events were deleted by a person.
    Purged { events: u64 },
    /// The connection has another status, or was deleted.
    Status,
}

/// The sending end.
pub(super) type Feed = broadcast::Sender<Happening>;

/// A feed that nobody watches yet.
pub(super) fn new() -> Feed {
    broadcast::Sender::new(BEHIND_MAX)
}

/// Sends what a commit did.
pub(super) fn send(feed: &Feed, noted: Vec<Happening>) {
    for happening in noted {
        // Nobody may be watching.
        drop(feed.send(happening));
    }
}
