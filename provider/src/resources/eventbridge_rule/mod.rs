//! `scalr_eventbridge_rule`: "Create rule" in the AWS console, its pattern tested before anything is made.

mod aws;
mod generated_name;
mod messages;
mod pattern;

use std::collections::BTreeMap;

use tfplugin::{
    Action, Attrs, Config, Cx, Diagnostics, Identity, Plan, Resource, Result, Timeouts, Value, mins,
};

use crate::aws::{Regional, checks, import_id, json, same_account, tags};
use crate::client::Client;
use crate::failure::Cause as _;
use crate::{check, defaults};
use messages::doing;

/// A rule on an event bus: which events it picks up. Where they go is said by `scalr_eventbridge_target`.
///
/// The pattern is compiled at plan with the rules of EventBridge's own engine: one that AWS would refuse is an error
/// before anything is made. On a bus of Scalr's, a pattern that matches none of Scalr's events is a warning: one that
/// names a field that they do not have, a value of another type, or another source or detail type.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct Rule {
    /// Name of the rule. One of `name` and `name_prefix` is needed.
    #[tf(optional, computed, keep, replace, check = checks::name)]
    name: Option<String>,
    /// Beginning of the rule's name; the rest is made up. For rules that are replaced with `create_before_destroy`: their
    /// targets then use a log group with `create = false`, since the old rule still owns its own. A rule of this prefix that is just like the new one and has no targets is taken for one that an interrupted apply left:
    /// it is an error that says how to import it.
    #[tf(optional, computed, keep, replace, check = checks::name_prefix)]
    name_prefix: Option<String>,
    /// Name of the event bus: `name` of a `scalr_eventbridge_bus`.
    #[tf(required, replace, check = checks::bus)]
    event_bus_name: String,
    /// AWS region of the bus. Default: the provider's region.
    #[tf(optional, computed, keep, replace, check = check::region)]
    region: Option<String>,
    /// What the rule is for.
    #[tf(optional, check = checks::description)]
    description: Option<String>,
    /// Event pattern, as JSON: `provider::scalr::event_pattern(…)`, or `jsonencode(…)` of one of your own. Texts that
    /// mean the same JSON are the same pattern.
    #[tf(required, check = pattern::check, equal = same_json)]
    event_pattern: String,
    /// Whether the rule picks up events.
    #[tf(optional, default = true)]
    enabled: bool,
    /// Role that EventBridge assumes to reach the rule's targets, where they need one. Log groups need none.
    #[tf(optional, check = check::role_arn)]
    role_arn: Option<String>,
    /// Tags of the rule, over the provider's `default_tags`. A null tag counts as not written.
    #[tf(optional, check = checks::tags)]
    tags: Option<tags::Written>,
    /// All tags of the rule, the provider's `default_tags` included.
    #[tf(computed)]
    tags_all: Option<BTreeMap<String, String>>,
    /// ARN of the rule.
    #[tf(computed, keep)]
    arn: Option<String>,
}

impl Resource for Rule {
    const NAME: &'static str = "eventbridge_rule";
    type Client = Client;
    const IDENTITY: Identity = Identity::of(&["event_bus_name", "name"]).optional(&["region"]);
    const TIMEOUTS: Timeouts = Timeouts::none().delete(mins(5));

    async fn create(mut plan: Self, cx: &mut Cx<'_, Self>) -> Result<Self> {
        let aws = defaults::regional(cx, plan.region.as_deref()).await?;
        plan.complete(&aws, cx.client())?;
        match (&plan.name, &plan.name_prefix) {
            (None, Some(prefix)) => {
                plan.name = Some(aws::generate_name(&aws, cx.client(), &plan, prefix).await?);
            }
            _ => aws::adopt_or_refuse(&aws, &plan).await?,
        }
        plan.arn = Some(aws::put(&aws, &plan, true).await?);
        Ok(plan)
    }

