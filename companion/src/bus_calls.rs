//! Calls to event buses of one's own: whether one is there, and events that are put to it.
//!
//! Classic's PutEvents answers success also for a bus that does not exist
//! (<https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>), so it is described before.

use aws_sdk_eventbridge::operation::describe_event_bus::DescribeEventBusOutput;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_eventbridgev2::operation::describe_event_bus::DescribeEventBusOutput as DescribeCustomBusOutput;
use aws_sdk_eventbridgev2::types::{
    BusState, PutEventsRequestEntry as CustomEntry, PutEventsSystemMetadata as SystemMetadata,
};

use crate::aws_calls::Operation;
use crate::aws_clients::{AwsClients, has};
use crate::aws_error::{AwsError, EntryError, EntryResults, SourceState, incomplete};
use crate::event_bus::{EventBus, Kind, is_of_partner};
use crate::store::Entry;
use crate::token::Digest;

/// The longest `EventGroupId` and `DeduplicationId`.
const ID_CHARS_MAX: usize = 128;

/// Whether an event bus can be put to, as the state of a source that it stands for.
pub(crate) async fn state(clients: &AwsClients, bus: &EventBus) -> Result<SourceState, AwsError> {
    let described = match bus.kind {
        Kind::Classic => describe_classic(clients, bus).await,
        Kind::Custom => describe_custom(clients, bus).await,
    };
    match described {
        Err(AwsError::Refused { code, .. }) if code == "ResourceNotFoundException" => Ok(SourceState::NoBus),
        other => other,
    }
}

async fn describe_classic(clients: &AwsClients, bus: &EventBus) -> Result<SourceState, AwsError> {
    let call = clients
        .classic(&bus.region)
        .describe_event_bus()
        .name(&bus.arn)
        .send();
    let judge = |described: &DescribeEventBusOutput| has(described.arn().is_some());
    let described = clients
        .called(&bus.region, Operation::DescribeEventBus, call, judge)
        .await?;
    described.arn().ok_or_else(|| incomplete("the event bus's ARN"))?;
    Ok(SourceState::Active)
}

async fn describe_custom(clients: &AwsClients, bus: &EventBus) -> Result<SourceState, AwsError> {
    let call = clients
        .custom(&bus.region)
        .describe_event_bus()
        .event_bus_arn(&bus.arn)
        .send();
    let judge = |described: &DescribeCustomBusOutput| has(described.state().is_some());
    let described = clients
        .called(&bus.region, Operation::DescribeCustomEventBus, call, judge)
        .await?;
    of_custom(described.state())
}

/// What the state of a custom event bus means for events: AWS refuses them in all states but those that are taken for active here.
fn of_custom(state: Option<&BusState>) -> Result<SourceState, AwsError> {
    match state {
        Some(BusState::Active | BusState::Updating | BusState::UpdateFailed) => Ok(SourceState::Active),
        Some(BusState::Deleting | BusState::CreateFailed) => Ok(SourceState::NoBus),
        Some(other) => Err(AwsError::Retryable(format!(
            "The event bus is {}, and takes no events",
            other.as_str()
        ))),
        None => Err(incomplete("the event bus's state")),
    }
}

/// Puts events of any connections to an event bus: one result an entry, in their order. What is of a connection to another AWS account
/// is not sent: whoever started the service with another bus did not mean it to go there.
pub(crate) async fn put(
    clients: &AwsClients,
    bus: &EventBus,
    entries: &[Entry],
) -> Result<EntryResults, AwsError> {
    let is_meant = |entry: &&Entry| entry.aws_account_id == bus.account && !is_of_partner(&entry.source);
    let meant: Vec<&Entry> = entries.iter().filter(is_meant).collect();
    let mut results = if meant.is_empty() {
        Vec::new()
    } else {
        match bus.kind {
            Kind::Classic => put_classic(clients, bus, &meant).await?,
            Kind::Custom => put_custom(clients, bus, &meant).await?,
        }
    }
    .into_iter();
    let each = entries.iter().map(|entry| {
        if is_meant(&entry) {
            results.next().unwrap_or_else(|| Err(EntryError::no_result()))
        } else {
            Err(EntryError {
                code: "NoEventBus".to_owned(),
                message: format!(
                    "`{}` is not what the connection to AWS account {} was made for",
                    bus.arn, entry.aws_account_id
                ),
            })
        }
    });
    Ok(each.collect())
}

