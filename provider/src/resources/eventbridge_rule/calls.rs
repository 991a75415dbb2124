//! Making, changing and deleting the rule.

use std::ops::ControlFlow::Continue;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_eventbridge::operation::describe_rule::DescribeRuleOutput;
use aws_sdk_eventbridge::types::{RuleState, Target};
use tfplugin::{Cx, Diagnostic, Result};

use super::Rule;
use crate::aws::calls::wire_tags;
use crate::aws::settle::{DOUBTS_MAX, is_in_use};
use crate::aws::{Error, Regional, Standing, import_id, planned, settle};
use crate::client::Client;

/// How many rules of one prefix are looked at.
const LOOKED_AT_MAX: usize = 20;
const DELETE_EVERY: Duration = Duration::from_secs(2);

/// Looks for a rule of that name first: PutRule would overwrite it without a word. One that is just what is planned is
/// taken up, which is how an interrupted apply goes on.
pub(super) async fn take_up_or_refuse(aws: &Regional, plan: &Rule) -> Result<()> {
    let (bus, name) = (&plan.event_bus_name, plan.known_name());
    let doing = || format!("cannot make the rule `{name}` on the event bus `{bus}`");
    let Some(held) = aws.rule(bus, name).await.map_err(|e| e.during(doing()))? else {
        return Ok(());
    };
    let tags = aws
        .tags(held.arn().unwrap_or_default())
        .await
        .map_err(|e| e.during(doing()))?;
    let mut now = plan.clone();
    now.with(&held);
    now.tags_all = Some(tags);
    let differences = plan.differences(&now);
    if differences.is_empty() {
        Ok(())
    } else {
        Err(exists(plan, &aws.name, &differences).into())
    }
}

/// Makes up the name of a new rule. A rule that begins with the prefix, is just like this one, has no target and was not
/// made by this process is what an apply that was killed leaves, and nobody else would find it: it is in no state, and
/// its name is known to nobody.
pub(super) async fn make_up_name(
    aws: &Regional,
    client: &Client,
    plan: &Rule,
    prefix: &str,
) -> Result<String> {
    let bus = &plan.event_bus_name;
    let place = |name: &str| format!("{}/{bus}/{name}", aws.name);
    let doing = || format!("cannot look at the rules of the event bus `{bus}`");
    let names = match aws.rule_names(bus, Some(prefix)).await {
        Ok(names) => names,
        // The bus is not there: PutRule will say so.
        Err(e) if e.is_not_found() => Vec::new(),
        Err(e) => return Err(e.during(doing())),
    };
    let left = names
        .iter()
        .filter(|name| super::pattern::prefix_of_made_up(name).as_deref() == Some(prefix))
        .filter(|name| !client.made_up().has(&place(name)));
    for name in left.take(LOOKED_AT_MAX) {
        if is_left_over(aws, plan, name)
            .await
            .map_err(|e| e.during(doing()))?
        {
            return Err(left_over(plan, &aws.name, name).into());
        }
    }
    let name = super::pattern::made_up_name(prefix);
    // Before the rule is there: others that are made at the same time must not take it for one that was left.
    client.made_up().add(place(&name));
    Ok(name)
}

async fn is_left_over(aws: &Regional, plan: &Rule, name: &str) -> Result<bool, Error> {
    let bus = &plan.event_bus_name;
    let Some(held) = aws.rule(bus, name).await? else {
        return Ok(false);
    };
    let mut now = plan.clone();
    now.with(&held);
    Ok(now.is_like(plan) && aws.targets(bus, name).await?.unwrap_or_default().is_empty())
}

fn left_over(plan: &Rule, region: &str, name: &str) -> Diagnostic {
    let bus = &plan.event_bus_name;
    Diagnostic::error(format!("The rule `{name}` is there already, just like the new one"))
        .detail(format!(
            "It is on the event bus `{bus}`, begins with the same `name_prefix` and has no targets: perhaps an apply that \
             was interrupted made it. Nothing was made.\n\nIf nobody manages it, use it by importing it:\n\n{}\n\nor delete it \
             (`aws events delete-rule --event-bus-name {bus} --name {name}`), and apply again. If it is managed elsewhere, \
             give the new rule a `name`, another `name_prefix` or a `description` of its own.",
            import_id::block(&format!("{bus}/{name}@{region}"))
        ))
        .at("name_prefix")
}

