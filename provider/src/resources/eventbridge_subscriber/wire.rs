//! A subscriber in AWS's terms: what is sent of it, and what AWS holds. AWS's defaults count as not set, unless the configuration
//! sets them too.

use aws_sdk_eventbridgev2::error::BuildError;
use aws_sdk_eventbridgev2::operation::describe_subscriber::DescribeSubscriberOutput;
use aws_sdk_eventbridgev2::primitives::DateTime;
use aws_sdk_eventbridgev2::types::{
    BatchConfiguration, Filter as WireFilter, FilterConfiguration, FilterScope, InvokeConfiguration,
    JsonataConfiguration, OnFailureConfiguration, OrderingType, PointInTimeConfiguration, PointType,
    ResumePosition, RetryPolicy, RetryStrategy, StartingPosition, SubscriberState,
    Transformer as WireTransformer, TransformerType, UniversalTargetParameters, UpdateInvokeConfiguration,
};

use super::Subscriber;
use super::log_group::{CALL, input, parse_input};
use super::parts::{Batch, Filter, LogGroup, PointInTime, Retry, Transformer};
use crate::aws::subscriber_checks::parse_time;
use crate::aws::{arn, filled, held_text, written};
use crate::values::Json;

/// AWS's defaults of a retry policy.
const ATTEMPTS_DEFAULT: i64 = 5;
const AGE_DEFAULT: i64 = 300;
const LATEST: &str = "LATEST";
const RAW: &str = "RAW";
/// The services whose parameters this version of the SDK has, so that an update can send them as they are.
const SERVICES: [&str; 8] = [
    "sqs",
    "sns",
    "lambda",
    "kinesis",
    "firehose",
    "states",
    "execute-api",
    "events",
];

