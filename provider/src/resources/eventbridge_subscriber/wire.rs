//! A subscriber in AWS's terms: what is sent of it, and what AWS holds. AWS's defaults count as not set, unless the configuration
//! sets them too.

use aws_sdk_eventbridgev2::error::BuildError;
use aws_sdk_eventbridgev2::operation::describe_subscriber::DescribeSubscriberOutput;
use aws_sdk_eventbridgev2::types::{
    Filter as WireFilter, FilterConfiguration, FilterScope, InvokeConfiguration, JsonataConfiguration,
    OnFailureConfiguration, OrderingType, RetryPolicy, RetryStrategy, SubscriberState,
    Transformer as WireTransformer, TransformerType, UniversalTargetParameters, UpdateInvokeConfiguration,
};

use super::Subscriber;
use super::parts::{Filter, Retry, Transformer};
use crate::aws::custom_writes::written;
use crate::aws::{arn, filled, held_text};
use crate::values::Json;

/// AWS's defaults of a retry policy.
const ATTEMPTS_DEFAULT: i64 = 5;
const AGE_DEFAULT: i64 = 300;
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
    pub(super) fn with(&mut self, held: &DescribeSubscriberOutput) {
        self.arn = held.subscriber_arn().map(str::to_owned);
        held.event_bus_arn()
            .unwrap_or_default()
            .clone_into(&mut self.event_bus_arn);
        if let Some(invoke) = held.invoke_configuration() {
            invoke.target_arn().clone_into(&mut self.target_arn);
            invoke.role_arn().clone_into(&mut self.role_arn);
            let input = invoke.universal_target_parameters().map(|held| held.input());
            self.input = filled(input).as_deref().map(Json::from);
        }
        held.r#type()
            .map_or("UNORDERED", OrderingType::as_str)
            .clone_into(&mut self.r#type);
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

    /// What UpdateSubscriber writes is not the same.
    pub(super) fn settings_differ(&self, other: &Self) -> bool {
        self.description != other.description
            || self.enabled != other.enabled
            || self.filter != other.filter
            || self.transformer != other.transformer
            || self.retry != other.retry
            || self.dead_letter_arn != other.dead_letter_arn
            || self.invoke_differs(other)
    }

    pub(super) fn invoke_differs(&self, other: &Self) -> bool {
        self.role_arn != other.role_arn || self.input != other.input
    }

    /// The target, as a creation has it.
    pub(super) fn wire_invoke(&self) -> Result<InvokeConfiguration, BuildError> {
        InvokeConfiguration::builder()
            .target_arn(&self.target_arn)
            .role_arn(&self.role_arn)
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
            .role_arn(&self.role_arn)
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
        let Some(input) = &self.input else {
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
