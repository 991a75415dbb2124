//! Which operations of a resource, data source, action or ephemeral resource have a timeout that a user may set.

use std::time::Duration;

/// The operations whose timeout a user may set, with the defaults.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timeouts {
    pub(crate) create: Option<Duration>,
    pub(crate) read: Option<Duration>,
    pub(crate) update: Option<Duration>,
    pub(crate) delete: Option<Duration>,
    pub(crate) invoke: Option<Duration>,
    pub(crate) open: Option<Duration>,
}

impl Timeouts {
    /// No `timeouts` block.
    pub const fn none() -> Self {
        Self {
            create: None,
            read: None,
            update: None,
            delete: None,
            invoke: None,
            open: None,
        }
    }

    /// The default for create.
    pub const fn create(mut self, default: Duration) -> Self {
        self.create = Some(default);
        self
    }

    /// The default for read.
    pub const fn read(mut self, default: Duration) -> Self {
        self.read = Some(default);
        self
    }

    /// The default for update.
    pub const fn update(mut self, default: Duration) -> Self {
        self.update = Some(default);
        self
    }

    /// The default for delete.
    pub const fn delete(mut self, default: Duration) -> Self {
        self.delete = Some(default);
        self
    }

    /// The default for the invocation of an action.
    pub const fn invoke(mut self, default: Duration) -> Self {
        self.invoke = Some(default);
        self
    }

    /// The default for the opening of an ephemeral resource.
    pub const fn open(mut self, default: Duration) -> Self {
        self.open = Some(default);
        self
    }

    /// The operations that have one.
    pub(crate) fn entries(&self) -> Vec<(&'static str, Duration)> {
        let all = [
            ("create", self.create),
            ("read", self.read),
            ("update", self.update),
            ("delete", self.delete),
            ("invoke", self.invoke),
            ("open", self.open),
        ];
        all.into_iter()
            .filter_map(|(name, default)| Some((name, default?)))
            .collect()
    }
}

/// So many seconds.
pub const fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// So many minutes.
pub const fn mins(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}