impl Subscriber {
    /// Takes what AWS holds.
    pub(super) fn with(&mut self, held: &DescribeSubscriberOutput, is_import: bool) {
        self.arn = held.subscriber_arn().map(str::to_owned);
        held.event_bus_arn()
            .unwrap_or_default()
            .clone_into(&mut self.event_bus_arn);
        if let Some(invoke) = held.invoke_configuration() {
            self.target_arn = Some(invoke.target_arn().to_owned());
            self.role_arn = Some(invoke.role_arn().to_owned());
            let input = invoke
                .universal_target_parameters()
                .map(UniversalTargetParameters::input);
            self.take_input(filled(input).as_deref().map(Json::from), is_import);
        }
        held.r#type()
            .map_or("UNORDERED", OrderingType::as_str)
            .clone_into(&mut self.r#type);
        held.starting_position()
            .map_or(LATEST, StartingPosition::as_str)
            .clone_into(&mut self.starting_position);
        let point = held.point_in_time_configuration();
        self.point_in_time = point.map(|held| held_point(self.point_in_time.as_ref(), held));
        let default = is_import.then(|| batch_default(self.target()));
        self.batch = held_batch(self.batch.as_ref(), held.batch_configuration(), default);
        self.filter = held_filters(self.filter.take(), held.filter_configuration());
        self.transformer = held_transformer(self.transformer.as_ref(), held.transformer());
        self.retry = held_retry(self.retry.as_ref(), held.retry_policy());
        let queue = held.on_failure_configuration().and_then(|config| config.arn());
        self.dead_letter_arn = filled(queue);
        self.enabled = held.state() != Some(&SubscriberState::Stopped);
        self.description = held_text(self.description.as_deref(), held.description());
        self.state = Some(state_of(held).to_owned());
        self.creation_time = held.creation_time().and_then(written);
    }

    /// The arguments of the call; those that were written for a log group are shown as it.
    fn take_input(&mut self, input: Option<Json>, is_import: bool) {
        let is_of_group = is_import || self.log_group.is_some();
        let parsed = input.as_ref().filter(|_| is_of_group && self.target() == CALL);
        match (parsed.and_then(parse_input), &mut self.log_group) {
            (Some((name, stream)), Some(group)) => {
                (group.name, group.log_stream) = (name, stream);
                self.input = None;
            }
            (Some((name, stream)), None) => {
                self.log_group = Some(LogGroup::imported(name, stream));
                self.input = None;
            }
            // Somebody changed them.
            (None, _) => self.input = input,
        }
    }

    fn written_input(&self) -> Option<Json> {
        match &self.log_group {
            Some(group) => Some(input(&group.name, &group.log_stream)),
            None => self.input.clone(),
        }
    }

    /// What UpdateSubscriber writes is not the same.
    pub(super) fn settings_differ(&self, other: &Self) -> bool {
        self.description != other.description
            || self.enabled != other.enabled
            || self.filter != other.filter
            || self.transformer != other.transformer
            || self.batch != other.batch
            || self.retry != other.retry
            || self.dead_letter_arn != other.dead_letter_arn
            || self.invoke_differs(other)
    }

    pub(super) fn invoke_differs(&self, other: &Self) -> bool {
        let held = other.input.clone().or_else(|| other.written_input());
        self.role_arn != other.role_arn || self.written_input() != held
    }

    /// The target, as a creation has it.
    pub(super) fn wire_invoke(&self) -> Result<InvokeConfiguration, BuildError> {
        InvokeConfiguration::builder()
            .target_arn(self.target())
            .role_arn(self.known_role())
            .set_universal_target_parameters(self.wire_call(None)?)
            .build()
    }

    /// The block that replaces the one AWS holds whole, with the settings in it that this resource does not have.
    pub(super) fn wire_new_invoke(
        &self,
        held: &InvokeConfiguration,
    ) -> Result<UpdateInvokeConfiguration, BuildError> {
        let timeout = held
            .universal_target_parameters()
            .and_then(|held| held.invocation_timeout_seconds());
        UpdateInvokeConfiguration::builder()
            .role_arn(self.known_role())
            .set_lambda_parameters(held.lambda_parameters().cloned())
            .set_sqs_parameters(held.sqs_parameters().cloned())
            .set_sns_parameters(held.sns_parameters().cloned())
            .set_kinesis_parameters(held.kinesis_parameters().cloned())
            .set_step_functions_parameters(held.step_functions_parameters().cloned())
            .set_http_parameters(held.http_parameters().cloned())
            .set_event_bus_v2_parameters(held.event_bus_v2_parameters().cloned())
            .set_universal_target_parameters(self.wire_call(timeout)?)
            .build()
    }

    fn wire_call(&self, timeout: Option<&str>) -> Result<Option<UniversalTargetParameters>, BuildError> {
        let Some(input) = self.written_input() else {
            return Ok(None);
        };
        let parameters = UniversalTargetParameters::builder()
            .input(input.to_string())
            .set_invocation_timeout_seconds(timeout.map(str::to_owned))
            .build()?;
        Ok(Some(parameters))
    }

    /// None where every event is delivered.
    pub(super) fn wire_filters(&self) -> Result<Option<FilterConfiguration>, BuildError> {
        let filters = self.filter.iter().flatten().map(|filter| {
            WireFilter::builder()
                .scope(FilterScope::from(&*filter.scope))
                .pattern(filter.pattern.to_string())
                .build()
        });
        let filters = filters.collect::<Result<Vec<_>, _>>()?;
        let configuration = FilterConfiguration::builder().set_filters(Some(filters.clone()));
        Ok((!filters.is_empty()).then(|| configuration.build()))
    }

    /// Without one it is AWS's default in full.
    pub(super) fn wire_transformer(&self) -> Result<WireTransformer, BuildError> {
        let kind = self.transformer.as_ref().map_or(RAW, |it| &*it.r#type);
        let expression = self.transformer.as_ref().and_then(|it| it.expression.clone());
        let expression =
            expression.map(|expression| JsonataConfiguration::builder().expression(expression).build());
        let transformer = WireTransformer::builder().r#type(TransformerType::from(kind));
        Ok(transformer
            .set_jsonata_configuration(expression.transpose()?)
            .build())
    }

    /// Whether the target is a call to AWS, which has to be given both members of a batch.
    pub(super) fn is_call(&self) -> bool {
        arn::parse(self.target()).is_some_and(|arn| arn.resource.starts_with("aws-sdk:"))
    }

    /// What is not set is AWS's default: a block replaces the one that is there whole.
    pub(super) fn wire_batch(&self) -> BatchConfiguration {
        let number = |of: fn(&Batch) -> Option<i64>, default: i64| {
            let number = self.batch.as_ref().and_then(of).unwrap_or(default);
            i32::try_from(number).ok()
        };
        let size = batch_default(self.target());
        BatchConfiguration::builder()
            .set_max_batch_size(number(|batch| batch.maximum_batch_size, size))
            .set_max_batch_window_in_seconds(number(|batch| batch.maximum_batch_window_in_seconds, 0))
            .build()
    }

    pub(super) fn wire_point(&self) -> Result<Option<PointInTimeConfiguration>, BuildError> {
        let Some(point) = &self.point_in_time else {
            return Ok(None);
        };
        let time = |text: Option<&String>| text.and_then(|text| parse_time(text));
        let wire = PointInTimeConfiguration::builder()
            .point_type(PointType::from(&*point.r#type))
            .set_starting_point(time(point.starting_point.as_ref()))
            .set_end_point(time(point.end_point.as_ref()));
        wire.build().map(Some)
    }

    /// Sent only where a stopped subscriber is to run.
    pub(super) fn wire_resume(&self, prior: &Self) -> Option<ResumePosition> {
        let position = self.resume_position.as_deref().map(ResumePosition::from);
        position.filter(|_| self.enabled && !prior.enabled)
    }

    /// What is not set is AWS's default: a block replaces the one that is there whole.
    pub(super) fn wire_retry(&self) -> RetryPolicy {
        let number = |of: fn(&Retry) -> Option<i64>, default: i64| {
            let number = self.retry.as_ref().and_then(of).unwrap_or(default);
            i32::try_from(number).ok()
        };
        RetryPolicy::builder()
            .set_max_retry_attempts(number(|retry| retry.maximum_retry_attempts, ATTEMPTS_DEFAULT))
            .set_max_event_age_in_seconds(number(|retry| retry.maximum_event_age_in_seconds, AGE_DEFAULT))
            .retry_strategy(RetryStrategy::All)
            .build()
    }

    /// Without a queue it is a block without its ARN.
    pub(super) fn wire_queue(&self) -> OnFailureConfiguration {
        OnFailureConfiguration::builder()
            .set_arn(self.dead_letter_arn.clone())
            .build()
    }

    pub(super) fn wire_state(&self) -> SubscriberState {
        if self.enabled {
            SubscriberState::Running
        } else {
            SubscriberState::Stopped
        }
    }
}

/// Whether an update can send what AWS holds of a target: parameters of a kind that the SDK does not know would be lost.
pub(super) fn is_known_target(target: &str) -> bool {
    arn::parse(target).is_some_and(|arn| SERVICES.contains(&arn.service))
}

/// The state, as AWS shows it; one that the SDK does not know is passed on.
pub(super) fn state_of(held: &DescribeSubscriberOutput) -> &str {
    if held.revoked() == Some(true) {
        return "REVOKED";
    }
    held.state().map_or("", SubscriberState::as_str)
}

/// How many events a target takes at once, where nothing is set.
fn batch_default(target: &str) -> i64 {
    let Some(arn) = arn::parse(target) else { return 10 };
    match arn.service {
        "kinesis" | "firehose" => 500,
        "events" if arn.resource.starts_with("event-busv2/") => 100,
        _ => 10,
    }
}

/// A size that is not written is AWS's to choose, by the target. An import takes it where it is another than the default.
fn held_batch(
    known: Option<&Batch>,
    held: Option<&BatchConfiguration>,
    default: Option<i64>,
) -> Option<Batch> {
    let size = held.and_then(BatchConfiguration::max_batch_size).map(i64::from);
    let window = held.and_then(BatchConfiguration::max_batch_window_in_seconds);
    let window = window.map_or(0, i64::from);
    let known_size = known.and_then(|known| known.maximum_batch_size);
    let known_window = known.and_then(|known| known.maximum_batch_window_in_seconds);
    let batch = Batch {
        maximum_batch_size: match known_size {
            Some(known) => size.or(Some(known)),
            None => size.filter(|size| default.is_some_and(|default| *size != default)),
        },
        maximum_batch_window_in_seconds: (window != 0 || known_window.is_some()).then_some(window),
    };
    let is_default = batch.maximum_batch_size.is_none() && batch.maximum_batch_window_in_seconds.is_none();
    (known.is_some() || !is_default).then_some(batch)
}

/// The same time, written otherwise, stays as it is.
fn held_point(known: Option<&PointInTime>, held: &PointInTimeConfiguration) -> PointInTime {
    let text = |known: Option<&String>, held: Option<&DateTime>| {
        let held = held?;
        // AWS may keep no fractions of a second.
        let is_same = |text: &&String| parse_time(text).is_some_and(|time| time.secs() == held.secs());
        known.filter(is_same).cloned().or_else(|| written(held))
    };
    PointInTime {
        r#type: held.point_type().as_str().to_owned(),
        starting_point: text(
            known.and_then(|known| known.starting_point.as_ref()),
            held.starting_point(),
        ),
        end_point: text(known.and_then(|known| known.end_point.as_ref()), held.end_point()),
    }
}

/// AWS's order of filters says nothing: those of the state keep theirs.
fn held_filters(known: Option<Vec<Filter>>, held: Option<&FilterConfiguration>) -> Option<Vec<Filter>> {
    let filters = held.map(FilterConfiguration::filters).unwrap_or_default();
    let held: Vec<Filter> = filters
        .iter()
        .map(|filter| Filter {
            scope: filter.scope().as_str().to_owned(),
            pattern: Json::from(filter.pattern()),
        })
        .collect();
    let is_same =
        |known: &Vec<Filter>| known.len() == held.len() && known.iter().all(|filter| held.contains(filter));
    match known {
        Some(known) if is_same(&known) => Some(known),
        _ => (!held.is_empty()).then_some(held),
    }
}

fn held_transformer(known: Option<&Transformer>, held: Option<&WireTransformer>) -> Option<Transformer> {
    let kind = held.and_then(WireTransformer::r#type);
    let kind = kind.map_or(RAW, TransformerType::as_str);
    if kind == RAW && known.is_none() {
        return None;
    }
    let expression = held.and_then(WireTransformer::jsonata_configuration);
    Some(Transformer {
        r#type: kind.to_owned(),
        expression: expression.map(|held| held.expression().to_owned()),
    })
}

fn held_retry(known: Option<&Retry>, held: Option<&RetryPolicy>) -> Option<Retry> {
    let pick = |held: Option<i32>, known: Option<i64>, default: i64| {
        let held = held.map_or(default, i64::from);
        (held != default || known.is_some()).then_some(held)
    };
    let attempts = known.and_then(|known| known.maximum_retry_attempts);
    let age = known.and_then(|known| known.maximum_event_age_in_seconds);
    let retry = Retry {
        maximum_retry_attempts: pick(
            held.and_then(RetryPolicy::max_retry_attempts),
            attempts,
            ATTEMPTS_DEFAULT,
        ),
        maximum_event_age_in_seconds: pick(
            held.and_then(RetryPolicy::max_event_age_in_seconds),
            age,
            AGE_DEFAULT,
        ),
    };
    let is_default = retry.maximum_retry_attempts.is_none() && retry.maximum_event_age_in_seconds.is_none();
    (!is_default || known.is_some()).then_some(retry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(scope: &str, pattern: &str) -> Filter {
        Filter {
            scope: scope.to_owned(),
            pattern: Json::from(pattern),
        }
    }

    fn wire(filters: &[Filter]) -> FilterConfiguration {
        let wire = filters.iter().map(|filter| {
            let wire = WireFilter::builder().scope(FilterScope::from(&*filter.scope));
            wire.pattern(&*filter.pattern).build().unwrap()
        });
        FilterConfiguration::builder()
            .set_filters(Some(wire.collect()))
            .build()
    }

    #[test]
    fn filters_keep_the_order_of_the_state() {
        let (data, source) = (
            filter("DATA", r#"{"a":[1]}"#),
            filter("SYSTEM_METADATA", r#"{"b":[2]}"#),
        );
        let both = vec![data.clone(), source.clone()];
        let other_way = wire(&[source.clone(), data.clone()]);
        for (known, held, want) in [
            (Some(both.clone()), Some(&other_way), Some(both.clone())),
            (None, Some(&other_way), Some(vec![source.clone(), data.clone()])),
            (Some(vec![data.clone()]), Some(&wire(&[])), None),
            (Some(Vec::new()), None, Some(Vec::new())),
            (Some(both.clone()), None, None),
            (None, None, None),
        ] {
            assert_eq!(held_filters(known.clone(), held), want, "{known:?}");
        }
    }

    #[test]
    fn defaults_are_not_set_unless_they_are_written() {
        let held = |attempts, age| {
            RetryPolicy::builder()
                .max_retry_attempts(attempts)
                .max_event_age_in_seconds(age)
                .build()
        };
        let retry = |attempts, age| Retry {
            maximum_retry_attempts: attempts,
            maximum_event_age_in_seconds: age,
        };
        for (known, held, want) in [
            (None, held(5, 300), None),
            (None, held(3, 300), Some(retry(Some(3), None))),
            (
                Some(retry(Some(5), None)),
                held(5, 300),
                Some(retry(Some(5), None)),
            ),
            (Some(retry(None, None)), held(5, 300), Some(retry(None, None))),
        ] {
            assert_eq!(held_retry(known.as_ref(), Some(&held)), want, "{known:?}");
        }
        let raw = WireTransformer::builder().r#type(TransformerType::Raw).build();
        let written = Transformer {
            r#type: RAW.to_owned(),
            expression: None,
        };
        assert_eq!(held_transformer(None, Some(&raw)), None);
        assert_eq!(held_transformer(Some(&written), Some(&raw)), Some(written));
    }

    #[test]
    fn what_is_written_of_a_batch_is_compared() {
        let held = BatchConfiguration::builder()
            .max_batch_size(10)
            .max_batch_window_in_seconds(0)
            .build();
        let batch = |size, window| Batch {
            maximum_batch_size: size,
            maximum_batch_window_in_seconds: window,
        };
        let waiting = BatchConfiguration::builder()
            .max_batch_size(10)
            .max_batch_window_in_seconds(7)
            .build();
        for (known, held, default, want) in [
            (None, &held, None, None),
            (
                Some(batch(Some(5), None)),
                &held,
                None,
                Some(batch(Some(10), None)),
            ),
            (
                Some(batch(None, Some(3))),
                &held,
                None,
                Some(batch(None, Some(0))),
            ),
            (Some(batch(None, None)), &held, None, Some(batch(None, None))),
            // Nothing waits unless it is told to, whatever the target.
            (None, &waiting, None, Some(batch(None, Some(7)))),
            (
                Some(batch(Some(10), None)),
                &waiting,
                None,
                Some(batch(Some(10), Some(7))),
            ),
            (None, &held, Some(10), None),
            (None, &held, Some(500), Some(batch(Some(10), None))),
        ] {
            assert_eq!(held_batch(known.as_ref(), Some(held), default), want, "{known:?}");
        }
        let stream = "arn:aws:kinesis:us-east-1:1:stream/s";
        assert_eq!(
            [batch_default(stream), batch_default("arn:aws:sqs:us-east-1:1:q")],
            [500, 10]
        );
    }

    #[test]
    fn a_time_that_is_written_otherwise_is_the_same() {
        let held = PointInTimeConfiguration::builder()
            .point_type(PointType::Timestamp)
            .starting_point(DateTime::from_secs(1_789_997_600))
            .build()
            .unwrap();
        let of = |text: &str| PointInTime {
            r#type: "TIMESTAMP".to_owned(),
            starting_point: Some(text.to_owned()),
            end_point: None,
        };
        for (known, want) in [
            ("2026-09-21T15:33:20+02:00", "2026-09-21T15:33:20+02:00"),
            ("2026-09-21T13:33:21Z", "2026-09-21T13:33:20Z"),
        ] {
            assert_eq!(held_point(Some(&of(known)), &held), of(want), "{known}");
        }
    }

    #[test]
    fn targets_of_another_kind_are_told() {
        for (target, is_known) in [
            ("arn:aws:sqs:us-east-1:1:q", true),
            ("arn:aws:events:::aws-sdk:cloudwatchlogs:putLogEvents", true),
            ("arn:aws:kafka:us-east-1:1:cluster/c/x", false),
            ("q", false),
        ] {
            assert_eq!(is_known_target(target), is_known, "{target}");
        }
    }
}
