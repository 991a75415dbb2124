//! `scalr_eventbridge_custom_bus`: a bus of EventBridge V2, which keeps events, delivers them in order and replays them.

mod aws;
mod messages;
mod plan;

use std::collections::BTreeMap;

use aws_sdk_eventbridgev2::types::BusState;
use tfplugin::{Attrs, Identity, ImportedAttrs, Operation, Plan, Resource, Result, Timeouts, mins};

use crate::aws::custom_writes::key_of_alias;
use crate::aws::{Error, Regional, custom_checks as checks, import_id, imported_account, same_account, tags};
use crate::client::Client;
use crate::defaults;
use crate::failure::Cause as _;
use crate::ownership::{Object, Owner};
use crate::values::Region;
use messages::doing;

/// A custom event bus (EventBridge V2): it keeps events for up to a year, delivers them in order, and replays them from a point in time. A `scalr_eventbridge_bus` is of the other kind, which AWS calls Classic.
///
/// A `scalr_eventbridge_event_source` leads a connection's events to the bus, in place of a `scalr_eventbridge_bus`. A `scalr_eventbridge_subscriber` delivers them.
///
/// AWS has custom event buses in 14 regions, and allows 5 of them in each for an account. A partner's events reach one in the region of the connection only.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct CustomBus {
    /// Name of the bus, 1 to 256 letters, digits, `.`, `-` or `_`, the first of them a letter or digit.
    #[tf(required, replace, check = checks::bus_name)]
    name: String,
    /// AWS region of the bus, which is the connection's. Default: the provider's region.
    #[tf(optional, computed, use_state_for_unknown, replace)]
    region: Option<Region>,
    /// Days for which the bus keeps events, 1 to 365: as far back a replay can begin. The first day costs nothing more.
    #[tf(optional, default = 1, check = checks::retention)]
    retention_in_days: i64,
    /// What the bus is for, in one line.
    #[tf(optional, check = checks::description)]
    description: Option<String>,
    /// KMS key that encrypts the events on the bus: an ARN, a key id, or an alias. Default: a key that AWS owns.
    #[tf(optional, check = checks::key)]
    kms_key_identifier: Option<String>,
    /// Tags of the bus, over the provider's `default_tags`. A tag with the value null is ignored.
    #[tf(optional, check = checks::tags)]
    tags: Option<tags::Written>,
    /// All tags of the bus, including the provider's `default_tags`.
    #[tf(computed)]
    tags_all: Option<BTreeMap<String, String>>,
    /// ARN of the bus. It ends in an id that AWS chooses, so that a bus which is made once more has another.
    #[tf(computed, use_state_for_unknown)]
    arn: Option<String>,
    /// State of the bus: `ACTIVE`; `CREATING`, `UPDATING` or `DELETING` for a while; `CREATE_FAILED`, `UPDATE_FAILED` or `DELETE_FAILED` if AWS cannot use the KMS key or something else is in the way.
    #[tf(computed, use_state_for_unknown)]
    state: Option<String>,
    /// When the bus was made, in RFC 3339.
    #[tf(computed, use_state_for_unknown)]
    creation_time: Option<String>,
}

impl Resource for CustomBus {
    const NAME: &'static str = "eventbridge_custom_bus";
    type Client = Client;
    const IDENTITY: Identity = Identity::of(&["name"]).optional(&["region"]);
    const TIMEOUTS: Timeouts = Timeouts::none()
        .create(mins(10))
        .update(mins(10))
        .delete(mins(10));
    const PLANS_DESTROY: bool = true;

    async fn create(mut plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let aws = defaults::regional(operation, plan.region.as_ref())
            .await?
            .with_custom_buses()?;
        plan.complete(&aws, operation.client())?;
        operation.client().memory().begin_creation(&plan.object());
        Owner::ensure(operation);
        let tags = defaults::tagging(operation.client())?.sent(plan.tags.as_ref());
        let made = aws::create(operation, &aws, &plan, &tags).await?;
        plan.arn = Some(made.arn);
        plan.state = made.state;
        plan.creation_time = made.creation_time;
        operation.save(plan.clone());
        plan.settle(operation, &aws, aws::Change::Create).await?;
        Ok(plan)
    }

