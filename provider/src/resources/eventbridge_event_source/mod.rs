//! `scalr_eventbridge_event_source`: leads the events of a partner's source to a custom event bus.

mod aws;
mod messages;
mod partner;
mod plan;

use std::collections::BTreeMap;

use tfplugin::{Attrs, Identity, ImportedAttrs, Operation, Plan, Resource, Result, Timeouts, mins};

use crate::aws::custom_writes::key_of_alias;
use crate::aws::{Error, Regional, arn, custom_checks, import_id, imported_account, same_account, tags};
use crate::client::Client;
use crate::defaults;
use crate::failure::Cause as _;
use crate::ownership::{Object, Owner};
use crate::values::{Json, Region};
use messages::doing;

/// Leads the events of a partner event source of Scalr to a custom event bus. After that, the events of the connection arrive on this bus, and a `scalr_eventbridge_subscriber` can deliver them.
///
/// It takes the place of a `scalr_eventbridge_bus`: AWS activates a source for one of the two only, and makes a Classic event bus of its own for it, which it manages. A Classic bus that is there already has to be deleted first; Scalr's events are dropped from then on until this resource is there. Replacing it has such a gap too, and it cannot be replaced with `create_before_destroy`.
///
/// Deleting it changes the partner's source to `PENDING`: events are then dropped, and two weeks later AWS removes the source.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct EventSource {
    /// Name of the event source, 1 to 256 letters, digits, `.`, `-` or `_`, the first of them a letter or digit; it must not begin with `aws.`. An account has one of a name in a region.
    #[tf(required, replace, check = custom_checks::source_name)]
    name: String,
    /// ARN of the custom event bus: `arn` of a `scalr_eventbridge_custom_bus`. Its region is that of the event source.
    #[tf(required, replace, check = custom_checks::bus_arn)]
    event_bus_arn: String,
    /// ARN of the partner event source: `event_source_arn` of a `scalr_eventbridge_connection`. It leads to one event bus only.
    #[tf(required, replace, check = custom_checks::partner_source_arn)]
    partner_event_source_arn: String,
    /// Event pattern, as JSON, which an event has to match to reach the bus. AWS takes none with `source`, `account` or `region` at its top. Default: every event. Texts that mean the same JSON are the same pattern.
    #[tf(optional, check = custom_checks::source_pattern)]
    event_pattern: Option<Json>,
    /// KMS key that encrypts the events on the Classic bus that AWS makes for the source: an ARN, a key id, or an alias. Default: a key that AWS owns.
    #[tf(optional, check = custom_checks::key)]
    kms_key_identifier: Option<String>,
    /// ARN of an SQS standard queue of this account and region, for events that could not be led to the bus. The policy of the queue has to allow `events.amazonaws.com` to send to it.
    #[tf(optional, check = crate::aws::checks::queue_arn)]
    dead_letter_arn: Option<String>,
    /// What the event source is for, in one line.
    #[tf(optional, check = custom_checks::description)]
    description: Option<String>,
    /// Tags of the event source, over the provider's `default_tags`. A tag with the value null is ignored.
    #[tf(optional, check = custom_checks::tags)]
    tags: Option<tags::Written>,
    /// All tags of the event source, including the provider's `default_tags`.
    #[tf(computed)]
    tags_all: Option<BTreeMap<String, String>>,
    /// AWS region of the event source: that of the bus.
    #[tf(computed, use_state_for_unknown)]
    region: Option<Region>,
    /// ARN of the event source. It ends in an id that AWS chooses.
    #[tf(computed, use_state_for_unknown)]
    arn: Option<String>,
    /// State of the event source: `ACTIVE`; `CREATING`, `UPDATING` or `DELETING` for a while; `CREATE_FAILED`, `UPDATE_FAILED` or `DELETE_FAILED`; `REVOKED` if the owner of the bus has taken the bus from it, for good.
    #[tf(computed, use_state_for_unknown)]
    state: Option<String>,
    /// State of the partner's event source: `ACTIVE`; `PENDING` if its events are dropped, since somebody deleted the Classic bus that AWS manages for it, which an apply repairs; `DELETED` if Scalr has removed it; `MISSING` if AWS has.
    #[tf(computed, use_state_for_unknown)]
    partner_source_state: Option<String>,
    /// When the event source was made, in RFC 3339.
    #[tf(computed, use_state_for_unknown)]
    creation_time: Option<String>,
}

impl Resource for EventSource {
    const NAME: &'static str = "eventbridge_event_source";
    type Client = Client;
    const IDENTITY: Identity = Identity::of(&["name"]).optional(&["region"]);
    const TIMEOUTS: Timeouts = Timeouts::none()
        .create(mins(10))
        .update(mins(10))
        .delete(mins(10));
    const PLANS_DESTROY: bool = true;

