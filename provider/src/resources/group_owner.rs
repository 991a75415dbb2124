//! Whose a log group is that was made here: a tag names a rule, by its bus, or a subscriber. What has let a group go is seen at AWS, so that
//! the group passes from one kind of bus to the other as it does between rules.

use aws_sdk_cloudwatchlogs::types::LogGroup as WireGroup;
use aws_sdk_eventbridge::types::Target as WireTarget;

use tfplugin::Diagnostic;

use crate::aws::forwarded::{Leads, leads_to_group};
use crate::aws::retry::gone;
use crate::aws::{Error, Regional, arn, checks, target_id};
use crate::failure::Cause as _;

/// The tag that names the owner of a log group made here.
pub const OWNER_TAG: &str = "scalr-eventbridge:owner";
/// The tag that names who gets the group once its owner is destroyed: with `create_before_destroy` the new one may be
/// made before that.
pub const NEXT_OWNER_TAG: &str = "scalr-eventbridge:next-owner";
/// What owner tags of subscribers begin with. It has no `/`, so that none is taken for that of a rule.
const OF_SUBSCRIBER: &str = "subscriber:";
const TAG_VALUE_LENGTH_MAX: usize = 256;

/// The tag of a rule.
pub fn rule(bus: &str, rule: &str) -> String {
    shortened(format!("{bus}/{rule}"))
}

/// The tag of a subscriber.
pub fn subscriber(name: &str) -> String {
    shortened(format!("{OF_SUBSCRIBER}{name}"))
}

/// Shortened with a digest where a tag is too short.
fn shortened(whole: String) -> String {
    if whole.len() <= TAG_VALUE_LENGTH_MAX {
        return whole;
    }
    let digest = target_id::digest(&whole);
    let kept = TAG_VALUE_LENGTH_MAX - digest.len() - 1;
    format!("{}={digest}", whole.get(..kept).unwrap_or_default())
}

/// Who has a log group, as its tag says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder<'a> {
    /// The targets of a rule.
    Rule {
        /// The rule's bus.
        bus: &'a str,
        /// The rule.
        rule: &'a str,
    },
    /// A subscriber of a custom event bus.
    Subscriber {
        /// Its name.
        name: &'a str,
    },
}

/// What AWS shows of who has a log group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// It no longer exists.
    Gone,
    /// It exists, and sends nothing to the group.
    Elsewhere,
    /// It sends events to the group.
    Leads,
}

impl<'a> Holder<'a> {
    /// The one that a tag names; none where it was shortened, or somebody else wrote it.
    pub fn of(tag: &'a str) -> Option<Self> {
        if let Some(name) = tag.strip_prefix(OF_SUBSCRIBER) {
            return (!name.is_empty() && !name.contains('=')).then_some(Self::Subscriber { name });
        }
        let (bus, rule) = tag.rsplit_once('/')?;
        (checks::bus(bus).is_ok() && checks::name(rule).is_ok()).then_some(Self::Rule { bus, rule })
    }

    /// Looks at AWS; none where an endpoint has no custom event buses.
    async fn see(self, aws: &Regional, group: &str) -> Result<Option<Sight>, Error> {
        Ok(match self {
            Self::Rule { bus, rule } => Some(see_rule(aws, (bus, rule), group).await?),
            Self::Subscriber { name } if aws.has_custom_buses => {
                Some(see_subscriber(aws, name, group).await?)
            }
            Self::Subscriber { .. } => None,
        })
    }

    /// As in "look for the rule `r`".
    pub fn in_words(self) -> String {
        match self {
            Self::Rule { bus, rule } => format!("the rule `{rule}` of the event bus `{bus}`"),
            Self::Subscriber { name } => format!("the subscriber `{name}`"),
        }
    }

    /// What is being done, for an error.
    fn doing(self, group: &str) -> String {
        format!("look for {}, which owns the log group `{group}`", self.in_words())
    }
}

