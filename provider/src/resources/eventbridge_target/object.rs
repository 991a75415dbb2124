//! The target as a remote object: what identifies it, from a state or from AWS.

use tfplugin::{Plan, Result};

use super::Target;
use super::messages::{self, doing};
use super::parts::LogGroup;
use crate::aws::{Error, Regional, arn, tags};
use crate::failure::Cause as _;
use crate::ownership::{Object, Owner};

impl Target {
    /// Its id; empty until it is known.
    pub(super) fn id(&self) -> &str {
        self.target_id.as_deref().unwrap_or_default()
    }

    /// The log group that was made here.
    pub(super) fn own_group(&self) -> Option<&LogGroup> {
        self.log_group.as_ref().filter(|group| group.create)
    }

    /// What an operation makes, changes and deletes. Region and id are known.
    pub(super) fn object(&self) -> Object {
        Object::Target {
            region: self.region.as_deref().unwrap_or_default().to_owned(),
            bus: self.event_bus_name.clone(),
            rule: self.rule.clone(),
            id: self.id().to_owned(),
        }
    }

    /// The rule, from which a destroy removes the target.
    pub(super) fn rule_object(&self) -> Object {
        Object::Rule {
            region: self.region.as_deref().unwrap_or_default().to_owned(),
            bus: self.event_bus_name.clone(),
            name: self.rule.clone(),
        }
    }

    /// The ARN of the rule, which must be there.
    pub(super) async fn rule_arn(&self, aws: &Regional) -> Result<String> {
        let (bus, rule) = (&self.event_bus_name, &self.rule);
        let held = aws.rule(bus, rule).await;
        let held = held.map_err(|e| e.during(doing::read_rule(bus, rule)))?;
        match held.and_then(|held| held.arn) {
            Some(arn) => Ok(arn),
            None => Err(messages::no_rule(bus, rule, &aws.account_in_words().await, &aws.name).into()),
        }
    }

    /// The ARN of the rule of a target in the state: a log group is in its account.
    pub(super) fn derived_rule_arn(&self, aws: &Regional) -> String {
        let account = self.arn.as_deref().and_then(arn::account).unwrap_or_default();
        arn::of_rule(&aws.name, account, &self.event_bus_name, &self.rule)
    }

    /// The tag that names the owner which adopted the target, and the ARN of the rule that carries it.
    pub(super) async fn mark(&self, aws: &Regional) -> std::result::Result<(String, String), Error> {
        let rule_arn = if self.log_group.is_some() {
            self.derived_rule_arn(aws)
        } else {
            arn::of_rule(&aws.name, aws.account().await?, &self.event_bus_name, &self.rule)
        };
        Ok((rule_arn, tags::of_target(self.id())))
    }

    /// The owner that adopted the target. Who may not read the rule's tags sees none: a refresh is not refused for it.
    pub(super) async fn adopted_by(&self, aws: &Regional) -> std::result::Result<Option<Owner>, Error> {
        let (rule_arn, tag) = self.mark(aws).await?;
        match aws.owner(&rule_arn, &tag).await {
            Err(e) if e.is_denied() => Ok(None),
            answer => answer,
        }
    }
}

/// What a plan is about: the target that is there, or is to be made.
pub(super) fn planned(plan: &Plan<'_, Target>) -> Option<Object> {
    if let Some(prior) = plan.prior() {
        return Some(prior.object());
    }
    Some(Object::Target {
        region: plan.planned(Target::region()).known()?.to_string(),
        bus: plan.planned(Target::event_bus_name()).known()?,
        rule: plan.planned(Target::rule()).known()?,
        id: plan.planned(Target::target_id()).known()?,
    })
}
