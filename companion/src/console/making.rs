//! What "Create rule" makes at AWS: the rule, its log group with the permission, and the target. Each call can be repeated, so a
//! step that failed is done again by pressing the button again.

use aws_sdk_eventbridge::types::{Tag, Target};

use super::aws::{Place, there};
use super::draft::Draft;
use super::grant::{self, Need, OWNER_TAG};
use crate::partner::{self, AwsError};

/// How long a log group that is made here keeps its events.
pub(super) const RETENTION_DAYS: i32 = 30;

impl Place {
    /// Whether the bus has a rule of this name.
    pub(super) async fn has_rule(&self, bus: &str, name: &str) -> Result<bool, AwsError> {
        let found = self
            .events
            .describe_rule()
            .event_bus_name(bus)
            .name(name)
            .send()
            .await;
        let found = there(found.map_err(|error| partner::error(&error)))?;
        Ok(found.is_some())
    }

    /// Makes a rule with its target.
    pub(super) async fn create_rule(&self, bus: &str, draft: &Draft) -> Result<(), AwsError> {
        let tags = draft.tags().unwrap_or_default();
        let put = self.events.put_rule().event_bus_name(bus).name(&draft.name);
        let put = put.event_pattern(&draft.pattern);
        let put = put.set_description(Some(draft.description.clone()).filter(|text| !text.is_empty()));
        let tags: Result<Vec<Tag>, _> = tags
            .into_iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build())
            .collect();
        let tags = tags.map_err(|error| AwsError::Retryable(error.to_string()))?;
        let put = put.set_tags(Some(tags).filter(|tags| !tags.is_empty()));
        let made = put.send().await.map_err(|error| partner::error(&error))?;
        let rule_arn = made.rule_arn().unwrap_or_default().to_owned();
        self.ensure_log_group(bus, draft).await?;
        let need = Need {
            log_group_arn: grant::log_group_arn(&self.region, &self.account, &draft.group),
            rule_arn,
            target_id: grant::target_id(bus, &draft.name, &draft.group),
        };
        // Before the target: the first event has to find it.
        self.permit(&need).await?;
        self.put_target(bus, &draft.name, need).await
    }

    async fn ensure_log_group(&self, bus: &str, draft: &Draft) -> Result<(), AwsError> {
        if self.has_log_group(&draft.group).await? {
            return Ok(());
        }
        let made = self.logs.create_log_group().log_group_name(&draft.group);
        let made = match grant::owner(bus, &draft.name) {
            Some(owner) => made.tags(OWNER_TAG, owner),
            None => made,
        };
        made.send().await.map_err(|error| partner::error(&error))?;
        let kept = self.logs.put_retention_policy().log_group_name(&draft.group);
        let kept = kept.retention_in_days(RETENTION_DAYS).send().await;
        kept.map_err(|error| partner::error(&error)).map(drop)
    }

    async fn put_target(&self, bus: &str, rule: &str, need: Need) -> Result<(), AwsError> {
        let target = Target::builder()
            .id(need.target_id)
            .arn(need.log_group_arn)
            .build();
        let target = target.map_err(|error| AwsError::Retryable(error.to_string()))?;
        let put = self
            .events
            .put_targets()
            .event_bus_name(bus)
            .rule(rule)
            .targets(target);
        let put = put.send().await.map_err(|error| partner::error(&error))?;
        match put.failed_entries().first() {
            None => Ok(()),
            Some(failed) => Err(AwsError::Refused {
                code: failed.error_code().unwrap_or_default().to_owned(),
                message: failed.error_message().unwrap_or_default().to_owned(),
            }),
        }
    }
}