/// Who an owner tag names, and what AWS shows of that one.
pub async fn seen<'t>(
    aws: &Regional,
    tag: Option<&'t str>,
    group: &str,
) -> tfplugin::Result<(Option<Holder<'t>>, Option<Sight>)> {
    let Some(holder) = tag.and_then(Holder::of) else {
        return Ok((None, None));
    };
    let sight = holder.see(aws, group).await;
    Ok((Some(holder), sight.map_err(|e| e.during(holder.doing(group)))?))
}

async fn see_rule(aws: &Regional, (bus, rule): (&str, &str), group: &str) -> Result<Sight, Error> {
    if aws.rule(bus, rule).await?.is_none() {
        return Ok(Sight::Gone);
    }
    let leads = |target: &WireTarget| arn::log_group_name(target.arn()) == Some(group);
    let targets = aws.targets(bus, rule).await?;
    Ok(if targets.iter().flatten().any(leads) {
        Sight::Leads
    } else {
        Sight::Elsewhere
    })
}

async fn see_subscriber(aws: &Regional, name: &str, group: &str) -> Result<Sight, Error> {
    let mut sight = Sight::Gone;
    for arn in aws.subscribers_named(name).await? {
        let Some(held) = aws.subscriber(&arn).await? else {
            continue;
        };
        sight = Sight::Elsewhere;
        let invoke = held.invoke_configuration();
        if invoke.is_some_and(|invoke| leads_to_group(invoke, group) != Leads::Elsewhere) {
            return Ok(Sight::Leads);
        }
    }
    Ok(sight)
}

/// Whose a group is, for an error, and what to do about that. `seen`: what AWS shows of who has it.
pub fn whose(tag: Option<&str>, seen: Option<Sight>) -> (String, &'static str) {
    let Some(tag) = tag else {
        let whose = format!("has no tag `{OWNER_TAG}`, so it was made elsewhere or was released");
        return (whose, "");
    };
    let Some(holder) = Holder::of(tag) else {
        let whose = format!("belongs to something else: its tag `{OWNER_TAG}` is `{tag}`");
        return (whose, "");
    };
    let (state, next) = match (holder, seen) {
        (_, None) => ("", ""),
        (_, Some(Sight::Gone)) => (", which no longer exists", ""),
        (Holder::Rule { .. }, Some(Sight::Elsewhere)) => (
            ", which exists and has no target for the log group",
            " If that rule is to be destroyed, apply that first: the log group is then adopted.",
        ),
        (Holder::Subscriber { .. }, Some(Sight::Elsewhere)) => {
            (", which exists and sends its events elsewhere", "")
        }
        (Holder::Rule { .. }, Some(Sight::Leads)) => (
            ", which exists and has a target for the log group",
            " If that target is to be destroyed, apply that first: the log group is then adopted.",
        ),
        (Holder::Subscriber { .. }, Some(Sight::Leads)) => (
            ", which exists and sends its events there",
            " If that subscriber is to be destroyed, apply that first: the log group is then adopted.",
        ),
    };
    let holder = holder.in_words();
    let whose = format!("belongs to {holder}{state}: its tag `{OWNER_TAG}` is `{tag}`");
    (whose, next)
}

/// A new target sends events to a group that another rule's target has until it is destroyed.
pub fn passed_on_later(group: &str, tag: &str) -> Diagnostic {
    Diagnostic::warning(format!("The log group `{group}` belongs to another rule's target")).detail(format!(
        "Its tag `{OWNER_TAG}` is `{tag}`. If this apply destroys that target later, as with `create_before_destroy`, the log group passes to this \
         one (`{NEXT_OWNER_TAG}` says so). Otherwise it stays as it is, with its retention: the next plan then shows `create` as a change, and \
         the apply of that is refused. Set `create = false` to use a log group without owning it."
    ))
}

/// One that goes has passed the group on. `next`: the tag of the next one.
pub fn passes_on(group: &str, next: &str) -> Diagnostic {
    let next = Holder::of(next).map_or_else(|| format!("`{next}`"), Holder::in_words);
    Diagnostic::warning(format!("The log group `{group}` stays: it has another owner now")).detail(format!(
        "It passes to {next}, which was made before this one was destroyed, so `delete_on_destroy` does not apply."
    ))
}

