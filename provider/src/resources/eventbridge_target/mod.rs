//! `scalr_eventbridge_target`: where a rule's events go. For a log group that includes the permission without which
//! nothing arrives.

mod aws;
mod claim;
mod delete;
mod group_messages;
mod input;
mod log_group;
mod messages;
mod moved;
mod object;
mod parts;
mod plan;
mod planned_group;
mod routes;
mod unfinished;
mod validate;
mod warnings;

use tfplugin::rules::Rules;
use tfplugin::{
    Attrs, Config, Diagnostics, GeneratedConfig, Identity, ImportedAttrs, Moves, Operation, Plan, Resource,
    Result, Timeouts, mins,
};

use super::handover;
use crate::aws::{Error, arn, checks, import_id, same_account, tags, target_id};
use crate::client::Client;
use crate::failure::Cause as _;
use crate::ownership::Owner;
use crate::values::{Json, Region};
use crate::{check, defaults};
pub(super) use claim::make as make_group;
pub(super) use log_group::{set_retention, tag};
use messages::doing;
pub(super) use parts::LogGroup as TargetGroup;
use parts::{DeadLetterConfig, InputTransformer, LogGroup, RetryPolicy};

/// A target of a rule: where the matched events go.
///
/// With `log_group`, the target also gives EventBridge the permission to write there, in the resource policy of the log group itself. Without a permission the rule matches, nothing arrives, and there is no error. Other statements of that policy are not changed. The statements are written even if another policy grants the same, because that policy may be deleted. If the log group, the permission or the target is missing, the plan shows a change in place, and the apply repairs it.
///
/// If an apply fails after it created the log group, the target is in the state as tainted: the next apply replaces it.
///
/// A plan warns of a bus, rule or log group that does not exist and that nothing of this provider in the same plan creates, with the nearest name. It warns of a log group only if one with a similar name exists, because other providers also create log groups.
///
/// A queue or topic that does not exist, or whose policy does not allow the rule, is a warning in the plan, or after the apply if the plan cannot know it yet. The policy may be created in the same apply, so the check after the apply waits for it, up to 6 seconds, or 12 with a dead-letter queue. Objects of other accounts are not checked.
///
/// A `moved` block can move an `aws_cloudwatch_event_target` (hashicorp/aws) that has no settings of one service to this resource.
#[derive(Attrs, Clone, Debug, PartialEq)]
#[expect(clippy::struct_field_names, reason = "fields are named as in HCL")]
pub struct Target {
    /// Name of the rule.
    #[tf(required, replace, check = checks::name)]
    rule: String,
    /// Name of the rule's event bus.
    #[tf(required, replace, check = checks::bus)]
    event_bus_name: String,
    /// AWS region of the bus. Default: the provider's region.
    #[tf(optional, computed, use_state_for_unknown, replace)]
    region: Option<Region>,
    /// Id of the target, unique within the rule. Default: one derived from rule and destination.
    #[tf(optional, computed, use_state_for_unknown, replace, check = checks::name)]
    target_id: Option<String>,
    /// ARN of the destination. For a log group use `log_group`, which also manages the permission.
    #[tf(optional, computed, use_state_for_unknown, replace, check = checks::any_arn)]
    arn: Option<String>,
    /// CloudWatch log group as destination. Terraform and OpenTofu silently ignore unknown attributes of an object: with a misspelt `retention_in_days` events are kept forever.
    #[tf(optional)]
    log_group: Option<LogGroup>,
    /// Constant JSON text to send in place of the event.
    #[tf(optional, check = checks::input)]
    input: Option<Json>,
    /// JSON path of the part of the event to send, such as `$.detail`.
    #[tf(optional, check = checks::json_path)]
    input_path: Option<String>,
    /// How to change the event before it is sent.
    #[tf(optional)]
    input_transformer: Option<InputTransformer>,
    /// How long and how often delivery is retried. Default: 24 hours and 185 retries.
    #[tf(optional)]
    retry_policy: Option<RetryPolicy>,
    /// Queue for events that could not be delivered.
    #[tf(optional)]
    dead_letter_config: Option<DeadLetterConfig>,
    /// Role that EventBridge assumes to send to the destination. Log groups, SQS queues, SNS topics and Lambda functions need none.
    #[tf(optional, check = check::role_arn)]
    role_arn: Option<String>,
    /// Whether this resource owns the target. `false` if another resource or state has adopted it, or if an apply was killed while it adopted it: the next apply takes it back. A destroy does not delete a target that another resource owns.
    #[tf(computed, use_state_for_unknown)]
    managed: Option<bool>,
}

impl Resource for Target {
    const NAME: &'static str = "eventbridge_target";
    type Client = Client;
    const IDENTITY: Identity = Identity::of(&["event_bus_name", "rule", "target_id"]).optional(&["region"]);
    const TIMEOUTS: Timeouts = Timeouts::none().create(mins(5)).update(mins(5)).delete(mins(5));
    const RULES: Rules<Self> = validate::rules;
    const MOVES: Moves<Self> = moved::sources;
    const PLANS_DESTROY: bool = true;

