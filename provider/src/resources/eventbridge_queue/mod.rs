//! `scalr_eventbridge_queue`: an SQS queue with the permission for EventBridge to send to it, as a destination of events or
//! for those that could not be delivered.

mod aws;
mod messages;
mod object;
mod stored;

use std::collections::{BTreeMap, BTreeSet};

use tfplugin::{
    Attrs, Identity, ImportedAttrs, Operation, Plan, PlanAction, Resource, Result, Timeouts, mins,
};

use super::handover;
use crate::aws::tags::INSTANCE;
use crate::aws::{
    Error, Regional, arn, checks, import_id, imported_account, queue_checks, same_account, tags,
};
use crate::client::Client;
use crate::defaults;
use crate::failure::Cause as _;
use crate::ownership::Owner;
use crate::values::Region;
use aws::regional;
use messages::doing;

/// A standard SQS queue that EventBridge may send to: a destination of events (`arn` of a `scalr_eventbridge_target`), or a queue for events that could not be delivered (its `dead_letter_config`).
///
/// Its policy has one statement, which allows only the rules of `rule_arns`. Statements that somebody else added are not changed. It is never a FIFO queue, which EventBridge does not accept for dead letters.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct Queue {
    /// Name of the queue, 1 to 80 letters, digits, `-` or `_`.
    #[tf(required, replace, check = queue_checks::queue_name)]
    name: String,
    /// AWS region of the queue, which is that of the rules' bus. Default: the provider's region.
    #[tf(optional, computed, use_state_for_unknown, replace)]
    region: Option<Region>,
    /// The rules that may send to the queue: `arn` of each `scalr_eventbridge_rule` that has a target with this queue as destination or for dead letters. SQS allows a policy of 8,192 bytes, which is about 60 rules.
    #[tf(required, check = queue_checks::rule_arns)]
    rule_arns: BTreeSet<String>,
    /// Seconds for which a message is kept, 60 to 1209600. The default is SQS's longest, 14 days.
    #[tf(optional, default = 1_209_600, check = queue_checks::message_retention)]
    message_retention_seconds: i64,
    /// Seconds for which a message that was received is hidden from other receivers, 0 to 43200.
    #[tf(optional, default = 30, check = queue_checks::visibility_timeout)]
    visibility_timeout_seconds: i64,
    /// KMS key that encrypts the messages: an ARN, a key id, or an alias. Its policy must allow `events.amazonaws.com` to call `kms:GenerateDataKey` and `kms:Decrypt`. Default: keys that SQS owns (SSE-SQS).
    #[tf(optional, check = queue_checks::queue_key)]
    kms_master_key_id: Option<String>,
    /// Delete the queue with its messages when it is destroyed or replaced. Otherwise a queue that has messages is not deleted, and the plan fails.
    #[tf(optional, default = false)]
    force_destroy: bool,
    /// Tags of the queue, over the provider's `default_tags`. A tag with the value null is ignored.
    #[tf(optional, check = checks::tags)]
    tags: Option<tags::Written>,
    /// All tags of the queue, including the provider's `default_tags`. `scalr-eventbridge:instance` changes if another resource or state has adopted the queue, or if an apply was killed while it adopted it: the next apply takes the queue back.
    #[tf(computed)]
    tags_all: Option<BTreeMap<String, String>>,
    /// ARN of the queue.
    #[tf(computed, use_state_for_unknown)]
    arn: Option<String>,
    /// URL of the queue, for programs that receive its messages.
    #[tf(computed, use_state_for_unknown)]
    url: Option<String>,
}

impl Resource for Queue {
    const NAME: &'static str = "eventbridge_queue";
    type Client = Client;
    const IDENTITY: Identity = Identity::of(&["name"]).optional(&["region"]);
    const TIMEOUTS: Timeouts = Timeouts::none().create(mins(5)).update(mins(5));
    const PLANS_DESTROY: bool = true;

    async fn create(mut plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let aws = regional(operation, plan.region.as_ref()).await?;
        plan.complete(&aws, operation.client()).await?;
        let object = plan.object();
        let mut turn = handover::turn_to_create(operation, &object).await?;
        let owner = Owner::ensure(operation);
        if let Some(url) = aws::adopt_or_refuse(&aws, operation.client(), &plan).await? {
            handover::refuse_made_by_two(&turn, &object)?;
            turn.own(&owner);
            plan.url = Some(url);
            handover::adopted(operation, &aws, &object, (plan.known_arn(), INSTANCE)).await;
        } else {
            let tags = defaults::tagging(operation.client())?.sent(plan.tags.as_ref());
            plan.url = Some(aws::create(operation, &aws, &plan, &tags).await?);
            turn.own(&owner);
            operation.save(plan.clone());
            aws::await_written(operation, &aws, &plan).await;
        }
        Ok(plan)
    }

