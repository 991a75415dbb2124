//! The nested attributes of a target.

use std::collections::BTreeMap;

use tfplugin::Attrs;

use crate::aws::checks;

/// A CloudWatch log group.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct LogGroup {
    /// Name of the log group. The plan warns of a group of class DELIVERY, which keeps events for one day, and of one whose resource
    /// policy cannot take the permission: AWS takes 51,200 characters for a group, else 5,120 for the account.
    // What replaces is another destination, however it is written: `plan::destination` decides.
    #[tf(required, check = checks::log_group)]
    pub name: String,
    /// Make the log group. It then carries the provider's `default_tags` and a tag that names its owner, this rule. One that
    /// is there already is adopted only if it carries that tag, or that of a rule which is gone (of this bus, or of another
    /// of the same Scalr account), or of a rule whose target this apply has destroyed: a rule or a connection that is renamed keeps its log groups, unless `delete_on_destroy` deletes them on the way. A new target may also use the log group of another rule's target that is destroyed later in the same apply (`create_before_destroy`): until then the tag `scalr-eventbridge:next-owner` names it, and then the log group is its own; if that target is not destroyed, the next plan shows `create` as a change. Changed to `false`, the tag is removed: the log group stays and is left alone.
    #[tf(optional, default = false)]
    pub create: bool,
    /// Days to keep events for; without it, for ever. Only with `create`.
    #[tf(optional, check = checks::retention)]
    pub retention_in_days: Option<i64>,
    /// KMS key that encrypts the events from here on: its ARN. Its policy has to let CloudWatch Logs of the region
    /// (`logs.REGION.amazonaws.com`) use it. Default: a key that AWS owns. Only with `create`.
    #[tf(optional, check = checks::key_arn)]
    pub kms_key_id: Option<String>,
    /// Delete the log group and its events when this target is destroyed or replaced. Only with `create`.
    #[tf(optional, default = false)]
    pub delete_on_destroy: bool,
    /// ARN of the log group.
    #[tf(computed, use_state_for_unknown)]
    pub arn: Option<String>,
    /// `ready`, or what is missing: `target missing`, `log group missing`, `policy missing`, `policy denies`, `tags differ`
    /// (from the provider's `default_tags`). An apply makes it ready.
    #[tf(computed, use_state_for_unknown)]
    pub status: Option<String>,
}

/// What to make of an event.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct InputTransformer {
    /// JSON paths into the event, by the names that the template uses.
    #[tf(optional, check = checks::input_paths)]
    pub input_paths: Option<BTreeMap<String, String>>,
    /// What is sent, with `<name>` where a value of the event goes. For a log group it gives an object with
    /// `timestamp` and `message`.
    #[tf(required, check = checks::input_template)]
    pub input_template: String,
}

/// How delivery is tried.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    /// Seconds after which an event is given up, 60 to 86400.
    #[tf(optional, check = checks::event_age)]
    pub maximum_event_age_in_seconds: Option<i64>,
    /// Attempts after the first, 0 to 185.
    #[tf(optional, check = checks::retry_attempts)]
    pub maximum_retry_attempts: Option<i64>,
}

/// A dead-letter queue.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct DeadLetterConfig {
    /// ARN of an SQS standard queue. Its policy has to let `events.amazonaws.com` send to it (`sqs:SendMessage`, for the
    /// rule's ARN): without that, dead letters are lost.
    #[tf(required, check = checks::queue_arn)]
    pub arn: String,
}

impl LogGroup {
    /// One that somebody else has made.
    pub fn of_another(name: &str) -> Self {
        Self {
            create: false,
            ..Self::imported(name)
        }
    }

    /// One that an import finds.
    pub fn imported(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            create: true,
            retention_in_days: None,
            kms_key_id: None,
            delete_on_destroy: false,
            arn: None,
            status: None,
        }
    }
}
