//! The rule at AWS: adopted, made, changed, deleted.

use std::ops::ControlFlow::Continue;
use std::time::Duration;

use aws_sdk_eventbridge::operation::describe_rule::DescribeRuleOutput;
use aws_sdk_eventbridge::types::RuleState;
use tfplugin::{Operation, Result};

use super::messages::{self, doing};
use super::{Rule, generated_name};
use crate::aws::calls::wire_tags;
use crate::aws::retry::{IN_USE_RETRIES_MAX, InTheWay, Retry, gone, is_in_use};
use crate::aws::tags::Tags;
use crate::aws::{Error, Regional, filled, held_text};
use crate::client::Client;
use crate::defaults;
use crate::failure::{Cause as _, diagnostic};
use crate::ownership::Object;
use crate::resources::existing::{self, differing};
use crate::values::Json;

/// How many rules of one prefix are looked at.
const LOOKED_AT_MAX: usize = 20;
const DELETE_EVERY: Duration = Duration::from_secs(2);

/// The rule as AWS has it. An import has no state that a list could confirm.
pub(super) async fn refreshed(
    aws: &Regional,
    state: &Rule,
    imported: bool,
) -> std::result::Result<Option<DescribeRuleOutput>, Error> {
    let is_known = |held: &DescribeRuleOutput| imported || state.shows(held);
    let (bus, name) = (&state.event_bus_name, state.known_name());
    aws.refreshed_rule(bus, name, is_known).await
}

/// Looks for a rule of that name before PutRule overwrites it. True where there is one, just as planned.
pub(super) async fn adopt_or_refuse(aws: &Regional, client: &Client, plan: &Rule) -> Result<bool> {
    let (bus, name) = (&plan.event_bus_name, plan.known_name());
    let doing = || doing::make(bus, name);
    let Some(held) = aws.rule(bus, name).await.map_err(|e| e.during(doing()))? else {
        return Ok(false);
    };
    let tags = aws.tags(held.arn().unwrap_or_default()).await;
    let mut now = plan.clone();
    now.with(&held);
    let tags = tags.map_err(|e| e.during(doing()))?;
    now.tags_all = Some(defaults::tagging(client)?.ignored.without(tags));
    existing::adopt_or_refuse(&messages::existing(plan, &aws.name), &plan.differences(&now)).map(|()| true)
}

/// Generates the name of a new rule. A rule that begins with the prefix, is just like this one, has no target and was not
/// made by this process is what an apply that was killed leaves, and nobody else would find it: it is in no state, and
/// its name is known to nobody.
pub(super) async fn generate_name(
    aws: &Regional,
    client: &Client,
    plan: &Rule,
    prefix: &str,
) -> Result<String> {
    let bus = &plan.event_bus_name;
    let of_here = |name: &str| {
        let (region, bus, name) = (aws.name.clone(), bus.clone(), name.to_owned());
        client.memory().has(&Object::Rule { region, bus, name })
    };
    let failed = |e: Error| e.during(doing::list(bus));
    let names = match aws.rule_names(bus, Some(prefix)).await {
        Ok(names) => names,
        // The bus is not there: PutRule will say so.
        Err(e) if e.is_not_found() => Vec::new(),
        Err(e) => return Err(failed(e)),
    };
    let left = names
        .iter()
        .filter(|name| generated_name::prefix(name).as_deref() == Some(prefix))
        .filter(|name| !of_here(name));
    for name in left.take(LOOKED_AT_MAX) {
        if is_left_over(aws, plan, name).await.map_err(failed)? {
            return Err(messages::left_over(bus, &aws.name, name).into());
        }
    }
    Ok(generated_name::new(prefix))
}

async fn is_left_over(aws: &Regional, plan: &Rule, name: &str) -> Result<bool, Error> {
    let bus = &plan.event_bus_name;
    let Some(held) = aws.rule(bus, name).await? else {
        return Ok(false);
    };
    let mut now = plan.clone();
    now.with(&held);
    Ok(now.is_like(plan) && aws.targets(bus, name).await?.unwrap_or_default().is_empty())
}

/// Writes the rule, a new one with its tags, and returns its ARN.
pub(super) async fn put(aws: &Regional, plan: &Rule, tags: Option<&Tags>) -> Result<String> {
    const CALL: &str = "events:PutRule";
    let new = tags.is_some();
    let tags = tags.filter(|tags| !tags.is_empty());
    let state = if plan.enabled {
        RuleState::Enabled
    } else {
        RuleState::Disabled
    };
    let call = aws
        .events
        .put_rule()
        .event_bus_name(&plan.event_bus_name)
        .name(plan.known_name())
        .state(state);
    let call = call
        .event_pattern(&*plan.event_pattern)
        .set_description(plan.description.clone())
        .set_role_arn(plan.role_arn.clone())
        .set_tags(tags.map(wire_tags));
    let answer = call.send().await.map_err(|e| aws.failed(CALL, e));
    match answer.and_then(|answer| aws.given(CALL, "RuleArn", answer.rule_arn)) {
        Ok(arn) => Ok(arn),
        Err(e) if e.is_not_found() => {
            Err(messages::no_bus(plan, &e, &aws.account_in_words().await, &aws.name).into())
        }
        Err(e) => {
            let doing = if new { doing::make } else { doing::change };
            let doing = doing(&plan.event_bus_name, plan.known_name());
            let failed = diagnostic(&e, doing, &messages::after_put(plan, new));
            let blames_pattern = e.code() == Some("InvalidEventPatternException");
            Err(if blames_pattern {
                failed.at(Rule::event_pattern())
            } else {
                failed
            }
            .into())
        }
    }
}

