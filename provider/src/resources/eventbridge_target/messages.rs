//! What users read of a target and its log group.

use aws_sdk_eventbridge::types::Target as WireTarget;
use scalr_events::is_generated;
use tfplugin::rules::Broken;
use tfplugin::{Diagnostic, Plan, Resource as _};

use super::Target;
use crate::aws::{Error, Regional, log_policy, target_id};
use crate::failure::{Standing, UNCHANGED};
use crate::resources::messages::{self, Existing};

/// State of the target where the permission is revoked.
pub(super) const TARGET_AS_CONFIGURED: &str = "The target is as configured. Apply again to continue.";
pub(super) const TARGET_STILL_THERE: &str =
    "The target is still there; the next destroy continues from here.";

/// What becomes of the rule of a target that stays where it is.
pub(super) const RULE_OF_A_MOVED_TARGET: &str = "Its rule can nevertheless be a `scalr_eventbridge_rule`.";

/// What failed is named by what was being done.
pub(super) mod doing {
    pub(in super::super) fn put(id: &str, rule: &str, new: bool) -> String {
        let verb = if new { "make" } else { "change" };
        format!("{verb} the target `{id}` of the rule `{rule}`")
    }

    pub(in super::super) fn remove(id: &str, rule: &str) -> String {
        format!("remove the target `{id}` of the rule `{rule}`")
    }

    pub(in super::super) fn read(rule: &str) -> String {
        format!("read the targets of the rule `{rule}`")
    }

    pub(in super::super) fn read_rule(bus: &str, rule: &str) -> String {
        format!("read the rule `{rule}` of the event bus `{bus}`")
    }

    pub(in super::super) fn make_group(name: &str) -> String {
        format!("make the log group `{name}`")
    }

    pub(in super::super) fn look_for_group(name: &str) -> String {
        format!("look for the log group `{name}`")
    }

    pub(in super::super) fn read_group(name: &str) -> String {
        format!("read the log group `{name}`")
    }

    pub(in super::super) fn read_group_tags(name: &str) -> String {
        format!("read the tags of the log group `{name}`")
    }

    pub(in super::super) fn tag_group(name: &str) -> String {
        format!("tag the log group `{name}`")
    }

    pub(in super::super) fn set_retention(name: &str) -> String {
        format!("set the retention of the log group `{name}`")
    }

    pub(in super::super) fn set_key(name: &str) -> String {
        format!("set the KMS key of the log group `{name}`")
    }

    pub(in super::super) fn release_group(name: &str) -> String {
        format!("release the log group `{name}`")
    }

    pub(in super::super) fn delete_group(name: &str) -> String {
        format!("delete the log group `{name}`")
    }
}

pub(super) fn existing<'a>(plan: &'a Target, region: &'a str) -> Existing<'a> {
    let (bus, rule, id) = (&plan.event_bus_name, &plan.rule, plan.id());
    Existing {
        what: format!("The target `{id}` exists already on the rule `{rule}`"),
        region,
        other: "another `target_id`",
        resource: Target::NAME,
        named: vec![messages::short_bus(bus), rule, short(plan)],
        import_id: format!("{bus}/{rule}/{id}"),
    }
}

/// Its id, where somebody chose one; else where it leads.
fn short(plan: &Target) -> &str {
    let group = plan.log_group.as_ref().map(|group| group.name.as_str());
    let last = || {
        plan.arn
            .as_deref()
            .and_then(|arn| arn.rsplit([':', '/']).find(|part| !is_generated(part)))
    };
    match plan.id() {
        id if is_generated(id) => group.or_else(last).unwrap_or(id),
        id => id,
    }
}

/// `held`: the rule's targets; none where there is no such rule.
pub(super) async fn nothing_to_import(
    wanted: &Target,
    held: Option<&[WireTarget]>,
    aws: &Regional,
) -> Diagnostic {
    let (bus, rule, id) = (&wanted.event_bus_name, &wanted.rule, wanted.id());
    let what = match held {
        None => format!("rule `{rule}` on the event bus `{bus}`, and so no target of it"),
        Some([]) => format!("target `{id}` of the rule `{rule}`, which has none"),
        Some(held) => {
            let ids: Vec<&str> = held.iter().map(WireTarget::id).collect();
            format!(
                "target `{id}` of the rule `{rule}`, which has `{}`",
                ids.join("`, `")
            )
        }
    };
    messages::nothing_to_import(&what, &aws.account_in_words().await, &aws.name)
}