/// Writes the rule and returns its ARN.
pub(super) async fn put(aws: &Regional, plan: &Rule, new: bool) -> Result<String> {
    let tags = plan.tags_all.clone().unwrap_or_default();
    let state = if plan.enabled {
        RuleState::Enabled
    } else {
        RuleState::Disabled
    };
    let call = aws
        .events
        .put_rule()
        .event_bus_name(&plan.event_bus_name)
        .name(plan.known_name())
        .state(state);
    let call = call
        .event_pattern(&plan.event_pattern)
        .set_description(plan.description.clone())
        .set_role_arn(plan.role_arn.clone())
        .set_tags((new && !tags.is_empty()).then(|| wire_tags(&tags)));
    let (bus, name) = (&plan.event_bus_name, plan.known_name());
    match call.send().await.map_err(|e| aws.failed("events:PutRule", e)) {
        Ok(answer) => Ok(answer.rule_arn.unwrap_or_default()),
        Err(e) if e.is_not_found() => Err(Diagnostic::error(format!("There is no event bus `{bus}` for the rule `{name}`"))
            .detail(format!(
                "{}\n\nThis looked in {}, region {}. Is the bus in another account or region, or was it deleted? Use the \
                 `name` and `region` of a `scalr_eventbridge_bus`. Nothing was made.",
                settle::sentence(&e.to_string()),
                aws.account_in_words().await,
                aws.name
            ))
            .at("event_bus_name")
            .into()),
        Err(e) => {
            let verb = if new { "make" } else { "change" };
            let doing = format!("cannot {verb} the rule `{name}` on the event bus `{bus}`");
            let diagnostic = e.diagnostic_with(doing, &standing(plan, new));
            let blames_pattern = e.code() == Some("InvalidEventPatternException");
            Err(if blames_pattern { diagnostic.at("event_pattern") } else { diagnostic }.into())
        }
    }
}

/// How things stand when PutRule failed.
fn standing(plan: &Rule, new: bool) -> Standing {
    let unknown = match (new, &plan.name_prefix) {
        (false, _) => return Standing::default(),
        (true, None) => "The rule may be there now; the next apply takes it up if it is.".to_owned(),
        (true, Some(_)) => format!(
            "The rule `{}` may be there now; the next apply makes no other beside it, and says how to take it up.",
            plan.known_name()
        ),
    };
    Standing::new("The call changed nothing.", unknown)
}

/// Deletes the rule, once its targets are gone.
pub(super) async fn delete(cx: &Cx<'_, Rule>, aws: &Regional, state: &Rule) -> Result<()> {
    let (bus, name) = (&state.event_bus_name, state.known_name());
    let standing = Standing::new(
        "The rule is still there.",
        "Whether the rule was deleted is not known; the next plan shows it.",
    );
    let doing = format!("delete the rule `{name}` of the event bus `{bus}`");
    let call = aws.events.delete_rule().event_bus_name(bus).name(name);
    let doubts = &AtomicU32::new(0);
    settle::until_settled(cx, DELETE_EVERY, &doing, &standing, async |_| {
        let answer = call.clone().send().await;
        match answer.map_err(|e| aws.failed("events:DeleteRule", e)) {
            Err(e) if is_in_use(&e, "target") => {
                let left = aws.targets(bus, name).await?.unwrap_or_default();
                if left.is_empty() && doubts.fetch_add(1, Ordering::Relaxed) >= DOUBTS_MAX {
                    return Err(e);
                }
                Ok(Continue(targets_left(name, &left)))
            }
            answer => settle::gone(answer),
        }
    })
    .await
}

fn targets_left(rule: &str, left: &[Target]) -> String {
    let ids: Vec<&str> = left.iter().map(Target::id).collect();
    let targets = if ids.is_empty() {
        "targets".to_owned()
    } else {
        format!("the targets `{}`", ids.join("`, `"))
    };
    format!(
        "the rule `{rule}` still has {targets}, and AWS deletes a rule only when it has none. Targets that this \
         configuration does not manage have to be removed first (`aws events remove-targets`)"
    )
}

