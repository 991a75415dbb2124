//! Rules and their targets.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::Tags;
use super::pattern::EventPattern;
use crate::clock::Millis;
use crate::schedule::Schedule;

/// A rule of a bus.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) pattern: Option<EventPattern>,
    pub(crate) schedule: Option<String>,
    pub(crate) state: String,
    /// When its schedule fires next.
    pub(crate) next_fire: Option<Millis>,
    pub(crate) description: Option<String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) created_by: String,
    /// The service that created it for an account and that alone may change it.
    #[serde(default)]
    pub(crate) managed_by: Option<String>,
    pub(crate) tags: Tags,
    pub(crate) targets: BTreeMap<String, Arc<Target>>,
    /// The targets' places in the order in which they were put. Those that an older version stored have none, and are first.
    #[serde(default)]
    pub(crate) places: BTreeMap<String, u64>,
}

impl Rule {
    /// Sets the targets. A new one is last, one that is replaced keeps its place.
    pub(crate) fn set_targets(&mut self, targets: BTreeMap<String, Arc<Target>>, put: &[String]) {
        self.targets = targets;
        for id in put {
            let last = self.places.values().copied().max().unwrap_or(0);
            self.places.entry(id.clone()).or_insert(last + 1);
        }
        self.places.retain(|id, _| self.targets.contains_key(id));
    }

    pub(crate) fn remove_target(&mut self, id: &str) -> Option<Arc<Target>> {
        self.places.remove(id);
        self.targets.remove(id)
    }

    /// The targets in the order in which they were put, each with a key that sorts so.
    pub(crate) fn in_order(&self) -> BTreeMap<String, &Arc<Target>> {
        let place = |id: &String| self.places.get(id).copied().unwrap_or(0);
        let targets = self.targets.iter();
        targets
            .map(|(id, target)| (format!("{:020} {id}", place(id)), target))
            .collect()
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.state != "DISABLED"
    }

    /// Sets the time when the schedule fires next; none for a disabled rule.
    pub(crate) fn schedule_next(&mut self, after: Millis) -> Option<Millis> {
        let schedule = self
            .schedule
            .as_deref()
            .filter(|_| self.is_enabled())
            .and_then(Schedule::parse);
        self.next_fire = schedule.and_then(|schedule| schedule.next(after));
        self.next_fire
    }
}

/// A target, in AWS's wire form, which is the stored form too.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Target {
    pub(crate) id: String,
    pub(crate) arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) role_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) input: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) input_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) input_transformer: Option<InputTransformer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dead_letter_config: Option<DeadLetterConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_policy: Option<RetryPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) http_parameters: Option<HttpParameters>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sqs_parameters: Option<SqsParameters>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kinesis_parameters: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) run_command_parameters: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ecs_parameters: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) batch_parameters: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) redshift_data_parameters: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sage_maker_pipeline_parameters: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) app_sync_parameters: Option<Value>,
    #[serde(skip)]
    pub(crate) log_stream: OnceLock<Arc<str>>,
}

impl Target {
    /// The log stream that events of its rule go to, where it is a log group: one for each rule and target, the same
    /// every time. It is a digest, so it is made once.
    pub(crate) fn log_stream(&self, rule_arn: &str) -> &Arc<str> {
        self.log_stream.get_or_init(|| {
            let name = [rule_arn, " ", &self.id].concat();
            let digest = Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes());
            digest.to_string().into()
        })
    }
}

/// Values taken from the event, and the template they are inserted into.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct InputTransformer {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) input_paths_map: Option<BTreeMap<String, String>>,
    pub(crate) input_template: String,
}

/// The name of AWS's service that archives events.
pub(crate) const ARCHIVER: &str = "prod.vhs.events.aws.internal";

/// Where events go that could not be delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DeadLetterConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) arn: Option<String>,
}

/// How long and how often delivery is retried.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RetryPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) maximum_retry_attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) maximum_event_age_in_seconds: Option<i64>,
}

/// What an API destination's request carries besides the event.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct HttpParameters {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) path_parameter_values: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) header_parameters: Option<BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) query_string_parameters: Option<BTreeMap<String, String>>,
}

/// What a queue target takes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SqsParameters {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message_group_id: Option<String>,
}