/// A target that was moved without its region is not where the provider looks.
pub(super) fn not_in_the_providers_region(wanted: &Target, region: &str) -> Diagnostic {
    let (bus, rule, id) = (&wanted.event_bus_name, &wanted.rule, wanted.id());
    Diagnostic::failed(format!("move the target `{id}` of the rule `{rule}`"))
        .because(format!(
            "The state of `aws_cloudwatch_event_target` does not say in which region it is, and in region {region}, the provider's \
             own, there is none on the event bus `{bus}`."
        ))
        .standing("Nothing was changed.")
        .next(format!(
            "If it is in another region, write two blocks in place of `moved`: `removed` with \
             `from = aws_cloudwatch_event_target.NAME` and `lifecycle {{ destroy = false }}`, and `import` with \
             `to = scalr_eventbridge_target.NAME` and `id = \"{bus}/{rule}/{id}@REGION\"`. If it is gone, write `removed` alone: \
             the target is then made."
        ))
}

pub(super) fn no_rule(bus: &str, rule: &str, account: &str, region: &str) -> Diagnostic {
    Diagnostic::error(format!("There is no rule `{rule}` on the event bus `{bus}`"))
        .detail(format!(
            "This looked in {account}, region {region}. Use `name`, `event_bus_name` and `region` of a \
             `scalr_eventbridge_rule`. Nothing was made."
        ))
        .at(Target::rule())
}

pub(super) fn request_cannot_be_built(doing: &str, why: &impl std::fmt::Display) -> Diagnostic {
    Diagnostic::error(format!("Cannot {doing}")).detail(format!("The request cannot be built: {why}."))
}

/// The state when PutTargets failed. What was made before it is named: it is in no state.
pub(super) fn after_put(plan: &Target, new: bool) -> Standing {
    let standing = if new {
        Standing::new(
            "The target was not made.",
            match plan.log_group {
                Some(_) => "The target may be there now.",
                None => "The target may be there now; the next apply adopts it if it is.",
            },
        )
    } else {
        Standing::new(
            "The target is unchanged.",
            "Whether the target was changed is not known; the next plan shows it.",
        )
    };
    match &plan.log_group {
        Some(group) => {
            let next = if new {
                " and, as a tainted target, in the state: the next apply replaces it, a destroy removes them"
            } else {
                ""
            };
            standing.and(&format!(
                "The log group `{}` and its resource policy's statements for this target are in place{next}.",
                group.name
            ))
        }
        None => standing,
    }
}

pub(super) fn after_removing(state: &Target) -> Standing {
    let without = state.log_group.as_ref().map_or_else(String::new, |group| {
        format!(
            ", without the permission to write to the log group `{}`",
            group.name
        )
    });
    Standing::new(
        format!("The target is still there{without}."),
        "Whether the target was removed is not known; the next plan shows it.",
    )
}

// The log group.

/// State of things once the group is there. `new`: the target is being made.
pub(super) fn group_is_there(new: bool) -> &'static str {
    if new {
        "The log group is there; the target was not made. It is in the state as a tainted target: the next apply replaces it, a \
         destroy removes what is there."
    } else {
        "The log group is there; the target is unchanged."
    }
}

pub(super) fn after_group_call(standing: &str) -> Standing {
    Standing::of::<Error>().and(standing)
}

pub(super) fn after_making_group() -> Standing {
    Standing::new(
        UNCHANGED,
        "Whether the log group was made is not known; the next plan shows it.",
    )
}

pub(super) fn after_releasing_group() -> Standing {
    Standing::same(
        "The target is as configured; the log group still carries the tag. Apply again to continue.",
    )
}

pub(super) fn after_deleting_group() -> Standing {
    Standing::of::<Error>().and(
        "The target is still there, without the permission to write to the log group; the next destroy continues from here.",
    )
}

pub(super) const GROUP_AS_IT_WAS: &str = "The log group is as it was, and the target was not made.";

pub(super) fn no_group(name: &str, region: &str) -> Diagnostic {
    Diagnostic::error(format!("There is no log group `{name}` in {region}"))
        .detail("Nothing was made. Set `create = true` to have it made here, or make it first.")
        .at(Target::log_group().name())
}

pub(super) fn no_permission(name: &str, failure: &log_policy::Failure, standing: &str) -> Diagnostic {
    let diagnostic = Diagnostic::error(format!("EventBridge may not write to the log group `{name}`"));
    failure.explained(diagnostic, standing).at(Target::log_group())
}

pub(super) fn permission_not_revoked(
    name: &str,
    failure: &log_policy::Failure,
    standing: &str,
) -> Diagnostic {
    let doing = format!("revoke the permission to write to the log group `{name}`");
    failure.explained(Diagnostic::failed(doing), standing)
}

