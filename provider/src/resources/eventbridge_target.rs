//! `scalr_eventbridge_target`: where a rule's events go. For a log group that includes the permission without which
//! nothing arrives.

mod input;
mod log_group;
mod rules;
mod wire;

use std::collections::BTreeMap;

use tfplugin::{
    Action, Attrs, Config, Cx, Diagnostic, Diagnostics, Identity, Plan, Resource, Result, Timeouts, Value,
    mins,
};

use crate::aws::{Error, Regional, arn, checks, import_id, json, planned, target_id};
use crate::check;
use crate::client::Client;

/// A target of a rule: where the events that it picks up go.
///
/// With `log_group`, EventBridge is also given the permission to write there, in the log group's own resource policy:
/// without one the rule matches, nothing arrives, and no error says so. Other statements of that policy are left alone.
/// A log group or a permission that has gone missing shows as an in-place change, which puts it back.
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
    #[tf(optional, computed, keep, replace, check = check::region)]
    region: Option<String>,
    /// Id of the target, unique within the rule. Default: one derived from rule and destination.
    #[tf(optional, computed, keep, replace, check = checks::name)]
    target_id: Option<String>,
    /// ARN of the destination. For a log group use `log_group`, which sees to the permission as well.
    #[tf(optional, computed, keep, replace, check = checks::any_arn)]
    arn: Option<String>,
    /// CloudWatch log group as destination.
    #[tf(optional)]
    log_group: Option<LogGroup>,
    /// Constant JSON text to send in place of the event.
    #[tf(optional, check = checks::input, equal = same_json)]
    input: Option<String>,
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

/// A CloudWatch log group.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct LogGroup {
    /// Name of the log group.
    // What replaces is another destination, however it is written: `plan_destination` tells.
    #[tf(required, check = checks::log_group)]
    pub name: String,
    /// Make the log group. It then carries the provider's `default_tags` and a tag that names its owner, this rule. One that
    /// is there already is taken up only if it carries that tag, or that of a rule which is gone (of this bus, or of another
    /// of the same Scalr account): a rule or a connection that is renamed keeps its log groups, unless `delete_on_destroy` deletes them on the way. Changed to `false`, the tag is taken off: the log group stays and is left alone.
    #[tf(optional, default = false)]
    pub create: bool,
    /// Days to keep events for; without it, for ever. Only with `create`.
    #[tf(optional, check = checks::retention)]
    pub retention_in_days: Option<i64>,
    /// Delete the log group and its events when this target is destroyed or replaced. Only with `create`.
    #[tf(optional, default = false)]
    pub delete_on_destroy: bool,
    /// ARN of the log group.
    #[tf(computed, keep)]
    pub arn: Option<String>,
    /// `ready`, or what is missing: `log group missing`, `policy missing`, `policy denies`, `tags differ` (from the
    /// provider's `default_tags`). An apply makes it ready.
    #[tf(computed, keep)]
    pub status: Option<String>,
}

/// What to make of an event.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct InputTransformer {
    /// JSON paths into the event, by the names that the template uses.
    #[tf(optional, check = checks::input_paths)]
    pub input_paths: Option<BTreeMap<String, String>>,
    /// What is sent, with `<name>` where a value of the event goes. For a log group it gives an object with
    /// `timestamp` and `message`.
    #[tf(required, check = checks::input_template)]
    pub input_template: String,
}

/// How delivery is tried.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    /// Seconds after which an event is given up, 60 to 86400.
    #[tf(optional, check = checks::event_age)]
    pub maximum_event_age_in_seconds: Option<i64>,
    /// Attempts after the first, 0 to 185.
    #[tf(optional, check = checks::retry_attempts)]
    pub maximum_retry_attempts: Option<i64>,
}

/// A dead-letter queue.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct DeadLetterConfig {
    /// ARN of an SQS standard queue. Its policy has to let `events.amazonaws.com` send to it (`sqs:SendMessage`, for the
    /// rule's ARN): without that, dead letters are lost.
    #[tf(required, check = checks::queue_arn)]
    pub arn: String,
}

impl Resource for Target {
    const NAME: &'static str = "eventbridge_target";
    type Client = Client;
    const IDENTITY: Identity = Identity::of(&["event_bus_name", "rule", "target_id"]).optional(&["region"]);
    const TIMEOUTS: Timeouts = Timeouts::none().create(mins(5)).update(mins(5)).delete(mins(5));

