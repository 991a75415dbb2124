//! How much is held for a connection that does not take its events, how long AWS is asked again, and how far the history goes back.

/// Bounds of each connection's events. Times are in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Bytes of held events.
    pub(crate) bytes_max: i64,
    /// How long an event is held.
    pub(crate) age_ms_max: i64,
    /// How long AWS is asked again to take an event that it did not take, though it took the call.
    pub(crate) retry_ms_max: i64,
    /// How long a delivered event is kept, to be sent again; with 0, none is.
    pub(crate) history_ms: i64,
    /// Bytes of delivered events that are kept.
    pub(crate) history_bytes_max: i64,
}
