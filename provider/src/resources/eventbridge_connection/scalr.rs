//! The connection at Scalr: created, waited for, paused and resumed.

use std::time::Duration;

use scalr_api::{
    ClientError, Connection as Wire, ConnectionAttributes, ConnectionId, ConnectionInput, Object, Status,
};
use tfplugin::{Diagnostics, Operation, Result, WaitEnd};

use super::Connection;
use super::messages::{self, doing};
use super::plan::Wanted;
use crate::failure::{Cause as _, Standing};
use crate::resources::messages::not_received;
use crate::resources::receiving::{Place, Receiver};
use crate::scalr::{Attributes, Scalr};
use crate::values::Region;

/// How often Scalr is asked whether the event source has its name, and whether a pause or its end has taken effect.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// How many times the status is read back after the call that changes it.
const READ_BACK_MAX: u32 = 5;

/// Where the server's errors point, and the attribute behind it.
const ATTRIBUTES: Attributes = &[
    ("/data/attributes/name", || Connection::name().into()),
    ("/data/attributes/aws-account-id", || {
        Connection::aws_account_id().into()
    }),
    ("/data/attributes/region", || Connection::region().into()),
    ("/data/attributes/status", || Connection::enabled().into()),
];

impl Connection {
    /// Whether what was written holds. An import has nothing to hold.
    pub(super) fn is_as_written(&self, object: &Object<Wire>) -> bool {
        let now = self.clone().with(object);
        let written = |it: &Self| {
            let place = (it.name.clone(), it.aws_account_id.clone(), it.region.clone());
            (place, it.enabled)
        };
        self.name.is_empty() || written(self) == written(&now)
    }

    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            name: Some(&self.name),
            account: &self.aws_account_id,
            region: &self.region,
        }
    }

    /// One that nothing is known of but what the wire says.
    pub fn found(object: &Object<Wire>) -> Self {
        let wire = object.attributes.clone();
        Self {
            name: wire.name,
            aws_account_id: wire.aws_account_id,
            region: Region::from(&*wire.region),
            enabled: wire.status != Status::Disabled,
            id: Some(object.id.to_string()),
            event_source_name: wire.event_source,
            event_source_arn: wire.event_source_arn,
            account_id: object.relationships.account.id().map(ToString::to_string),
            status: Some(wire.status.to_string()),
            error_message: wire.err_message.filter(|text| !text.is_empty()),
        }
    }
}

/// Creates the connection.
pub(super) async fn create(scalr: &Scalr, plan: &Connection) -> Result<Object<Wire>> {
    let input = ConnectionInput {
        name: Some(plan.name.clone()),
        aws_account_id: Some(plan.aws_account_id.clone()),
        region: Some(plan.region.to_string()),
        status: None,
    };
    match scalr.api.create_connection(input).await {
        Ok(made) => Ok(made),
        Err(error) => Err(not_created(scalr, plan, error).await),
    }
}

/// What an error of the call that creates says of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Creation {
    /// It was refused, perhaps since there is another connection.
    Refused,
    /// It may be there.
    Unsure,
}

impl Creation {
    fn of(error: &ClientError) -> Option<Self> {
        match error {
            ClientError::Refused(refusal) if matches!(refusal.status, 409 | 422) => Some(Self::Refused),
            ClientError::Refused(refusal) if refusal.status >= 500 => Some(Self::Unsure),
            ClientError::NoAnswer { .. } | ClientError::NotTheApi { .. } | ClientError::Incomplete { .. } => {
                Some(Self::Unsure)
            }
            _ => None,
        }
    }
}

/// Why the connection could not be created; where one is in the way, how to import it.
async fn not_created(scalr: &Scalr, plan: &Connection, error: ClientError) -> Diagnostics {
    let creation = Creation::of(&error);
    let failed = scalr.failed(error).attributes(ATTRIBUTES);
    let doing = doing::create(&plan.name);
    let Some(creation) = creation else {
        return failed.during(doing);
    };
    let all = scalr.api.connections(None).await.unwrap_or_default();
    let plan = plan.wanted();
    let holder = all.iter().find(|other| plan.is_taken_by(other));
    match (holder, creation) {
        (Some(holder), Creation::Refused) => messages::taken(&plan, holder).into(),
        (None, Creation::Refused) => failed.during(doing),
        (Some(holder), Creation::Unsure) => {
            failed.during_with(doing, &Standing::same(messages::there_now(&plan, holder)))
        }
        (None, Creation::Unsure) => failed.during_with(doing, &Standing::same(messages::NOT_THERE_YET)),
    }
}

/// Pauses a connection that was just made. It exists, so whatever fails is a warning.
pub(super) async fn pause_new(
    object: Object<Wire>,
    scalr: &Scalr,
    plan: &Connection,
    operation: &Operation<'_, Connection>,
) -> Object<Wire> {
    let input = ConnectionInput::status(Status::Disabled);
    match scalr.api.update_connection(&object.id, input).await {
        Ok(answered) => {
            let answered = until_settled(answered, false, scalr, operation).await;
            if let Err(other) = plan.check_enabled(&answered) {
                warn_all(operation, &other);
            }
            answered
        }
        Err(error) => {
            let standing = Standing::same(messages::NOT_PAUSED);
            warn_all(
                operation,
                &scalr
                    .failed(error)
                    .during_with(doing::pause(&plan.name), &standing),
            );
            object
        }
    }
}

