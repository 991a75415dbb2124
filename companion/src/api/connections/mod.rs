//! `/integrations/aws-event-bridge`: connections to AWS EventBridge.
//!
//! Creating one writes its row first and then creates the source at AWS. `PATCH` with status `active` is "Refresh
//! status": the source's state is read from AWS, and the answer has the resulting status. `disabled` pauses the stream.

mod input;

pub(crate) use input::{Field, check_field};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use scalr_api::{
    Connection, ConnectionAttributes, ConnectionInput, ConnectionRelationships, Object, Status, ToOne,
};

use super::answer::{Answer, document};
use super::error::ApiError;
use super::form::Form;
use super::page::Listing;
use crate::app::App;
use crate::audit::{self, Change};
use crate::caller::{Admin, May, Read};
use crate::event_bus::is_of_partner;
use crate::panics;
use crate::routes::Routes;
use crate::sources::ObservedStatus;
use crate::store::{self, SourceKey};

/// Connections of an account; each has a worker of its own while it sends.
const CONNECTIONS_MAX: u64 = 1000;

pub(super) fn routes() -> Routes<App> {
    Routes::new()
        .get("/integrations/aws-event-bridge", list)
        .post("/integrations/aws-event-bridge", create)
        .get("/integrations/aws-event-bridge/{id}", read)
        .patch("/integrations/aws-event-bridge/{id}", update)
        .delete("/integrations/aws-event-bridge/{id}", delete)
}

fn object(row: store::Connection) -> Object<Connection> {
    let made = row.source_made;
    // Events that are put to an event bus have a source, and no event source.
    let is_event_source = is_of_partner(&row.source.name);
    let arn = is_event_source.then(|| arn(&row.source));
    let attributes = ConnectionAttributes {
        name: row.name,
        aws_account_id: row.source.aws_account_id,
        region: row.source.region,
        status: row.status,
        err_message: row.error_message,
        event_source: made.then_some(row.source.name),
        event_source_arn: arn.filter(|_| made),
    };
    let mut object = Object::new(row.id, attributes);
    object.relationships = ConnectionRelationships {
        account: ToOne::to(row.account_id),
    };
    object
}

/// The source's ARN in the customer's account; it has no account part.
fn arn(source: &SourceKey) -> String {
    let (region, name) = (&source.region, &source.name);
    format!(
        "arn:{}:events:{region}::event-source/{name}",
        aws_local::partition(region)
    )
}

pub(crate) fn missing(id: &str) -> ApiError {
    ApiError::NotFound(format!("connection `{}`", id.escape_debug()))
}

async fn list(
    State(app): State<App>,
    caller: May<Read>,
    listing: Listing,
) -> Result<impl IntoResponse, ApiError> {
    let filters = listing.filters(["name"])?;
    let found = app
        .store
        .connections(&caller.account_id, filters, listing.window())
        .await?;
    Ok(Answer(StatusCode::OK, listing.answer(found, object)))
}

async fn read(
    State(app): State<App>,
    caller: May<Read>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let row = app
        .store
        .connection(&caller.account_id, &id)
        .await?
        .ok_or_else(|| missing(&id))?;
    Ok(document(StatusCode::OK, object(row)))
}

/// Runs a change to its end even if the client disconnects meanwhile.
async fn uninterrupted<T: Send + 'static>(
    work: impl Future<Output = Result<T, ApiError>> + Send + 'static,
) -> Result<T, ApiError> {
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(error) => Err(ApiError::Panicked(error)),
    }
}

/// Applies a committed change at AWS. An error is logged and not returned to the caller, whose change is committed; the
/// reconciler retries it.
async fn follow_up(work: impl Future<Output = store::Result<()>> + Send + 'static) {
    match tokio::spawn(work).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(
            error = &error as &dyn std::error::Error,
            "a committed change is not applied at AWS yet"
        ),
        Err(error) => tracing::error!(
            error = panics::describe(&error),
            "a committed change is not applied at AWS yet"
        ),
    }
}

/// A connection as it is stored now, or as it was committed where it cannot be read.
async fn current(app: &App, committed: store::Connection) -> store::Connection {
    match app.store.connection_by_id(&committed.id).await {
        Ok(now) => now.unwrap_or(committed),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a connection cannot be read again"
            );
            committed
        }
    }
}

