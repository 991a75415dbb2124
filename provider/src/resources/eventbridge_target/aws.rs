//! The target at AWS: adopted, written, read and removed.

use std::collections::BTreeMap;
use std::ops::ControlFlow::Break;
use std::time::Duration;

use aws_sdk_eventbridge::types::{
    DeadLetterConfig as WireQueue, InputTransformer as WireTransformer, RetryPolicy as WireRetry,
    Target as WireTarget,
};
use tfplugin::{Operation, Result};

use super::messages::{self, doing};
use super::{DeadLetterConfig, InputTransformer, RetryPolicy, Target};
use crate::aws::retry::{Retry, gone};
use crate::aws::{Regional, filled};
use crate::failure::Cause as _;
use crate::resources::existing::{self, differing};
use crate::values::Json;

const EVERY: Duration = Duration::from_secs(1);
/// What AWS does where nothing is set; it may or may not show it when asked.
const AGE_DEFAULT: i64 = 86_400;
const ATTEMPTS_DEFAULT: i64 = 185;

/// Looks for a target of that id before PutTargets overwrites it. True where there is one, just as planned.
pub(super) async fn adopt_or_refuse(aws: &Regional, plan: &Target) -> Result<bool> {
    let targets = aws.targets(&plan.event_bus_name, &plan.rule).await;
    let targets = targets.map_err(|e| e.during(doing::read(&plan.rule)))?;
    let mut targets = targets.into_iter().flatten();
    match targets.find(|held| held.id() == plan.id()) {
        Some(held) => {
            let existing = messages::existing(plan, &aws.name);
            existing::adopt_or_refuse(&existing, &plan.differences(&held)).map(|()| true)
        }
        None => Ok(false),
    }
}

/// Writes the target.
pub(super) async fn put(
    operation: &Operation<'_, Target>,
    aws: &Regional,
    plan: &Target,
    new: bool,
) -> Result<()> {
    const CALL: &str = "events:PutTargets";
    let doing = doing::put(plan.id(), &plan.rule, new);
    let target = plan.to_wire(&doing)?;
    let call = aws
        .events
        .put_targets()
        .event_bus_name(&plan.event_bus_name)
        .rule(&plan.rule)
        .targets(target);
    let mut retry = Retry::new(operation, EVERY, doing, messages::after_put(plan, new));
    while retry.next().await {
        let answer = call.clone().send().await.map_err(|e| aws.failed(CALL, e));
        let attempted = answer.and_then(|answer| {
            let failed = aws.given(CALL, "FailedEntries", answer.failed_entries)?;
            failed.first().map_or(Ok(()), |entry| {
                Err(aws.entry_failed(CALL, entry.error_code(), entry.error_message()))
            })
        });
        if let Some(done) = retry.judge(attempted.map(Break)) {
            return done;
        }
    }
    Err(retry.given_up())
}

/// Removes the target; one that is gone, with or without its rule, is no error.
pub(super) async fn remove(operation: &Operation<'_, Target>, aws: &Regional, state: &Target) -> Result<()> {
    const CALL: &str = "events:RemoveTargets";
    let call = aws
        .events
        .remove_targets()
        .event_bus_name(&state.event_bus_name)
        .rule(&state.rule)
        .ids(state.id());
    let doing = doing::remove(state.id(), &state.rule);
    let mut retry = Retry::new(operation, EVERY, doing, messages::after_removing(state));
    while retry.next().await {
        let answer = call.clone().send().await.map_err(|e| aws.failed(CALL, e));
        let attempted = answer.and_then(|answer| {
            let failed = aws.given(CALL, "FailedEntries", answer.failed_entries)?;
            failed.first().map_or(Ok(()), |entry| {
                Err(aws.entry_failed(CALL, entry.error_code(), entry.error_message()))
            })
        });
        if let Some(done) = retry.judge(gone(attempted)) {
            return done;
        }
    }
    Err(retry.given_up())
}

impl Target {
    fn to_wire(&self, doing: &str) -> Result<WireTarget> {
        let failed = |e: aws_sdk_eventbridge::error::BuildError| messages::request_cannot_be_built(doing, &e);
        let transformer = self.input_transformer.as_ref().map(|transformer| {
            let paths = transformer
                .input_paths
                .clone()
                .map(|paths| paths.into_iter().collect());
            WireTransformer::builder()
                .set_input_paths_map(paths)
                .input_template(&transformer.input_template)
                .build()
        });
        let retry = self.retry_policy.as_ref().map(|retry| {
            let small = |number: Option<i64>| number.and_then(|number| i32::try_from(number).ok());
            WireRetry::builder()
                .set_maximum_event_age_in_seconds(small(retry.maximum_event_age_in_seconds))
                .set_maximum_retry_attempts(small(retry.maximum_retry_attempts))
                .build()
        });
        let queue = self
            .dead_letter_config
            .as_ref()
            .map(|queue| WireQueue::builder().arn(&queue.arn).build());
        let target = WireTarget::builder()
            .id(self.id())
            .arn(self.arn.as_deref().unwrap_or_default())
            .set_input(self.input.as_ref().map(ToString::to_string))
            .set_input_path(self.input_path.clone())
            .set_input_transformer(transformer.transpose().map_err(failed)?)
            .set_retry_policy(retry)
            .set_dead_letter_config(queue)
            .set_role_arn(self.role_arn.clone());
        Ok(target.build().map_err(failed)?)
    }