    async fn create(mut plan: Self, cx: &mut Cx<'_, Self>) -> Result<Self> {
        let aws = planned::regional(cx, plan.region.as_deref()).await?;
        plan.region = Some(aws.name.clone());
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
        wire::take_up_or_refuse(&aws, &plan).await?;
        let meanwhile = "the target was not made. The next apply goes on from here.";
        plan.make_ready(cx, &aws, &rule_arn, meanwhile).await?;
        wire::put(cx, &aws, &plan, true).await?;
        Ok(plan)
    }

    async fn read(mut state: Self, cx: &mut Cx<'_, Self>) -> Result<Option<Self>> {
        let aws = planned::regional(cx, state.region.as_deref()).await?;
        state.region = Some(aws.name.clone());
        let targets = aws.targets(&state.event_bus_name, &state.rule).await;
        let targets =
            targets.map_err(|e| e.during(format!("cannot read the targets of the rule `{}`", state.rule)))?;
        if targets.is_none() {
            // A log group is in the rule's account.
            let known = state.log_group.as_ref().and_then(|group| group.arn.as_deref());
            planned::same_account(&aws, known).await?;
        }
        let held = targets
            .unwrap_or_default()
            .into_iter()
            .find(|held| held.id() == state.id());
        let Some(held) = held else { return Ok(None) };
        // An import knows the ids alone.
        if state.arn.is_none() {
            // Whether it was made here, its tag tells.
            state.log_group = arn::log_group_name(held.arn()).map(|name| LogGroup {
                create: true,
                ..LogGroup::named(name)
            });
        }
        state.with(&held);
        if let Some(group) = state.log_group.take() {
            state.log_group = Some(log_group::read(cx, &aws, &state, group).await?);
        }
        Ok(Some(state))
    }

    async fn update(prior: Self, mut plan: Self, cx: &mut Cx<'_, Self>) -> Result<Self> {
        let aws = planned::regional(cx, plan.region.as_deref()).await?;
        let rule_arn = plan.rule_arn(&aws).await?;
        plan.make_ready(cx, &aws, &rule_arn, "the target is unchanged.")
            .await?;
        wire::put(cx, &aws, &plan, false).await?;
        if plan.log_group.is_none() {
            let standing = "The target is as configured. Apply again to go on.";
            log_group::revoke(cx, &aws, &prior, &rule_arn, standing).await?;
        }
        if let Some(group) = prior.own_group().filter(|_| plan.own_group().is_none()) {
            log_group::let_go(&aws, &prior, group).await?;
        }
        Ok(plan)
    }

    /// The target is what a refresh looks for, so it goes last: a destroy that ends before that is found unfinished.
    async fn delete(state: Self, cx: &mut Cx<'_, Self>) -> Result<()> {
        let aws = planned::regional(cx, state.region.as_deref()).await?;
        let mut kept = None;
        let _turn;
        if let Some(group) = &state.log_group {
            let account = state.arn.as_deref().and_then(arn::account).unwrap_or_default();
            let rule_arn = arn::of_rule(&aws.name, account, &state.event_bus_name, &state.rule);
            let standing = "The target is still there; the next destroy goes on from here.";
            log_group::revoke(cx, &aws, &state, &rule_arn, standing).await?;
            // One at a time: of two targets that lead to one group, the last to go deletes it.
            let turn = aws.limits.unless_over(aws.removals.lock()).await;
            _turn = turn.map_err(|why| {
                let what = "The removal of another target".to_owned();
                Error::Stopped { what, why }.during("cannot delete the target")
            })?;
            kept = log_group::leave_or_delete(&aws, &state, group).await?;
        }
        wire::remove(cx, &aws, &state).await?;
        if let Some(kept) = kept {
            cx.warn(kept);
        }
        Ok(())
    }

    fn validate(config: &Config<'_>, diags: &mut Diagnostics) {
        rules::refuse(config, diags);
    }