    async fn create(mut plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let aws = defaults::regional(operation, plan.region.as_ref()).await?;
        plan.region = Some(Region::from(&*aws.name));
        let rule_arn = plan.rule_arn(&aws).await?;
        if let Some(group) = &plan.log_group {
            let account = arn::account(&rule_arn).unwrap_or_default();
            plan.arn = Some(arn::of_log_group(&aws.name, account, &group.name));
        }
        plan.target_id = plan.target_id.or_else(|| {
            let destination = plan.arn.as_deref().unwrap_or_default();
            let destination = arn::log_group_name(destination).unwrap_or(destination);
            Some(target_id::derive(&plan.event_bus_name, &plan.rule, destination))
        });
        let object = plan.object();
        let mut turn = handover::turn_to_create(operation, &object).await?;
        let owner = Owner::ensure(operation);
        let adopts = aws::adopt_or_refuse(&aws, &plan).await?;
        if adopts {
            handover::refuse_made_by_two(&turn, &object)?;
        }
        plan.make_ready(operation, &aws, &rule_arn, None).await?;
        aws::put(operation, &aws, &plan, true).await?;
        unfinished::finished(operation);
        turn.own(&owner);
        let tag = tags::of_target(plan.id());
        if adopts {
            handover::adopted(operation, &aws, &object, (&rule_arn, &tag)).await;
        } else {
            handover::made(operation, &aws, &object, (&rule_arn, &tag)).await;
        }
        plan.managed = Some(true);
        routes::check(operation, &plan, &rule_arn).await;
        Ok(plan)
    }

    async fn read(mut state: Self, operation: &mut Operation<'_, Self>) -> Result<Option<Self>> {
        let aws = defaults::refreshing(operation, state.region.as_ref()).await?;
        // Version 5 of hashicorp/aws does not say it.
        let moved_from_anywhere = state.region.is_none() && state.arn.is_some();
        state.region = Some(Region::from(&*aws.name));
        let targets = aws.targets(&state.event_bus_name, &state.rule).await;
        let targets = targets.map_err(|e| e.during(doing::read(&state.rule)))?;
        // An import knows the ids alone.
        let imported = state.arn.is_none();
        if targets.is_none() && !imported {
            // A log group is in the rule's account.
            let known = state.log_group.as_ref().and_then(|group| group.arn.as_deref());
            same_account(&aws, known).await?;
        }
        let found = targets.iter().flatten().find(|held| held.id() == state.id());
        let Some(held) = found else {
            if imported {
                return Err(messages::nothing_to_import(&state, targets.as_deref(), &aws)
                    .await
                    .into());
            }
            if moved_from_anywhere {
                return Err(messages::not_in_the_providers_region(&state, &aws.name).into());
            }
            return unfinished::without_target(operation, &aws, state).await;
        };
        if imported {
            // Whether it was made here is in its tag.
            state.log_group = arn::log_group_name(held.arn()).map(LogGroup::imported);
        }
        state.with(held);
        if let Some(group) = state.log_group.take() {
            // Somebody may have written it as CloudWatch Logs shows it.
            state.arn = Some(held.arn().trim_end_matches(":*").to_owned());
            state.log_group = Some(log_group::read(operation, &aws, &state, group).await?);
        }
        let tagged = state.adopted_by(&aws).await;
        let tagged = tagged.map_err(|e| e.during(doing::read(&state.rule)))?;
        state.managed = Some(handover::adopted_elsewhere(operation, tagged, imported).is_none());
        Ok(Some(state))
    }

    async fn update(prior: Self, mut plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let aws = defaults::regional(operation, plan.region.as_ref()).await?;
        let mut turn = handover::turn(operation, &plan.object()).await?;
        turn.own(&Owner::ensure(operation));
        let rule_arn = plan.rule_arn(&aws).await?;
        plan.make_ready(operation, &aws, &rule_arn, Some(&prior)).await?;
        aws::put(operation, &aws, &plan, false).await?;
        unfinished::finished(operation);
        routes::check(operation, &plan, &rule_arn).await;
        log_group::let_go(operation, &aws, [&prior, &plan], &rule_arn).await?;
        if prior.managed == Some(false) {
            let tag = tags::of_target(plan.id());
            handover::take_back(operation, &aws, &plan.object(), (&rule_arn, &tag)).await;
        }
        plan.managed = Some(true);
        Ok(plan)
    }

    async fn delete(mut state: Self, operation: &mut Operation<'_, Self>) -> Result<()> {
        let aws = defaults::regional(operation, state.region.as_ref()).await?;
        state.region = Some(Region::from(&*aws.name));
        let _removing = operation.client().memory().removing(state.rule_object());
        let failed = |e: Error| {
            e.during_with(
                doing::remove(state.id(), &state.rule),
                &messages::after_removing(&state),
            )
        };
        let (rule_arn, tag) = state.mark(&aws).await.map_err(failed)?;
        let (object, tag) = (state.object(), (&*rule_arn, &*tag));
        let Some(destroy) = handover::turn_to_destroy(operation, &aws, &object, tag, failed).await? else {
            return Ok(());
        };
        delete::delete(operation, &aws, &state, &rule_arn).await?;
        if destroy.is_tagged {
            // One that stays is overwritten when a target of this id is made again.
            let _ = aws.clear_owner(tag.0, tag.1).await;
        }
        destroy.done(operation);
        Ok(())
    }

    fn validate_config(config: &Config<'_, Self>, diags: &mut Diagnostics) {
        validate::refuse(config, diags);
    }

    async fn plan(plan: &mut Plan<'_, Self>) -> Result<()> {
        plan::decide(plan).await;
        Ok(())
    }

    fn generated(config: &mut GeneratedConfig<'_, Self>) {
        plan::leave_out_derived_id(config);
    }

    fn import_id(id: &str) -> Result<ImportedAttrs<Self>> {
        let import_id::Parts { names, region, .. } = import_id::target(id)?;
        let [bus, rule, target] = names;
        Ok(ImportedAttrs::new()
            .set(Self::event_bus_name(), bus)
            .set(Self::rule(), rule)
            .set(Self::target_id(), target)
            .set(Self::region(), region))
    }
}
