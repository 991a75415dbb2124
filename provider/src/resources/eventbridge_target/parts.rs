//! The nested attributes of a target.

use std::collections::BTreeMap;

use tfplugin::Attrs;

use crate::aws::checks;

/// A CloudWatch log group.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct LogGroup {
    /// Name of the log group. The plan warns of a group of class DELIVERY, which keeps events for one day, and of a group whose resource policy has no space for the permission: AWS allows 51,200 characters for a group, and 5,120 for the account.
    // What replaces is another destination, however it is written: `plan::destination` decides.
    #[tf(required, check = checks::log_group)]
    pub name: String,
    /// Create the log group. It has the provider's `default_tags` and a tag that names its owner, this rule. With `false`, the log group must exist and is not managed; a change to `false` removes the tag, and the log group stays. An existing log group is adopted only if its tag names this rule, a rule or a subscriber that no longer exists, or a rule whose target this apply has destroyed. The rule that no longer exists may be of this bus or of another bus of the same Scalr account. So a renamed rule or connection keeps its log groups, and so does a move from a custom event bus, unless `delete_on_destroy` deletes them. A new target can also use the log group of another rule's target that is destroyed later in the same apply (`create_before_destroy`): until then the tag `scalr-eventbridge:next-owner` names the new rule. If the other one is not destroyed, the next plan shows `create` as a change.
    #[tf(optional, default = false)]
    pub create: bool,
    /// Days for which events are kept. Default: forever. Only with `create`.
    #[tf(optional, check = checks::retention)]
    pub retention_in_days: Option<i64>,
    /// ARN of the KMS key that encrypts new events. Its policy must allow CloudWatch Logs of the region (`logs.REGION.amazonaws.com`) to use it. Default: a key that AWS owns. Only with `create`.
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
    /// JSON paths of values of the event, by the names that the template uses.
    #[tf(optional, check = checks::input_paths)]
    pub input_paths: Option<BTreeMap<String, String>>,
    /// What is sent. `<name>` stands for a value of the event. For a log group it must be an object with `timestamp` and `message`.
    #[tf(required, check = checks::input_template)]
    pub input_template: String,
}

/// How delivery is tried.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    /// Age in seconds at which EventBridge stops trying to deliver an event, 60 to 86400.
    #[tf(optional, check = checks::event_age)]
    pub maximum_event_age_in_seconds: Option<i64>,
    /// Retries after the first attempt, 0 to 185.
    #[tf(optional, check = checks::retry_attempts)]
    pub maximum_retry_attempts: Option<i64>,
}

/// A dead-letter queue.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct DeadLetterConfig {
    /// ARN of an SQS standard queue. Its policy must allow `events.amazonaws.com` to send to it (`sqs:SendMessage`, for the rule's ARN). Otherwise dead letters are lost.
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
