//! `scalr_eventbridge_api_destination`: an HTTP endpoint as a target of rules, with the EventBridge connection that holds its
//! credentials.

mod auth;
mod aws;
mod messages;
mod object;
mod parts;
mod plan;

use std::collections::BTreeMap;

use tfplugin::rules::{Rules, exactly_one_of};
use tfplugin::{Attrs, Identity, ImportedAttrs, Operation, Plan, Resource, Result, Timeouts, mins};

use super::handover;
use crate::aws::{Error, checks, http_checks, import_id, imported_account, same_account};
use crate::client::Client;
use crate::defaults;
use crate::failure::Cause as _;
use crate::ownership::Owner;
use crate::values::{Region, Secret};
use messages::doing;
use parts::{ApiKey, Basic, OAuth};

/// An HTTP endpoint that rules can send events to (an API destination), and the EventBridge connection of the same name
/// that holds its credentials.
///
/// The secret is write-only: it is in no plan and in no state. It is sent when the object is created, and again when `secret_wo_version` has another number. AWS keeps it in Secrets Manager. If a connection or an API destination is missing, or a connection is not authorized any more, the plan shows a change in place, and the apply repairs it.
///
/// A target with this destination needs a role that EventBridge assumes (`role_arn` of `scalr_eventbridge_target`) and that may call `events:InvokeApiDestination` on `arn`.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct ApiDestination {
    /// Name of the API destination and of its connection: 1 to 64 letters, digits, `.`, `-` or `_`.
    #[tf(required, replace, check = checks::name)]
    name: String,
    /// AWS region, which is that of the rules' bus. Default: the provider's region.
    #[tf(optional, computed, use_state_for_unknown, replace)]
    region: Option<Region>,
    /// URL of the endpoint, `https://…`, of 2,048 characters at most. EventBridge waits 5 seconds for an answer.
    #[tf(required, check = http_checks::invocation_endpoint)]
    invocation_endpoint: String,
    /// HTTP method: `POST`, `PUT`, `PATCH`, `GET`, `DELETE`, `HEAD` or `OPTIONS`.
    #[tf(optional, default = "POST", check = http_checks::http_method)]
    http_method: String,
    /// Requests a second at most; what exceeds this is delayed. The default is that of AWS, and its quota unless AWS has raised it.
    #[tf(optional, default = 300, check = http_checks::invocation_rate)]
    invocation_rate_limit_per_second: i64,
    /// A key in a header; the key is `secret_wo`. One of `api_key`, `basic` and `oauth` is required.
    #[tf(optional)]
    api_key: Option<ApiKey>,
    /// HTTP Basic; the password is `secret_wo`.
    #[tf(optional)]
    basic: Option<Basic>,
    /// OAuth client credentials: EventBridge asks for a token and renews it. The client's secret is `secret_wo`.
    #[tf(optional)]
    oauth: Option<OAuth>,
    /// The secret of these credentials: the key, the password, or the client's secret. Write-only, 1 to 512 characters without a
    /// colon, which EventBridge does not take. Needs Terraform 1.11 or OpenTofu 1.11.
    #[tf(optional, sensitive, write_only)]
    secret_wo: Option<Secret>,
    /// Any number; with another one, `secret_wo` is sent again. Without it, the secret is never sent again.
    #[tf(optional)]
    secret_wo_version: Option<i64>,
    /// Further headers of each request, by name. They are stored in the state: no secrets.
    #[tf(optional, check = http_checks::header_parameters)]
    header_parameters: Option<BTreeMap<String, String>>,
    /// ARN of the API destination, for `arn` of a target. It ends in an id that AWS chooses.
    #[tf(computed, use_state_for_unknown)]
    arn: Option<String>,
    /// ARN of the connection.
    #[tf(computed, use_state_for_unknown)]
    connection_arn: Option<String>,
    /// `ready`, or what is missing: `connection missing`, `API destination missing`, `not authorized`. An apply makes it ready.
    #[tf(computed, use_state_for_unknown)]
    status: Option<String>,
}

/// Both are there, and the connection can be used.
const READY: &str = "ready";
const CONNECTION_MISSING: &str = "connection missing";
const DESTINATION_MISSING: &str = "API destination missing";
const NOT_AUTHORIZED: &str = "not authorized";

impl Resource for ApiDestination {
    const NAME: &'static str = "eventbridge_api_destination";
    type Client = Client;
    const IDENTITY: Identity = Identity::of(&["name"]).optional(&["region"]);
    const TIMEOUTS: Timeouts = Timeouts::none().create(mins(5)).update(mins(5)).delete(mins(5));
    const RULES: Rules<Self> = || {
        let one_kind = exactly_one_of((Self::api_key(), Self::basic(), Self::oauth()));
        vec![one_kind.message(messages::one_kind)]
    };

