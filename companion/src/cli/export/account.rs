//! What an export found: data only. A resource that is there has what its `import` needs.

use std::collections::BTreeMap;

/// Everything, in a stable order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) connections: Vec<Connection>,
    pub(super) audit_logs: Vec<AuditLogSetting>,
    pub(super) buses: Vec<Bus>,
    /// What was left out, and why.
    pub(super) left_out: Vec<String>,
}

/// A connection at Scalr.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Connection {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) aws_account_id: String,
    pub(super) region: String,
    pub(super) enabled: bool,
    /// Whether an activation of it has nothing left to do.
    pub(super) settled: bool,
    pub(super) source: Option<String>,
}

/// The audit-log setting of a Scalr account that selects a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AuditLogSetting {
    pub(super) account_id: String,
    pub(super) connection_id: String,
}

/// A bus that is associated with a connection's event source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bus {
    pub(super) name: String,
    pub(super) aws_account_id: String,
    pub(super) region: String,
    pub(super) description: Option<String>,
    pub(super) kms_key_identifier: Option<String>,
    pub(super) dead_letter_arn: Option<String>,
    /// Level and detail of its log, where it is on.
    pub(super) log: Option<(String, String)>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) rules: Vec<Rule>,
}

/// A rule of a bus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) event_pattern: String,
    pub(super) enabled: bool,
    pub(super) role_arn: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) targets: Vec<Target>,
}

/// A target of a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) id: String,
    pub(super) arn: String,
    /// The log group that it leads to, if it leads to one.
    pub(super) log_group: Option<LogGroup>,
    pub(super) input: Option<String>,
    pub(super) input_path: Option<String>,
    /// Paths and template.
    pub(super) transformer: Option<(BTreeMap<String, String>, String)>,
    pub(super) event_age_seconds: Option<i64>,
    pub(super) retry_attempts: Option<i64>,
    pub(super) dead_letter_arn: Option<String>,
    pub(super) role_arn: Option<String>,
}

/// A log group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LogGroup {
    pub(super) name: String,
    /// Whether a target of this rule made it: its tag says so.
    pub(super) create: bool,
    pub(super) retention_in_days: Option<i64>,
    pub(super) kms_key_id: Option<String>,
}
