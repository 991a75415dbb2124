//! The API destination and its connection at AWS: made, changed, deleted.

use std::ops::ControlFlow::{Break, Continue};
use std::time::Duration;

use aws_sdk_eventbridge::operation::describe_api_destination::DescribeApiDestinationOutput;
use aws_sdk_eventbridge::operation::describe_connection::DescribeConnectionOutput;
use aws_sdk_eventbridge::types::{ApiDestinationHttpMethod, ConnectionState};
use tfplugin::{Operation, Result};

use super::messages::{self, doing};
use super::{ApiDestination, CONNECTION_MISSING, DESTINATION_MISSING, NOT_AUTHORIZED, READY};
use crate::aws::retry::{Attempted, Retry};
use crate::aws::{Error, Regional};
use crate::failure::Cause as _;

const EVERY: Duration = Duration::from_secs(1);

/// The connection of this name.
pub(super) async fn connection(
    aws: &Regional,
    name: &str,
) -> Result<Option<DescribeConnectionOutput>, Error> {
    let call = aws.events.describe_connection().name(name).send();
    found(aws.read("events:DescribeConnection", call).await)
}

/// The API destination of this name.
pub(super) async fn destination(
    aws: &Regional,
    name: &str,
) -> Result<Option<DescribeApiDestinationOutput>, Error> {
    let call = aws.events.describe_api_destination().name(name).send();
    found(aws.read("events:DescribeApiDestination", call).await)
}

fn found<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// What is missing, if anything is.
pub(super) fn status(
    connection: Option<&DescribeConnectionOutput>,
    destination: Option<&DescribeApiDestinationOutput>,
) -> &'static str {
    match (connection, destination) {
        (None, _) => CONNECTION_MISSING,
        (_, None) => DESTINATION_MISSING,
        (Some(held), _) if held.connection_state().is_some_and(is_refused) => NOT_AUTHORIZED,
        _ => READY,
    }
}

/// It cannot be used, and does not become usable by itself.
fn is_refused(state: &ConnectionState) -> bool {
    matches!(
        state,
        ConnectionState::Deauthorized | ConnectionState::Deauthorizing | ConnectionState::FailedConnectivity
    )
}

/// Neither has a tag that could name its owner, so that nothing is adopted: what exists is imported.
pub(super) async fn refuse_existing(aws: &Regional, plan: &ApiDestination) -> Result<()> {
    let name = &plan.name;
    let failed = |e: Error| e.during(doing::make(name));
    if destination(aws, name).await.map_err(failed)?.is_some() {
        return Err(messages::exists("API destination", name, &aws.name).into());
    }
    if connection(aws, name).await.map_err(failed)?.is_some() {
        return Err(messages::exists("connection", name, &aws.name).into());
    }
    Ok(())
}

/// Makes the connection and returns its ARN.
pub(super) async fn create_connection(aws: &Regional, plan: &ApiDestination) -> Result<String> {
    let name = &plan.name;
    let doing = doing::make_connection(name);
    if plan.secret().is_none() {
        return Err(messages::no_secret(&doing).into());
    }
    let auth = plan.new_auth();
    let auth = auth.map_err(|e| messages::request_cannot_be_built(&doing, &e))?;
    let call = aws.events.create_connection().name(name);
    let call = call.authorization_type(plan.kind()).auth_parameters(auth);
    let answer = call.send().await;
    let made = answer.map_err(|e| {
        let error = aws.failed("events:CreateConnection", e);
        error.during_with(doing, &messages::after_creating_connection(name, &aws.name))
    })?;
    Ok(made.connection_arn.unwrap_or_default())
}

/// Brings the connection to what is planned.
pub(super) async fn update_connection(
    aws: &Regional,
    plan: &ApiDestination,
    sends_secret: bool,
) -> Result<()> {
    let doing = doing::change_connection(&plan.name);
    if sends_secret && plan.secret().is_none() {
        return Err(messages::no_secret(&doing).into());
    }
    let call = aws.events.update_connection().name(&plan.name);
    let call = call
        .authorization_type(plan.kind())
        .auth_parameters(plan.changed_auth(sends_secret));
    let answer = call.send().await;
    let answer = answer.map_err(|e| aws.failed("events:UpdateConnection", e));
    answer.map(drop).map_err(|e| e.during(doing))
}

/// Makes the API destination and returns its ARN.
pub(super) async fn create_destination(
    operation: &Operation<'_, ApiDestination>,
    aws: &Regional,
    plan: &ApiDestination,
) -> Result<String> {
    let call = aws
        .events
        .create_api_destination()
        .name(&plan.name)
        .connection_arn(plan.connection_arn.clone().unwrap_or_default())
        .invocation_endpoint(&plan.invocation_endpoint)
        .http_method(plan.method())
        .set_invocation_rate_limit_per_second(plan.rate());
    let mut retry = Retry::new(
        operation,
        EVERY,
        doing::make(&plan.name),
        messages::after_creating(&plan.name),
    );
    let mut arn = String::new();
    while retry.next().await {
        let answer = call.clone().send().await;
        let attempted = answer
            .map_err(|e| aws.failed("events:CreateApiDestination", e))
            .map(|made| {
                arn = made.api_destination_arn.unwrap_or_default();
                Break(())
            });
        if let Some(done) = retry.judge(attempted) {
            return done.map(|()| arn);
        }
    }
    Err(retry.given_up())
}

