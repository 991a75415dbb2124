//! The calls to SQS that more than one part makes. A queue that is not there is an answer and no error.

use std::collections::HashMap;

use aws_sdk_sqs::types::QueueAttributeName;

use super::tags::{self, Ignored, Tags};
use super::{Error, Regional};

/// The attributes of a queue as AWS has them.
pub type QueueAttributes = HashMap<QueueAttributeName, String>;

/// A queue that is there.
#[derive(Clone, Debug, Default)]
pub struct HeldQueue {
    /// Its URL.
    pub url: String,
    /// Those attributes that were asked for.
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
    /// The queue of this name, with these attributes.
    pub async fn queue(&self, name: &str, wanted: &[QueueAttributeName]) -> Result<Option<HeldQueue>, Error> {
        let Some(url) = self.queue_url(name).await? else {
            return Ok(None);
        };
        let call = self.queues.get_queue_attributes().queue_url(&url);
        let call = call.set_attribute_names(Some(wanted.to_vec())).send();
        let answer = found(self.read("sqs:GetQueueAttributes", call).await)?;
        Ok(answer.map(|answer| HeldQueue {
            url,
            attributes: answer.attributes.unwrap_or_default(),
        }))
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

    /// All tags of a queue; none where it is gone.
    pub(super) async fn queue_tags(&self, name: &str) -> Result<Option<Tags>, Error> {
        let Some(url) = self.queue_url(name).await? else {
            return Ok(None);
        };
        let call = self.queues.list_queue_tags().queue_url(url).send();
        let answer = found(self.read("sqs:ListQueueTags", call).await)?;
        Ok(answer.map(|answer| answer.tags.into_iter().flatten().collect()))
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
