//! What users read of a subscriber.

use aws_sdk_eventbridgev2::error::BuildError;
use event_pattern::FilterError;
use tfplugin::{Diagnostic, Resource as _, Result, WaitEnd};

use super::Subscriber;
use crate::aws::custom_writes::Creation;
use crate::aws::{Error, Regional};
use crate::failure::{Standing, UNCHANGED, import_block};
use crate::resources::group_owner::{self, OWNER_TAG, Sight};
use crate::resources::messages;

/// What failed is named by what was being done.
pub(super) mod doing {
    pub(in super::super) fn make(name: &str) -> String {
        format!("make the subscriber `{name}`")
    }

    pub(in super::super) fn change(name: &str) -> String {
        format!("change the subscriber `{name}`")
    }

    pub(in super::super) fn read(name: &str) -> String {
        format!("read the subscriber `{name}`")
    }

    pub(in super::super) fn see(name: &str) -> String {
        format!("see the state of the subscriber `{name}`")
    }

    pub(in super::super) fn tag(name: &str) -> String {
        format!("tag the subscriber `{name}`")
    }

    pub(in super::super) fn delete(name: &str) -> String {
        format!("delete the subscriber `{name}`")
    }

    pub(in super::super) fn look_for_group(name: &str) -> String {
        format!("look for the log group `{name}`")
    }

    pub(in super::super) fn make_group(name: &str) -> String {
        format!("make the log group `{name}`")
    }

    pub(in super::super) fn make_stream(name: &str, stream: &str) -> String {
        format!("make the log stream `{stream}` in the log group `{name}`")
    }

    pub(in super::super) fn read_group(name: &str) -> String {
        format!("read the log group `{name}`")
    }

    pub(in super::super) fn release_group(name: &str) -> String {
        format!("remove the owner tag of the log group `{name}`")
    }

    pub(in super::super) fn delete_group(name: &str) -> String {
        format!("delete the log group `{name}`")
    }

    pub(in super::super) fn tag_group(name: &str) -> String {
        format!("tag the log group `{name}`")
    }
}

pub(super) async fn nothing_to_import(name: &str, aws: &Regional) -> Diagnostic {
    let what = format!("subscriber `{name}`");
    messages::nothing_to_import(&what, &aws.account_in_words().await, &aws.name)
}

/// The one subscriber of a name, if there is one.
pub(super) fn only_one(name: &str, mut arns: Vec<String>) -> Result<Option<String>> {
    if arns.len() > 1 {
        let error = Diagnostic::error(format!("There are {} subscribers `{name}`", arns.len()));
        return Err(error
            .detail(format!(
                "They are of several buses: `{}`. Nothing was imported. Import the one that is meant by its ARN.",
                arns.join("`, `")
            ))
            .into());
    }
    Ok(arns.pop())
}

/// The SDK asks for more than there is.
pub(super) fn incomplete(doing: &str, why: &BuildError) -> Diagnostic {
    Diagnostic::error(format!("Cannot {doing}"))
        .because(why)
        .standing("Nothing was changed.")
}

/// What is made, and the state when CreateSubscriber failed.
pub(super) fn creation(name: &str) -> Creation {
    Creation {
        what: format!("the subscriber `{name}`"),
        standing: Standing::new(
            UNCHANGED,
            "The subscriber may be there now: if it is, the next apply says so and shows how to import it.",
        ),
    }
}

/// A subscriber of this name is there.
pub(super) fn exists(name: &str, region: &str, arn: Option<&str>) -> Diagnostic {
    let import_id = arn.map_or_else(|| format!("{name}@{region}"), str::to_owned);
    Diagnostic::error(format!("The subscriber `{name}` exists already"))
        .detail(format!(
            "The account has it in {region}, and a name is one subscriber's. It was left as it is. {}",
            what_to_do(name, &import_id)
        ))
        .at(Subscriber::name())
}