    async fn create(mut plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let aws = plan.regional(operation).await?;
        plan.complete(&aws, operation.client())?;
        operation.client().memory().begin_creation(&plan.object());
        Owner::ensure(operation);
        plan.arn = match plan.make(operation, &aws).await {
            Ok(arn) => Some(arn),
            Err(failed) => {
                // An activation that waits for it waits no longer.
                operation.client().walk().no_association(plan.partner_source());
                return Err(failed);
            }
        };
        plan.state = None;
        operation.save(plan.clone());
        plan.settle(operation, &aws).await?;
        Ok(plan)
    }

    async fn read(mut state: Self, operation: &mut Operation<'_, Self>) -> Result<Option<Self>> {
        let aws = state.regional(operation).await?.refreshing();
        state.region = Some(Region::from(&*aws.name));
        let name = state.name.clone();
        let failed = |e: Error| e.during(doing::read(&name));
        // An import knows name or ARN alone.
        let imported = state.tags_all.is_none();
        if imported {
            imported_account(&aws, state.arn.as_deref()).await?;
            if state.arn.is_none() {
                state.arn = aws.event_source_named(&name).await.map_err(failed)?;
            }
        }
        let held = match &state.arn {
            Some(arn) => aws.event_source(arn).await.map_err(failed)?,
            None => None,
        };
        let Some(held) = held else {
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
        state.with(&held, key_of_alias(operation).as_deref())?;
        let partner = aws.source(state.partner_source()).await.map_err(failed)?;
        state.partner_source_state = Some(partner::state_of(partner.as_ref()));
        Ok(Some(state))
    }

    async fn update(prior: Self, mut plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let aws = plan.regional(operation).await?;
        plan.complete(&aws, operation.client())?;
        Owner::ensure(operation);
        if plan.settings_differ(&prior) || prior.is_to_be_repaired() {
            aws::update(operation, &aws, &plan, &prior).await?;
            plan.settle(operation, &aws).await?;
        }
        let held = (prior.tags.as_ref(), prior.tags_all.as_ref());
        let planned = (plan.tags.as_ref(), plan.tags_all.as_ref());
        let tagged =
            defaults::retag_custom(operation.client(), &aws, plan.known_arn(), [held, planned]).await?;
        tagged.map_err(|e| e.during_with(doing::tag(&plan.name), &messages::after_tagging()))?;
        Ok(plan)
    }

    async fn delete(state: Self, operation: &mut Operation<'_, Self>) -> Result<()> {
        let aws = state.regional(operation).await?;
        // A Classic bus that is made of the same source waits for it.
        let _removing = operation.client().memory().removing(state.partner_bus());
        aws::delete(operation, &aws, &state).await
    }

    async fn plan(plan: &mut Plan<'_, Self>) -> Result<()> {
        plan::decide(plan).await;
        Ok(())
    }

    fn import_id(id: &str) -> Result<ImportedAttrs<Self>> {
        let import_id::Parts { names, region, arn } = import_id::event_source(id)?;
        let [name] = names;
        Ok(ImportedAttrs::new()
            .set(Self::name(), name)
            .set(Self::region(), region)
            .set(Self::arn(), arn))
    }
}

impl EventSource {
    /// Makes it once the partner's source can be taken, and returns its ARN.
    async fn make(&self, operation: &Operation<'_, Self>, aws: &Regional) -> Result<String> {
        partner::wait_until_pending(operation, aws, self).await?;
        let tags = defaults::tagging(operation.client())?.sent(self.tags.as_ref());
        aws::create(operation, aws, self, &tags).await
    }

    fn known_arn(&self) -> &str {
        self.arn.as_deref().unwrap_or_default()
    }

    /// The name of the partner's event source, which is that of its Classic bus.
    fn partner_source(&self) -> &str {
        arn::event_source_name(&self.partner_event_source_arn).unwrap_or_default()
    }

    /// The Classic bus of the partner's event source.
    fn partner_bus(&self) -> Object {
        Object::Bus {
            region: self.region.as_deref().unwrap_or_default().to_owned(),
            name: self.partner_source().to_owned(),
        }
    }

    fn object(&self) -> Object {
        Object::EventSource {
            region: self.region.as_deref().unwrap_or_default().to_owned(),
            name: self.name.clone(),
        }
    }

    /// The clients of the bus's region; of an import, those of the region that it names.
    async fn regional(&self, operation: &Operation<'_, Self>) -> Result<Regional> {
        let of_bus = arn::parse(&self.event_bus_arn).map(|arn| Region::from(arn.region));
        let region = of_bus.or_else(|| self.region.clone());
        defaults::regional(operation, region.as_ref())
            .await?
            .with_custom_buses()
    }

    /// Fills in what the plan could not know.
    fn complete(&mut self, aws: &Regional, client: &Client) -> Result<()> {
        self.region = Some(Region::from(&*aws.name));
        defaults::complete_tags(client, self.tags.as_ref(), &mut self.tags_all)
    }
}