    async fn create(mut plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        plan.hide_secret();
        let aws = defaults::regional(operation, plan.region.as_ref()).await?;
        plan.region = Some(Region::from(&*aws.name));
        let mut turn = handover::turn_to_create(operation, &plan.object()).await?;
        let owner = Owner::ensure(operation);
        aws::refuse_existing(&aws, &plan).await?;
        plan.connection_arn = Some(aws::create_connection(&aws, &plan).await?);
        turn.own(&owner);
        // The connection is there: from here on nothing may lose it.
        operation.save(plan.unfinished());
        plan.arn = Some(aws::create_destination(operation, &aws, &plan).await?);
        plan.status = Some(READY.to_owned());
        operation.save(plan.clone());
        plan.status = Some(aws::await_authorized(operation, &aws, &plan).await.to_owned());
        Ok(plan)
    }

    async fn read(mut state: Self, operation: &mut Operation<'_, Self>) -> Result<Option<Self>> {
        let aws = defaults::regional(operation, state.region.as_ref()).await?;
        state.region = Some(Region::from(&*aws.name));
        let name = state.name.clone();
        let failed = |e: Error| e.during(doing::read(&name));
        // An import knows name or ARN alone.
        let imported = state.status.is_none();
        if imported {
            imported_account(&aws, state.arn.as_deref()).await?;
        }
        let connection = aws::connection(&aws, &name).await.map_err(failed)?;
        let destination = aws::destination(&aws, &name).await.map_err(failed)?;
        if connection.is_none() && destination.is_none() {
            if imported {
                return Err(messages::nothing_to_import(&name, &aws).await.into());
            }
            let known = state.arn.as_deref().or(state.connection_arn.as_deref());
            same_account(&aws, known).await?;
            return Ok(None);
        }
        if let Some(held) = &connection {
            state.with_connection(held);
        }
        if let Some(held) = &destination {
            state.with_destination(held);
        }
        let found = aws::status(connection.as_ref(), destination.as_ref());
        if let (NOT_AUTHORIZED, Some(held)) = (found, &connection) {
            operation.warn(messages::not_authorized(&name, held));
        }
        state.status = Some(found.to_owned());
        Ok(Some(state))
    }

    async fn update(prior: Self, mut plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        plan.hide_secret();
        let aws = defaults::regional(operation, plan.region.as_ref()).await?;
        let mut turn = handover::turn(operation, &plan.object()).await?;
        turn.own(&Owner::ensure(operation));
        let failed = |e: Error| e.during(doing::read(&prior.name));
        let connection = aws::connection(&aws, &plan.name).await.map_err(failed)?;
        let destination = aws::destination(&aws, &plan.name).await.map_err(failed)?;
        match &connection {
            None => plan.connection_arn = Some(aws::create_connection(&aws, &plan).await?),
            Some(held) => {
                plan.connection_arn = held.connection_arn().map(str::to_owned);
                if !plan.has_credentials_of(&prior) {
                    aws::update_connection(&aws, &plan, plan.sends_secret(&prior)).await?;
                }
            }
        }
        match &destination {
            None => plan.arn = Some(aws::create_destination(operation, &aws, &plan).await?),
            Some(held) => {
                plan.arn = held.api_destination_arn().map(str::to_owned);
                aws::update_destination(operation, &aws, &plan, held).await?;
            }
        }
        let found = aws::await_authorized(operation, &aws, &plan).await;
        // Planned as it was, where nothing here changes it.
        plan.status.get_or_insert_with(|| found.to_owned());
        Ok(plan)
    }

    async fn delete(mut state: Self, operation: &mut Operation<'_, Self>) -> Result<()> {
        let aws = defaults::regional(operation, state.region.as_ref()).await?;
        state.region = Some(Region::from(&*aws.name));
        let object = state.object();
        let mut turn = handover::turn(operation, &object).await?;
        if handover::is_anothers(operation, &turn, &object) {
            return Ok(());
        }
        aws::delete(operation, &aws, &state).await?;
        turn.disown(Owner::of(operation).as_ref());
        Ok(())
    }

    async fn plan(plan: &mut Plan<'_, Self>) -> Result<()> {
        defaults::plan_region(plan, &Self::region());
        plan::repair(plan);
        plan::refuse_without_secret(plan);
        let object = object::planned(plan);
        handover::plan(plan, object, "another `name`", Self::name());
        Ok(())
    }

    fn import_id(id: &str) -> Result<ImportedAttrs<Self>> {
        let import_id::Parts { names, region, arn } = import_id::api_destination(id)?;
        let [name] = names;
        Ok(ImportedAttrs::new()
            .set(Self::name(), name)
            .set(Self::region(), region)
            .set(Self::arn(), arn))
    }
}

impl ApiDestination {
    /// What is there once the connection is made.
    fn unfinished(&self) -> Self {
        Self {
            status: Some(DESTINATION_MISSING.to_owned()),
            ..self.clone()
        }
    }
}
