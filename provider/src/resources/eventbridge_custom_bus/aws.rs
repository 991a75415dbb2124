//! The custom event bus at AWS: made, changed, deleted, and what each of these waits for.

use std::ops::ControlFlow::{Break, Continue};

use aws_sdk_eventbridgev2::operation::describe_event_bus::DescribeEventBusOutput;
use aws_sdk_eventbridgev2::types::{BusState, EncryptionConfiguration, StorageConfiguration};
use tfplugin::{Operation, Result, WaitEnd};
use uuid::Uuid;

use super::CustomBus;
use super::messages::{self, doing};
use crate::aws::custom::{is_on_its_way, retention, wire_custom_tags};
use crate::aws::custom_writes::{EVERY, Sight, create as create_once, held_key, note_key, settle, settled};
use crate::aws::retry::{Attempted, InTheWay, Retry};
use crate::aws::tags::Tags;
use crate::aws::{Error, Regional, held_text, written};

/// How often a name is asked for again that AWS refuses and shows no bus of.
const VANISHED_MAX: u32 = 3;
/// How often a deletion that failed by itself is asked for again.
const DELETIONS_MAX: u32 = 3;

/// A bus that has just been made.
#[derive(Debug, Default)]
pub(super) struct Made {
    pub(super) arn: String,
    pub(super) state: Option<String>,
    pub(super) creation_time: Option<String>,
}

/// Makes the bus.
pub(super) async fn create(
    operation: &Operation<'_, CustomBus>,
    aws: &Regional,
    plan: &CustomBus,
    tags: &Tags,
) -> Result<Made> {
    const CALL: &str = "eventsv2:CreateEventBus";
    let (name, token) = (&plan.name, Uuid::new_v4().to_string());
    let call = aws.custom.create_event_bus().name(name).client_token(token);
    let call = call
        .set_description(plan.description.clone())
        .storage_configuration(plan.wire_storage())
        .set_encryption_configuration(plan.kms_key_identifier.is_some().then(|| plan.wire_key()))
        .set_tags(wire_custom_tags(tags));
    let send = || {
        let sent = call.clone().send();
        async move {
            let bus = sent.await.map_err(|e| aws.failed(CALL, e))?;
            Ok(Made {
                arn: aws.given(CALL, "EventBusArn", bus.event_bus_arn)?,
                state: bus.state.map(|state| state.as_str().to_owned()),
                creation_time: bus.creation_time.as_ref().and_then(written),
            })
        }
    };
    for _ in 0..=VANISHED_MAX {
        if let Some(made) = create_once(operation, messages::creation(name), &send).await? {
            return Ok(made);
        }
        until_free(operation, aws, name).await?;
    }
    Err(messages::exists(name, &aws.name, None).into())
}

/// Waits until a bus of the name that is being deleted is gone. One that stays is an error.
async fn until_free(operation: &Operation<'_, CustomBus>, aws: &Regional, name: &str) -> Result<()> {
    let creation = messages::creation(name);
    let doing = format!("make {}", creation.what);
    let mut retry = Retry::new(operation, EVERY, doing, creation.standing);
    while retry.next().await {
        let attempted = match holder(aws, name).await {
            Holder::Going => Ok(Continue(messages::is_still(name, BusState::Deleting.as_str()))),
            Holder::NotShown => Ok(Break(())),
            Holder::Stays(arn) => return Err(messages::exists(name, &aws.name, arn.as_deref()).into()),
        };
        if let Some(done) = retry.judge(attempted) {
            return done;
        }
    }
    Err(retry.given_up())
}

/// What has the name of a bus that AWS refuses to make.
enum Holder {
    /// A bus with this ARN, by which it can be imported, if AWS shows it.
    Stays(Option<String>),
    /// It is being deleted, and the name is free once it is gone.
    Going,
    /// It may have gone between the two calls.
    NotShown,
}

async fn holder(aws: &Regional, name: &str) -> Holder {
    let Ok(buses) = aws.custom_buses(name).await else {
        return Holder::Stays(None);
    };
    match buses.into_iter().find(|bus| bus.name() == Some(name)) {
        Some(bus) if bus.state() == Some(&BusState::Deleting) => Holder::Going,
        Some(bus) => Holder::Stays(bus.event_bus_arn),
        None => Holder::NotShown,
    }
}

