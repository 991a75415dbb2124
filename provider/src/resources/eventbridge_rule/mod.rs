//! `scalr_eventbridge_rule`: "Create rule" in the AWS console, its pattern tested before anything is made.

mod aws;
mod generated_name;
mod ids;
mod in_use;
mod messages;
mod moved;
mod object;
mod pattern;

use std::collections::BTreeMap;

use tfplugin::rules::{Rules, exactly_one_of};
use tfplugin::{
    Attrs, Identity, ImportedAttrs, Moves, Operation, Plan, PlanAction, Resource, Result, Timeouts, mins,
};

use super::{handover, placement};
use crate::aws::tags::INSTANCE;
use crate::aws::{Error, Regional, checks, import_id, imported_account, same_account, tags};
use crate::client::Client;
use crate::failure::Cause as _;
use crate::ownership::Owner;
use crate::values::{Json, Region};
use crate::{check, defaults};
use messages::doing;
pub(super) use pattern::{of_scalrs_events, unmatched};

/// A rule on an event bus: which events it matches. `scalr_eventbridge_target` says where they go.
///
/// The plan compiles the pattern with the rules of EventBridge's own engine: a pattern that AWS would refuse is an error before anything is created. On a bus of Scalr's events, every plan warns if the pattern, or an alternative in it, can match none of these events. The warning names the cause: a field that the events do not have, a value of another type, a value that the field never has, or another source or detail type. The plan also warns of a `*` in an exact value, because EventBridge compares it as a character. It warns of a rule for Scalr's events on the bus `default`, where they do not arrive. If Scalr can be asked, it warns of a bus in another region or AWS account than its connection, and of ids of workspaces and environments in a new pattern that Scalr does not have.
///
/// The plan looks for the bus of a new rule. A bus that does not exist, and that no `scalr_eventbridge_bus` in the same plan creates, is a warning with the nearest name.
///
/// A `moved` block can move an `aws_cloudwatch_event_rule` (hashicorp/aws) that has an event pattern to this resource.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct Rule {
    /// Name of the rule. One of `name` and `name_prefix` must be set.
    #[tf(optional, computed, use_state_for_unknown, replace, check = checks::name)]
    name: Option<String>,
    /// Prefix of a generated name, at most 38 characters: AWS allows 64, and 26 are added. For rules that are replaced with `create_before_destroy`; if their targets also have `create_before_destroy`, the log group passes to the new target when the old one is destroyed. If a rule with this prefix exists, is equal to the new one and has no targets, the apply fails, because an interrupted apply may have left it; the error says how to import it.
    #[tf(optional, computed, use_state_for_unknown, replace, check = checks::name_prefix)]
    name_prefix: Option<String>,
    /// Name of the event bus: `name` of a `scalr_eventbridge_bus`.
    #[tf(required, replace, check = checks::bus)]
    event_bus_name: String,
    /// AWS region of the bus. Default: the provider's region.
    #[tf(optional, computed, use_state_for_unknown, replace)]
    region: Option<Region>,
    /// What the rule is for.
    #[tf(optional, check = checks::description)]
    description: Option<String>,
    /// Event pattern, as JSON: `provider::scalr::event_pattern(…)`, or `jsonencode(…)` of one of your own. Texts that
    /// mean the same JSON are the same pattern.
    #[tf(required, check = pattern::check)]
    event_pattern: Json,
    /// Whether the rule matches events.
    #[tf(optional, default = true)]
    enabled: bool,
    /// Role that EventBridge assumes to send to the rule's targets, if they need one. Log groups need none.
    #[tf(optional, check = check::role_arn)]
    role_arn: Option<String>,
    /// Tags of the rule, over the provider's `default_tags`. A tag with the value null is ignored.
    #[tf(optional, check = checks::tags)]
    tags: Option<tags::Written>,
    /// All tags of the rule, including the provider's `default_tags`. `scalr-eventbridge:instance` changes if another resource or state has adopted the rule, or if an apply was killed while it adopted it: the next apply takes the rule back.
    #[tf(computed)]
    tags_all: Option<BTreeMap<String, String>>,
    /// ARN of the rule.
    #[tf(computed, use_state_for_unknown)]
    arn: Option<String>,
}

impl Resource for Rule {
    const NAME: &'static str = "eventbridge_rule";
    type Client = Client;
    const IDENTITY: Identity = Identity::of(&["event_bus_name", "name"]).optional(&["region"]);
    const TIMEOUTS: Timeouts = Timeouts::none().delete(mins(5));
    const PLANS_DESTROY: bool = true;
    const MOVES: Moves<Self> = moved::sources;
    const RULES: Rules<Self> = || {
        let one_name = exactly_one_of((Self::name(), Self::name_prefix()));
        vec![
            one_name
                .message(messages::one_name)
                .unless(generated_name::is_of_an_import),
        ]
    };

    async fn create(mut plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let aws = defaults::regional(operation, plan.region.as_ref()).await?;
        plan.complete(&aws, operation.client())?;
        let generated = plan.name.is_none();
        if let (None, Some(prefix)) = (&plan.name, &plan.name_prefix) {
            plan.name = Some(aws::generate_name(&aws, operation.client(), &plan, prefix).await?);
        }
        let object = plan.object();
        let mut turn = handover::turn_to_create(operation, &object).await?;
        let owner = Owner::ensure(operation);
        if generated {
            // Before the rule is there: others that are made at the same time must not take it for one that was left.
            turn.own(&owner);
        }
        let adopts = !generated && aws::adopt_or_refuse(&aws, operation.client(), &plan).await?;
        if adopts {
            handover::refuse_made_by_two(&turn, &object)?;
        }
        let tags = defaults::tagging(operation.client())?.sent(plan.tags.as_ref());
        let arn = aws::put(&aws, &plan, Some(&tags)).await?;
        turn.own(&owner);
        if adopts {
            handover::adopted(operation, &aws, &object, (&arn, INSTANCE)).await;
        }
        plan.arn = Some(arn);
        Ok(plan)
    }

