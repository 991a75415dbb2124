//! Checks of what a client sends for a connection.

use scalr_api::{ConnectionInput, Status};
use scalr_events::{SOURCE_LENGTH_MAX, SegmentError, check_source_segment, is_aws_account_id};

use crate::api::error::ApiError;
use crate::caller::Caller;
use crate::event_bus::{EventBuses, OF_PARTNERS};
use crate::ids;
use crate::region::is_region;
use crate::store::{self, NewConnection, SourceKey, StoreError};

/// What a new connection is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// Its name.
    Name,
    /// The AWS account.
    AwsAccountId,
    /// The region.
    Region,
}

impl Field {
    /// The attribute of the API.
    pub(crate) const fn attribute(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::AwsAccountId => "aws-account-id",
            Self::Region => "region",
        }
    }
}

/// The value of a field of a new connection, or what is wrong with it.
pub(crate) fn check_field(caller: &Caller, field: Field, value: Option<&str>) -> Result<String, ApiError> {
    let attribute = field.attribute();
    let wrong = |detail: String| Err(ApiError::attribute(attribute, detail));
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return wrong(format!("`{attribute}` is required."));
    };
    match field {
        Field::Name if matches!(check_source_segment(value), Err(SegmentError::Letter(_))) => wrong(
            "A name holds letters, digits, `.`, `-` and `_` only: it is part of the event source's name."
                .to_owned(),
        ),
        Field::Name => match source(caller, value).len().saturating_sub(SOURCE_LENGTH_MAX) {
            0 => Ok(value.to_owned()),
            over => wrong(format!(
                "The name is {over} characters too long: an event source's name has at most {SOURCE_LENGTH_MAX}."
            )),
        },
        Field::AwsAccountId if !is_aws_account_id(value) => {
            wrong("An AWS account id is 12 digits.".to_owned())
        }
        Field::Region if !is_region(value) => {
            wrong("This is no AWS region; one is spelled like `us-east-1`.".to_owned())
        }
        Field::AwsAccountId | Field::Region => Ok(value.to_owned()),
    }
}

/// The name of a connection's event source.
fn source(caller: &Caller, name: &str) -> String {
    format!("{}/{}/{name}", scalr_events::SOURCE_PREFIX, caller.account_name)
}

/// The connection that a call creates, or what is wrong with the call.
pub(super) fn valid(
    caller: &Caller,
    input: &ConnectionInput,
    buses: &EventBuses,
    now_ms: i64,
) -> Result<NewConnection, ApiError> {
    let given = |field, value: &Option<String>| check_field(caller, field, value.as_deref());
    // What is missing is said before what is wrong.
    for (field, value) in [
        (Field::Name, &input.name),
        (Field::AwsAccountId, &input.aws_account_id),
        (Field::Region, &input.region),
    ] {
        if value.as_deref().is_none_or(str::is_empty) {
            given(field, value)?;
        }
    }
    let name = given(Field::Name, &input.name)?;
    let aws_account_id = given(Field::AwsAccountId, &input.aws_account_id)?;
    let region = given(Field::Region, &input.region)?;
    if !matches!(input.status, None | Some(Status::Pending)) {
        return Err(ApiError::attribute(
            "status",
            "A new connection is `pending`; its status is set with PATCH.",
        ));
    }
    let mut source = source(caller, &name);
    if !buses.is_empty() {
        has_bus(buses, &region, &aws_account_id)?;
        // Only a partner's events have a source that begins so.
        source = source.replacen(OF_PARTNERS, "", 1);
    }
    Ok(NewConnection {
        id: ids::new("in")?,
        account_id: caller.account_id.clone(),
        source: SourceKey {
            name: source,
            region,
            aws_account_id,
        },
        name,
        now_ms,
    })
}

/// Refuses a connection to where the service puts no events.
fn has_bus(buses: &EventBuses, region: &str, account: &str) -> Result<(), ApiError> {
    let there = buses
        .iter()
        .map(|bus| bus.arn.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    let (attribute, what) = match buses.of_region(region) {
        None => ("region", format!("in {region}")),
        Some(bus) if bus.account != account => {
            ("aws-account-id", format!("of AWS account {account} in {region}"))
        }
        Some(_) => return Ok(()),
    };
    Err(ApiError::attribute(
        attribute,
        format!(
            "This service puts events to event buses of its own (`--put-events-to`), and none of them is {what}: {there}."
        ),
    ))
}

/// Refuses a change of what identifies the source: the bus in the customer's account has the same name.
pub(super) fn unchanged(row: &store::Connection, input: &ConnectionInput) -> Result<(), ApiError> {
    for (attribute, have, given) in [
        ("name", &row.name, &input.name),
        (
            "aws-account-id",
            &row.source.aws_account_id,
            &input.aws_account_id,
        ),
        ("region", &row.source.region, &input.region),
    ] {
        if given.as_ref().is_some_and(|given| given != have) {
            let detail =
                format!("`{attribute}` cannot be changed; delete the connection and create another.");
            return Err(ApiError::attribute(attribute, detail));
        }
    }
    Ok(())
}

/// The error of an insert that a unique index refused.
pub(super) fn taken(error: StoreError, new: &NewConnection) -> ApiError {
    let SourceKey {
        region,
        aws_account_id,
        ..
    } = &new.source;
    match error.unique() {
        Some(message) if message.contains("aws_account_id") => ApiError::Conflict {
            pointer: "/data/attributes/region".into(),
            detail: format!(
                "This account has a connection to AWS account {aws_account_id} in {region}; there can be one only."
            ),
        },
        Some(_) => ApiError::Conflict {
            pointer: "/data/attributes/name".into(),
            detail: format!("This account has a connection named `{}` in {region}.", new.name),
        },
        None => error.into(),
    }
}
