//! Checks of what a client sends for a connection.

use scalr_api::{ConnectionInput, Status};

use crate::api::error::ApiError;
use crate::caller::Caller;
use crate::ids;
use crate::region::is_region;
use crate::store::{self, NewConnection, SourceKey, StoreError};

/// Longest name of an event source at AWS.
const SOURCE_CHARS_MAX: usize = 256;
/// The connection that a call creates, or what is wrong with the call.
pub(super) fn valid(
    caller: &Caller,
    input: &ConnectionInput,
    now_ms: i64,
) -> Result<NewConnection, ApiError> {
    let given = |attribute: &'static str, value: &Option<String>| {
        let value = value.as_deref().filter(|value| !value.is_empty());
        value
            .map(str::to_owned)
            .ok_or_else(|| ApiError::attribute(attribute, format!("`{attribute}` is required.")))
    };
    let name = given("name", &input.name)?;
    let aws_account_id = given("aws-account-id", &input.aws_account_id)?;
    let region = given("region", &input.region)?;
    if !name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    {
        let detail =
            "A name holds letters, digits, `.`, `-` and `_` only: it is part of the event source's name.";
        return Err(ApiError::attribute("name", detail));
    }
    let source = format!("{}/{}/{name}", scalr_events::SOURCE_PREFIX, caller.account_name);
    if source.len() > SOURCE_CHARS_MAX {
        let over = source.len() - SOURCE_CHARS_MAX;
        let detail =
            format!("The name is {over} characters too long: an event source's name has at most 256.");
        return Err(ApiError::attribute("name", detail));
    }
    if aws_account_id.len() != 12 || !aws_account_id.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ApiError::attribute(
            "aws-account-id",
            "An AWS account id is 12 digits.",
        ));
    }
    if !is_region(&region) {
        return Err(ApiError::attribute(
            "region",
            "This is no AWS region; one is spelled like `us-east-1`.",
        ));
    }
    if !matches!(input.status, None | Some(Status::Pending)) {
        return Err(ApiError::attribute(
            "status",
            "A new connection is `pending`; its status is set with PATCH.",
        ));
    }
    Ok(NewConnection {
        id: ids::new("in")?,
        account_id: caller.account_id.clone(),
        name,
        source: SourceKey {
            name: source,
            region,
            aws_account_id,
        },
        now_ms,
    })
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
