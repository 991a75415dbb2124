//! `scalr_eventbridge_topic_permission`: the permission for a rule to publish to an SNS topic that something else made.

mod aws;
mod messages;

use tfplugin::{Attrs, Identity, ImportedAttrs, Operation, Plan, Resource, Result, Timeouts, mins};

use super::{handover, names};
use crate::aws::admission::Admission;
use crate::aws::reach::{self, Finding, Route};
use crate::aws::target_id::digest;
use crate::aws::{Regional, arn, import_id, queue_checks, same_account};
use crate::client::Client;
use crate::defaults;
use crate::failure::Cause as _;
use crate::ownership::{Object, Owner};
use crate::values::Region;
use messages::doing;

/// Allows a rule to publish to an existing SNS topic: one statement in the topic's policy. Other statements are not changed.
///
/// The policy of a new topic allows only its owner, and EventBridge drops what it may not publish, without an error. If another resource manages the whole policy (`aws_sns_topic_policy`, or `policy` of `aws_sns_topic`), put the statement there: the two would overwrite each other. The plan warns of a topic that does not exist. An encrypted topic needs a key of your own, whose policy allows `events.amazonaws.com` to call `kms:GenerateDataKey` and `kms:Decrypt`.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct TopicPermission {
    /// ARN of the topic, a standard one. Its region is this resource's.
    #[tf(required, replace, check = queue_checks::topic_arn)]
    topic_arn: String,
    /// The rule that may publish: `arn` of a `scalr_eventbridge_rule`.
    #[tf(required, replace, check = queue_checks::rule_arn)]
    rule_arn: String,
}

impl Resource for TopicPermission {
    const NAME: &'static str = "eventbridge_topic_permission";
    type Client = Client;
    const IDENTITY: Identity = Identity::of(&["topic_arn", "rule_arn"]);
    const TIMEOUTS: Timeouts = Timeouts::none().create(mins(2)).delete(mins(2));

    async fn create(plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let aws = plan.regional(operation).await?;
        let mut turn = handover::turn_to_create(operation, &plan.object()).await?;
        if turn.is_owned() {
            return Err(messages::made_by_two(&plan).into());
        }
        aws::add(operation, &aws, &plan).await?;
        turn.own(&Owner::ensure(operation));
        Ok(plan)
    }

    async fn read(state: Self, operation: &mut Operation<'_, Self>) -> Result<Option<Self>> {
        let aws = state.regional(operation).await?;
        let policy = aws.topic_policy(&state.topic_arn).await;
        let policy = policy.map_err(|e| e.during(doing::read(&state.topic_arn)))?;
        if policy.is_none() {
            same_account(&aws, Some(&state.topic_arn)).await?;
        }
        let is_there = state.is_in(policy.as_deref());
        // An import knows both ARNs; private state comes with the first operation.
        if !is_there && Owner::of(operation).is_none() {
            return Err(messages::nothing_to_import(&state, &aws).await.into());
        }
        Owner::ensure(operation);
        Ok(is_there.then_some(state))
    }

    async fn update(_prior: Self, plan: Self, _operation: &mut Operation<'_, Self>) -> Result<Self> {
        // Both attributes replace: only `timeouts` can change, which never comes here.
        Ok(plan)
    }

    async fn delete(state: Self, operation: &mut Operation<'_, Self>) -> Result<()> {
        let aws = state.regional(operation).await?;
        let object = state.object();
        let mut turn = handover::turn(operation, &object).await?;
        if handover::is_anothers(operation, &turn, &object) {
            return Ok(());
        }
        aws::remove(operation, &aws, &state).await?;
        turn.disown(Owner::of(operation).as_ref());
        Ok(())
    }

