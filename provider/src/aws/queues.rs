//! The calls to SQS that more than one part makes. A queue that is not there is an answer and no error.

use std::collections::HashMap;

use aws_sdk_sqs::types::QueueAttributeName;

use super::calls::split;
use super::tags::{self, Ignored, Tags};
use super::{Error, Regional};
use crate::ownership::Owner;

/// What every queue has; the other attributes are left out where none is set.
const HAS_EACH: [(QueueAttributeName, &str); 7] = [
    (QueueAttributeName::QueueArn, "QueueArn"),
    (
        QueueAttributeName::ApproximateNumberOfMessages,
        "ApproximateNumberOfMessages",
    ),
    (
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        "ApproximateNumberOfMessagesNotVisible",
    ),
    (
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        "ApproximateNumberOfMessagesDelayed",
    ),
    (
        QueueAttributeName::MessageRetentionPeriod,
        "MessageRetentionPeriod",
    ),
    (QueueAttributeName::VisibilityTimeout, "VisibilityTimeout"),
    (QueueAttributeName::DelaySeconds, "DelaySeconds"),
];

/// The attributes of a queue as AWS has them.
pub type QueueAttributes = HashMap<QueueAttributeName, String>;

/// A queue that is there.
#[derive(Clone, Debug, Default)]
pub struct HeldQueue {
    /// Its URL.
    pub url: String,
    /// Those attributes that were asked for, and its ARN.
    pub attributes: QueueAttributes,
}

impl HeldQueue {
    /// One attribute.
    pub fn text(&self, name: &QueueAttributeName) -> Option<&str> {
        self.attributes
            .get(name)
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    }

    /// One that is a number.
    pub fn number(&self, name: &QueueAttributeName) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    /// One that is there as it has to be.
    fn has(&self, name: &QueueAttributeName) -> bool {
        match name {
            QueueAttributeName::QueueArn => self.text(name).is_some(),
            _ => self.number(name).is_some(),
        }
    }

    /// How many messages it holds, those that wait, that are being received and that are delayed.
    pub fn messages(&self) -> i64 {
        let counts = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        counts.iter().filter_map(|count| self.number(count)).sum()
    }
}

impl Regional {
    /// The queue of this name, with these attributes. The ARN is always asked for: an answer without it says nothing of the queue,
    /// least of all that it has no policy.
    pub async fn queue(&self, name: &str, wanted: &[QueueAttributeName]) -> Result<Option<HeldQueue>, Error> {
        const CALL: &str = "sqs:GetQueueAttributes";
        let Some(url) = self.queue_url(name).await? else {
            return Ok(None);
        };
        let mut wanted = wanted.to_vec();
        if !wanted.contains(&QueueAttributeName::QueueArn) {
            wanted.push(QueueAttributeName::QueueArn);
        }
        let call = self.queues.get_queue_attributes().queue_url(&url);
        let call = call.set_attribute_names(Some(wanted.clone())).send();
        let Some(answer) = found(self.read(CALL, call).await)? else {
            return Ok(None);
        };
        let attributes = answer.attributes.unwrap_or_default();
        let queue = HeldQueue { url, attributes };
        for (name, member) in HAS_EACH.iter().filter(|(name, _)| wanted.contains(name)) {
            self.given(CALL, member, queue.has(name).then_some(()))?;
        }
        Ok(Some(queue))
    }

    /// The URL of a queue, under the address that is asked.
    pub async fn queue_url(&self, name: &str) -> Result<Option<String>, Error> {
        const CALL: &str = "sqs:GetQueueUrl";
        let call = self.queues.get_queue_url().queue_name(name).send();
        match found(self.read(CALL, call).await)? {
            Some(answer) => self.given(CALL, "QueueUrl", answer.queue_url).map(Some),
            None => Ok(None),
        }
    }

    /// The tags of a queue, AWS's own and this provider's left out, and the owner that adopted it.
    pub async fn queue_tags_and_owner(&self, queue: &HeldQueue) -> Result<(Tags, Option<Owner>), Error> {
        self.queue_tags(&queue.url).await.map(split)
    }

    /// All tags of the queue with this URL; none where it is gone. SQS leaves them out where there are none.
    pub(super) async fn queue_tags(&self, url: &str) -> Result<Tags, Error> {
        let call = self.queues.list_queue_tags().queue_url(url).send();
        let answer = found(self.read("sqs:ListQueueTags", call).await)?;
        let tags = answer.and_then(|answer| answer.tags);
        Ok(tags.into_iter().flatten().collect())
    }

    /// Brings the tags of a queue from `held` to `wanted`.
    pub(super) async fn retag_queue(
        &self,
        name: &str,
        (held, wanted): (&Tags, &Tags),
        ignored: &Ignored,
    ) -> Result<(), Error> {
        let (set, gone) = tags::change(held, wanted, ignored);
        if set.is_empty() && gone.is_empty() {
            return Ok(());
        }
        let url = self.queue_url(name).await?.unwrap_or_default();
        if !gone.is_empty() {
            let call = self.queues.untag_queue().queue_url(&url).set_tag_keys(Some(gone));
            call.send().await.map_err(|e| self.failed("sqs:UntagQueue", e))?;
        }
        if !set.is_empty() {
            let set = set.into_iter().collect();
            let call = self.queues.tag_queue().queue_url(&url).set_tags(Some(set));
            call.send().await.map_err(|e| self.failed("sqs:TagQueue", e))?;
        }
        Ok(())
    }
}

/// Whether AWS says that there is no such queue. The code is the same in both of the protocols that SQS has had.
pub fn is_no_queue(error: &Error) -> bool {
    let codes = ["QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"];
    // Who may not ask gets the same code, in words that leave open which it is.
    error.code().is_some_and(|code| codes.contains(&code)) && !error.to_string().contains("access to it")
}

fn found<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if is_no_queue(&error) => Ok(None),
        Err(error) => Err(error),
    }
}
