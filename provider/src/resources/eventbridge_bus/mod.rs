//! `scalr_eventbridge_bus`: "Associate with event bus" in the AWS console.

mod aws;
mod in_use;
mod make;
mod managed;
mod messages;
mod missing;
mod moved;
mod object;
mod plan;
mod routes;
mod source;

use std::collections::BTreeMap;

use tfplugin::{Attrs, Identity, ImportedAttrs, Moves, Operation, Plan, Resource, Result, Timeouts, mins};

use super::handover;
use crate::aws::tags::INSTANCE;
use crate::aws::{Error, Regional, checks, import_id, imported_account, same_account, tags};
use crate::client::Client;
use crate::defaults;
use crate::failure::Cause as _;
use crate::ownership::Owner;
use crate::values::Region;
use messages::doing;
use source::MISSING;

/// Associates a partner event source of Scalr with an event bus in your AWS account. After that, the events of the connection arrive on this bus, and rules can match them.
///
/// The plan looks for the event source of a new bus. One that AWS does not have, and whose connection no resource of the same plan makes, is a warning with the nearest name.
///
/// The bus has the name of its event source. Deleting or replacing the bus changes the source to `PENDING`: events are then dropped, and two weeks later AWS removes the source.
///
/// A `moved` block can move an `aws_cloudwatch_event_bus` of a partner event source (hashicorp/aws) to this resource.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct Bus {
    /// Name of the partner event source, such as `aws.partner/scalr.com/ACCOUNT/NAME`: the connection's
    /// `event_source_name`.
    #[tf(required, replace, check = checks::event_source)]
    event_source_name: String,
    /// AWS region of the bus, which is the connection's. Default: the provider's region.
    #[tf(optional, computed, use_state_for_unknown, replace)]
    region: Option<Region>,
    /// Adopt the bus if it exists already (created in the console, or by an apply that was interrupted), and change its settings to those of this resource. Otherwise an existing bus is an error that says how to import it.
    #[tf(optional, default = false)]
    adopt_existing: bool,
    /// Whether another provider of this configuration manages archives or rules on this bus, or targets of its rules, and deletes them in the same destroy. With `true`, a plan only warns of such objects. With `false`, the plan of a `destroy` fails if such an object would stay: AWS deletes a bus only if it has no archives and no rules, and a rule only if it has no targets.
    #[tf(optional, default = false)]
    managed_with_others: bool,
    /// What the bus is for.
    #[tf(optional, check = checks::description)]
    description: Option<String>,
    /// KMS key that encrypts the events on the bus: an ARN, a key id, or an alias. Default: a key that AWS owns.
    #[tf(optional)]
    kms_key_identifier: Option<String>,
    /// Queue for events that could not be encrypted for the bus's targets.
    #[tf(optional)]
    dead_letter_config: Option<DeadLetterConfig>,
    /// What the bus logs about the events it handles.
    #[tf(optional)]
    log_config: Option<LogConfig>,
    /// Tags of the bus, over the provider's `default_tags`. A tag with the value null is ignored.
    #[tf(optional, check = checks::tags)]
    tags: Option<tags::Written>,
    /// All tags of the bus, including the provider's `default_tags`. `scalr-eventbridge:instance` changes if another resource or state has adopted the bus, or if an apply was killed while it adopted it: the next apply takes the bus back.
    #[tf(computed)]
    tags_all: Option<BTreeMap<String, String>>,
    /// Name of the bus, for `event_bus_name` of rules and targets: the same as `event_source_name`.
    #[tf(computed, use_state_for_unknown)]
    name: Option<String>,
    /// ARN of the bus.
    #[tf(computed, use_state_for_unknown)]
    arn: Option<String>,
    /// State of the event source: `ACTIVE`; `PENDING` if it has no bus, which an apply repairs; `DELETED` if Scalr has removed it; `MISSING` if AWS has.
    #[tf(computed, use_state_for_unknown)]
    source_state: Option<String>,
}

/// A dead-letter queue.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct DeadLetterConfig {
    /// ARN of an SQS standard queue.
    #[tf(required, check = checks::queue_arn)]
    pub arn: String,
}

/// What a bus logs.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct LogConfig {
    /// `NONE`, or `FULL` to log the events' detail as well.
    #[tf(optional, default = "NONE", check = checks::log_detail)]
    pub include_detail: String,
    /// `OFF`, `ERROR`, `INFO` or `TRACE`.
    #[tf(required, check = checks::log_level)]
    pub level: String,
}

impl Resource for Bus {
    const NAME: &'static str = "eventbridge_bus";
    type Client = Client;
    const IDENTITY: Identity = Identity::of(&["name"]).optional(&["region"]);
    const TIMEOUTS: Timeouts = Timeouts::none().create(mins(10)).update(mins(5)).delete(mins(5));
    const PLANS_DESTROY: bool = true;
    const MOVES: Moves<Self> = moved::sources;