/// Gives the group to the one that waits for it, if that one sends events there. `own`: the tag of the one that goes. Returns the tag of
/// the next one.
pub async fn pass_on(aws: &Regional, group: &str, own: &str) -> Result<Option<String>, Error> {
    let Some(held) = aws.log_group(group).await? else {
        return Ok(None);
    };
    let arn = arn_of(&held, None);
    let mut tags = aws.log_group_tags(&arn).await?;
    let is_own = tags.get(OWNER_TAG).is_some_and(|tag| tag == own);
    let Some(next) = tags.remove(NEXT_OWNER_TAG).filter(|_| is_own) else {
        return Ok(None);
    };
    let seen = match Holder::of(&next) {
        Some(holder) => holder.see(aws, group).await?,
        None => None,
    };
    if seen != Some(Sight::Leads) {
        return Ok(None);
    }
    let call = aws.logs.tag_resource().resource_arn(&arn).tags(OWNER_TAG, &next);
    call.send().await.map_err(|e| aws.failed("logs:TagResource", e))?;
    untag(aws, &arn, NEXT_OWNER_TAG).await?;
    Ok(Some(next))
}

/// Removes the mark of a next owner from a group: one that names the one that goes, or that nobody has come for.
pub async fn unmark(aws: &Regional, group: &str, own: &str) -> Result<(), Error> {
    let Some(held) = aws.log_group(group).await? else {
        return Ok(());
    };
    let arn = arn_of(&held, None);
    let tags = aws.log_group_tags(&arn).await?;
    let is = |key: &str| tags.get(key).is_some_and(|tag| tag == own);
    if is(NEXT_OWNER_TAG) || (is(OWNER_TAG) && tags.contains_key(NEXT_OWNER_TAG)) {
        untag(aws, &arn, NEXT_OWNER_TAG).await?;
    }
    Ok(())
}

/// Removes a tag from a group; one that is gone has none.
pub async fn untag(aws: &Regional, arn: &str, key: &str) -> Result<(), Error> {
    let call = aws.logs.untag_resource().resource_arn(arn).tag_keys(key);
    let answer = call.send().await.map_err(|e| aws.failed("logs:UntagResource", e));
    gone(answer).map(drop)
}

/// The ARN of a group as AWS shows it, or else the one that is known, without the star at its end.
pub fn arn_of(held: &WireGroup, known: Option<&str>) -> String {
    let arn = held.log_group_arn().or(held.arn()).or(known).unwrap_or_default();
    arn.trim_end_matches(":*").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_fit_a_tag_and_stay_apart() {
        let bus = "aws.partner/scalr.com/a/b";
        assert_eq!(rule(bus, "r"), "aws.partner/scalr.com/a/b/r");
        assert_eq!(subscriber("runs"), "subscriber:runs");
        let long = "b".repeat(256);
        for (one, other) in [
            (rule(&long, "r1"), rule(&long, "r2")),
            (subscriber(&format!("{long}1")), subscriber(&format!("{long}2"))),
        ] {
            assert_eq!((one.len(), other.len()), (256, 256));
            assert_ne!(one, other);
            assert_eq!((Holder::of(&one), Holder::of(&other)), (None, None));
        }
    }

    #[test]
    fn tags_name_rules_and_subscribers() {
        let bus = "aws.partner/scalr.com/a/b";
        for (tag, want) in [
            (
                "aws.partner/scalr.com/a/b/r",
                Some(Holder::Rule { bus, rule: "r" }),
            ),
            (
                "custom/r",
                Some(Holder::Rule {
                    bus: "custom",
                    rule: "r",
                }),
            ),
            ("subscriber:runs", Some(Holder::Subscriber { name: "runs" })),
            ("subscriber:", None),
            ("subscriber:ru=12", None),
            ("r", None),
            ("custom/a b", None),
        ] {
            assert_eq!(Holder::of(tag), want, "{tag}");
        }
    }
}
