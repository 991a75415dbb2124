//! What users read of a rule.

use scalr_events::NamedId;
use tfplugin::rules::Broken;
use tfplugin::{Diagnostic, Plan, Resource as _};

use super::Rule;
use crate::aws::{Error, Regional};
use crate::failure::{Standing, UNCHANGED, import_block};
use crate::resources::messages::{self, Existing};
use crate::scalr::Scalr;
use crate::scalr::known::Near;

/// What becomes of the targets of a rule that stays where it is.
pub(super) const TARGETS_OF_A_MOVED_RULE: &str =
    "Its targets can nevertheless be `scalr_eventbridge_target`.";

/// What failed is named by what was being done.
pub(super) mod doing {
    pub(in super::super) fn make(bus: &str, name: &str) -> String {
        format!("make the rule `{name}` on the event bus `{bus}`")
    }

    pub(in super::super) fn change(bus: &str, name: &str) -> String {
        format!("change the rule `{name}` on the event bus `{bus}`")
    }

    pub(in super::super) fn read(bus: &str, name: &str) -> String {
        format!("read the rule `{name}` of the event bus `{bus}`")
    }

    pub(in super::super) fn tag(name: &str) -> String {
        format!("tag the rule `{name}`")
    }

    pub(in super::super) fn delete(bus: &str, name: &str) -> String {
        format!("delete the rule `{name}` of the event bus `{bus}`")
    }

    pub(in super::super) fn list(bus: &str) -> String {
        format!("look at the rules of the event bus `{bus}`")
    }
}

/// The rule of a plan, as in "the rule `r`".
pub(super) fn whose(plan: &Plan<'_, Rule>) -> String {
    match (
        plan.planned(Rule::name()).known(),
        plan.config(Rule::name_prefix()).known(),
    ) {
        (Some(name), _) => format!("the rule `{name}`"),
        (None, Some(prefix)) => format!("the rule `{prefix}…`"),
        (None, None) => "a rule whose name is not known yet".to_owned(),
    }
}

/// Neither name nor prefix is set, or both are.
pub(super) fn one_name(broken: &Broken) -> Diagnostic {
    if broken.set().is_empty() {
        needs_a_name()
    } else {
        name_and_prefix()
    }
}

fn needs_a_name() -> Diagnostic {
    Diagnostic::error("The rule needs a name")
        .detail("Set `name`, or `name_prefix` to have the rest of it generated.")
        .at(Rule::name())
}

fn name_and_prefix() -> Diagnostic {
    Diagnostic::error("The rule has a name and a prefix of one")
        .detail("Set one of `name` and `name_prefix`.")
        .at(Rule::name_prefix())
}

pub(super) fn existing<'a>(plan: &'a Rule, region: &'a str) -> Existing<'a> {
    let (bus, name) = (&plan.event_bus_name, plan.known_name());
    Existing {
        what: format!("The rule `{name}` exists already on the event bus `{bus}`"),
        region,
        other: "another name",
        resource: Rule::NAME,
        named: vec![messages::short_bus(bus), name],
        import_id: format!("{bus}/{name}"),
    }
}

pub(super) async fn nothing_to_import(bus: &str, name: &str, aws: &Regional) -> Diagnostic {
    let what = format!("rule `{name}` on the event bus `{bus}`");
    messages::nothing_to_import(&what, &aws.account_in_words().await, &aws.name)
}

/// A rule that an interrupted apply may have made.
pub(super) fn left_over(bus: &str, region: &str, name: &str) -> Diagnostic {
    Diagnostic::error(format!("The rule `{name}` is there already, just like the new one"))
        .detail(format!(
            "It is on the event bus `{bus}`, begins with the same `name_prefix` and has no targets: perhaps an apply that \
             was interrupted made it. Nothing was made.\n\nIf nobody manages it, use it by importing it:\n\n{}\n\nor delete it \
             (`aws events delete-rule --event-bus-name {bus} --name {name}`), and apply again. If it is managed elsewhere, \
             give the new rule a `name`, another `name_prefix` or a `description` of its own.",
            import_block(
                Rule::NAME,
                &[messages::short_bus(bus), name],
                format_args!("{bus}/{name}@{region}")
            )
        ))
        .at(Rule::name_prefix())
}

pub(super) fn no_bus(plan: &Rule, error: &Error, account: &str, region: &str) -> Diagnostic {
    let (bus, name) = (&plan.event_bus_name, plan.known_name());
    Diagnostic::error(format!("There is no event bus `{bus}` for the rule `{name}`"))
        .because(error)
        .next(format!(
            "This looked in {account}, region {region}. Is the bus in another account or region, or was it deleted? \
             Use the `name` and `region` of a `scalr_eventbridge_bus`. Nothing was made."
        ))
        .at(Rule::event_bus_name())
}

