//! `scalr_eventbridge_subscriber`: delivers events of a custom event bus to a target.

mod aws;
mod filters;
mod group_change;
mod log_group;
mod messages;
mod object;
mod parts;
mod plan;
mod role;
mod role_messages;
mod role_policy;
mod validate;
mod wire;

use std::collections::BTreeMap;

use tfplugin::{
    Attrs, Config, Diagnostics, Identity, ImportedAttrs, Operation, Plan, Resource, Result, Timeouts, mins,
};

use crate::aws::{Error, custom_checks, import_id, imported_account, same_account, subscriber_checks, tags};
use crate::check;
use crate::client::Client;
use crate::defaults;
use crate::failure::Cause as _;
use crate::ownership::Owner;
use crate::resources::handover;
use crate::values::{Json, Region};
use messages::doing;
use parts::{Batch, Filter, LogGroup, PointInTime, Retry, Role, Transformer};

/// Delivers the events of a custom event bus to a target. It takes the place of a rule with its target on a Classic event bus.
///
/// The target's own policy lets nothing in: EventBridge takes on a role for each delivery, and for each failure record. `role = { create = true }` makes one. A role that is made elsewhere (`role_arn`) has to trust `events.amazonaws.com`, and to allow what the target needs, as `sqs:SendMessage` for a queue. A log group (`log_group`) is a target by the call that writes to it: the role has to allow `logs:PutLogEvents` on its stream.
///
/// AWS changes one subscriber of a bus at a time: changes of subscribers on one bus come one after the other. Those of other processes are waited for.
///
/// `name`, `event_bus_arn`, `target_arn`, `type`, `starting_position` and `point_in_time` cannot be changed: another value replaces the subscriber. Events that arrive between its deletion and the creation of the new one are delivered only if that begins at a point in time.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct Subscriber {
    /// Name of the subscriber, 1 to 256 letters, digits, `.`, `-` or `_`, the first of them a letter or digit. An account has one of a name in a region.
    #[tf(required, replace, check = subscriber_checks::name)]
    name: String,
    /// ARN of the custom event bus. Its region is that of the subscriber. To have the events of Scalr, use the `event_bus_arn` of a `scalr_eventbridge_event_source`: the subscriber is then made after it.
    #[tf(required, replace, check = custom_checks::bus_arn)]
    event_bus_arn: String,
    /// ARN of the target, in place of `log_group`: of an SQS queue, an event bus of either kind, an API destination, a Lambda function, an SNS topic, a Kinesis or Firehose stream, a state machine or an API of API Gateway; or `arn:aws:events:::aws-sdk:SERVICE:ACTION` for a call to AWS. It has to be in the account and region of the subscriber, except for custom event buses and calls.
    #[tf(optional, computed, use_state_for_unknown, replace, check = subscriber_checks::target_arn)]
    target_arn: Option<String>,
    /// CloudWatch log group as target. Terraform and OpenTofu silently ignore unknown attributes of an object: with a misspelt `retention_in_days` events are kept forever.
    #[tf(optional)]
    log_group: Option<LogGroup>,
    /// ARN of the role that delivers, in place of `role`. Its trust policy has to allow `sts:AssumeRole` to `events.amazonaws.com`.
    #[tf(optional, computed, use_state_for_unknown, check = check::role_arn)]
    role_arn: Option<String>,
    /// Role that is made with the subscriber, in place of `role_arn`. In a module that leaves the choice to its caller: `role = var.role_arn == null ? { create = true } : null`, beside `role_arn = var.role_arn`.
    #[tf(optional)]
    role: Option<Role>,
    /// Arguments of the call, as JSON, where `target_arn` is one. An expression `{% … %}` is JSONATA; `$events` is the list of the events.
    #[tf(optional, check = subscriber_checks::input)]
    input: Option<Json>,
    /// Order of the delivery: `UNORDERED`, or `FIFO` for the order in which the events of a group arrived. Default: `UNORDERED`.
    #[tf(optional, default = "UNORDERED", replace, check = subscriber_checks::ordering)]
    r#type: String,
    /// Where a new subscriber begins: `LATEST` with the events that arrive after it was made, `POINT_IN_TIME` with those that the bus has kept since `point_in_time`. Default: `LATEST`.
    #[tf(optional, default = "LATEST", replace, check = subscriber_checks::position)]
    starting_position: String,
    /// Since when events that the bus has kept are delivered. Only with the starting position `POINT_IN_TIME`.
    #[tf(optional, replace)]
    point_in_time: Option<PointInTime>,
    /// What an event has to match to be delivered: one pattern for each scope, all of which have to match. Default: every event.
    #[tf(optional)]
    filter: Option<Vec<Filter>>,
    /// What is made of an event before it is delivered. Default: the event as it was published.
    #[tf(optional)]
    transformer: Option<Transformer>,
    /// How many events are delivered together. A size that is not written is not compared with AWS. Default: as many as the target takes, at once.
    #[tf(optional)]
    batch: Option<Batch>,
    /// How often and how long delivery is tried again. Default: 5 retries within 300 seconds.
    #[tf(optional)]
    retry: Option<Retry>,
    /// ARN of an SQS queue for failure records, of the subscriber's account and region. A record names the events that could not be delivered, and does not hold them. The role has to allow `sqs:SendMessage` there; otherwise the records are lost.
    #[tf(optional, check = subscriber_checks::dead_letter_arn)]
    dead_letter_arn: Option<String>,
    /// Whether events are delivered. With `false` they stay on the bus for as long as it keeps events, and are delivered later.
    #[tf(optional, default = true)]
    enabled: bool,
    /// Where a stopped subscriber continues when `enabled` turns true: `LAST_PROCESSED` delivers the events that arrived meanwhile, `LATEST` leaves them out. Default: `LAST_PROCESSED`.
    #[tf(optional, check = subscriber_checks::resume)]
    resume_position: Option<String>,
    /// What the subscriber is for, in one line.
    #[tf(optional, check = custom_checks::description)]
    description: Option<String>,
    /// Tags of the subscriber, over the provider's `default_tags`. A tag with the value null is ignored.
    #[tf(optional, check = custom_checks::tags)]
    tags: Option<tags::Written>,
    /// All tags of the subscriber, including the provider's `default_tags`.
    #[tf(computed)]
    tags_all: Option<BTreeMap<String, String>>,
    /// AWS region of the subscriber: that of the bus.
    #[tf(computed, use_state_for_unknown)]
    region: Option<Region>,
    /// ARN of the subscriber. It ends in an id that AWS chooses.
    #[tf(computed, use_state_for_unknown)]
    arn: Option<String>,
    /// State of the subscriber: `RUNNING` or `STOPPED`; another for a while after it was made; `REVOKED` if the owner of the bus has taken it off the bus, for good.
    #[tf(computed)]
    state: Option<String>,
    /// When the subscriber was made, in RFC 3339.
    #[tf(computed, use_state_for_unknown)]
    creation_time: Option<String>,
}