fn exists(plan: &Rule, region: &str, differences: &[&str]) -> Diagnostic {
    let (bus, name) = (&plan.event_bus_name, plan.known_name());
    Diagnostic::error(format!("The rule `{name}` exists already on the event bus `{bus}`")).detail(format!(
        "It is in {region}, is not in the state, and differs in `{}`; it was left as it is. Choose another name, or import it \
         (the plan then shows what would change) with\n\n{}",
        differences.join("`, `"),
        import_id::block(&format!("{bus}/{name}@{region}"))
    ))
}

impl Rule {
    /// Takes what AWS holds.
    pub(super) fn with(&mut self, held: &DescribeRuleOutput) {
        let filled = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        self.description = planned::held_text(self.description.as_deref(), held.description());
        held.event_pattern()
            .unwrap_or_default()
            .clone_into(&mut self.event_pattern);
        self.enabled = held.state() != Some(&RuleState::Disabled);
        self.role_arn = filled(held.role_arn());
    }

    /// The attributes in which another differs.
    fn differences(&self, other: &Self) -> Vec<&'static str> {
        let same_pattern = super::same_json(&self.event_pattern, &other.event_pattern);
        [
            ("description", self.description == other.description),
            ("event_pattern", same_pattern),
            ("enabled", self.enabled == other.enabled),
            ("role_arn", self.role_arn == other.role_arn),
            ("tags", self.tags_all == other.tags_all),
        ]
        .into_iter()
        .filter_map(|(name, same)| (!same).then_some(name))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn rule() -> Rule {
        Rule {
            name: Some("r".to_owned()),
            name_prefix: None,
            event_bus_name: "aws.partner/scalr.com/a/b".to_owned(),
            region: Some("us-east-1".to_owned()),
            description: None,
            event_pattern: r#"{"source":["x"]}"#.to_owned(),
            enabled: true,
            role_arn: None,
            tags: None,
            tags_all: Some(BTreeMap::new()),
            arn: None,
        }
    }

    fn check(change: impl FnOnce(&mut Rule), want: &[&str]) {
        let mut other = rule();
        change(&mut other);
        assert_eq!(rule().differences(&other), want);
    }

    #[test]
    fn only_what_differs_is_named() {
        check(|_| {}, &[]);
        check(
            |r| r.event_pattern = r#"{ "source": ["\u0078"] }"#.to_owned(),
            &[],
        );
        check(|r| r.enabled = false, &["enabled"]);
        check(
            |r| r.tags_all = Some(BTreeMap::from([("a".to_owned(), "b".to_owned())])),
            &["tags"],
        );
        check(
            |r| (r.description, r.event_pattern) = (Some("d".to_owned()), "{}".to_owned()),
            &["description", "event_pattern"],
        );
    }

    #[test]
    fn what_is_held_is_taken() {
        let mut rule = rule();
        let held = DescribeRuleOutput::builder()
            .state(RuleState::Disabled)
            .description("")
            .event_pattern("{}")
            .build();
        rule.with(&held);
        assert_eq!(
            (
                rule.enabled,
                rule.description.as_deref(),
                rule.event_pattern.as_str()
            ),
            (false, None, "{}")
        );
        for (written, held, want) in [
            (Some(""), None, Some("")),
            (Some(""), Some("x"), Some("x")),
            (Some("x"), Some(""), None),
            (None, Some(""), None),
        ] {
            rule.description = written.map(str::to_owned);
            let held = DescribeRuleOutput::builder()
                .set_description(held.map(str::to_owned))
                .build();
            rule.with(&held);
            assert_eq!(rule.description.as_deref(), want, "{written:?} {held:?}");
        }
    }

    #[test]
    fn an_existing_rule_is_refused_with_the_block_that_takes_it_up() {
        let detail = exists(&rule(), "us-east-1", &["enabled"]).detail;
        assert!(detail.contains("differs in `enabled`"), "{detail}");
        assert!(
            detail.contains("\n    id = \"aws.partner/scalr.com/a/b/r@us-east-1\"\n"),
            "{detail}"
        );
    }
}