    async fn read(mut state: Self, operation: &mut Operation<'_, Self>) -> Result<Option<Self>> {
        let aws = defaults::refreshing(operation, state.region.as_ref())
            .await?
            .with_custom_buses()?;
        state.region = Some(Region::from(&*aws.name));
        let name = state.name.clone();
        let failed = |e: Error| e.during(doing::read(&name));
        // An import knows name or ARN alone.
        let imported = state.tags_all.is_none();
        if imported {
            imported_account(&aws, state.arn.as_deref()).await?;
            if state.arn.is_none() {
                state.arn = aws.custom_bus_named(&name).await.map_err(failed)?;
            }
        }
        let held = match &state.arn {
            Some(arn) => aws.custom_bus(arn).await.map_err(failed)?,
            None => None,
        };
        // One that is being deleted can no longer be used, and is gone in a moment.
        let Some(held) = held.filter(|held| held.state() != Some(&BusState::Deleting)) else {
            if imported {
                return Err(messages::nothing_to_import(&name, &aws).await.into());
            }
            same_account(&aws, state.arn.as_deref()).await?;
            return Ok(None);
        };
        let all = aws.custom_tags(state.known_arn()).await.map_err(failed)?;
        defaults::read_tags(operation.client(), all, &mut state.tags, &mut state.tags_all)?;
        Owner::ensure(operation);
        operation.client().walk().refreshed(state.object());
        state.with(&held, key_of_alias(operation).as_deref());
        Ok(Some(state))
    }

    async fn update(prior: Self, mut plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let aws = defaults::regional(operation, plan.region.as_ref())
            .await?
            .with_custom_buses()?;
        plan.complete(&aws, operation.client())?;
        Owner::ensure(operation);
        plan.state.clone_from(&prior.state);
        if plan.settings_differ(&prior) {
            aws::update(operation, &aws, &plan, &prior).await?;
            plan.settle(operation, &aws, aws::Change::Update).await?;
        }
        let held = (prior.tags.as_ref(), prior.tags_all.as_ref());
        let planned = (plan.tags.as_ref(), plan.tags_all.as_ref());
        let tagged =
            defaults::retag_custom(operation.client(), &aws, plan.known_arn(), [held, planned]).await?;
        tagged.map_err(|e| e.during_with(doing::tag(&plan.name), &messages::after_tagging()))?;
        Ok(plan)
    }

    async fn delete(state: Self, operation: &mut Operation<'_, Self>) -> Result<()> {
        let aws = defaults::regional(operation, state.region.as_ref())
            .await?
            .with_custom_buses()?;
        aws::delete(operation, &aws, &state).await
    }

    async fn plan(plan: &mut Plan<'_, Self>) -> Result<()> {
        plan::decide(plan).await;
        Ok(())
    }

    fn import_id(id: &str) -> Result<ImportedAttrs<Self>> {
        let import_id::Parts { names, region, arn } = import_id::custom_bus(id)?;
        let [name] = names;
        Ok(ImportedAttrs::new()
            .set(Self::name(), name)
            .set(Self::region(), region)
            .set(Self::arn(), arn))
    }
}

impl CustomBus {
    fn known_arn(&self) -> &str {
        self.arn.as_deref().unwrap_or_default()
    }

    fn object(&self) -> Object {
        Object::CustomBus {
            region: self.region.as_deref().unwrap_or_default().to_owned(),
            name: self.name.clone(),
        }
    }

    /// Fills in what the plan could not know.
    fn complete(&mut self, aws: &Regional, client: &Client) -> Result<()> {
        self.region = Some(Region::from(&*aws.name));
        defaults::complete_tags(client, self.tags.as_ref(), &mut self.tags_all)
    }
}