/// Deletes the rule, once its targets are gone.
pub(super) async fn delete(operation: &Operation<'_, Rule>, aws: &Regional, state: &Rule) -> Result<()> {
    let (bus, name) = (&state.event_bus_name, state.known_name());
    let mut retry = Retry::new(
        operation,
        DELETE_EVERY,
        doing::delete(bus, name),
        messages::after_deleting(),
    );
    let call = aws.events.delete_rule().event_bus_name(bus).name(name);
    let mut in_use_retries = 0;
    let mut in_the_way = InTheWay::default();
    while retry.next().await {
        let answer = call.clone().send().await;
        let attempted = match answer.map_err(|e| aws.failed("events:DeleteRule", e)) {
            Err(e) if is_in_use(&e, "target") => match target_ids(aws, bus, name).await {
                Ok(left) if left.is_empty() && in_use_retries >= IN_USE_RETRIES_MAX => Err(e),
                Ok(left) => {
                    in_use_retries += u32::from(left.is_empty());
                    let is_removing = operation.client().memory().is_removing(&state.object());
                    if in_the_way.stays(&left, is_removing) && !left.is_empty() {
                        return Err(messages::targets_stay(state, &aws.name, &left).into());
                    }
                    Ok(Continue(messages::targets_left(name, &left)))
                }
                Err(unread) => Err(unread),
            },
            answer => gone(answer),
        };
        if let Some(done) = retry.judge(attempted) {
            return done;
        }
    }
    Err(retry.given_up())
}

async fn target_ids(aws: &Regional, bus: &str, rule: &str) -> Result<Vec<String>, Error> {
    let targets = aws.targets(bus, rule).await?.unwrap_or_default();
    Ok(targets.iter().map(|target| target.id().to_owned()).collect())
}

impl Rule {
    /// Takes what AWS holds.
    pub(super) fn with(&mut self, held: &DescribeRuleOutput) {
        self.description = held_text(self.description.as_deref(), held.description());
        self.event_pattern = Json::from(held.event_pattern().unwrap_or_default());
        self.enabled = held.state() != Some(&RuleState::Disabled);
        self.role_arn = filled(held.role_arn());
    }

    /// What AWS holds is what the state says.
    fn shows(&self, held: &DescribeRuleOutput) -> bool {
        let mut now = self.clone();
        now.with(held);
        now.is_like(self) && held.arn() == self.arn.as_deref()
    }

    /// What PutRule writes is the same; tags are another call's.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.description == other.description
            && self.event_pattern == other.event_pattern
            && self.enabled == other.enabled
            && self.role_arn == other.role_arn
    }

    /// The attributes in which another differs.
    fn differences(&self, other: &Self) -> Vec<String> {
        differing([
            (Self::description().into(), self.description == other.description),
            (
                Self::event_pattern().into(),
                self.event_pattern == other.event_pattern,
            ),
            (Self::enabled().into(), self.enabled == other.enabled),
            (Self::role_arn().into(), self.role_arn == other.role_arn),
            (Self::tags().into(), self.tags_all == other.tags_all),
        ])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::values::Region;

    fn rule() -> Rule {
        Rule {
            name: Some("r".to_owned()),
            name_prefix: None,
            event_bus_name: "aws.partner/scalr.com/a/b".to_owned(),
            region: Some(Region::from("us-east-1")),
            description: None,
            event_pattern: Json::from(r#"{"source":["x"]}"#),
            enabled: true,
            role_arn: None,
            tags: None,
            tags_all: Some(BTreeMap::new()),
            arn: None,
        }
    }

    fn check(change: impl FnOnce(&mut Rule), want: &[&str]) {
        let mut other = rule();
        change(&mut other);
        assert_eq!(rule().differences(&other), want);
    }

    #[test]
    fn only_what_differs_is_named() {
        check(|_| {}, &[]);
        check(
            |r| r.event_pattern = Json::from(r#"{ "source": ["\u0078"] }"#),
            &[],
        );
        check(|r| r.enabled = false, &["enabled"]);
        check(
            |r| r.tags_all = Some(BTreeMap::from([("a".to_owned(), "b".to_owned())])),
            &["tags"],
        );
        check(
            |r| (r.description, r.event_pattern) = (Some("d".to_owned()), Json::from("{}")),
            &["description", "event_pattern"],
        );
    }

    #[test]
    fn the_attributes_are_what_aws_holds() {
        let mut rule = rule();
        let held = DescribeRuleOutput::builder()
            .state(RuleState::Disabled)
            .description("")
            .event_pattern("{}")
            .build();
        rule.with(&held);
        assert_eq!(
            (rule.enabled, rule.description.as_deref(), &*rule.event_pattern),
            (false, None, "{}")
        );
        for (written, held, want) in [
            (Some(""), None, Some("")),
            (Some(""), Some("x"), Some("x")),
            (Some("x"), Some(""), None),
            (None, Some(""), None),
        ] {
            rule.description = written.map(str::to_owned);
            let held = DescribeRuleOutput::builder()
                .set_description(held.map(str::to_owned))
                .build();
            rule.with(&held);
            assert_eq!(rule.description.as_deref(), want, "{written:?} {held:?}");
        }
    }
}