async fn create(
    State(app): State<App>,
    caller: May<Admin>,
    Form(input): Form<Connection>,
) -> Result<impl IntoResponse, ApiError> {
    let made = make(app, caller, &input.attributes).await?;
    Ok(document(StatusCode::CREATED, object(made)))
}

/// Creates a connection and its source; the connection as it is then.
pub(crate) async fn make(
    app: App,
    caller: May<Admin>,
    input: &ConnectionInput,
) -> Result<store::Connection, ApiError> {
    let new = input::valid(&caller, input, app.partner.buses(), app.clock.wall_ms())?;
    uninterrupted(async move {
        let mut tx = app.store.begin().await?;
        if tx.count_connections(&new.account_id).await? >= CONNECTIONS_MAX {
            return Err(ApiError::Invalid {
                pointer: "/data".into(),
                detail: format!("An account has at most {CONNECTIONS_MAX} connections."),
            });
        }
        tx.insert_connection(&new)
            .await
            .map_err(|error| input::taken(error, &new))?;
        let id = new.id.as_str();
        let row = tx.connection(&new.account_id, id).await?;
        let row = row.ok_or_else(|| missing(id))?;
        let change = change(
            "create-aws-event-bridge-integration",
            &new.id,
            &new.name,
            StatusCode::CREATED,
        );
        audit::record(&mut tx, &app.clock, &caller, &change).await?;
        tx.commit().await?;
        let sources = app.sources.clone();
        follow_up(async move { sources.ensure(&new.id).await }).await;
        Ok(current(&app, row).await)
    })
    .await
}

fn change(action: &'static str, id: &scalr_api::ConnectionId, name: &str, status: StatusCode) -> Change {
    use scalr_api::Kind as _;
    Change {
        action,
        kind: Connection::TYPE,
        id: id.to_string(),
        name: name.to_owned(),
        scope: None,
        status: status.as_u16(),
    }
}

async fn update(
    State(app): State<App>,
    caller: May<Admin>,
    Path(id): Path<String>,
    Form(input): Form<Connection>,
) -> Result<impl IntoResponse, ApiError> {
    if input.id.as_ref().is_some_and(|given| given.as_str() != id) {
        let detail = "The id in the body is not the path's.".to_owned();
        return Err(ApiError::Conflict {
            pointer: "/data/id".into(),
            detail,
        });
    }
    let row = app
        .store
        .connection(&caller.account_id, &id)
        .await?
        .ok_or_else(|| missing(&id))?;
    input::unchanged(&row, &input.attributes)?;
    let row = match input.attributes.status {
        None => row,
        Some(wanted) => bring_to(app, caller, row, wanted).await?,
    };
    Ok(document(StatusCode::OK, object(row)))
}

/// `active`: "Refresh status", which resumes too; `disabled`: a pause. The connection as it is then.
pub(crate) async fn bring_to(
    app: App,
    caller: May<Admin>,
    row: store::Connection,
    wanted: Status,
) -> Result<store::Connection, ApiError> {
    uninterrupted(async move {
        match wanted {
            Status::Active => {
                let (observed, version) = app.sources.refresh(&row).await?;
                set_status(&app, &caller, &row, &observed, Some(version)).await
            }
            Status::Disabled => {
                let paused = ObservedStatus {
                    status: Status::Disabled,
                    error: None,
                };
                set_status(&app, &caller, &row, &paused, None).await
            }
            other => {
                let detail = format!("A status can be set to `active` or `disabled`, not to `{other}`.");
                Err(ApiError::attribute("status", detail))
            }
        }
    })
    .await
}