    async fn read(mut state: Self, cx: &mut Cx<'_, Self>) -> Result<Option<Self>> {
        let aws = defaults::regional(cx, state.region.as_deref()).await?;
        state.region = Some(aws.name.clone());
        let (bus, name) = (state.event_bus_name.clone(), state.known_name().to_owned());
        let doing = || doing::read(&bus, &name);
        let Some(held) = aws.rule(&bus, &name).await.map_err(|e| e.during(doing()))? else {
            same_account(&aws, state.arn.as_deref()).await?;
            return Ok(None);
        };
        let all = aws
            .tags(held.arn().unwrap_or_default())
            .await
            .map_err(|e| e.during(doing()))?;
        // An import knows the name alone.
        if state.arn.is_none() {
            state.name_prefix = generated_name::prefix(&name);
        }
        let known = tags::Known {
            own: state.tags.as_ref(),
            all: state.tags_all.as_ref(),
        };
        state.tags = tags::own(&all, defaults::tags(cx.client())?, known);
        state.tags_all = Some(all);
        state.arn = held.arn().map(str::to_owned);
        state.with(&held);
        Ok(Some(state))
    }

    async fn update(prior: Self, mut plan: Self, cx: &mut Cx<'_, Self>) -> Result<Self> {
        let aws = defaults::regional(cx, plan.region.as_deref()).await?;
        plan.complete(&aws, cx.client())?;
        if !plan.is_like(&prior) {
            aws::put(&aws, &plan, false).await?;
        }
        let (held, wanted) = (
            prior.tags_all.unwrap_or_default(),
            plan.tags_all.clone().unwrap_or_default(),
        );
        let arn = plan.arn.as_deref().unwrap_or_default();
        let tagged = aws.retag(arn, &held, &wanted).await;
        tagged.map_err(|e| e.during_with(doing::tag(plan.known_name()), &messages::after_tagging()))?;
        Ok(plan)
    }

    async fn delete(state: Self, cx: &mut Cx<'_, Self>) -> Result<()> {
        let aws = defaults::regional(cx, state.region.as_deref()).await?;
        aws::delete(cx, &aws, &state).await
    }

    fn validate(config: &Config<'_>, diags: &mut Diagnostics) {
        let (name, prefix) = (
            config.value::<String>("name"),
            config.value::<String>("name_prefix"),
        );
        if name.is_null() && prefix.is_null() {
            diags.push(messages::needs_a_name());
        } else if let (Value::Known(name), Value::Known(prefix)) = (name, prefix)
            // A configuration that was generated from an import has both.
            && generated_name::prefix(&name) != Some(prefix)
        {
            diags.push(messages::name_and_prefix());
        }
    }

    async fn plan(plan: &mut Plan<'_, Self>) -> Result<()> {
        defaults::plan_region(plan);
        defaults::plan_tags(plan);
        // A prefix is there where it is written, or where an import has found one.
        if plan.config::<String>("name_prefix").is_null()
            && plan.planned::<String>("name_prefix").is_unknown()
        {
            plan.set("name_prefix", None::<String>);
        }
        warn_of_pattern(plan);
        Ok(())
    }

    fn parse_import_id(id: &str) -> Result<Vec<(&'static str, String)>> {
        import_id::rule(id)
    }
}

impl Rule {
    fn known_name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// Fills in what the plan could not know.
    fn complete(&mut self, aws: &Regional, client: &Client) -> Result<()> {
        self.region = Some(aws.name.clone());
        let own = self.tags.clone().unwrap_or_default();
        self.tags_all = Some(tags::all(&own, defaults::tags(client)?));
        Ok(())
    }

    /// What PutRule writes is the same; tags are another call's.
    fn is_like(&self, other: &Self) -> bool {
        self.description == other.description
            && json::same_text(&self.event_pattern, &other.event_pattern)
            && self.enabled == other.enabled
            && self.role_arn == other.role_arn
    }
}

/// Says what is legal but odd, where the pattern is new.
fn warn_of_pattern(plan: &mut Plan<'_, Rule>) {
    if plan.action() == Action::Delete {
        return;
    }
    let Value::Known(text) = plan.config::<String>("event_pattern") else {
        return;
    };
    if plan.prior().is_some_and(|prior| prior.event_pattern == text) {
        return;
    }
    let mut warnings = pattern::warnings(&text);
    if let Value::Known(bus) = plan.planned::<String>("event_bus_name") {
        warnings.extend(pattern::matches_nothing(&text, &bus));
    }
    for warning in warnings {
        plan.warn(warning.at("event_pattern"));
    }
}

fn same_json(a: &str, b: &str) -> bool {
    json::same_text(a, b)
}