/// The same, with the plan.
pub(super) fn will_be_refused(name: &str, region: &str, arn: &str) -> Diagnostic {
    Diagnostic::warning(format!("There is a subscriber `{name}` already"))
        .detail(format!(
            "The account has it in {region}, and a name is one subscriber's: an apply fails unless it deletes that one first. {}",
            what_to_do(name, arn)
        ))
        .at(Subscriber::name())
}

fn what_to_do(name: &str, import_id: &str) -> String {
    format!(
        "If this resource has only another address now, use a `moved` block. If another resource or state has it, choose another name. If \
         nothing has it, as after an apply that was interrupted, import it with\n\n{}",
        import_block(Subscriber::NAME, &[name], import_id)
    )
}

/// With the plan: two regions.
pub(super) fn another_region(bus: &str, target: &str) -> Diagnostic {
    Diagnostic::error("The target is in another region than the bus").detail(format!(
        "The custom event bus is in {bus}, the target in {target}, and a subscriber delivers to targets of its own region only. Nothing has \
         changed. Use a target in {bus}; or have the events on a custom event bus in {target}, which can be the target of a subscriber here."
    ))
}

/// With the plan: a loop.
pub(super) fn own_bus() -> Diagnostic {
    Diagnostic::error("The target is the subscriber's own bus").detail(
        "AWS refuses a subscriber that delivers to the bus that it is on. Nothing has changed. Set `target_arn` to what is to receive the \
         events.",
    )
}

/// With the plan: what a replacement misses.
pub(super) fn gap(name: &str) -> Diagnostic {
    Diagnostic::warning(format!("Replacing the subscriber `{name}` leaves a gap")).detail(
        "The new subscriber receives what arrives after it was made. Events that arrive between the deletion of the old one and that, some \
         seconds, are not delivered; nor are those that the old one had not delivered yet. They stay on the bus. To have \
         them delivered, let the new one begin before the old one is deleted: `starting_position = \"POINT_IN_TIME\"` with `point_in_time = { type \
         = \"TIMESTAMP\", starting_point = TIME }`, TIME at least 5 minutes before the apply. What the old one has delivered since then is \
         delivered again.",
    )
}

/// With the plan: the owner of the bus has ended it.
pub(super) fn revoked(name: &str) -> Diagnostic {
    Diagnostic::warning(format!("The subscriber `{name}` is revoked")).detail(
        "The owner of the bus has taken it off the bus, for good: it receives nothing, and AWS refuses to change it. Remove this resource, or \
         ask the owner of the bus and then replace it (`-replace`).",
    )
}

/// With the plan: filters that AWS does not take.
pub(super) fn refused_filters(whose: &str, error: &FilterError) -> Diagnostic {
    let next = match error {
        FilterError::Duplicate(_) => {
            "A subscriber has one filter a scope. Write both conditions into one pattern, or make a second subscriber."
        }
        FilterError::TooLong { .. } => "Shorten the patterns, or divide them among several subscribers.",
        FilterError::Wildcard(_) => {
            "Use `prefix` or `suffix`, or a subscriber without this condition whose target looks at the events itself."
        }
        _ => {
            "Filters of METADATA compare exact values. Use other operators in filters of DATA or SYSTEM_METADATA."
        }
    };
    Diagnostic::warning(format!("AWS refuses the filters of {whose}")).detail(format!(
        "{error}, as far as this version of the provider knows AWS's rules. An apply then fails before it changes the subscriber. {next}"
    ))
}

/// With the plan: a filter that no partner's event passes.
pub(super) fn no_metadata(whose: &str) -> Diagnostic {
    Diagnostic::warning(format!("A METADATA filter of {whose} matches none of Scalr's events")).detail(
        "Only events of PutRawEvents have metadata. A filter of this scope never matches events of a partner or of PutEvents, so that none of \
         them is delivered. Use the scope DATA or SYSTEM_METADATA for events of Scalr.",
    )
}