/// The state when PutRule failed.
pub(super) fn after_put(plan: &Rule, new: bool) -> Standing {
    let unknown = match (new, &plan.name_prefix) {
        (false, _) => return Standing::of::<Error>(),
        (true, None) => "The rule may be there now; the next apply adopts it if it is.".to_owned(),
        (true, Some(_)) => format!(
            "The rule `{}` may be there now; the next apply makes no other beside it, and says how to import it.",
            plan.known_name()
        ),
    };
    Standing::new(UNCHANGED, unknown)
}

pub(super) fn after_tagging() -> Standing {
    Standing::of::<Error>().and("The rule's other settings are as configured.")
}

pub(super) fn after_deleting() -> Standing {
    Standing::new(
        "The rule is still there.",
        "Whether the rule was deleted is not known; the next plan shows it.",
    )
}

/// Awaited before a rule can be deleted.
pub(super) fn targets_left(rule: &str, left: &[String]) -> String {
    let targets = if left.is_empty() {
        "targets".to_owned()
    } else {
        format!("the targets `{}`", left.join("`, `"))
    };
    format!("the rule `{rule}` still has {targets}, and AWS deletes a rule only when it has none")
}

/// With the plan: targets on a rule that is to go. `deletes`: it does not come back.
pub(super) fn in_use(rule: &Rule, staying: &[String], deletes: bool) -> Diagnostic {
    let (bus, name) = (&rule.event_bus_name, rule.known_name());
    let (whose, order) = if deletes {
        (
            "which no `scalr_eventbridge_target` of this plan removes",
            "unless a resource of another provider removes them in the same apply, that apply stops there, with the rule's other \
             targets gone and the rule in place",
        )
    } else {
        (
            "whose ids are not the default ones of `scalr_eventbridge_target`",
            "unless the resources that have them are replaced with the rule, the apply stops there, with the rule's other \
             targets gone and the rule in place",
        )
    };
    Diagnostic::warning(format!("The rule `{name}` has targets")).detail(format!(
        "AWS deletes a rule only when it has none. The rule has the targets `{}`, {whose}: {order}. Remove those that no \
         resource manages first: `aws events remove-targets --region {} --event-bus-name {bus} --rule {name} --ids {}`.",
        staying.join("`, `"),
        rule.region.as_deref().unwrap_or_default(),
        staying.join(" ")
    ))
}

/// Nothing removes the targets that are in the way of a delete.
pub(super) fn targets_stay(rule: &Rule, region: &str, left: &[String]) -> Diagnostic {
    let (bus, name) = (&rule.event_bus_name, rule.known_name());
    Diagnostic::error(format!("Cannot delete the rule `{name}` of the event bus `{bus}`: it has targets")).detail(format!(
        "AWS deletes a rule only when it has none. For 15 seconds it has had the targets `{}`, and this apply is removing none \
         of them. The rule and its targets are still there.\n\nIf the rule is to be replaced, have its targets replaced with \
         it: `lifecycle {{ replace_triggered_by = [scalr_eventbridge_rule.NAME.arn] }}` in each \
         `scalr_eventbridge_target`, or one more `-replace` for each of them beside the rule's. If no resource manages them (as \
         after a `removed` block with `destroy = false`), remove them: `aws events remove-targets --region {region} \
         --event-bus-name {bus} --rule {name} --ids {}`. Then apply again.",
        left.join("`, `"),
        left.join(" ")
    ))
}

pub(super) const NULL_PATTERN: &str = "must be a pattern; it is the JSON text `null`, as `jsonencode` gives for a null \
    value. A rule without a pattern matches nothing: write one, such as `provider::scalr::event_pattern(…)`";

pub(super) fn not_a_pattern(error: &event_pattern::Error) -> String {
    format!("must be a pattern that EventBridge takes. Event pattern is not valid. Reason: {error}")
}

pub(super) fn pattern_too_long(chars: usize, chars_max: usize) -> String {
    format!(
        "must have at most {chars_max} characters, which no quota raises; it has {chars}. Shorten it, or spread it over \
         several rules"
    )
}

