//! What the buttons of a rule's page do at AWS: enable, disable, delete. Each call can be repeated, so a step that failed is repeated by
//! pressing the button again.

use aws_sdk_eventbridge::types::Target;

use super::aws::{PAGES_MAX, Place, there};
use super::grant::{self, Need};
use crate::aws_error::{self, AwsError};

impl Place {
    /// Whether a bus has this rule.
    pub(super) async fn has_rule(&self, bus: &str, rule: &str) -> Result<bool, AwsError> {
        let found = self.events.describe_rule().event_bus_name(bus).name(rule).send();
        let found = found.await.map_err(|error| aws_error::error(&error));
        Ok(there(found)?.is_some())
    }

    /// Lets a rule match events again. Its log groups get the permission that a deletion which failed half-way may have taken.
    pub(super) async fn enable_rule(&self, bus: &str, rule: &str) -> Result<(), AwsError> {
        for target in self.targets(bus, rule).await? {
            let need = self.need(bus, rule, &target);
            if need.is_of_log_group() {
                // Of a log group that is gone there is nothing to permit.
                there(self.permit(&need).await)?;
            }
        }
        let enabled = self.events.enable_rule().event_bus_name(bus).name(rule).send();
        enabled.await.map_err(|error| aws_error::error(&error)).map(drop)
    }

    /// A disabled rule matches no event.
    pub(super) async fn disable_rule(&self, bus: &str, rule: &str) -> Result<(), AwsError> {
        let disabled = self.events.disable_rule().event_bus_name(bus).name(rule).send();
        disabled.await.map_err(|error| aws_error::error(&error)).map(drop)
    }

    /// Deletes a rule with its targets and the statements that the console or the provider wrote for them. Log groups stay, with what is in them.
    pub(super) async fn delete_rule(&self, bus: &str, rule: &str) -> Result<(), AwsError> {
        // No event meets a target whose permission is gone.
        self.disable_rule(bus, rule).await?;
        for target in self.targets(bus, rule).await? {
            self.forbid(&self.need(bus, rule, &target)).await?;
            self.remove_target(bus, rule, target.id()).await?;
        }
        let deleted = self.events.delete_rule().event_bus_name(bus).name(rule).send();
        deleted.await.map_err(|error| aws_error::error(&error)).map(drop)
    }

    async fn targets(&self, bus: &str, rule: &str) -> Result<Vec<Target>, AwsError> {
        let (mut all, mut token) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let page = self.events.list_targets_by_rule().event_bus_name(bus).rule(rule);
            let page = page.set_next_token(token).send().await;
            let page = page.map_err(|error| aws_error::error(&error))?;
            all.extend(page.targets.unwrap_or_default());
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        Ok(all)
    }

    fn need(&self, bus: &str, rule: &str, target: &Target) -> Need {
        Need {
            log_group_arn: target.arn().trim_end_matches(":*").to_owned(),
            rule_arn: grant::rule_arn(&self.region, &self.account, bus, rule),
            target_id: target.id().to_owned(),
        }
    }

    async fn remove_target(&self, bus: &str, rule: &str, id: &str) -> Result<(), AwsError> {
        let removed = self
            .events
            .remove_targets()
            .event_bus_name(bus)
            .rule(rule)
            .ids(id);
        let removed = removed.send().await.map_err(|error| aws_error::error(&error))?;
        match removed.failed_entries().first() {
            None => Ok(()),
            Some(failed) => Err(AwsError::Refused {
                code: failed.error_code().unwrap_or_default().to_owned(),
                message: failed.error_message().unwrap_or_default().to_owned(),
            }),
        }
    }
}
