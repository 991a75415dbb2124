//! The nested attributes of a subscriber.

use tfplugin::Attrs;

use crate::aws::{checks, subscriber_checks};
use crate::values::Json;

/// A CloudWatch log group.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct LogGroup {
    /// Name of the log group. Another name leads the events there, and the subscriber stays.
    #[tf(required, check = checks::log_group)]
    pub name: String,
    /// Create the log group. It has the provider's `default_tags` and a tag that names its owner, this subscriber. With `false`, the log group must exist and is not managed; a change to `false` removes the tag, and the log group stays. An existing log group is adopted only if its tag names this subscriber, a subscriber or a rule that no longer exists, or a rule whose target this apply destroys: a move from a Classic event bus keeps its log groups, unless `delete_on_destroy` deletes them.
    #[tf(optional, default = false)]
    pub create: bool,
    /// Name of the log stream for the events, which is created if it is missing.
    #[tf(optional, default = "events", check = subscriber_checks::log_stream)]
    pub log_stream: String,
    /// Days for which events are kept. Default: forever. Only with `create`.
    #[tf(optional, check = checks::retention)]
    pub retention_in_days: Option<i64>,
    /// Delete the log group and its events when this subscriber is destroyed or replaced. Where another `name` is set, the log group before stays. Only with `create`.
    #[tf(optional, default = false)]
    pub delete_on_destroy: bool,
    /// ARN of the log group.
    #[tf(computed, use_state_for_unknown)]
    pub arn: Option<String>,
    /// `ready`, or what is missing: `subscriber missing`, `log group missing`, `log stream missing`, `tags differ` (from the provider's `default_tags`), `another log group left` (a change from one to another failed midway). An apply makes it ready.
    #[tf(computed, use_state_for_unknown)]
    pub status: Option<String>,
}

/// The role that delivers, made with the subscriber.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct Role {
    /// Create the role, with its trust policy and an inline policy that allows what the target and `dead_letter_arn` need, and nothing else. Its name is `NAME-REGION`, from those of subscriber and region, cut and with a digest at its end where that has more than 64 characters; its path is `/scalr-eventbridge/`. It has the provider's `default_tags` and a tag that names its owner, this subscriber, and is deleted with it. An existing role is adopted only if its tag names this subscriber. Has to be `true`: without a role of its own, use `role_arn`.
    #[tf(required)]
    pub create: bool,
    /// ARN of the managed policy that is the role's permissions boundary, where an organisation lets roles be created with one only. It has to allow what the inline policy allows; otherwise nothing is delivered. Default: none.
    #[tf(optional, check = subscriber_checks::boundary)]
    pub permissions_boundary: Option<String>,
    /// `ready`, or what is missing: `subscriber missing`, `role missing`, `trust policy differs`, `policy differs`, `tags differ`. An apply makes it ready.
    #[tf(computed, use_state_for_unknown)]
    pub status: Option<String>,
}

/// What an event has to match.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct Filter {
    /// Part of the event that the pattern is for: `DATA`, which is the event as Classic rules see it; `SYSTEM_METADATA`, such as `aws:Source`; or `METADATA`, which only events of PutRawEvents have.
    #[tf(required, check = subscriber_checks::scope)]
    pub scope: String,
    /// Event pattern, as JSON. The operator `wildcard` is not allowed. All patterns of a subscriber have at most 4,096 bytes together. Texts that mean the same JSON are the same pattern.
    #[tf(required, check = subscriber_checks::pattern)]
    pub pattern: Json,
}

/// What is made of an event.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct Transformer {
    /// `RAW` for the event as it was published, `WITH_METADATA` for an object with `Data`, `Metadata` and `SystemMetadata`, or `JSONATA` for the result of `expression`.
    #[tf(required, check = subscriber_checks::transformer)]
    pub r#type: String,
    /// JSONATA expression within `{%` and `%}`. `$events` is an object with `Data`, `Metadata` and `SystemMetadata`. Only with the type `JSONATA`.
    #[tf(optional, check = subscriber_checks::expression)]
    pub expression: Option<String>,
}

/// Where a subscriber begins.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct PointInTime {
    /// `HORIZON` for the oldest event that the bus keeps, or `TIMESTAMP` for `starting_point`.
    #[tf(required, check = subscriber_checks::point)]
    pub r#type: String,
    /// Time from which on events are delivered, in RFC 3339, as `2026-11-30T12:00:00Z`. When the subscriber is made it has to be at least 5 minutes ago, and within the time for which the bus keeps events. Only with the type `TIMESTAMP`.
    #[tf(optional, check = subscriber_checks::time)]
    pub starting_point: Option<String>,
    /// Time up to which events are delivered, in RFC 3339. Default: no end.
    #[tf(optional, check = subscriber_checks::time)]
    pub end_point: Option<String>,
}

/// How many events are delivered together.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct Batch {
    /// The most events of one delivery, 1 to 500; a target may take fewer. Default: as many as the target takes, 10 for most.
    #[tf(optional, check = subscriber_checks::batch_size)]
    pub maximum_batch_size: Option<i64>,
    /// Seconds for which further events are waited for, 0 to 300. Default: 0.
    #[tf(optional, check = subscriber_checks::batch_window)]
    pub maximum_batch_window_in_seconds: Option<i64>,
}

/// How delivery is tried again.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct Retry {
    /// Retries after the first attempt, 0 to 185. Default: 5.
    #[tf(optional, check = checks::retry_attempts)]
    pub maximum_retry_attempts: Option<i64>,
    /// Seconds after which an event is no longer tried, 60 to 86400. Default: 300.
    #[tf(optional, check = checks::event_age)]
    pub maximum_event_age_in_seconds: Option<i64>,
}