pub(super) fn longer_than_quota(whose: &str, length: usize, quota: usize) -> Diagnostic {
    Diagnostic::warning(format!("The event pattern of {whose} is longer than the default quota")).detail(format!(
        "It has {length} characters. Accounts take {quota} unless the quota `Event pattern size` was raised (the maximum is \
         4,096); without that AWS refuses the rule. Shorten the pattern, spread it over several rules, or ask for a higher \
         quota."
    ))
}

pub(super) fn numbers_out_of_range(whose: &str, numbers: &[String]) -> Diagnostic {
    Diagnostic::warning(format!(
        "The event pattern of {whose} compares numbers that EventBridge does not promise to compare"
    )).detail(
        format!(
            "AWS documents comparisons only within -5e9 to 5e9: {}. The `duration` of a run is in nanoseconds: 5e9 of them \
             are 5 seconds.",
            numbers.join("; ")
        ),
    )
}

pub(super) fn source_of_the_bus(bus: &str) -> String {
    format!("`source` is `{bus}` in all events on this bus")
}

pub(super) fn matches_nothing(whose: &str, reasons: &[String]) -> Diagnostic {
    Diagnostic::warning(format!(
        "The event pattern of {whose} matches none of Scalr's events"
    ))
    .detail(format!(
        "As far as the fields of Scalr's events are known, no event matches it:\n\n{}\n\n{WHERE_TO_LOOK}",
        listed(reasons)
    ))
}

pub(super) fn matches_in_part(whose: &str, reasons: &[String]) -> Diagnostic {
    Diagnostic::warning(format!(
        "Part of the event pattern of {whose} matches none of Scalr's events"
    )).detail(format!(
        "As far as the fields of Scalr's events are known, events match it, but none by these:\n\n{}\n\n{WHERE_TO_LOOK}",
        listed(reasons)
    ))
}

pub(super) fn odd_values(whose: &str, reasons: &[String]) -> Diagnostic {
    Diagnostic::warning(format!(
        "The event pattern of {whose} probably looks for something else than is meant"
    ))
    .detail(format!(
        "It works as it is written, which may not be what is wanted:\n\n{}\n\n{WHERE_TO_LOOK}",
        listed(reasons)
    ))
}

/// With the plan: Scalr has no such workspaces or environments. `missing`: each with the one that was probably meant.
pub(super) fn unknown_ids(whose: &str, missing: &[(NamedId, Option<Near>)], scalr: &Scalr) -> Diagnostic {
    let line = |(named, near): &(NamedId, Option<Near>)| {
        format!(
            "the {} `{}` in `{}`.{}",
            named.of.as_str(),
            named.id,
            named.path,
            messages::did_you_mean(near.as_ref())
        )
    };
    let lines: Vec<String> = missing.iter().map(line).collect();
    Diagnostic::warning(format!("The event pattern of {whose} has ids that Scalr does not know")).detail(format!(
        "This looked at `{}` with the token from {}: Scalr does not have these there, or the token may not see them:\n\n{}\n\nNo event of \
         that account has such an id, so that nothing matches it, and `anything-but` leaves nothing out by it. Scalr makes an id when it \
         creates the object: correct it, or refer to the resource that creates the object (as in `scalr_workspace.NAME.id`). Where the id \
         is of another Scalr account, which the pattern is for as well, it is right as it is.",
        scalr.api.host(),
        scalr.token_origin,
        listed(&lines)
    ))
}

pub(super) fn ignored_alternative(whose: &str, warning: &event_pattern::Warning) -> Diagnostic {
    Diagnostic::warning(format!(
        "EventBridge ignores an alternative of the event pattern of {whose}"
    )).detail(format!(
        "What this alternative adds is not picked up: {warning}. Move what alternatives have in common out of `$or`, or have no value in two \
         of them."
    ))
}

/// A partner's events are on the bus of their source.
pub(super) fn not_on_the_default_bus(whose: &str) -> Diagnostic {
    Diagnostic::warning(format!(
        "On the event bus `default` {whose} sees none of Scalr's events"
    )).detail(
        "AWS puts the events of a partner on the event bus that is associated with their event source, and on no other. Unless a rule of that \
         bus sends them on to `default`, this rule matches none. Set `event_bus_name` to the name of that bus: `name` of a \
         `scalr_eventbridge_bus`.",
    )
}

const WHERE_TO_LOOK: &str = "The guide *Fields of the events* lists them, and `provider::scalr::explain_event_pattern` says what a \
    sample has in each field of a pattern.";

fn listed(reasons: &[String]) -> String {
    let lines = reasons.iter().map(|reason| format!("  - {reason}"));
    lines.collect::<Vec<_>>().join("\n")
}