/// A call without arguments.
pub(super) fn no_input() -> Diagnostic {
    Diagnostic::error("The call that is the target has no arguments")
        .detail(
            "`target_arn` is a call to AWS. Set `input` to its arguments, as JSON, with the names of AWS's API, as in `LogGroupName`. An \
             expression `{% … %}` is JSONATA, with the events in `$events`.",
        )
        .at(Subscriber::input())
}

pub(super) fn input_without_call() -> Diagnostic {
    Diagnostic::error("`input` is for calls only")
        .detail(
            "Only a target that is a call to AWS (`arn:aws:events:::aws-sdk:SERVICE:ACTION`) has arguments. For any other target, use \
             `transformer` to change what is delivered.",
        )
        .at(Subscriber::input())
}

pub(super) fn only_raw(is_call: bool) -> Diagnostic {
    let (what, instead) = if is_call {
        ("A call to AWS", "Use expressions in `input`")
    } else {
        (
            "A Classic event bus",
            "Transform the event at a target of that bus",
        )
    };
    Diagnostic::error(format!("{what} takes no transformed events"))
        .detail(format!(
            "AWS refuses a transformer other than RAW for this target. {instead}, and remove `transformer`."
        ))
        .at(Subscriber::transformer())
}

pub(super) fn no_expression() -> Diagnostic {
    Diagnostic::error("A transformer of the type JSONATA needs `expression`")
        .detail("Set `expression`, as in `{% $events.Data.detail %}`, or use the type RAW or WITH_METADATA.")
        .at(Subscriber::transformer().expression())
}

pub(super) fn expression_without_jsonata(kind: &str) -> Diagnostic {
    Diagnostic::error(format!("A transformer of the type {kind} has no `expression`"))
        .detail("Use the type JSONATA, or remove `expression`.")
        .at(Subscriber::transformer().expression())
}

pub(super) fn no_point() -> Diagnostic {
    Diagnostic::error("The starting position POINT_IN_TIME needs `point_in_time`")
        .detail(
            "Set `point_in_time = { type = \"HORIZON\" }` for all that the bus keeps, or `{ type = \"TIMESTAMP\", starting_point = TIME }`.",
        )
        .at(Subscriber::point_in_time())
}

pub(super) fn point_without_position() -> Diagnostic {
    Diagnostic::error("`point_in_time` without the starting position POINT_IN_TIME")
        .detail("Set `starting_position = \"POINT_IN_TIME\"` as well, or remove `point_in_time`.")
        .at(Subscriber::point_in_time())
}

pub(super) fn no_starting_point() -> Diagnostic {
    Diagnostic::error("A point in time of the type TIMESTAMP needs `starting_point`")
        .detail(
            "Set `starting_point` to a time in RFC 3339, at least 5 minutes before the apply; or use the type HORIZON for all that the bus keeps.",
        )
        .at(Subscriber::point_in_time().starting_point())
}

pub(super) fn starting_point_of_horizon() -> Diagnostic {
    Diagnostic::error("A point in time of the type HORIZON has no `starting_point`")
        .detail("HORIZON is the oldest event that the bus keeps. Use the type TIMESTAMP, or remove `starting_point`.")
        .at(Subscriber::point_in_time().starting_point())
}

/// A target of a kind that is newer than the SDK.
pub(super) fn unknown_target(subscriber: &Subscriber, region: &str) -> Diagnostic {
    let (name, target, arn) = (&subscriber.name, subscriber.target(), subscriber.known_arn());
    Diagnostic::error(format!("Cannot change role or input of the subscriber `{name}`")).detail(format!(
        "AWS replaces the settings of a target whole, and this version of the provider does not know those of `{target}`: they would be lost. \
         Nothing was changed. Change it with `aws eventsv2 update-subscriber --region {region} --subscriber-arn {arn}`, and the configuration \
         to the same."
    ))
}