/// Stores a status, and returns the connection as it is stored then. A call that leaves the status as it was is not
/// audited.
///
/// With `base`, a version of the status, nothing is stored where the stored version is another: reading from AWS takes
/// long, and its result must not resume what was paused meanwhile. What it says about events that AWS acknowledged holds in any case.
async fn set_status(
    app: &App,
    caller: &May<Admin>,
    row: &store::Connection,
    observed: &ObservedStatus,
    base: Option<i64>,
) -> Result<store::Connection, ApiError> {
    let mut tx = app.store.begin().await?;
    let id = row.id.as_str();
    let now = tx.connection(&caller.account_id, id).await?;
    let now = now.ok_or_else(|| missing(id))?;
    if base.is_some_and(|version| version != now.status_version) {
        if matches!(observed.status, Status::Pending | Status::Failed) {
            tx.doubt(&row.id).await?;
            tx.commit().await?;
        }
        return Ok(now);
    }
    // The error of a refused creation says more than that the source is missing.
    let error = match (&now.error_message, &observed.error) {
        (Some(first), Some(_)) if observed.status == Status::Failed && !now.source_made => Some(first),
        (_, error) => error.as_ref(),
    };
    tx.set_status(&row.id, &observed.status, error.map(String::as_str))
        .await?;
    let after = tx.connection(&caller.account_id, id).await?;
    let after = after.ok_or_else(|| missing(id))?;
    if now.status != observed.status {
        let action = "update-aws-event-bridge-integration";
        let change = change(action, &row.id, &row.name, StatusCode::OK);
        audit::record(&mut tx, &app.clock, caller, &change).await?;
    }
    tx.commit().await?;
    Ok(after)
}

async fn delete(
    State(app): State<App>,
    caller: May<Admin>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    remove(app, caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes a connection with what it holds, and its source.
pub(crate) async fn remove(app: App, caller: May<Admin>, id: String) -> Result<(), ApiError> {
    uninterrupted(async move {
        let mut tx = app.store.begin().await?;
        let row = tx
            .connection(&caller.account_id, &id)
            .await?
            .ok_or_else(|| missing(&id))?;
        tx.delete_connection(&row).await?;
        let change = change(
            "delete-aws-event-bridge-integration",
            &row.id,
            &row.name,
            StatusCode::NO_CONTENT,
        );
        audit::record(&mut tx, &app.clock, &caller, &change).await?;
        tx.commit().await?;
        let sources = app.sources.clone();
        follow_up(async move { sources.remove(&row.source).await }).await;
        Ok(())
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::Admitted;
    use crate::store::Settlement;
    use crate::testing::{ACCEPTED_MS, Bench, TOKEN, ending};

    /// A refresh that lasted longer than a pause: its status is discarded, and not what it says about acknowledged events.
    #[tokio::test]
    async fn a_refresh_that_is_discarded_puts_acknowledged_events_in_doubt_all_the_same() {
        for (found, is_doubted) in [
            (Status::Pending, true),
            (Status::Failed, true),
            (Status::Active, false),
        ] {
            let bench = Bench::new().await;
            let (app, store) = (&bench.app, &bench.app.store);
            let id = bench.connect("a", "us-east-1", &Status::Active).await;
            bench.accept(&id, 1).await;
            let mut tx = store.begin().await.unwrap();
            let head = tx.sendable(&id, 1, ACCEPTED_MS).await.unwrap();
            let seq = head[0].seq;
            tx.lease(head, "l".into(), 1).await.unwrap();
            let endings = [ending("l", seq, &Settlement::Delivered)];
            tx.settle(&endings, 7).await.unwrap();
            tx.set_status(&id, &Status::Disabled, None).await.unwrap();
            tx.commit().await.unwrap();
            let row = store.connection_by_id(&id).await.unwrap().unwrap();
            let Ok(Ok(Admitted::Caller(caller))) = app.admit(TOKEN, None, "").await else {
                panic!("the token opens an account");
            };
            let observed = ObservedStatus {
                status: found.clone(),
                error: None,
            };
            let stale = Some(row.status_version - 1);
            let stored = set_status(app, &caller.may().unwrap(), &row, &observed, stale).await;
            assert_eq!(stored.unwrap().status, Status::Disabled);
            let doubted = store.doubted().await.unwrap();
            assert_eq!(!doubted.is_empty(), is_doubted, "{found}");
        }
    }

    #[test]
    fn an_arn_has_the_partition_of_its_region() {
        for (region, want) in [
            ("us-east-1", "arn:aws:events:us-east-1::event-source/n"),
            ("cn-north-1", "arn:aws-cn:events:cn-north-1::event-source/n"),
            (
                "us-gov-west-1",
                "arn:aws-us-gov:events:us-gov-west-1::event-source/n",
            ),
        ] {
            let source = SourceKey {
                name: "n".into(),
                region: region.into(),
                aws_account_id: "123456789012".into(),
            };
            assert_eq!(arn(&source), want);
        }
    }
}
