//! The queues of the AWS in memory.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value as Json, json};

use super::fake::{ACCOUNT, Holdings, Trouble};

/// What SQS shows of a queue for which nothing else is set.
const DEFAULTS: [(&str, &str); 6] = [
    ("ApproximateNumberOfMessages", "0"),
    ("ApproximateNumberOfMessagesDelayed", "0"),
    ("ApproximateNumberOfMessagesNotVisible", "0"),
    ("DelaySeconds", "0"),
    ("MessageRetentionPeriod", "345600"),
    ("VisibilityTimeout", "30"),
];

/// A queue.
#[derive(Clone, Debug, Default)]
pub(in crate::tests) struct Queue {
    pub(in crate::tests) attributes: BTreeMap<String, String>,
    pub(in crate::tests) tags: BTreeMap<String, String>,
    /// What the next looks find in place of the attributes.
    stale: VecDeque<BTreeMap<String, String>>,
}

impl Queue {
    /// One with a policy.
    pub(in crate::tests) fn with_policy(policy: Option<&Json>) -> Self {
        let policy = policy.map(|policy| ("Policy".to_owned(), policy.to_string()));
        Self {
            attributes: policy.into_iter().collect(),
            ..Self::default()
        }
    }
}

impl Holdings {
    pub(super) fn carry_out_queues(&mut self, name: &str, body: &Json) -> Result<Json, Trouble> {
        let unknown = Trouble::Says("UnknownOperationException", "");
        let queues = self.queues.as_mut().ok_or(unknown.clone())?;
        let url = body["QueueUrl"].as_str().or(body["QueueName"].as_str());
        let named = url.unwrap_or_default().rsplit('/').next().unwrap_or_default();
        let url = json!({ "QueueUrl": format!("http://sqs.test/{ACCOUNT}/{named}") });
        let texts = |member: &str| -> BTreeMap<String, String> {
            serde_json::from_value(body[member].clone()).unwrap_or_default()
        };
        if name == "CreateQueue" {
            let queue = Queue {
                attributes: texts("Attributes"),
                tags: texts("tags"),
                stale: std::iter::repeat_n(BTreeMap::new(), self.queues_lag).collect(),
            };
            queues.entry(named.to_owned()).or_insert(queue);
            return Ok(url);
        }
        let missing = Trouble::Says("QueueDoesNotExist", "There is no such queue.");
        let queue = queues.get_mut(named).ok_or(missing)?;
        match name {
            "GetQueueUrl" => return Ok(url),
            "GetQueueAttributes" => {
                let arn = format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{named}");
                let mut shown = BTreeMap::from([("QueueArn".to_owned(), arn)]);
                shown.extend(DEFAULTS.map(|(name, value)| (name.to_owned(), value.to_owned())));
                shown.extend(
                    queue
                        .stale
                        .pop_front()
                        .unwrap_or_else(|| queue.attributes.clone()),
                );
                return Ok(json!({ "Attributes": shown }));
            }
            "SetQueueAttributes" => {
                let before = queue.attributes.clone();
                queue.stale = std::iter::repeat_n(before, self.queues_lag).collect();
                queue.attributes.extend(texts("Attributes"));
            }
            "ListQueueTags" => return Ok(json!({ "Tags": queue.tags })),
            "TagQueue" => queue.tags.extend(texts("Tags")),
            "UntagQueue" => {
                let gone = body["TagKeys"].as_array().cloned().unwrap_or_default();
                queue.tags.retain(|key, _| !gone.contains(&json!(key)));
            }
            "DeleteQueue" => {
                queues.remove(named);
            }
            _ => return Err(unknown),
        }
        Ok(json!({}))
    }
}