/// Resumes or pauses the connection, as planned, and reads back what came of it.
pub(super) async fn enable(
    scalr: &Scalr,
    id: &ConnectionId,
    plan: &Connection,
    operation: &Operation<'_, Connection>,
) -> Result<Object<Wire>> {
    if !plan.enabled {
        let answered = switch(scalr, id, plan).await?;
        return Ok(until_settled(answered, false, scalr, operation).await);
    }
    let before = read(scalr, id).await?;
    let receiver = receiver(operation, &before.attributes).await;
    if let Some(receiver) = &receiver
        && let Some(bus) = receiver.bus().await
        && let Some(warning) = not_received(&bus, &before.attributes, messages::TARGETS_FIRST)
    {
        operation.warn(warning);
    }
    let answered = switch(scalr, id, plan).await?;
    match receiver {
        Some(receiver) if answered.attributes.status == Status::Pending && receiver.is_associated().await => {
            Ok(until_settled(answered, true, scalr, operation).await)
        }
        _ => Ok(answered),
    }
}

async fn receiver(operation: &Operation<'_, Connection>, wire: &ConnectionAttributes) -> Option<Receiver> {
    let place = Place {
        source: wire.event_source.as_deref()?,
        account: &wire.aws_account_id,
        region: &wire.region,
    };
    Receiver::of(operation, place).await
}

/// Reads the connection until its status is settled: it is paused, or no longer waits for its bus, which is there and which
/// Scalr is asked to look at. One that is paused meanwhile is left so.
async fn until_settled(
    mut object: Object<Wire>,
    enabled: bool,
    scalr: &Scalr,
    operation: &Operation<'_, Connection>,
) -> Object<Wire> {
    let mut attempts = operation.attempts(ASK_EVERY);
    while let Some(count) = attempts.next().await {
        if count > 0 {
            let Ok(found) = read(scalr, &object.id).await else {
                return object;
            };
            object = found;
            if enabled
                && object.attributes.status == Status::Pending
                && let Ok(refreshed) = scalr.api.refresh_connection(&object.id).await
            {
                object = refreshed;
            }
        }
        let status = &object.attributes.status;
        let (settled, waiting) = if enabled {
            (*status != Status::Pending, messages::not_active_yet(&object))
        } else {
            (*status == Status::Disabled, messages::not_paused_yet(&object))
        };
        if settled || count == READ_BACK_MAX {
            return object;
        }
        attempts.awaiting(waiting);
    }
    object
}

/// The call that resumes or pauses.
async fn switch(scalr: &Scalr, id: &ConnectionId, plan: &Connection) -> Result<Object<Wire>> {
    let (status, doing) = if plan.enabled {
        (Status::Active, doing::resume(&plan.name))
    } else {
        (Status::Disabled, doing::pause(&plan.name))
    };
    let answer = scalr
        .api
        .update_connection(id, ConnectionInput::status(status))
        .await;
    answer.map_err(|error| match error {
        ClientError::Refused(refusal) if refusal.is_gone() => messages::gone(id).into(),
        error => scalr.failed(error).attributes(ATTRIBUTES).during(doing),
    })
}

/// Waits until Scalr names the event source. The connection exists, so whatever happens is a warning: an error would
/// have Terraform replace it.
pub(super) async fn await_source(
    mut object: Object<Wire>,
    scalr: &Scalr,
    operation: &Operation<'_, Connection>,
) -> Object<Wire> {
    let mut attempts = operation.attempts(ASK_EVERY);
    while let Some(attempt) = attempts.next().await {
        if attempt > 0 {
            match read(scalr, &object.id).await {
                Ok(found) => object = found,
                Err(failed) => {
                    let why = if operation.cancelled().is_cancelled() {
                        messages::INTERRUPTED
                    } else {
                        warn_all(operation, &failed);
                        messages::NOT_ASKED
                    };
                    operation.warn(messages::no_name_yet(&object, why));
                    return object;
                }
            }
        }
        let wire = &object.attributes;
        if wire.event_source.is_some() || wire.status == Status::Failed {
            return object;
        }
        attempts.awaiting(messages::awaited(&wire.name, &object.id));
    }
    let why = match attempts.end() {
        WaitEnd::TimedOut { .. } => messages::NOT_NAMED_IN_TIME,
        WaitEnd::Cancelled { .. } => messages::INTERRUPTED,
    };
    operation.warn(messages::no_name_yet(&object, why));
    object
}

/// The connection, which must be there.
pub(super) async fn read(scalr: &Scalr, id: &ConnectionId) -> Result<Object<Wire>> {
    scalr
        .connection(id)
        .await?
        .ok_or_else(|| messages::gone(id).into())
}

fn warn_all(operation: &Operation<'_, Connection>, diagnostics: &Diagnostics) {
    for diagnostic in diagnostics {
        operation.warn(diagnostic.clone());
    }
}