/// What a bus was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Create,
    Update,
}

/// Writes the settings that changed: AWS keeps what a call does not mention.
pub(super) async fn update(
    operation: &Operation<'_, CustomBus>,
    aws: &Regional,
    plan: &CustomBus,
    prior: &CustomBus,
) -> Result<()> {
    let call = aws.custom.update_event_bus().event_bus_arn(plan.known_arn());
    let description = plan.description.clone().unwrap_or_default();
    let call = call
        .set_description((plan.description != prior.description).then_some(description))
        .set_storage_configuration(plan.retention_differs(prior).then(|| plan.wire_storage()))
        .set_encryption_configuration(plan.key_differs(prior).then(|| plan.wire_key()));
    let mut retry = Retry::new(
        operation,
        EVERY,
        doing::change(&plan.name),
        messages::after_changing(),
    );
    while retry.next().await {
        let answer = call.clone().send().await;
        let answer = answer.map_err(|e| aws.failed("eventsv2:UpdateEventBus", e));
        let attempted = match answer {
            Ok(_) => Ok(Break(())),
            Err(e) => while_on_its_way(aws, plan, e).await,
        };
        if let Some(done) = retry.judge(attempted) {
            return done;
        }
    }
    Err(retry.given_up())
}

/// A call that the state of the bus does not allow is tried again while the bus is about to be in another.
async fn while_on_its_way(aws: &Regional, bus: &CustomBus, error: Error) -> Attempted {
    if error.code() != Some("InvalidStateException") {
        return Err(error);
    }
    match aws.custom_bus(bus.known_arn()).await? {
        Some(held) if held.state().is_some_and(is_on_its_way) => {
            Ok(Continue(messages::is_still(&bus.name, state_of(&held))))
        }
        _ => Err(error),
    }
}

/// Deletes the bus, and waits until it is gone.
pub(super) async fn delete(
    operation: &Operation<'_, CustomBus>,
    aws: &Regional,
    state: &CustomBus,
) -> Result<()> {
    for deletion in 1.. {
        ask_to_delete(operation, aws, state).await?;
        let awaited = |held: Option<&DescribeEventBusOutput>| {
            let held =
                held.filter(|held| held.state().is_some_and(|state| *state != BusState::DeleteFailed))?;
            Some(messages::is_still(&state.name, state_of(held)))
        };
        let look = || aws.custom_bus(state.known_arn());
        match settled(operation, sight(&state.name), look, awaited).await? {
            Ok(None) => break,
            Ok(Some(_)) if deletion < DELETIONS_MAX => {}
            Ok(Some(held)) => return Err(messages::not_deleted(&state.name, &held).into()),
            Err(end) => return Err(messages::deletion_not_seen(&state.name, &end).into()),
        }
    }
    Ok(())
}

async fn ask_to_delete(
    operation: &Operation<'_, CustomBus>,
    aws: &Regional,
    state: &CustomBus,
) -> Result<()> {
    let name = &state.name;
    let mut retry = Retry::new(operation, EVERY, doing::delete(name), messages::after_deleting());
    let mut in_the_way = InTheWay::default();
    while retry.next().await {
        let call = aws.custom.delete_event_bus().event_bus_arn(state.known_arn());
        let answer = call.send().await;
        let attempted = match answer.map_err(|e| aws.failed("eventsv2:DeleteEventBus", e)) {
            Ok(_) => Ok(Break(())),
            Err(e) if e.is_not_found() => Ok(Break(())),
            Err(e) if e.code() == Some("ResourceInUseException") => {
                match aws.on_custom_bus(state.known_arn()).await {
                    Ok(left) => {
                        if in_the_way.stays(&left.concat(), false) {
                            return Err(messages::in_use(state, &aws.name, &left, &e).into());
                        }
                        Ok(Continue(messages::still_in_use(name, &left)))
                    }
                    Err(unread) => Err(unread),
                }
            }
            Err(e) => while_on_its_way(aws, state, e).await,
        };
        if let Some(done) = retry.judge(attempted) {
            return done;
        }
    }
    Err(retry.given_up())
}

