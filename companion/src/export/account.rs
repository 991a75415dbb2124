//! What an export found: data only. A resource that is there has what its `import` needs.

use std::collections::BTreeMap;

/// Everything, in a stable order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) connections: Vec<Connection>,
    pub(crate) audit_logs: Vec<AuditLogSetting>,
    pub(crate) buses: Vec<Bus>,
    /// Custom event buses that connections feed.
    pub(crate) custom_buses: Vec<CustomBus>,
    /// What leads the events of connections to them.
    pub(crate) event_sources: Vec<EventSource>,
    /// What was left out, and why.
    pub(crate) left_out: Vec<String>,
}

/// A connection at Scalr.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Connection {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) aws_account_id: String,
    pub(crate) region: String,
    pub(crate) enabled: bool,
    /// Whether an activation of it has nothing left to do.
    pub(crate) settled: bool,
    pub(crate) source: Option<String>,
}

/// The audit-log setting of a Scalr account that selects a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuditLogSetting {
    pub(crate) account_id: String,
    pub(crate) connection_id: String,
}

/// A bus that is associated with a connection's event source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bus {
    pub(crate) name: String,
    pub(crate) aws_account_id: String,
    pub(crate) region: String,
    pub(crate) description: Option<String>,
    pub(crate) kms_key_identifier: Option<String>,
    pub(crate) dead_letter_arn: Option<String>,
    /// Level and detail of its log, where it is on.
    pub(crate) log: Option<(String, String)>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) rules: Vec<Rule>,
}

/// A rule of a bus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) event_pattern: String,
    pub(crate) enabled: bool,
    pub(crate) role_arn: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) targets: Vec<Target>,
}

/// A target of a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) id: String,
    pub(crate) arn: String,
    /// The log group that it leads to, if it leads to one.
    pub(crate) log_group: Option<LogGroup>,
    pub(crate) input: Option<String>,
    pub(crate) input_path: Option<String>,
    /// Paths and template.
    pub(crate) transformer: Option<(BTreeMap<String, String>, String)>,
    pub(crate) event_age_seconds: Option<i64>,
    pub(crate) retry_attempts: Option<i64>,
    pub(crate) dead_letter_arn: Option<String>,
    pub(crate) role_arn: Option<String>,
}

/// A log group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogGroup {
    pub(crate) name: String,
    /// Whether a target of this rule made it: its tag says so.
    pub(crate) create: bool,
    pub(crate) retention_in_days: Option<i64>,
    pub(crate) kms_key_id: Option<String>,
}

/// A custom event bus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CustomBus {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) aws_account_id: String,
    pub(crate) region: String,
    pub(crate) retention_in_days: Option<i64>,
    pub(crate) description: Option<String>,
    pub(crate) kms_key_identifier: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
}

/// An event source of a custom event bus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EventSource {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) aws_account_id: String,
    pub(crate) region: String,
    pub(crate) event_bus_arn: String,
    /// The name of the connection's event source.
    pub(crate) source: String,
    pub(crate) event_pattern: Option<String>,
    pub(crate) kms_key_identifier: Option<String>,
    pub(crate) dead_letter_arn: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
}