async fn put_classic(
    clients: &AwsClients,
    bus: &EventBus,
    entries: &[&Entry],
) -> Result<EntryResults, AwsError> {
    let sent = entries.iter().map(|entry| {
        PutEventsRequestEntry::builder()
            .event_bus_name(&bus.arn)
            .source(&entry.source)
            .detail_type(&entry.detail_type)
            .detail(&entry.detail)
            .time(DateTime::from_millis(entry.time_ms))
            .build()
    });
    let call = clients
        .classic(&bus.region)
        .put_events()
        .set_entries(Some(sent.collect()))
        .send();
    clients
        .put(
            &bus.region,
            (Operation::PutEvents, entries.len()),
            call,
            |answer| {
                let entries = answer.entries().iter();
                let said = entries.map(|entry| (entry.event_id(), entry.error_code(), entry.error_message()));
                said.collect()
            },
        )
        .await
}

async fn put_custom(
    clients: &AwsClients,
    bus: &EventBus,
    entries: &[&Entry],
) -> Result<EntryResults, AwsError> {
    let sent = entries.iter().map(|entry| {
        let system = SystemMetadata::builder()
            .event_group_id(id(format!("{}/{}", entry.connection_id, entry.lane)))
            .deduplication_id(id(entry.event_id.clone()))
            .build();
        CustomEntry::builder()
            .source(&entry.source)
            .detail_type(&entry.detail_type)
            .detail(&entry.detail)
            .time(DateTime::from_millis(entry.time_ms))
            .system_metadata(system)
            .build()
            .map_err(|error| AwsError::Retryable(format!("An event cannot be put: {error}")))
    });
    let sent = sent.collect::<Result<Vec<_>, _>>()?;
    let call = clients
        .custom(&bus.region)
        .put_events()
        .event_bus_arn(&bus.arn)
        .set_entries(Some(sent))
        .send();
    clients
        .put(
            &bus.region,
            (Operation::PutCustomEvents, entries.len()),
            call,
            |answer| {
                let entries = answer.entries().iter();
                let said = entries.map(|entry| (entry.event_id(), entry.error_code(), entry.error_message()));
                said.collect()
            },
        )
        .await
}

/// An id that AWS takes: one that is longer is its SHA-256.
fn id(text: String) -> String {
    if text.chars().count() <= ID_CHARS_MAX {
        return text;
    }
    Digest::of(&text).hex()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_custom_bus_takes_events_in_some_states() {
        for (state, want) in [
            ("ACTIVE", Some(SourceState::Active)),
            ("UPDATING", Some(SourceState::Active)),
            ("UPDATE_FAILED", Some(SourceState::Active)),
            ("DELETING", Some(SourceState::NoBus)),
            ("CREATE_FAILED", Some(SourceState::NoBus)),
            ("CREATING", None),
            ("DELETE_FAILED", None),
            ("SOMETHING_NEW", None),
        ] {
            assert_eq!(of_custom(Some(&BusState::from(state))).ok(), want, "{state}");
        }
        assert!(of_custom(None).is_err());
    }

    #[test]
    fn a_long_id_is_its_digest() {
        for (length, want) in [(1, 1), (128, 128), (129, 64), (1_000, 64)] {
            assert_eq!(id("x".repeat(length)).len(), want, "{length}");
        }
        assert_ne!(id("x".repeat(129)), id("x".repeat(130)));
    }
}