    async fn create(mut plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let aws = defaults::regional(operation, plan.region.as_ref()).await?;
        plan.complete(&aws, operation.client())?;
        if let Err(failed) = plan.make(operation, &aws).await {
            // An activation that waits for this bus waits no longer.
            operation.client().walk().no_association(&plan.event_source_name);
            return Err(failed);
        }
        plan.associate(operation, &aws).await;
        routes::check(operation, &plan).await;
        Ok(plan)
    }

    async fn read(mut state: Self, operation: &mut Operation<'_, Self>) -> Result<Option<Self>> {
        let aws = defaults::refreshing(operation, state.region.as_ref()).await?;
        // An import knows name or ARN alone.
        let imported = state.event_source_name.is_empty();
        if imported {
            imported_account(&aws, state.arn.as_deref()).await?;
            let name = state.name.clone().unwrap_or_default();
            checks::event_source(&name).map_err(|why| messages::not_of_a_partner(&name, &why))?;
            state.event_source_name = name;
        }
        state.name = Some(state.event_source_name.clone());
        state.region = Some(Region::from(&*aws.name));
        plan::note_refresh(operation, &state);
        let name = &state.event_source_name;
        let held = aws.bus(name).await.map_err(|e| e.during(doing::read(name)))?;
        let Some(held) = held else {
            if imported {
                return Err(messages::nothing_to_import(name, &aws).await.into());
            }
            same_account(&aws, state.arn.as_deref()).await?;
            return Ok(None);
        };
        let source = aws.source(name).await;
        let source = source
            .map_err(|e| e.during(doing::read_source(name)))?
            .and_then(|source| source.state);
        let arn = held.arn().unwrap_or_default().to_owned();
        let read = aws.tags_and_owner(&arn).await;
        let (all, tagged) = read.map_err(|e| e.during(doing::read_tags(name)))?;
        state.source_state = Some(source.map_or(MISSING.to_owned(), |source| source.as_str().to_owned()));
        defaults::read_tags(operation.client(), all, &mut state.tags, &mut state.tags_all)?;
        handover::show_adoption(operation, tagged, imported, &mut state.tags_all);
        state.arn = Some(arn);
        state.with(&held);
        Ok(Some(state))
    }

    async fn update(prior: Self, mut plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let aws = defaults::regional(operation, plan.region.as_ref()).await?;
        plan.complete(&aws, operation.client())?;
        let mut turn = handover::turn(operation, &plan.object()).await?;
        turn.own(&Owner::ensure(operation));
        if plan.settings_differ(&prior) {
            aws::update(&aws, &plan).await?;
        }
        let name = &plan.event_source_name;
        let (held, planned) = (
            prior.tags_all.unwrap_or_default(),
            plan.tags_all.clone().unwrap_or_default(),
        );
        let own = [prior.tags.as_ref(), plan.tags.as_ref()];
        let tagging = defaults::tagging(operation.client())?;
        let wanted = tags::wanted(&planned, own, tagging.defaults);
        let arn = plan.arn.as_deref().unwrap_or_default();
        let tagged = aws.retag(arn, &held, &wanted, tagging.ignored).await;
        tagged.map_err(|e| e.during_with(doing::tag(name), &messages::after_tagging()))?;
        if held.contains_key(INSTANCE) {
            handover::take_back(operation, &aws, &plan.object(), (arn, INSTANCE)).await;
        }
        if prior.source_state != plan.source_state {
            source::reassociate(operation, &aws, name).await?;
        }
        routes::check(operation, &plan).await;
        Ok(plan)
    }

    async fn delete(mut state: Self, operation: &mut Operation<'_, Self>) -> Result<()> {
        let aws = defaults::regional(operation, state.region.as_ref()).await?;
        state.region = Some(Region::from(&*aws.name));
        let tag = (state.arn.as_deref().unwrap_or_default(), INSTANCE);
        let doing = doing::delete(&state.event_source_name);
        let failed = |e: Error| e.during_with(doing, &messages::after_deleting());
        let object = state.object();
        let Some(destroy) = handover::turn_to_destroy(operation, &aws, &object, tag, failed).await? else {
            return Ok(());
        };
        // An event source that is made of the same partner's source waits for it.
        let _removing = operation.client().memory().removing(state.object());
        aws::delete(operation, &aws, &state).await?;
        destroy.done(operation);
        Ok(())
    }

    async fn plan(plan: &mut Plan<'_, Self>) -> Result<()> {
        plan::decide(plan).await;
        Ok(())
    }

    fn import_id(id: &str) -> Result<ImportedAttrs<Self>> {
        let import_id::Parts { names, region, arn } = import_id::bus(id)?;
        let [name] = names;
        Ok(ImportedAttrs::new()
            .set(Self::name(), name)
            .set(Self::region(), region)
            .set(Self::arn(), arn))
    }
}

impl Bus {
    fn known_arn(&self) -> &str {
        self.arn.as_deref().unwrap_or_default()
    }

    /// Fills in what the plan could not know.
    fn complete(&mut self, aws: &Regional, client: &Client) -> Result<()> {
        self.region = Some(Region::from(&*aws.name));
        self.name = Some(self.event_source_name.clone());
        defaults::complete_tags(client, self.tags.as_ref(), &mut self.tags_all)?;
        Ok(())
    }
}