/// Somebody deleted it meanwhile.
pub(super) fn gone(name: &str, region: &str) -> Diagnostic {
    Diagnostic::error(format!("The subscriber `{name}` is gone")).detail(format!(
        "AWS has no such subscriber in {region}: somebody has deleted it. Nothing was changed. The next apply makes it again."
    ))
}

/// Awaited while a subscriber is about to be in another state.
pub(super) fn is_on_its_way(name: &str) -> String {
    format!("the subscriber `{name}` is not in its last state yet")
}

/// The subscriber is made or changed, and cannot be looked at.
pub(super) fn not_seen() -> Standing {
    Standing::same(
        "AWS took the change. What state the subscriber is in is not known; the next plan shows it.",
    )
}

/// The wait for that is over.
pub(super) fn not_ready_yet(name: &str, end: &WaitEnd) -> Diagnostic {
    let (WaitEnd::TimedOut { last } | WaitEnd::Cancelled { last }) = end;
    Diagnostic::warning(format!("The subscriber `{name}` may not deliver yet")).detail(format!(
        "The wait ended; {last}. It is in the state. The next plan shows in which state it is."
    ))
}

/// AWS could not do what it took on.
pub(super) fn failed(subscriber: &Subscriber, region: &str, state: &str) -> Diagnostic {
    let (name, arn) = (&subscriber.name, subscriber.known_arn());
    Diagnostic::error(format!("The subscriber `{name}` is {state}")).detail(format!(
        "AWS took the change and could not carry it out. It is in the state. AWS says why: `aws eventsv2 describe-subscriber \
         --region {region} --subscriber-arn {arn}`, under `StateReason`. Does the role of `{name}` exist, and does it trust `events.amazonaws.com`? Correct that, \
         and apply again."
    ))
}

/// The block without a queue did not take it away.
pub(super) fn queue_stays(name: &str, queue: &str) -> Diagnostic {
    Diagnostic::error(format!(
        "The subscriber `{name}` still has its queue for failure records"
    ))
    .detail(format!(
        "AWS took the change, and the subscriber still has `{queue}`. Its other settings are as configured. Set `dead_letter_arn` to that ARN \
         again, or replace the subscriber (`-replace`), which leaves a gap between the two."
    ))
    .at(Subscriber::dead_letter_arn())
}

/// The state when UpdateSubscriber failed.
pub(super) fn after_changing() -> Standing {
    Standing::of::<Error>()
}

pub(super) fn after_tagging() -> Standing {
    Standing::of::<Error>().and("The subscriber's other settings are as configured.")
}

pub(super) fn after_deleting() -> Standing {
    Standing::new(
        "The subscriber is still there.",
        "Whether the subscriber is being deleted is not known; the next plan shows it.",
    )
}

/// The state when a call about the log group failed.
pub(super) fn group_is_there(is_new: bool) -> &'static str {
    if is_new {
        "The log group is there; the subscriber was not made. It is in the state as a tainted subscriber: the next apply replaces it, and uses \
         the log group again."
    } else {
        "The log group is there; the subscriber is unchanged."
    }
}

/// The change that it was made for did not come through, and the configuration has another group now.
pub(super) fn group_was_in_vain(name: &str) -> Diagnostic {
    Diagnostic::warning(format!("The log group `{name}` stays")).detail(format!(
        "It was made for a change of this subscriber that failed, and the configuration has another log group now. It is no longer managed. If \
         nothing else uses it, delete it: `aws logs delete-log-group --log-group-name {name}`."
    ))
}

pub(super) const GROUP_AS_IT_WAS: &str = "The log group is as it was.";

pub(super) fn after_deleting_group() -> Standing {
    Standing::new(
        "The subscriber is gone, and the log group is still there.",
        "The subscriber is gone. Whether the log group was deleted is not known.",
    )
}

pub(super) fn no_group(name: &str, region: &str) -> Diagnostic {
    Diagnostic::error(format!("There is no log group `{name}` in {region}"))
        .detail("Nothing was made. Set `create = true` to have it made here, or make it first.")
        .at(Subscriber::log_group().name())
}