/// No destination is set, or two are.
pub(super) fn one_destination(broken: &Broken) -> Diagnostic {
    if broken.set().is_empty() {
        return Diagnostic::error("The target has no destination")
            .detail("Set `log_group` for a CloudWatch log group, or `arn` for anything else.");
    }
    Diagnostic::error("The target has two destinations")
        .detail("Set one of `arn` and `log_group`; `log_group` grants the permission as well.")
        .at(Target::arn())
}

pub(super) fn no_role_for_a_group() -> Diagnostic {
    Diagnostic::error("A log group takes no role")
        .detail(
            "EventBridge reaches log groups by their resource policy; with `role_arn` AWS refuses the target or delivers \
             nothing. Remove `role_arn`.",
        )
        .at(Target::role_arn())
}

/// A log group that is made has to carry its owner's tag.
pub(super) fn no_tags(name: &str) -> Diagnostic {
    Diagnostic::error("A log group that is made here has no `#` in its name")
        .detail(format!(
            "The name is `{name}`. CloudWatch Logs takes it, but the calls that read and write a log group's tags refuse its ARN, so that \
             it could not be seen whose log group it is. Choose another name, or make the log group elsewhere and leave `create` out."
        ))
        .at(Target::log_group().name())
}

pub(super) fn no_log_event() -> Diagnostic {
    Diagnostic::error("The input template does not give what a log group takes")
        .detail(
            "For a log group the template gives an object of just `timestamp` and `message`, such as \
             `{\"timestamp\": <time>, \"message\": <text>}`, with `input_paths = { time = \"$.time\", … }`. Anything else AWS \
             drops without an error.",
        )
        .at(Target::input_transformer().input_template())
}

pub(super) fn retention_without_create(_: &Broken) -> Diagnostic {
    only_with_create("retention_in_days").at(Target::log_group().retention_in_days())
}

pub(super) fn key_without_create(_: &Broken) -> Diagnostic {
    only_with_create("kms_key_id").at(Target::log_group().kms_key_id())
}

pub(super) fn delete_without_create(_: &Broken) -> Diagnostic {
    only_with_create("delete_on_destroy").at(Target::log_group().delete_on_destroy())
}

fn only_with_create(what: &str) -> Diagnostic {
    Diagnostic::error(format!("`{what}` without `create = true`")).detail(format!(
        "A log group that this resource did not make is left as it is. Set `create = true` as well, or remove `{what}`."
    ))
}

pub(super) fn more_than_one_input(broken: &Broken) -> Diagnostic {
    let set: Vec<String> = broken.set().iter().map(ToString::to_string).collect();
    let second = broken.set().get(1).cloned().unwrap_or_default();
    Diagnostic::error("The target says more than one thing about its input")
        .detail(format!(
            "`{}` are set; EventBridge takes one of them.",
            set.join("` and `")
        ))
        .at(second)
}

pub(super) fn input_not_json() -> Diagnostic {
    Diagnostic::error("`input` is not JSON")
        .detail("Write it with `jsonencode(…)`.")
        .at(Target::input())
}

pub(super) fn escaped_names() -> Diagnostic {
    Diagnostic::error("The input template's names are escaped")
        .detail(
            "`jsonencode` writes `<` as `\\u003c`, and EventBridge then fills in nothing. Write the template as text \
             (`<<-EOT`), or undo the escapes: `replace(replace(jsonencode(…), \"\\\\u003c\", \"<\"), \
             \"\\\\u003e\", \">\")`.",
        )
        .at(Target::input_transformer().input_template())
}

pub(super) fn names_without_values(missing: &[&str], known: &[&str]) -> Diagnostic {
    Diagnostic::error("The input template has a name that nothing fills in")
        .detail(format!(
            "`<{}>` is in the template, and not among `input_paths`. Names here are `{}`. EventBridge has no way to write a \
             `<…>` that is meant literally.",
            missing.join(">`, `<"),
            known.join("`, `")
        ))
        .at(Target::input_transformer().input_template())
}

// What may not work.

/// The target of a plan, as in "the target `t` of the rule `r`". A derived id says nothing to a reader.
pub(super) fn whose(plan: &Plan<'_, Target>) -> String {
    let of_rule = match plan.planned(Target::rule()).known() {
        Some(rule) => format!("of the rule `{rule}`"),
        None => "of a rule whose name is not known yet".to_owned(),
    };
    match plan.planned(Target::target_id()).known() {
        Some(id) if !target_id::is_derived(&id) => format!("the target `{id}` {of_rule}"),
        _ => format!("the target {of_rule}"),
    }
}

/// The same of a target that was just written.
pub(super) fn whose_written(target: &Target) -> String {
    let rule = &target.rule;
    match target.id() {
        id if target_id::is_derived(id) => format!("the target of the rule `{rule}`"),
        id => format!("the target `{id}` of the rule `{rule}`"),
    }
}

