//! What "Create rule" makes at AWS: the log group with the permission, the rule, and its target. Each call can be repeated, and a rule that
//! is as the form has it and has no target yet counts as begun, so a step that failed is repeated by pressing the button again.

use aws_sdk_eventbridge::operation::describe_rule::DescribeRuleOutput;
use aws_sdk_eventbridge::types::{RuleState, Tag, Target};

use super::aws::{Place, there};
use super::draft::Draft;
use super::grant::{self, Need, OWNER_TAG};
use crate::aws_error::{self, AwsError};

/// How long a log group that is made here keeps its events.
pub(super) const RETENTION_DAYS: i32 = 30;

impl Place {
    /// Whether this draft's rule can be made: the bus has none of its name, or the one that an earlier try has made.
    pub(super) async fn has_place_for(&self, bus: &str, draft: &Draft) -> Result<bool, AwsError> {
        let rule = self.events.describe_rule().event_bus_name(bus);
        let rule = rule.name(&draft.name).send().await;
        let Some(rule) = there(rule.map_err(|error| aws_error::error(&error)))? else {
            return Ok(true);
        };
        if !is_begun(&rule, draft) {
            return Ok(false);
        }
        let targets = self.events.list_targets_by_rule().event_bus_name(bus);
        let targets = targets.rule(&draft.name).limit(1).send().await;
        let targets = targets.map_err(|error| aws_error::error(&error))?;
        Ok(targets.targets().is_empty())
    }

    /// Makes a rule with its target.
    pub(super) async fn create_rule(&self, bus: &str, draft: &Draft) -> Result<(), AwsError> {
        // Nothing is made for a bus that is gone.
        let held = self.events.describe_event_bus().name(bus).send().await;
        held.map_err(|error| aws_error::error(&error))?;
        self.ensure_log_group(bus, draft).await?;
        let need = Need {
            log_group_arn: grant::log_group_arn(&self.region, &self.account, &draft.group),
            rule_arn: grant::rule_arn(&self.region, &self.account, bus, &draft.name),
            target_id: grant::target_id(bus, &draft.name, &draft.group),
        };
        // Before the target: the first event has to find it.
        self.permit(&need).await?;
        self.put_rule(bus, draft).await?;
        self.put_target(bus, &draft.name, need).await
    }

    async fn put_rule(&self, bus: &str, draft: &Draft) -> Result<(), AwsError> {
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
        put.send()
            .await
            .map_err(|error| aws_error::error(&error))
            .map(drop)
    }

    /// Makes the log group where there is none. One that was made for this rule gets the retention that it still lacks.
    async fn ensure_log_group(&self, bus: &str, draft: &Draft) -> Result<(), AwsError> {
        let owner = grant::owner(bus, &draft.name);
        match self.log_group(&draft.group).await? {
            Some(held) if held.retention_in_days().is_some() => return Ok(()),
            Some(_) if owner.is_none() || self.owner_of(&draft.group).await? != owner => return Ok(()),
            Some(_) => {}
            None => {
                let made = self.logs.create_log_group().log_group_name(&draft.group);
                let made = match owner {
                    Some(owner) => made.tags(OWNER_TAG, owner),
                    None => made,
                };
                made.send().await.map_err(|error| aws_error::error(&error))?;
            }
        }
        let kept = self.logs.put_retention_policy().log_group_name(&draft.group);
        let kept = kept.retention_in_days(RETENTION_DAYS).send().await;
        kept.map_err(|error| aws_error::error(&error)).map(drop)
    }

    /// The rule that a log group was made for, by its tag.
    async fn owner_of(&self, group: &str) -> Result<Option<String>, AwsError> {
        let arn = grant::log_group_arn(&self.region, &self.account, group);
        let tags = self.logs.list_tags_for_resource().resource_arn(arn).send().await;
        let tags = tags.map_err(|error| aws_error::error(&error))?.tags;
        Ok(tags.and_then(|mut tags| tags.remove(OWNER_TAG)))
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
        let put = put.send().await.map_err(|error| aws_error::error(&error))?;
        match put.failed_entries().first() {
            None => Ok(()),
            Some(failed) => Err(AwsError::Refused {
                code: failed.error_code().unwrap_or_default().to_owned(),
                message: failed.error_message().unwrap_or_default().to_owned(),
            }),
        }
    }
}

/// Whether a rule is what this draft makes. To make it again changes nothing of it.
fn is_begun(rule: &DescribeRuleOutput, draft: &Draft) -> bool {
    rule.event_pattern() == Some(draft.pattern.as_str())
        && rule.description().unwrap_or_default() == draft.description
        && rule.state() == Some(&RuleState::Enabled)
        && rule.role_arn().is_none()
}
