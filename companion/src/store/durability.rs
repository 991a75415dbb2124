//! What a commit promises.

/// Whether accepted events must outlive the machine or only this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Every commit reaches the disk.
    Disk,
    /// For what is deleted with the process.
    None,
}