/// A look at the bus during a wait.
fn sight(name: &str) -> Sight {
    Sight {
        doing: doing::see(name),
        not_seen: messages::not_seen(),
    }
}

fn state_of(held: &DescribeEventBusOutput) -> &str {
    held.state().map_or("", BusState::as_str)
}

impl CustomBus {
    /// Waits until a bus that was made or changed stays as it is. It exists: what only ends the wait is a warning, and the next plan
    /// shows the state.
    pub(super) async fn settle(
        &mut self,
        operation: &Operation<'_, Self>,
        aws: &Regional,
        change: Change,
    ) -> Result<()> {
        let (name, arn) = (&self.name, self.known_arn());
        let awaited = |held: Option<&DescribeEventBusOutput>| match held {
            // AWS may not show a new one at once.
            None => (change == Change::Create).then(|| messages::is_still(name, "not shown")),
            Some(held) if held.state().is_some_and(is_on_its_way) => {
                Some(messages::is_still(name, state_of(held)))
            }
            Some(_) => None,
        };
        let late = |end: &WaitEnd| messages::not_active_yet(name, end);
        let held = match settle(operation, sight(name), || aws.custom_bus(arn), awaited, late).await {
            Some(Some(held)) => held,
            Some(None) => return Err(messages::gone(name, &aws.name).into()),
            None => return Ok(()),
        };
        self.state = Some(state_of(&held).to_owned());
        note_key(operation, self.kms_key_identifier.as_deref(), key_of(&held));
        self.creation_time = held.creation_time().and_then(written);
        let failed = match held.state() {
            Some(BusState::Active) => false,
            Some(BusState::UpdateFailed) => self.key_is_refused(&held, change),
            _ => true,
        };
        if failed {
            return Err(messages::failed(&self.name, &held, change).into());
        }
        Ok(())
    }

    /// Whether the update that failed is this one: an earlier one leaves the same state.
    fn key_is_refused(&self, held: &DescribeEventBusOutput, change: Change) -> bool {
        let mut now = self.clone();
        now.with(held, None);
        change == Change::Update && now.key_differs(self)
    }

    /// Takes what AWS holds. `of_alias`: the ARN that it last showed of the key that is written.
    pub(super) fn with(&mut self, held: &DescribeEventBusOutput, of_alias: Option<&str>) {
        self.arn = held.event_bus_arn().map(str::to_owned);
        self.retention_in_days = retention(held).unwrap_or(self.retention_in_days);
        self.description = held_text(self.description.as_deref(), held.description());
        self.kms_key_identifier = held_key(self.kms_key_identifier.as_deref(), key_of(held), of_alias);
        self.state = Some(state_of(held).to_owned());
        self.creation_time = held.creation_time().and_then(written);
    }

    /// What UpdateEventBus writes is not the same.
    pub(super) fn settings_differ(&self, other: &Self) -> bool {
        self.description != other.description || self.retention_differs(other) || self.key_differs(other)
    }

    fn retention_differs(&self, other: &Self) -> bool {
        self.retention_in_days != other.retention_in_days
    }

    pub(super) fn key_differs(&self, other: &Self) -> bool {
        self.kms_key_identifier != other.kms_key_identifier
    }

    fn wire_storage(&self) -> StorageConfiguration {
        let days = i32::try_from(self.retention_in_days).ok();
        StorageConfiguration::builder()
            .set_retention_period_in_days(days)
            .build()
    }

    /// Without a key it is one that AWS owns.
    fn wire_key(&self) -> EncryptionConfiguration {
        EncryptionConfiguration::builder()
            .set_kms_key_identifier(self.kms_key_identifier.clone().filter(|key| !key.is_empty()))
            .build()
    }
}

/// The key that AWS shows.
fn key_of(held: &DescribeEventBusOutput) -> Option<&str> {
    let key = held.encryption_configuration()?.kms_key_identifier()?;
    Some(key).filter(|key| !key.is_empty())
}
