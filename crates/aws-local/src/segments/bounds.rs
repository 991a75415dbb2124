//! How long records, files and the stretches between known places are.

/// The most bytes of a record: a request's largest event with all its texts escaped, and what is kept with it.
pub(crate) const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long a file becomes before the next one begins.
const SEGMENT_BYTES: u64 = 16 * 1024 * 1024;
/// How far apart the known places in a file are: 24 bytes of memory for each.
const BLOCK_BYTES: u64 = 32 * 1024;

pub(super) const LIMITS: Limits = Limits {
    segment_bytes: SEGMENT_BYTES,
    block_bytes: BLOCK_BYTES,
};

/// The lengths of files and of the stretches between known places; tests have shorter ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) segment_bytes: u64,
    pub(super) block_bytes: u64,
}