/// `found`: the tag of its owner, and what AWS shows of that one. `mine`: the group's ARN, and this subscriber's tag.
pub(super) fn group_of_another(
    name: &str,
    region: &str,
    (found, seen): (Option<&str>, Option<Sight>),
    (arn, owner): (&str, &str),
) -> Diagnostic {
    let (whose, next) = group_owner::whose(found, seen);
    Diagnostic::error(format!("The log group `{name}` exists already"))
        .detail(format!(
            "It is in {region} and {whose}. It was left as it is. Set `create = false` to use it without owning it (its retention is then left \
             alone, and it outlives this subscriber), or choose another name.{next} To give the log group to this subscriber, run `aws logs tag-resource \
             --region {region} --resource-arn {arn} --tags {OWNER_TAG}={owner}` and apply again."
        ))
        .at(Subscriber::log_group().create())
}

/// Awaited, in the log.
pub(super) fn group_of_rule_still(name: &str) -> String {
    format!("log group `{name}` belongs to a rule: waiting for its target to be destroyed")
}

/// Another resource of the same apply has it.
pub(super) fn group_of_this_apply(name: &str) -> Diagnostic {
    Diagnostic::error(format!("The log group `{name}` is another resource's"))
        .detail(
            "Two subscribers of this configuration, or a subscriber and a target, have it with `create = true`, and the other one owns it \
             already. It was left as it is. Set `create = false` for this one, or give it a log group of its own.",
        )
        .at(Subscriber::log_group().name())
}

/// With the plan: the group goes with a subscriber that is replaced.
/// Where the subscriber is gone already, another `delete_on_destroy` comes too late: what the state has counts.
pub(super) fn group_will_be_deleted(name: &str, is_there: bool) -> Diagnostic {
    let warning = Diagnostic::warning(format!("The log group `{name}` and its events are deleted"));
    warning.detail(if is_there {
        "The subscriber is replaced, and `delete_on_destroy = true` holds for that too. Apply `delete_on_destroy = false` before this change \
         to keep them."
    } else {
        "A creation or destroy of the subscriber did not end: what it left is deleted before another is made, and the state has \
         `delete_on_destroy = true`. To keep them, remove the subscriber from the state with `terraform state rm` or `tofu state rm` and its \
         address, and apply: the new one continues to use the log group."
    })
}

/// With the plan of a destroy.
pub(super) fn group_stays(name: &str, region: &str) -> Diagnostic {
    Diagnostic::warning(format!("The log group `{name}` and its events stay")).detail(format!(
        "It is not deleted with its subscriber, and costs storage for as long as it keeps events. A subscriber or target that takes this \
         one's place continues to use it. To delete it: `aws logs delete-log-group --log-group-name {name} --region {region}`; with `delete_on_destroy = true` a \
         destroy does that."
    ))
}

pub(super) fn no_target() -> Diagnostic {
    Diagnostic::error("The subscriber has no target")
        .detail("Set `log_group` for a CloudWatch log group, or `target_arn` for anything else.")
}

pub(super) fn two_targets() -> Diagnostic {
    Diagnostic::error("The subscriber has two targets")
        .detail("Set one of `target_arn` and `log_group`.")
        .at(Subscriber::target_arn())
}

pub(super) fn input_of_group() -> Diagnostic {
    Diagnostic::error("`input` beside `log_group`")
        .detail(
            "The arguments of the call that writes to the log group are made from `log_group`. Remove `input`; or remove `log_group`, and write \
             the call in `target_arn` and `input`.",
        )
        .at(Subscriber::input())
}

pub(super) fn only_with_create(what: &str) -> Diagnostic {
    Diagnostic::error(format!("`{what}` without `create = true`")).detail(format!(
        "A log group that this resource did not make is left as it is. Set `create = true` as well, or remove `{what}`."
    ))
}