    async fn read(mut state: Self, operation: &mut Operation<'_, Self>) -> Result<Option<Self>> {
        let aws = regional(operation, state.region.as_ref()).await?;
        state.region = Some(Region::from(&*aws.name));
        let name = state.name.clone();
        let failed = |e: Error| e.during(doing::read(&name));
        // An import knows name or ARN alone.
        let imported = state.tags_all.is_none();
        if imported {
            imported_account(&aws, state.arn.as_deref()).await?;
        }
        let Some(held) = aws.queue(&name, &aws::READ).await.map_err(failed)? else {
            if imported {
                return Err(messages::nothing_to_import(&name, &aws).await.into());
            }
            same_account(&aws, state.arn.as_deref()).await?;
            return Ok(None);
        };
        state.with(&held);
        let (all, tagged) = aws.queue_tags_and_owner(&held).await.map_err(failed)?;
        defaults::read_tags(operation.client(), all, &mut state.tags, &mut state.tags_all)?;
        handover::show_adoption(operation, tagged, imported, &mut state.tags_all);
        Ok(Some(state))
    }

    async fn update(prior: Self, mut plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let aws = regional(operation, plan.region.as_ref()).await?;
        plan.complete(&aws, operation.client()).await?;
        let mut turn = handover::turn(operation, &plan.object()).await?;
        turn.own(&Owner::ensure(operation));
        if !plan.is_like(&prior) {
            aws::update(&aws, &plan).await?;
            aws::await_written(operation, &aws, &plan).await;
        }
        let (held, planned) = (
            prior.tags_all.unwrap_or_default(),
            plan.tags_all.clone().unwrap_or_default(),
        );
        let own = [prior.tags.as_ref(), plan.tags.as_ref()];
        let tagging = defaults::tagging(operation.client())?;
        let wanted = tags::wanted(&planned, own, tagging.defaults);
        let tagged = aws.retag(plan.known_arn(), &held, &wanted, tagging.ignored).await;
        tagged.map_err(|e| e.during_with(doing::tag(&plan.name), &messages::after_tagging()))?;
        if held.contains_key(INSTANCE) {
            handover::take_back(operation, &aws, &plan.object(), (plan.known_arn(), INSTANCE)).await;
        }
        Ok(plan)
    }

    async fn delete(mut state: Self, operation: &mut Operation<'_, Self>) -> Result<()> {
        let aws = regional(operation, state.region.as_ref()).await?;
        state.region = Some(Region::from(&*aws.name));
        let failed = |e: Error| e.during_with(doing::delete(&state.name), &messages::after_deleting());
        let (object, tag) = (state.object(), (state.known_arn(), INSTANCE));
        let Some(destroy) = handover::turn_to_destroy(operation, &aws, &object, tag, failed).await? else {
            return Ok(());
        };
        aws::delete(&aws, &state).await?;
        destroy.done(operation);
        Ok(())
    }

    async fn plan(plan: &mut Plan<'_, Self>) -> Result<()> {
        stored::refuse_loss(plan).await;
        if plan.action() == PlanAction::Delete {
            return Ok(());
        }
        defaults::plan_region(plan, &Self::region());
        defaults::plan_tags(plan, &Self::tags(), &Self::tags_all(), |queue| {
            queue.tags.as_ref()
        });
        aws::refuse_elsewhere(plan).await;
        warn_of_rules_elsewhere(plan);
        note_admission(plan);
        let object = object::planned(plan);
        handover::plan(plan, object, "another `name`", Self::name());
        Ok(())
    }

    fn import_id(id: &str) -> Result<ImportedAttrs<Self>> {
        let import_id::Parts { names, region, arn } = import_id::queue(id)?;
        let [name] = names;
        Ok(ImportedAttrs::new()
            .set(Self::name(), name)
            .set(Self::region(), region)
            .set(Self::arn(), arn))
    }
}

impl Queue {
    fn known_arn(&self) -> &str {
        self.arn.as_deref().unwrap_or_default()
    }

    /// Fills in what the plan could not know.
    async fn complete(&mut self, aws: &Regional, client: &Client) -> Result<()> {
        self.region = Some(Region::from(&*aws.name));
        if self.arn.is_none() {
            let account = aws.account().await;
            let account = account.map_err(|e| e.during("read the account of the AWS credentials"))?;
            self.arn = Some(arn::of_queue(&aws.name, account, &self.name));
        }
        defaults::complete_tags(client, self.tags.as_ref(), &mut self.tags_all)
    }
}

/// The plans of the targets, which come after this one, need not warn of a policy that is about to change.
fn note_admission(plan: &Plan<'_, Queue>) {
    let rules = plan.planned(Queue::rule_arns()).known();
    let changed = plan
        .prior()
        .filter(|prior| rules.as_ref() != Some(&prior.rule_arns));
    let Some((client, prior)) = plan.client().zip(changed) else {
        return;
    };
    let Some(rules) = &rules else {
        return client.walk().admission(prior.known_arn(), None);
    };
    for rule in rules {
        let known = (!rule.is_empty()).then_some(&**rule);
        client.walk().admission(prior.known_arn(), known);
    }
}

/// A rule reaches queues of its own region only.
fn warn_of_rules_elsewhere(plan: &mut Plan<'_, Queue>) {
    let rules = plan.config(Queue::rule_arns()).known().unwrap_or_default();
    let Some(region) = plan.planned(Queue::region()).known() else {
        return;
    };
    let is_elsewhere = |rule: &&String| arn::parse(rule).is_some_and(|arn| arn.region != &*region);
    let elsewhere: Vec<&str> = rules.iter().filter(is_elsewhere).map(String::as_str).collect();
    if !elsewhere.is_empty() {
        let name = plan.planned(Queue::name()).known().unwrap_or_default();
        plan.warn(messages::rules_elsewhere(&name, &elsewhere, &region));
    }
}