    async fn plan(plan: &mut Plan<'_, Self>) -> Result<()> {
        planned::region(plan);
        if plan.action() == Action::Delete {
            return Ok(());
        }
        plan_destination(plan);
        warn_of_letting_go(plan);
        let region = plan.planned::<String>("region").known();
        if let (Value::Known(queue), Some(region)) =
            (plan.config::<String>("dead_letter_config.arn"), &region)
            && let Some(warning) = rules::dead_letters_elsewhere(&queue, region)
        {
            plan.warn(warning);
        }
        if let Value::Known(arn) = plan.config::<String>("arn")
            && plan.config::<LogGroup>("log_group").is_null()
        {
            let role = plan.config::<String>("role_arn");
            for warning in rules::warnings(&arn, &role, region.as_deref()) {
                plan.warn(warning);
            }
        }
        Ok(())
    }

    fn parse_import_id(id: &str) -> Result<Vec<(&'static str, String)>> {
        import_id::target(id)
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
        let held =
            held.map_err(|e| e.during(format!("cannot read the rule `{rule}` of the event bus `{bus}`")))?;
        if let Some(arn) = held.and_then(|held| held.arn) {
            return Ok(arn);
        }
        Err(Diagnostic::error(format!("There is no rule `{rule}` on the event bus `{bus}`"))
            .detail(format!(
                "This looked in {}, region {}. Use `name`, `event_bus_name` and `region` of a `scalr_eventbridge_rule`. \
                 Nothing was made.",
                aws.account_in_words().await,
                aws.name
            ))
            .at("rule")
            .into())
    }

    /// The log group that was made here.
    fn own_group(&self) -> Option<&LogGroup> {
        self.log_group.as_ref().filter(|group| group.create)
    }

    /// Sees to log group and permission. They come before the target: the first event must find them.
    async fn make_ready(
        &mut self,
        cx: &Cx<'_, Self>,
        aws: &Regional,
        rule_arn: &str,
        meanwhile: &str,
    ) -> Result<()> {
        let Some(mut group) = self.log_group.take() else {
            return Ok(());
        };
        log_group::ensure(cx, aws, self, &mut group, rule_arn, meanwhile).await?;
        self.arn.clone_from(&group.arn);
        self.log_group = Some(group);
        Ok(())
    }
}

impl LogGroup {
    fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            create: false,
            retention_in_days: None,
            delete_on_destroy: false,
            arn: None,
            status: None,
        }
    }
}

/// Plans id and log group; decides whether another destination means another target.
fn plan_destination(plan: &mut Plan<'_, Target>) {
    let group = plan.planned::<String>("log_group.name");
    if !plan.planned::<LogGroup>("log_group").is_null() && !plan.planned::<LogGroup>("log_group").is_unknown()
    {
        plan.set("log_group.status", log_group::READY);
    }
    if plan.action() == Action::Update {
        let held = plan
            .prior()
            .and_then(|prior| prior.arn.clone())
            .unwrap_or_default();
        match group {
            Value::Known(name) if arn::log_group_name(&held) != Some(&name) => plan.replace("log_group"),
            Value::Unknown => plan.replace("log_group"),
            _ => {}
        }
        return;
    }
    let destination = match group {
        Value::Known(name) => Some(name),
        Value::Unknown => None,
        Value::Null => plan
            .planned::<String>("arn")
            .known()
            .map(|arn| arn::log_group_name(&arn).map_or_else(|| arn.clone(), str::to_owned)),
    };
    let bus = plan.planned::<String>("event_bus_name").known();
    let rule = plan.planned::<String>("rule").known();
    if plan.config::<String>("target_id").is_null()
        && let (Some(bus), Some(rule), Some(destination)) = (bus, rule, destination)
    {
        plan.set("target_id", target_id::derive(&bus, &rule, &destination));
    }
}

fn warn_of_letting_go(plan: &mut Plan<'_, Target>) {
    let Some(group) = plan.prior().and_then(|prior| prior.own_group().cloned()) else {
        return;
    };
    let stays_ours = plan.planned::<bool>("log_group.create").known() == Some(true);
    match plan.replaces() {
        true if group.delete_on_destroy => plan.warn(log_group::will_be_deleted(&group)),
        false if !stays_ours => plan.warn(log_group::will_be_let_go(&group)),
        _ => {}
    }
}

fn same_json(a: &str, b: &str) -> bool {
    json::same_text(a, b)
}