impl Resource for Subscriber {
    const NAME: &'static str = "eventbridge_subscriber";
    type Client = Client;
    const IDENTITY: Identity = Identity::of(&["name"]).optional(&["region"]);
    const PLANS_DESTROY: bool = true;
    const TIMEOUTS: Timeouts = Timeouts::none()
        .create(mins(10))
        .update(mins(10))
        .delete(mins(10));

    async fn create(mut plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let aws = plan.regional(operation).await?;
        plan.complete(&aws, operation.client())?;
        operation.client().memory().begin_creation(&plan.object());
        Owner::ensure(operation);
        if plan.log_group.is_some() || plan.role.is_some() {
            // Before anything is changed about a log group or role that may be that subscriber's.
            aws::refuse_taken_name(&aws, &plan.name).await?;
        }
        group_change::end(operation);
        log_group::ensure(operation, &aws, &mut plan, None).await?;
        role::ensure(operation, &aws, &mut plan, None).await?;
        let turn = handover::turn(operation, &plan.bus()).await?;
        let tags = defaults::tagging(operation.client())?.sent(plan.tags.as_ref());
        plan.arn = Some(aws::create(operation, &aws, &plan, &tags).await?);
        plan.state = None;
        operation.save(plan.clone());
        plan.settle(operation, &aws).await?;
        drop(turn);
        Ok(plan)
    }