/// Brings the API destination to what is planned.
pub(super) async fn update_destination(
    operation: &Operation<'_, ApiDestination>,
    aws: &Regional,
    plan: &ApiDestination,
    held: &DescribeApiDestinationOutput,
) -> Result<()> {
    let mut now = plan.clone();
    now.with_destination(held);
    if now.is_like(plan) && held.connection_arn() == plan.connection_arn.as_deref() {
        return Ok(());
    }
    let call = aws
        .events
        .update_api_destination()
        .name(&plan.name)
        .set_connection_arn(plan.connection_arn.clone())
        .invocation_endpoint(&plan.invocation_endpoint)
        .http_method(plan.method())
        .set_invocation_rate_limit_per_second(plan.rate());
    let doing = doing::change(&plan.name);
    let mut retry = Retry::new(operation, EVERY, doing, messages::after_changing());
    while retry.next().await {
        let answer = call.clone().send().await;
        let answer = answer.map_err(|e| aws.failed("events:UpdateApiDestination", e));
        if let Some(done) = retry.judge(answer.map(|_| Break(()))) {
            return done;
        }
    }
    Err(retry.given_up())
}

/// Waits until the connection can be used: with OAuth, AWS asks for a token first. Both objects exist, so that whatever
/// happens is a warning: an error would have Terraform replace them.
pub(super) async fn await_authorized(
    operation: &Operation<'_, ApiDestination>,
    aws: &Regional,
    plan: &ApiDestination,
) {
    let mut attempts = operation.attempts(EVERY);
    while attempts.next().await.is_some() {
        let Ok(Some(held)) = connection(aws, &plan.name).await else {
            break;
        };
        match held.connection_state() {
            Some(state) if is_refused(state) => {
                operation.warn(messages::not_authorized(&plan.name, &held));
                return;
            }
            Some(ConnectionState::Authorized | ConnectionState::Active) => return,
            _ => attempts.awaiting(messages::authorizing(&plan.name)),
        }
    }
    operation.warn(messages::not_authorized_yet(&plan.name));
}

/// Deletes both, the API destination first. AWS deletes a connection by and by; until then its name is taken.
pub(super) async fn delete(
    operation: &Operation<'_, ApiDestination>,
    aws: &Regional,
    state: &ApiDestination,
) -> Result<()> {
    let name = &state.name;
    let standing = messages::after_deleting();
    let mut retry = Retry::new(operation, EVERY, doing::delete(name), standing);
    while retry.next().await {
        let attempted = delete_once(aws, name).await;
        if let Some(done) = retry.judge(attempted) {
            return done;
        }
    }
    Err(retry.given_up())
}

async fn delete_once(aws: &Regional, name: &str) -> Attempted {
    let answer = aws.events.delete_api_destination().name(name).send().await;
    none(answer.map_err(|e| aws.failed("events:DeleteApiDestination", e)))?;
    let Some(held) = connection(aws, name).await? else {
        return Ok(Break(()));
    };
    if held.connection_state() != Some(&ConnectionState::Deleting) {
        let answer = aws.events.delete_connection().name(name).send().await;
        none(answer.map_err(|e| aws.failed("events:DeleteConnection", e)))?;
        if connection(aws, name).await?.is_none() {
            return Ok(Break(()));
        }
    }
    Ok(Continue(messages::still_deleting(name)))
}

/// What is gone already counts as deleted.
fn none<T>(answer: Result<T, Error>) -> Result<(), Error> {
    found(answer).map(drop)
}

impl ApiDestination {
    fn method(&self) -> ApiDestinationHttpMethod {
        ApiDestinationHttpMethod::from(&*self.http_method)
    }

    fn rate(&self) -> Option<i32> {
        i32::try_from(self.invocation_rate_limit_per_second).ok()
    }

    /// Takes what AWS holds of the API destination.
    pub(super) fn with_destination(&mut self, held: &DescribeApiDestinationOutput) {
        self.arn = held.api_destination_arn().map(str::to_owned);
        let endpoint = held.invocation_endpoint().unwrap_or_default();
        endpoint.clone_into(&mut self.invocation_endpoint);
        let method = held.http_method().map(ApiDestinationHttpMethod::as_str);
        method.unwrap_or_default().clone_into(&mut self.http_method);
        let rate = held.invocation_rate_limit_per_second().map(i64::from);
        self.invocation_rate_limit_per_second = rate.unwrap_or(RATE_DEFAULT);
    }

    fn is_like(&self, other: &Self) -> bool {
        self.invocation_endpoint == other.invocation_endpoint
            && self.http_method == other.http_method
            && self.invocation_rate_limit_per_second == other.invocation_rate_limit_per_second
    }
}

/// Requests a second where nothing is set.
const RATE_DEFAULT: i64 = 300;
