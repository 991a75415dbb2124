//! Whose a remote object is, where a look at it does not say: two objects of a state describe one while it changes hands
//! (an address that is renamed without `moved`, a replacement with `create_before_destroy`).
//!
//! Each object of a state has an [`Owner`]: an id that is generated when the remote object is made or adopted, and kept in
//! private state. A destroy compares it with two values, and leaves an object whose owner is another one:
//!
//! - [`Memory`]: who made or adopted the object since the provider was configured. Exact, and gone with the process.
//! - A tag of AWS's object that an adoption writes (`aws::tags::INSTANCE`). It survives a killed apply, and other processes
//!   see it. An object without the tag was never adopted.

mod memory;
mod planned;

use std::fmt;

use tfplugin::Operation;
use uuid::Uuid;

pub use memory::{Memory, Turn};
pub use planned::Conflict;

/// Key of the owner in private state.
pub const PRIVATE: &str = "owner";
/// Key in private state of an object that a `moved` block brought, until it is read: it has no owner yet.
pub const MOVED: &str = "moved";

/// The object of a state that a remote object belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner(String);

impl Owner {
    /// One that is like no other.
    pub fn generate() -> Self {
        Self(Uuid::new_v4().simple().to_string())
    }

    /// From private state.
    pub fn from_private(bytes: Vec<u8>) -> Option<Self> {
        String::from_utf8(bytes).ok().map(Self)
    }

    /// The one that an operation's object is. An object that an earlier version made has none.
    pub fn of<T>(operation: &Operation<'_, T>) -> Option<Self> {
        operation.private(PRIVATE).and_then(Self::from_private)
    }

    /// The same; generated and kept where there is none.
    pub fn ensure<T>(operation: &Operation<'_, T>) -> Self {
        Self::of(operation).unwrap_or_else(|| {
            let owner = Self::generate();
            owner.keep(operation);
            owner
        })
    }

    /// Makes it the one that the operation's object is.
    pub fn keep<T>(&self, operation: &Operation<'_, T>) {
        operation.set_private(PRIVATE, self.0.as_bytes());
    }

    /// As a tag has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Owner {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// A remote object, by what identifies it. As text it is named as in messages: "the rule `r`".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    /// The audit-log setting of an account.
    AuditLogSetting {
        /// The account.
        account: String,
    },
    /// An API destination, with its connection.
    ApiDestination {
        /// Its region.
        region: String,
        /// Its name.
        name: String,
    },
    /// A connection of Scalr's.
    Connection {
        /// The region that it leads to.
        region: String,
        /// Its name.
        name: String,
    },
    /// Where a connection leads to; Scalr keeps one for each.
    Place {
        /// The region.
        region: String,
        /// The AWS account.
        account: String,
    },
    /// An event bus.
    Bus {
        /// Its region.
        region: String,
        /// Its name.
        name: String,
    },
    /// A custom event bus.
    CustomBus {
        /// Its region.
        region: String,
        /// Its name.
        name: String,
    },
    /// An event source of custom event buses.
    EventSource {
        /// Its region.
        region: String,
        /// Its name.
        name: String,
    },
    /// A subscriber of a custom event bus.
    Subscriber {
        /// Its region.
        region: String,
        /// Its name.
        name: String,
    },
    /// A rule.
    Rule {
        /// Its region.
        region: String,
        /// Its bus.
        bus: String,
        /// Its name.
        name: String,
    },
    /// A target.
    Target {
        /// Its region.
        region: String,
        /// The rule's bus.
        bus: String,
        /// The rule.
        rule: String,
        /// Its id.
        id: String,
    },
    /// A log group.
    LogGroup {
        /// Its region.
        region: String,
        /// Its name.
        name: String,
    },
    /// The permission of a rule to publish to a topic.
    TopicPermission {
        /// The topic's ARN.
        topic: String,
        /// The rule's ARN.
        rule: String,
    },
    /// A queue.
    Queue {
        /// Its region.
        region: String,
        /// Its name.
        name: String,
    },
}

impl Object {
    /// Its region.
    pub fn region(&self) -> Option<&str> {
        match self {
            Self::Bus { region, .. }
            | Self::CustomBus { region, .. }
            | Self::EventSource { region, .. }
            | Self::Subscriber { region, .. }
            | Self::Connection { region, .. }
            | Self::Place { region, .. }
            | Self::Rule { region, .. }
            | Self::Target { region, .. }
            | Self::LogGroup { region, .. }
            | Self::ApiDestination { region, .. }
            | Self::Queue { region, .. } => Some(region),
            // It is the topic's: `arn:aws:sns:REGION:…`.
            Self::TopicPermission { topic, .. } => topic.split(':').nth(3),
            Self::AuditLogSetting { .. } => None,
        }
    }

    /// The object of this name in another region, where it has one of its own.
    pub fn in_region(&self, name: &str) -> Self {
        let mut other = self.clone();
        match &mut other {
            Self::Bus { region, .. }
            | Self::CustomBus { region, .. }
            | Self::EventSource { region, .. }
            | Self::Subscriber { region, .. }
            | Self::Connection { region, .. }
            | Self::Place { region, .. }
            | Self::Rule { region, .. }
            | Self::Target { region, .. }
            | Self::LogGroup { region, .. }
            | Self::ApiDestination { region, .. }
            | Self::Queue { region, .. } => name.clone_into(region),
            Self::TopicPermission { .. } | Self::AuditLogSetting { .. } => {}
        }
        other
    }

    /// Whether it is a rule of a bus, or a target of one.
    pub fn is_on(&self, bus: &Self) -> bool {
        let Self::Bus { region, name } = bus else {
            return false;
        };
        match self {
            Self::Rule { region: of, bus, .. } | Self::Target { region: of, bus, .. } => {
                of == region && bus == name
            }
            Self::Bus { .. }
            | Self::CustomBus { .. }
            | Self::EventSource { .. }
            | Self::Subscriber { .. }
            | Self::Connection { .. }
            | Self::Place { .. }
            | Self::LogGroup { .. }
            | Self::ApiDestination { .. }
            | Self::Queue { .. }
            | Self::TopicPermission { .. }
            | Self::AuditLogSetting { .. } => false,
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AuditLogSetting { account } => write!(f, "the audit-log setting of account `{account}`"),
            Self::ApiDestination { name, .. } => write!(f, "the API destination `{name}`"),
            Self::Connection { name, .. } => write!(f, "the connection `{name}`"),
            Self::Place { region, account } => {
                write!(f, "the connection to AWS account `{account}` in {region}")
            }
            Self::Bus { name, .. } => write!(f, "the event bus `{name}`"),
            Self::CustomBus { name, .. } => write!(f, "the custom event bus `{name}`"),
            Self::EventSource { name, .. } => write!(f, "the event source `{name}`"),
            Self::Subscriber { name, .. } => write!(f, "the subscriber `{name}`"),
            Self::Rule { name, .. } => write!(f, "the rule `{name}`"),
            Self::Target { rule, id, .. } => write!(f, "the target `{id}` of the rule `{rule}`"),
            Self::LogGroup { name, .. } => write!(f, "the log group `{name}`"),
            Self::Queue { name, .. } => write!(f, "the queue `{name}`"),
            Self::TopicPermission { topic, rule } => {
                write!(f, "the permission of the rule `{rule}` on the topic `{topic}`")
            }
        }
    }
}