    async fn read(mut state: Self, operation: &mut Operation<'_, Self>) -> Result<Option<Self>> {
        let aws = state.regional(operation).await?.refreshing();
        state.region = Some(Region::from(&*aws.name));
        role::note(operation, &state);
        let name = state.name.clone();
        let failed = |e: Error| e.during(doing::read(&name));
        // An import knows name or ARN alone.
        let imported = state.tags_all.is_none();
        if imported {
            imported_account(&aws, state.arn.as_deref()).await?;
            if state.arn.is_none() {
                let named = aws.subscribers_named(&name).await.map_err(failed)?;
                state.arn = messages::only_one(&name, named)?;
            }
        }
        let held = match &state.arn {
            Some(arn) => aws.subscriber(arn).await.map_err(failed)?,
            None => None,
        };
        let Some(held) = held else {
            if imported {
                return Err(messages::nothing_to_import(&name, &aws).await.into());
            }
            same_account(&aws, state.arn.as_deref()).await?;
            return role::without_subscriber(operation, &aws, state).await;
        };
        let all = aws.custom_tags(state.known_arn()).await.map_err(failed)?;
        defaults::read_tags(operation.client(), all, &mut state.tags, &mut state.tags_all)?;
        Owner::ensure(operation);
        operation.client().walk().refreshed(state.object());
        let before = state.own_group().map(|group| group.name.clone());
        state.with(&held, imported);
        state.read_group(operation, &aws, before).await?;
        role::read(operation, &aws, &mut state, imported).await?;
        Ok(Some(state))
    }

    async fn update(prior: Self, mut plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let aws = plan.regional(operation).await?;
        plan.complete(&aws, operation.client())?;
        Owner::ensure(operation);
        group_change::begin(operation, [&prior, &plan]);
        log_group::ensure(operation, &aws, &mut plan, Some(&prior)).await?;
        role::ensure(operation, &aws, &mut plan, Some(&prior)).await?;
        if plan.settings_differ(&prior) {
            let _turn = handover::turn(operation, &plan.bus()).await?;
            aws::update(operation, &aws, &plan, &prior).await?;
            plan.settle(operation, &aws).await?;
        } else {
            plan.state.clone_from(&prior.state);
        }
        log_group::let_go(operation, &aws, &plan).await?;
        role::let_go(operation, &aws, &plan, &prior).await?;
        let held = (prior.tags.as_ref(), prior.tags_all.as_ref());
        let planned = (plan.tags.as_ref(), plan.tags_all.as_ref());
        let tagged =
            defaults::retag_custom(operation.client(), &aws, plan.known_arn(), [held, planned]).await?;
        tagged.map_err(|e| e.during_with(doing::tag(&plan.name), &messages::after_tagging()))?;
        Ok(plan)
    }

    async fn delete(mut state: Self, operation: &mut Operation<'_, Self>) -> Result<()> {
        let aws = state.regional(operation).await?;
        let was_there = state.arn.is_some();
        // A Classic bus that is made of the same partner's source waits for all of them, and for the event source.
        let _removing = operation.client().memory().removing(state.bus());
        if was_there {
            let turn = handover::turn(operation, &state.bus()).await?;
            aws::delete(operation, &aws, &state).await?;
            drop(turn);
            state.subscriber_is_gone(operation);
        }
        role::delete(&aws, &state, was_there).await?;
        log_group::delete(operation, &aws, &state, was_there).await
    }

    fn validate_config(config: &Config<'_, Self>, diags: &mut Diagnostics) {
        validate::refuse(config, diags);
    }

    async fn plan(plan: &mut Plan<'_, Self>) -> Result<()> {
        plan::decide(plan).await;
        Ok(())
    }

    fn import_id(id: &str) -> Result<ImportedAttrs<Self>> {
        let import_id::Parts { names, region, arn } = import_id::subscriber(id)?;
        let [name] = names;
        Ok(ImportedAttrs::new()
            .set(Self::name(), name)
            .set(Self::region(), region)
            .set(Self::arn(), arn))
    }
}