    async fn read(mut state: Self, operation: &mut Operation<'_, Self>) -> Result<Option<Self>> {
        let aws = defaults::refreshing(operation, state.region.as_ref()).await?;
        state.region = Some(Region::from(&*aws.name));
        let (bus, name) = (state.event_bus_name.clone(), state.known_name().to_owned());
        let doing = || doing::read(&bus, &name);
        // An import knows name or ARN alone.
        let imported = state.tags_all.is_none();
        if imported {
            imported_account(&aws, state.arn.as_deref()).await?;
        }
        let held = aws::refreshed(&aws, &state, imported).await;
        let Some(held) = held.map_err(|e| e.during(doing()))? else {
            if imported {
                return Err(messages::nothing_to_import(&bus, &name, &aws).await.into());
            }
            same_account(&aws, state.arn.as_deref()).await?;
            return Ok(None);
        };
        let read = aws.tags_and_owner(held.arn().unwrap_or_default()).await;
        let (all, tagged) = read.map_err(|e| e.during(doing()))?;
        if imported {
            state.name_prefix = generated_name::prefix(&name);
        }
        defaults::read_tags(operation.client(), all, &mut state.tags, &mut state.tags_all)?;
        handover::show_adoption(operation, tagged, imported, &mut state.tags_all);
        state.arn = held.arn().map(str::to_owned);
        state.with(&held);
        Ok(Some(state))
    }

    async fn update(prior: Self, mut plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let aws = defaults::regional(operation, plan.region.as_ref()).await?;
        plan.complete(&aws, operation.client())?;
        let mut turn = handover::turn(operation, &plan.object()).await?;
        turn.own(&Owner::ensure(operation));
        if !plan.is_like(&prior) {
            aws::put(&aws, &plan, None).await?;
        }
        let (held, planned) = (
            prior.tags_all.unwrap_or_default(),
            plan.tags_all.clone().unwrap_or_default(),
        );
        let own = [prior.tags.as_ref(), plan.tags.as_ref()];
        let tagging = defaults::tagging(operation.client())?;
        let wanted = tags::wanted(&planned, own, tagging.defaults);
        let arn = plan.arn.as_deref().unwrap_or_default();
        let tagged = aws.retag(arn, &held, &wanted, tagging.ignored).await;
        tagged.map_err(|e| e.during_with(doing::tag(plan.known_name()), &messages::after_tagging()))?;
        if held.contains_key(INSTANCE) {
            handover::take_back(operation, &aws, &plan.object(), (arn, INSTANCE)).await;
        }
        Ok(plan)
    }

    async fn delete(mut state: Self, operation: &mut Operation<'_, Self>) -> Result<()> {
        let aws = defaults::regional(operation, state.region.as_ref()).await?;
        state.region = Some(Region::from(&*aws.name));
        let tag = (state.arn.as_deref().unwrap_or_default(), INSTANCE);
        let doing = doing::delete(&state.event_bus_name, state.known_name());
        let failed = |e: Error| e.during_with(doing, &messages::after_deleting());
        let object = state.object();
        let Some(destroy) = handover::turn_to_destroy(operation, &aws, &object, tag, failed).await? else {
            return Ok(());
        };
        let _removing = operation.client().memory().removing(state.bus());
        aws::delete(operation, &aws, &state).await?;
        destroy.done(operation);
        Ok(())
    }

    async fn plan(plan: &mut Plan<'_, Self>) -> Result<()> {
        if plan.action() == PlanAction::Delete {
            in_use::judge(plan).await;
            return Ok(());
        }
        defaults::plan_region(plan, &Self::region());
        defaults::plan_tags(plan, &Self::tags(), &Self::tags_all(), |rule| rule.tags.as_ref());
        // A prefix is there where it is written, or where an import has found one.
        if plan.config(Self::name_prefix()).is_null() && plan.planned(Self::name_prefix()).is_unknown() {
            plan.set(Self::name_prefix(), None);
        }
        let whose = messages::whose(plan);
        pattern::warn(plan, &whose);
        ids::warn(plan, &whose).await;
        object::note_presence(plan);
        let attributes = placement::Attributes {
            bus: Self::event_bus_name(),
            region: Self::region(),
            arn: |rule: &Self| rule.arn.as_deref(),
        };
        placement::judge(plan, &attributes, &whose).await;
        let object = object::planned(plan);
        handover::plan(plan, object, "another `name`", Self::name());
        in_use::judge(plan).await;
        Ok(())
    }

    fn import_id(id: &str) -> Result<ImportedAttrs<Self>> {
        let import_id::Parts { names, region, arn } = import_id::rule(id)?;
        let [bus, name] = names;
        Ok(ImportedAttrs::new()
            .set(Self::event_bus_name(), bus)
            .set(Self::name(), name)
            .set(Self::region(), region)
            .set(Self::arn(), arn))
    }
}

impl Rule {
    fn known_name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// Fills in what the plan could not know.
    fn complete(&mut self, aws: &Regional, client: &Client) -> Result<()> {
        self.region = Some(Region::from(&*aws.name));
        defaults::complete_tags(client, self.tags.as_ref(), &mut self.tags_all)?;
        Ok(())
    }
}