pub(super) fn role_without_effect(whose: &str, destination: &str, kind: &str) -> Diagnostic {
    Diagnostic::warning(format!(
        "The role of {whose} has no effect: EventBridge reaches {kind} by their own policy"
    ))
    .detail(format!(
        "`role_arn` has no effect for `{destination}`: {kind} say in a resource policy that `events.amazonaws.com` may reach \
         them. Remove `role_arn`, and check that policy."
    ))
    .at(Target::role_arn())
}

pub(super) fn needs_a_role(whose: &str, destination: &str) -> Diagnostic {
    Diagnostic::warning(format!("EventBridge needs a role to reach the destination of {whose}"))
        .detail(format!(
            "`{destination}` is reached with a role that EventBridge assumes; without one AWS refuses the target, or delivers \
             nothing. Set `role_arn`, unless the rule has one."
        ))
        .at(Target::arn())
}

pub(super) fn quoted_containers(whose: &str, names: &[&str]) -> Diagnostic {
    let names = names.join(">`, `<");
    Diagnostic::warning(format!(
        "An object or a list within quotes makes AWS drop the events of {whose}"
    ))
        .detail(format!(
            "`input_template` has `<{names}>` within quotes, and its value is an object or a list. AWS does not escape it: the \
             result is not JSON, and AWS delivers nothing and reports no error. Write it without quotes, or use a path to a \
             single value."
        ))
        .at(Target::input_transformer().input_template())
}

pub(super) fn message_is_no_text(whose: &str, name: &str) -> Diagnostic {
    Diagnostic::warning(format!(
        "The message of the log event is an object or a list, for {whose}"
    ))
        .detail(format!(
            "`message` in `input_template` is `<{name}>`, and its value is an object or a list. CloudWatch Logs takes a text there: \
             AWS reports no error, and what arrives is not that object (AWS's CDK says so of `LogGroupTargetInputOptions`). Use a \
             path to a single value, or leave `input_transformer` out to have the whole event."
        ))
        .at(Target::input_transformer().input_template())
}

pub(super) fn class_of_lambda(name: &str) -> Diagnostic {
    Diagnostic::warning(format!("The log group `{name}` is of class DELIVERY")).detail(
        "AWS has that class for delivering Lambda's logs to S3 or Firehose alone: events stay in it for one day, whatever \
         `retention_in_days` says, and CloudWatch Logs Insights cannot query them. A log group keeps its class forever. Use one of \
         class STANDARD, which `create = true` makes, or INFREQUENT_ACCESS.",
    )
}

/// With the plan: the permission cannot be written as things are.
pub(super) fn no_way_in(name: &str, obstacle: &log_policy::Failure) -> Diagnostic {
    Diagnostic::warning(format!(
        "EventBridge cannot be let into the log group `{name}` as things are"
    ))
    .because(obstacle)
    .next("The apply ends with an error at this target, unless it changes that policy first.")
    .at(Target::log_group().name())
}

pub(super) fn fifo(whose: &str, destination: &str) -> Diagnostic {
    Diagnostic::warning(format!(
        "The FIFO queue of {whose} needs a message group, which cannot be set here"
    ))
        .detail(format!(
            "AWS asks for a message group id with `{destination}`, and this resource offers none: expect AWS to refuse the \
             target. Use a standard queue, and have it feed the FIFO queue if the order matters."
        ))
        .at(Target::arn())
}

pub(super) fn destination_elsewhere(whose: &str, destination: &str, held: &str, region: &str) -> Diagnostic {
    Diagnostic::warning(format!(
        "The destination of {whose} is in another region than the event bus"
    ))
        .detail(format!(
            "`{destination}` is in {held}, the bus in {region}. From a rule AWS reaches only event buses in other regions. Use \
             a destination in {region}, or an event bus in {held} with a rule of its own."
        ))
        .at(Target::arn())
}

pub(super) fn dead_letters_elsewhere(whose: &str, queue: &str, held: &str, region: &str) -> Diagnostic {
    Diagnostic::warning(format!(
        "The dead-letter queue of {whose} is in another region than the event bus"
    ))
        .detail(format!(
            "`{queue}` is in {held}, the bus in {region}. AWS takes a queue in the rule's own region only. Use a queue in \
             {region}."
        ))
        .at(Target::dead_letter_config().arn())
}

pub(super) fn permission_left_to_you(whose: &str, group: &str) -> Diagnostic {
    Diagnostic::warning(format!(
        "The permission to write to the log group `{group}` is not granted, for {whose}"
    ))
        .detail(format!(
            "With `arn`, the log group's resource policy is left to you; without one that lets EventBridge in, nothing \
             arrives and no error says so. `log_group = {{ name = \"{group}\" }}` grants it."
        ))
        .at(Target::arn())
}
