//! What AWS identifies a partner event source by.

/// A partner source by name, region and receiving account: how AWS identifies it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SourceKey {
    pub(crate) name: String,
    pub(crate) region: String,
    pub(crate) aws_account_id: String,
}
