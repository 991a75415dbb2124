//! `scalr_eventbridge_target`: where a rule's events go. For a log group that includes the permission without which
//! nothing arrives.

mod aws;
mod input;
mod log_group;
mod messages;
mod parts;
mod plan;
mod unfinished;
mod validate;
mod warnings;

use tfplugin::rules::Rules;
use tfplugin::{
    Attrs, Config, Diagnostics, Identity, ImportedAttrs, Operation, Plan, Resource, Result, Timeouts, mins,
};

use crate::aws::{Error, Regional, arn, checks, import_id, same_account, target_id};
use crate::client::Client;
use crate::failure::Cause as _;
use crate::values::{Json, Region};
use crate::{check, defaults};
use messages::doing;
use parts::{DeadLetterConfig, InputTransformer, LogGroup, RetryPolicy};

/// A target of a rule: where the events that it picks up go.
///
/// With `log_group`, EventBridge is also given the permission to write there, in the log group's own resource policy:
/// without one the rule matches, nothing arrives, and no error says so. Other statements of that policy are left alone.
/// These statements are written even where another policy grants the same, since that one may be taken away. A log group, a
/// permission or a target that has gone missing shows as an in-place change, which puts it back.
///
/// An apply that fails after the log group was made keeps the target in the state as tainted: the next apply replaces it, and
/// a destroy removes what is there.
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
    /// ARN of the destination. For a log group use `log_group`, which sees to the permission as well.
    #[tf(optional, computed, use_state_for_unknown, replace, check = checks::any_arn)]
    arn: Option<String>,
    /// CloudWatch log group as destination. Terraform and OpenTofu drop an attribute of an object that they do not know, without a
    /// word: a misspelt `retention_in_days` keeps events for ever.
    #[tf(optional)]
    log_group: Option<LogGroup>,
    /// Constant JSON text to send in place of the event.
    #[tf(optional, check = checks::input)]
    input: Option<Json>,
    /// JSON path of the part of the event to send, such as `$.detail`.
    #[tf(optional, check = checks::json_path)]
    input_path: Option<String>,
    /// What to make of the event before it is sent.
    #[tf(optional)]
    input_transformer: Option<InputTransformer>,
    /// How long and how often delivery is tried. Default: 24 hours and 185 times.
    #[tf(optional)]
    retry_policy: Option<RetryPolicy>,
    /// Queue for events that could not be delivered.
    #[tf(optional)]
    dead_letter_config: Option<DeadLetterConfig>,
    /// Role that EventBridge assumes to reach the destination. Log groups, SQS queues, SNS topics and Lambda functions
    /// take none.
    #[tf(optional, check = check::role_arn)]
    role_arn: Option<String>,
}

impl Resource for Target {
    const NAME: &'static str = "eventbridge_target";
    type Client = Client;
    const IDENTITY: Identity = Identity::of(&["event_bus_name", "rule", "target_id"]).optional(&["region"]);
    const TIMEOUTS: Timeouts = Timeouts::none().create(mins(5)).update(mins(5)).delete(mins(5));
    const RULES: Rules<Self> = validate::rules;

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
        aws::adopt_or_refuse(&aws, &plan).await?;
        plan.make_ready(operation, &aws, &rule_arn, None).await?;
        aws::put(operation, &aws, &plan, true).await?;
        unfinished::finished(operation);
        Ok(plan)
    }

    async fn read(mut state: Self, operation: &mut Operation<'_, Self>) -> Result<Option<Self>> {
        let aws = defaults::regional(operation, state.region.as_ref()).await?;
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
        Ok(Some(state))
    }

    async fn update(prior: Self, mut plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let aws = defaults::regional(operation, plan.region.as_ref()).await?;
        let rule_arn = plan.rule_arn(&aws).await?;
        plan.make_ready(operation, &aws, &rule_arn, Some(&prior)).await?;
        aws::put(operation, &aws, &plan, false).await?;
        unfinished::finished(operation);
        if plan.log_group.is_none() {
            log_group::revoke(operation, &aws, &prior, &rule_arn, messages::TARGET_AS_CONFIGURED).await?;
        }
        if let Some(group) = prior.own_group().filter(|_| plan.own_group().is_none()) {
            log_group::release(&aws, &prior, group).await?;
        }
        Ok(plan)
    }

    /// The target is what a refresh looks for, so it goes last: a destroy that ends before that is found unfinished.
    async fn delete(state: Self, operation: &mut Operation<'_, Self>) -> Result<()> {
        let aws = defaults::regional(operation, state.region.as_ref()).await?;
        let mut kept = None;
        let _turn;
        if let Some(group) = &state.log_group {
            let rule_arn = state.derived_rule_arn(&aws);
            log_group::revoke(operation, &aws, &state, &rule_arn, messages::TARGET_STILL_THERE).await?;
            // One at a time: of two targets that lead to one group, the last to go deletes it.
            let turn = aws.limits.unless_over(aws.removals.lock()).await;
            _turn = turn.map_err(|why| {
                let what = messages::ANOTHER_REMOVAL.to_owned();
                Error::Stopped { what, why }.during(doing::DELETE)
            })?;
            let found = unfinished::found_its_group(operation);
            kept = log_group::keep_or_delete(&aws, &state, group, found).await?;
        }
        aws::remove(operation, &aws, &state).await?;
        if let Some(kept) = kept {
            operation.warn(kept);
        }
        Ok(())
    }

    fn validate_config(config: &Config<'_, Self>, diags: &mut Diagnostics) {
        validate::refuse(config, diags);
    }

    async fn plan(plan: &mut Plan<'_, Self>) -> Result<()> {
        defaults::plan_region(plan, &Self::region());
        plan::destination(plan);
        plan::warnings(plan);
        plan::refuse_foreign_group(plan).await;
        Ok(())
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

impl Target {
    fn id(&self) -> &str {
        self.target_id.as_deref().unwrap_or_default()
    }

    /// The ARN of the rule, which must be there.
    async fn rule_arn(&self, aws: &Regional) -> Result<String> {
        let (bus, rule) = (&self.event_bus_name, &self.rule);
        let held = aws.rule(bus, rule).await;
        let held = held.map_err(|e| e.during(doing::read_rule(bus, rule)))?;
        match held.and_then(|held| held.arn) {
            Some(arn) => Ok(arn),
            None => Err(messages::no_rule(bus, rule, &aws.account_in_words().await, &aws.name).into()),
        }
    }

    /// The ARN of the rule of a target in the state: a log group is in its account.
    fn derived_rule_arn(&self, aws: &Regional) -> String {
        let account = self.arn.as_deref().and_then(arn::account).unwrap_or_default();
        arn::of_rule(&aws.name, account, &self.event_bus_name, &self.rule)
    }

    /// The log group that was made here.
    fn own_group(&self) -> Option<&LogGroup> {
        self.log_group.as_ref().filter(|group| group.create)
    }

    /// Makes log group and permission. They come before the target: the first event must find them.
    async fn make_ready(
        &mut self,
        operation: &Operation<'_, Self>,
        aws: &Regional,
        rule_arn: &str,
        prior: Option<&Self>,
    ) -> Result<()> {
        let Some(mut group) = self.log_group.take() else {
            return Ok(());
        };
        log_group::ensure(operation, aws, self, &mut group, rule_arn, prior).await?;
        self.arn.clone_from(&group.arn);
        self.log_group = Some(group);
        Ok(())
    }
}
