//! How much is held for a connection that does not take its events.

/// Bounds of each connection's held events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) bytes_max: i64,
    pub(crate) age_ms_max: i64,
}
