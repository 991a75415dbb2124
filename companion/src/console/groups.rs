//! Log groups: which there are, what is in them, and the permission without which nothing arrives.

use aws_sdk_cloudwatchlogs::types::{LogGroup, OrderBy, PolicyScope};

use super::aws::{Place, there};
use super::grant::{self, Left, Need};
use crate::aws_error::{self, AwsError};

/// Log groups and events on a page.
const PAGE: i32 = 50;
/// Streams of a group that are looked at: those with the latest events.
const STREAMS_MAX: usize = 10;

/// One log event.
pub(super) struct LogEvent {
    pub(super) at_ms: i64,
    pub(super) message: String,
}

impl Place {
    /// The names of the first log groups, in AWS's order, and whether there are more.
    pub(super) async fn log_groups(&self) -> Result<(Vec<String>, bool), AwsError> {
        let page = self.logs.describe_log_groups().limit(PAGE).send().await;
        let page = page.map_err(|error| aws_error::error(&error))?;
        let names = page
            .log_groups()
            .iter()
            .filter_map(|group| group.log_group_name());
        Ok((names.map(str::to_owned).collect(), page.next_token().is_some()))
    }

    /// Whether a log group is there.
    pub(super) async fn has_log_group(&self, name: &str) -> Result<bool, AwsError> {
        Ok(self.log_group(name).await?.is_some())
    }

    /// A log group, if it is there.
    pub(super) async fn log_group(&self, name: &str) -> Result<Option<LogGroup>, AwsError> {
        let list = self
            .logs
            .describe_log_groups()
            .log_group_name_prefix(name)
            .limit(1);
        let page = list.send().await.map_err(|error| aws_error::error(&error))?;
        // In AWS's order a name comes before those that it begins.
        let first = page.log_groups.and_then(|groups| groups.into_iter().next());
        Ok(first.filter(|group| group.log_group_name() == Some(name)))
    }

    /// The newest log events of a group, newest first; none where there is no such group.
    pub(super) async fn newest(&self, group: &str) -> Result<Option<Vec<LogEvent>>, AwsError> {
        let streams = self.logs.describe_log_streams().log_group_name(group);
        let streams = streams.order_by(OrderBy::LastEventTime).descending(true);
        let streams = streams.send().await.map_err(|error| aws_error::error(&error));
        let Some(streams) = there(streams)? else {
            return Ok(None);
        };
        let mut all = Vec::new();
        let names = streams
            .log_streams()
            .iter()
            .filter_map(|stream| stream.log_stream_name());
        for stream in names.take(STREAMS_MAX) {
            let page = self.logs.get_log_events().log_group_name(group);
            let page = page.log_stream_name(stream).start_from_head(false).limit(PAGE);
            let page = page.send().await.map_err(|error| aws_error::error(&error))?;
            all.extend(page.events().iter().map(|event| LogEvent {
                at_ms: event.timestamp().unwrap_or_default(),
                message: event.message().unwrap_or_default().to_owned(),
            }));
        }
        // Within a stream the later one comes last, also where both are of one time.
        all.reverse();
        all.sort_by_key(|event| std::cmp::Reverse(event.at_ms));
        all.truncate(usize::try_from(PAGE).unwrap_or_default());
        Ok(Some(all))
    }

    /// Whether a policy lets EventBridge write to a log group.
    pub(super) async fn is_permitted(&self, group: &str) -> Result<bool, AwsError> {
        let arn = grant::log_group_arn(&self.region, &self.account, group);
        let own = self.own_policy(&arn).await?.map(|(document, _)| document);
        let all = self.logs.describe_resource_policies().send().await;
        let all = all.map_err(|error| aws_error::error(&error))?;
        let account = all.resource_policies().iter();
        let account = account.filter(|policy| policy.policy_scope() != Some(&PolicyScope::Resource));
        let account = account.filter_map(|policy| policy.policy_document().map(str::to_owned));
        let documents: Vec<String> = own.into_iter().chain(account).collect();
        Ok(documents.iter().any(|document| grant::permits(document, &arn)))
    }

    /// Lets EventBridge write for this target, beside what others wrote in the group's policy.
    pub(super) async fn permit(&self, need: &Need) -> Result<(), AwsError> {
        let own = self.own_policy(&need.log_group_arn).await?;
        let (before, revision) = own.map_or((None, None), |(document, revision)| (Some(document), revision));
        let document = grant::with(before.as_deref(), need);
        let document = document.map_err(|why| AwsError::Retryable(why.to_owned()))?;
        let put = self.logs.put_resource_policy().resource_arn(&need.log_group_arn);
        let put = put.policy_document(document).set_expected_revision_id(revision);
        put.send()
            .await
            .map_err(|error| aws_error::error(&error))
            .map(drop)
    }

    /// Takes back what [`Place::permit`] gave for this target. What others wrote stays.
    pub(super) async fn forbid(&self, need: &Need) -> Result<(), AwsError> {
        if !need.is_of_log_group() {
            return Ok(());
        }
        let arn = &need.log_group_arn;
        let Some((before, revision)) = self.own_policy(arn).await? else {
            return Ok(());
        };
        match grant::without(&before, need) {
            Left::Same => Ok(()),
            Left::Nothing => {
                let delete = self.logs.delete_resource_policy().resource_arn(arn);
                let delete = delete.set_expected_revision_id(revision).send().await;
                delete.map_err(|error| aws_error::error(&error)).map(drop)
            }
            Left::Document(document) => {
                let put = self.logs.put_resource_policy().resource_arn(arn);
                let put = put.policy_document(document).set_expected_revision_id(revision);
                put.send()
                    .await
                    .map_err(|error| aws_error::error(&error))
                    .map(drop)
            }
        }
    }

    async fn own_policy(&self, arn: &str) -> Result<Option<(String, Option<String>)>, AwsError> {
        let list = self.logs.describe_resource_policies().resource_arn(arn);
        let list = list.policy_scope(PolicyScope::Resource);
        let found = list.send().await.map_err(|error| aws_error::error(&error));
        let Some(page) = there(found)? else {
            return Ok(None);
        };
        let policy = page.resource_policies().iter().find_map(|policy| {
            let revision = policy.revision_id().map(str::to_owned);
            Some((policy.policy_document()?.to_owned(), revision))
        });
        Ok(policy)
    }
}