    /// Takes what AWS holds.
    pub(super) fn with(&mut self, held: &WireTarget) {
        self.arn = Some(held.arn().to_owned());
        self.input = filled(held.input()).as_deref().map(Json::from);
        self.input_path = filled(held.input_path());
        let written = self
            .input_transformer
            .take()
            .and_then(|written| written.input_paths);
        self.input_transformer = held.input_transformer().map(|transformer| {
            let paths = transformer.input_paths_map().filter(|paths| !paths.is_empty());
            let paths = paths.map(|paths| paths.clone().into_iter().collect());
            InputTransformer {
                // AWS has no empty map. One that is written as empty stays so.
                input_paths: paths.or(written.filter(BTreeMap::is_empty)),
                input_template: transformer.input_template().to_owned(),
            }
        });
        let retry = held.retry_policy().cloned();
        self.retry_policy = chosen_retry_policy(
            &retry.unwrap_or_else(|| WireRetry::builder().build()),
            self.retry_policy.as_ref(),
        );
        let queue = held.dead_letter_config().and_then(|queue| filled(queue.arn()));
        self.dead_letter_config = queue.map(|arn| DeadLetterConfig { arn });
        self.role_arn = filled(held.role_arn());
    }

    /// The attributes in which what AWS holds differs.
    fn differences(&self, held: &WireTarget) -> Vec<String> {
        let mut other = self.clone();
        other.with(held);
        let arn = |target: &Self| {
            target
                .arn
                .as_deref()
                .map(|arn| arn.trim_end_matches(":*").to_owned())
        };
        let destination = if self.log_group.is_some() {
            Self::log_group().into()
        } else {
            Self::arn().into()
        };
        let mut differences = differing([
            (destination, arn(self) == arn(&other)),
            (Self::input().into(), self.input == other.input),
            (Self::input_path().into(), self.input_path == other.input_path),
            (
                Self::input_transformer().into(),
                self.input_transformer == other.input_transformer,
            ),
            (
                Self::retry_policy().into(),
                self.retry_policy == other.retry_policy,
            ),
            (
                Self::dead_letter_config().into(),
                self.dead_letter_config == other.dead_letter_config,
            ),
            (Self::role_arn().into(), self.role_arn == other.role_arn),
        ]);
        if has_more(held) {
            differences.push("settings that this resource does not have".to_owned());
        }
        differences
    }
}

/// The retry policy that somebody set: AWS's defaults count as not set, unless the configuration sets them too.
fn chosen_retry_policy(held: &WireRetry, known: Option<&RetryPolicy>) -> Option<RetryPolicy> {
    let pick = |held: Option<i32>, known: Option<i64>, default: i64| {
        held.map(i64::from)
            .filter(|held| *held != default || known.is_some())
    };
    let age = known.and_then(|known| known.maximum_event_age_in_seconds);
    let attempts = known.and_then(|known| known.maximum_retry_attempts);
    let chosen = RetryPolicy {
        maximum_event_age_in_seconds: pick(held.maximum_event_age_in_seconds(), age, AGE_DEFAULT),
        maximum_retry_attempts: pick(held.maximum_retry_attempts(), attempts, ATTEMPTS_DEFAULT),
    };
    let empty = chosen.maximum_event_age_in_seconds.is_none() && chosen.maximum_retry_attempts.is_none();
    (!empty || known.is_some()).then_some(chosen)
}

fn has_more(held: &WireTarget) -> bool {
    held.kinesis_parameters().is_some()
        || held.run_command_parameters().is_some()
        || held.ecs_parameters().is_some()
        || held.batch_parameters().is_some()
        || held.sqs_parameters().is_some()
        || held.http_parameters().is_some()
        || held.redshift_data_parameters().is_some()
        || held.sage_maker_pipeline_parameters().is_some()
        || held.app_sync_parameters().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Region;

    fn target() -> Target {
        Target {
            rule: "r".to_owned(),
            event_bus_name: "aws.partner/scalr.com/a/b".to_owned(),
            region: Some(Region::from("us-east-1")),
            target_id: Some("t".to_owned()),
            arn: Some("arn:aws:sqs:us-east-1:1:q".to_owned()),
            log_group: None,
            input: Some(Json::from(r#"{"a":1}"#)),
            input_path: None,
            input_transformer: None,
            retry_policy: None,
            dead_letter_config: None,
            role_arn: None,
            managed: None,
        }
    }

    fn check(change: impl FnOnce(&mut Target), want: &[&str]) {
        let mut other = target();
        change(&mut other);
        let held = other.to_wire("test").expect("a whole target");
        assert_eq!(target().differences(&held), want);
    }

    #[test]
    fn only_what_differs_is_named() {
        check(|_| {}, &[]);
        check(|t| t.input = Some(Json::from(r#"{ "a": 1.0 }"#)), &[]);
        check(
            |t| t.arn = Some("arn:aws:sqs:us-east-1:1:other".to_owned()),
            &["arn"],
        );
        let retry = |age, attempts| RetryPolicy {
            maximum_event_age_in_seconds: age,
            maximum_retry_attempts: attempts,
        };
        check(|t| t.retry_policy = Some(retry(Some(86_400), Some(185))), &[]);
        check(
            |t| t.retry_policy = Some(retry(Some(60), None)),
            &["retry_policy"],
        );
    }

    #[test]
    fn defaults_that_the_configuration_sets_are_kept() {
        let held = WireRetry::builder()
            .maximum_event_age_in_seconds(86_400)
            .maximum_retry_attempts(3)
            .build();
        let retry = |age, attempts| RetryPolicy {
            maximum_event_age_in_seconds: age,
            maximum_retry_attempts: attempts,
        };
        assert_eq!(chosen_retry_policy(&held, None), Some(retry(None, Some(3))));
        assert_eq!(
            chosen_retry_policy(&held, Some(&retry(Some(86_400), None))),
            Some(retry(Some(86_400), Some(3)))
        );
    }
}