    async fn plan(plan: &mut Plan<'_, Self>) -> Result<()> {
        let topic = plan.planned(Self::topic_arn()).known();
        let rule = plan.planned(Self::rule_arn()).known();
        warn_of_another_region(plan, topic.as_deref(), rule.as_deref());
        let is_made = names::is_made(plan);
        if let Some(topic) = topic.as_deref().filter(|_| is_made) {
            judge_topic(plan, topic, rule.as_deref()).await;
        }
        if let Some((client, topic)) = plan.client().zip(topic.as_deref()).filter(|_| is_made) {
            client.walk().admission(topic, rule.as_deref());
        }
        let object = match plan.prior() {
            Some(prior) => Some(prior.object()),
            None => topic
                .zip(rule)
                .map(|(topic_arn, rule_arn)| Self { topic_arn, rule_arn }.object()),
        };
        handover::plan(plan, object, "another `rule_arn`", Self::rule_arn());
        Ok(())
    }

    fn import_id(id: &str) -> Result<ImportedAttrs<Self>> {
        let [topic, rule] = import_id::topic_permission(id)?;
        Ok(ImportedAttrs::new()
            .set(Self::topic_arn(), topic)
            .set(Self::rule_arn(), rule))
    }
}

impl TopicPermission {
    /// The clients of the topic's region.
    async fn regional(&self, operation: &Operation<'_, Self>) -> Result<Regional> {
        let region = arn::parse(&self.topic_arn).map(|arn| Region::from(arn.region));
        let aws = defaults::regional(operation, region.as_ref()).await?;
        if !aws.has_topics {
            return Err(messages::events_alone_elsewhere().into());
        }
        Ok(aws)
    }

    fn object(&self) -> Object {
        Object::TopicPermission {
            topic: self.topic_arn.clone(),
            rule: self.rule_arn.clone(),
        }
    }

    /// `Sid` of the statement: always the same for the same topic and rule, so that an apply after an interrupted one finds it.
    fn sid(&self) -> String {
        let whose = digest(&format!("{} {}", self.topic_arn, self.rule_arn));
        format!("ScalrEventBridge{whose}")
    }

    /// Whether the policy has the statement, as it is written here.
    fn is_in(&self, policy: Option<&str>) -> bool {
        let sid = self.sid();
        self.admission(&sid).rules(policy).contains(&self.rule_arn)
    }

    fn admission<'a>(&'a self, sid: &'a str) -> Admission<'a> {
        Admission {
            sid,
            action: "sns:Publish",
            resource: &self.topic_arn,
        }
    }
}

/// A rule reaches topics of its own region only.
fn warn_of_another_region(plan: &mut Plan<'_, TopicPermission>, topic: Option<&str>, rule: Option<&str>) {
    let (Some(topic), Some(rule)) = (topic.and_then(arn::parse), rule.and_then(arn::parse)) else {
        return;
    };
    if topic.region != rule.region {
        plan.warn(messages::rule_elsewhere(&topic, &rule));
    }
}

/// Refuses a topic that would be at AWS itself, and warns of one that is missing, unless a target that leads there has.
async fn judge_topic(plan: &mut Plan<'_, TopicPermission>, topic: &str, rule: Option<&str>) {
    let region = arn::parse(topic).map(|arn| arn.region);
    let aws = plan.client().and_then(|client| client.aws().ok());
    let Some(aws) = aws else { return };
    let Some(look) = aws.look(region, plan.cancelled()).await else {
        return;
    };
    if !look.has_topics {
        plan.error(messages::events_alone_elsewhere().at(TopicPermission::topic_arn()));
        return;
    }
    let route = Route {
        to: topic.to_owned(),
        from: rule.unwrap_or_default().to_owned(),
    };
    let is_missing = reach::finding(&look, &route).await == Some(Finding::Missing);
    let walk = plan.client().map(Client::walk);
    if is_missing && walk.is_some_and(|walk| walk.says_missing(topic, TopicPermission::NAME)) {
        let account = look.account_in_words().await;
        plan.warn(messages::topic_is_missing(topic, &account, &look.name));
    }
}
