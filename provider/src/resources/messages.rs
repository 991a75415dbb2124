//! What users read of more than one resource.

use scalr_api::ConnectionAttributes;
use tfplugin::{Diagnostic, MoveRefused};

use crate::aws::{Error, arn};
use crate::failure::{Standing, import_block};
use crate::ownership::{Conflict, Object};
use crate::resources::placement::Here;
use crate::resources::receiving::Bus;
use crate::scalr::Scalr;
use crate::scalr::known::Near;
use crate::scalr::places::Place;

/// How an address changes without a destroy.
const MOVED: &str = "To change the address of a resource, use a `moved` block: the plan then shows neither a destroy nor a create.";

/// What is warned of before a connection becomes active, which releases the events that Scalr holds. `instead`: what to do first where
/// rules and targets are missing.
pub fn not_received(bus: &Bus, wire: &ConnectionAttributes, instead: &str) -> Option<Diagnostic> {
    match bus {
        Bus::Missing | Bus::Keeps => None,
        Bus::Drops => Some(nothing_picks_up(wire, instead)),
        Bus::LeadsNowhere => Some(leads_nowhere(wire)),
        Bus::NobodyReads(custom) => Some(nobody_reads(custom, wire)),
        Bus::Revoked(source) => Some(revoked(source, wire)),
    }
}

/// The connection is about to be active, and its events go nowhere. `instead`: how the targets come first.
fn nothing_picks_up(wire: &ConnectionAttributes, instead: &str) -> Diagnostic {
    let bus = wire.event_source.as_deref().unwrap_or_default();
    Diagnostic::warning(format!("No rule matches the events of the connection `{}`", wire.name)).detail(format!(
        "The event bus `{bus}` in AWS account {}, region {}, has no enabled rule with a target. When the connection `{}` \
         becomes active, Scalr delivers the events that it holds, and EventBridge drops what no rule matches, without an \
         error.\n\n{instead}",
        wire.aws_account_id, wire.region, wire.name
    ))
}

fn leads_nowhere(wire: &ConnectionAttributes) -> Diagnostic {
    let bus = wire.event_source.as_deref().unwrap_or_default();
    Diagnostic::warning(format!("The events of the connection `{}` reach no custom event bus", wire.name)).detail(format!(
        "AWS manages the event bus `{bus}` in AWS account {}, region {}, for a custom event bus, and its rule that leads there is gone: \
         somebody has deleted it. When the connection `{}` becomes active, Scalr delivers the events that it holds, and they are dropped \
         without an error.\n\nChange a setting of the `scalr_eventbridge_event_source` first: an update of it makes the rule again.",
        wire.aws_account_id, wire.region, wire.name
    ))
}

fn revoked(source: &str, wire: &ConnectionAttributes) -> Diagnostic {
    Diagnostic::warning(format!("The events of the connection `{}` reach no custom event bus", wire.name)).detail(format!(
        "The event source `{source}` in AWS account {}, region {}, is revoked: the owner of the custom event bus has taken the bus from it, \
         for good. When the connection `{}` becomes active, Scalr delivers the events that it holds, and they are dropped without an \
         error.\n\nAsk the owner why; then replace the `scalr_eventbridge_event_source` (`-replace`).",
        wire.aws_account_id, wire.region, wire.name
    ))
}

fn nobody_reads(custom: &str, wire: &ConnectionAttributes) -> Diagnostic {
    Diagnostic::warning(format!("No subscriber has the events of the connection `{}`", wire.name)).detail(format!(
        "AWS leads them to the custom event bus `{custom}` in AWS account {}, region {}, which has no subscriber. When the connection `{}` \
         becomes active, Scalr delivers the events that it holds. The bus keeps them for its `retention_in_days`; a subscriber that is made \
         later has them only if it starts at a point in time (POINT_IN_TIME).\n\nMake a `scalr_eventbridge_subscriber` on the bus first: name \
         it in `depends_on` of the `scalr_eventbridge_activation`.",
        wire.aws_account_id, wire.region, wire.name
    ))
}

/// With the plan: Scalr has no object of an id. `kind`: as in "workspace".
pub fn no_such_object(kind: &str, id: &str, near: Option<&Near>, scalr: &Scalr) -> Diagnostic {
    Diagnostic::error(format!("There is no {kind} `{id}`")).detail(format!(
        "This looked at `{}` with the token from {}: Scalr has no such {kind} there, or the token may not see it. Scalr makes an id \
         when it creates the object, so an apply would not find it either. Nothing has changed.{} Correct the id, or refer to the \
         resource that creates the object.",
        scalr.api.host(),
        scalr.token_origin,
        did_you_mean(near)
    ))
}

/// The object that was probably meant, as a sentence with a space before it.
pub fn did_you_mean(near: Option<&Near>) -> String {
    near.map_or_else(String::new, |near| {
        format!(" Did you mean `{}` (`{}`)?", near.id, near.name)
    })
}

/// With the plan: Scalr says that a connection leads elsewhere. `neighbour`: the connection that leads here, if there is one.
/// `whose`: the resource, as in "the rule `r`".
pub fn bus_elsewhere((place, neighbour): (&Place, Option<&Place>), here: &Here, whose: &str) -> Diagnostic {
    let what = if here.has_account(place) {
        "region"
    } else {
        "AWS account"
    };
    let looked_in = here.account.as_ref().map_or_else(
        || format!("region {}", here.region),
        |account| format!("account {account}, region {}", here.region),
    );
    let instead = neighbour.map_or_else(String::new, |neighbour| {
        format!(
            ", where the connection `{}` leads: its event bus is `{}`",
            neighbour.connection, neighbour.source
        )
    });
    let next = if here.has_account(place) {
        format!("Set `region = \"{}\"`", place.region)
    } else {
        format!(
            "Use AWS credentials of account {}, and `region = \"{}\"`",
            place.account, place.region
        )
    };
    Diagnostic::warning(format!(
        "The event bus `{}` is in another {what} than {whose}",
        place.source
    ))
    .detail(format!(
        "Scalr says that the connection `{}` leads to AWS account {}, region {}: there its event bus is, and its events arrive. {} \
         is in {looked_in}{instead}. AWS refuses what is to be made on a bus that is not there, and a bus of an earlier connection receives \
         nothing.\n\n{next}, unless the same apply changes the connection.",
        place.connection,
        place.account,
        place.region,
        capitalized(whose)
    ))
}

/// What has to be there before a resource is made, and is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What it is.
    pub object: Object,
    /// Where this looked: the account, in words.
    pub account: String,
    /// The region.
    pub region: String,
    /// The name that is most like its own.
    pub like: Option<String>,
    /// The region in which a resource of this plan has it.
    pub elsewhere: Option<String>,
}

impl Missing {
    /// With the plan. `whose`: the resource that needs it, as in "the rule `r`".
    pub fn warning(&self, whose: &str) -> Diagnostic {
        let object = &self.object;
        let (maker, instead) = match object {
            Object::Rule { .. } => ("scalr_eventbridge_rule.NAME.name", ""),
            Object::LogGroup { .. } => (
                "aws_cloudwatch_log_group.NAME.name",
                ", or have a target make it (`create = true` in its `log_group`)",
            ),
            _ => ("scalr_eventbridge_bus.NAME.name", ""),
        };
        let meant = match (&self.elsewhere, &self.like) {
            (Some(region), _) => {
                format!(" A resource of this plan has it in region {region}: set `region = \"{region}\"`.")
            }
            (None, Some(like)) => format!(" Did you mean `{like}`?"),
            (None, None) => String::new(),
        };
        let of_object = without_article(object);
        Diagnostic::warning(format!("There is no {of_object} for {whose}")).detail(format!(
            "This looked in {}, region {}, and no resource of this provider in this plan makes it.{meant}\n\nWhere something \
             else makes it in the same apply, refer to that resource (as in `{maker}`), so that it is made first{instead}. If it \
             is not there by then, the apply fails: {whose} needs it.",
            self.account, self.region
        ))
    }
}

/// The object as in "there is no event bus `b`".
fn without_article(object: &Object) -> String {
    let text = match object {
        Object::Rule { bus, .. } => format!("{object} on the event bus `{bus}`"),
        object => object.to_string(),
    };
    text.strip_prefix("the ").map_or(text.clone(), str::to_owned)
}

/// An import found nothing. `account`: where it looked, in words.
pub fn nothing_to_import(what: &str, account: &str, region: &str) -> Diagnostic {
    Diagnostic::error(format!("There is no {what}")).detail(format!(
        "This looked in {account}, region {region}. Nothing was imported. The credentials say which account is meant; \
         `@REGION` at the end of the import id, or `region` in an identity, says which region, where it is not the \
         provider's."
    ))
}

/// An object that is there before an apply makes it.
pub struct Existing<'a> {
    /// The object, as in "the rule `r` exists already on the event bus `b`".
    pub what: String,
    /// Its region.
    pub region: &'a str,
    /// What else the new one could have: `another name`.
    pub other: &'a str,
    /// The type of the resource, as in `R::NAME`.
    pub resource: &'static str,
    /// What its block is named after.
    pub named: Vec<&'a str>,
    /// The id that it is imported by, without the region.
    pub import_id: String,
}

/// The last part of the name of an event bus: that of the connection, for a bus of Scalr's.
pub fn short_bus(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

impl Existing<'_> {
    /// It is not adopted, since these attributes differ.
    pub fn differs_in(&self, differences: &[String]) -> Diagnostic {
        Diagnostic::error(&self.what).detail(format!(
            "It is in {} and differs in `{}`; it was left as it is. Another resource or another state may have it: then choose \
             {}, or, if this resource is to take that one's place, use a `moved` block, without `create_before_destroy`. If \
             nothing has it, import it (the plan then shows what would change) with\n\n{}",
            self.region,
            differences.join("`, `"),
            self.other,
            import_block(
                self.resource,
                &self.named,
                format_args!("{}@{}", self.import_id, self.region)
            )
        ))
    }
}

/// The object's name at the beginning of a sentence.
fn title(object: &Object) -> String {
    capitalized(&object.to_string())
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The operation ended while another one had the object.
pub fn queue_ended(how: &str, object: &Object) -> Diagnostic {
    Diagnostic::error(format!("{how}: another resource was working on {object}"))
        .detail("Two resources with one object work on it one after the other. Nothing was changed. Apply again to continue.")
}

/// A create adopts what it finds.
pub fn adopted(object: &Object) -> Diagnostic {
    Diagnostic::warning(format!("{} was there already, and is adopted", title(object))).detail(format!(
        "An apply that was interrupted made it, somebody made it outside Terraform, or another resource or state has it. It is \
         this resource's now, whose destroy deletes it; another resource that has it leaves it when it is destroyed. {MOVED}"
    ))
}

/// The tag that names the owner could not be written: `doing`.
pub fn doing_tag(object: &Object) -> String {
    format!("tag {object} as adopted")
}

/// The state then.
pub fn not_tagged(object: &Object, tag: &str) -> Standing {
    Standing::of::<Error>().and(&format!(
        "{} belongs to this resource. But without the tag `{tag}`, a destroy by another resource or state that has it deletes it.",
        title(object)
    ))
}

/// A destroy leaves what another resource has since this apply.
pub fn left_to_another(object: &Object) -> Diagnostic {
    Diagnostic::warning(format!("{} was left: another resource has it now", title(object))).detail(format!(
        "Another resource made or adopted it in this apply, so that the destroy of this one changed nothing. {MOVED} With \
         `create_before_destroy` (also where a resource that depends on this one has it) the old and the new object are one, \
         and a replacement replaces nothing."
    ))
}

/// A destroy leaves what another resource has adopted. `tag`: the ARN of what carries it, and its key.
pub fn left_to_tagged(object: &Object, (arn, tag): (&str, &str), region: &str) -> Diagnostic {
    Diagnostic::warning(format!("{} was left: another resource adopted it", title(object))).detail(format!(
        "Its tag `{tag}` names a resource that adopted it later, in this or in another state, so that the destroy of this one \
         changed nothing. {MOVED}\n\nIf nothing manages it any more, import it and destroy it; or remove the tag (`{}`) and \
         delete it in AWS.",
        untag(arn, tag, region)
    ))
}

/// The command that removes a tag.
fn untag(arn: &str, tag: &str, region: &str) -> String {
    match arn::queue_name(arn) {
        Some(name) => format!(
            "aws sqs untag-queue --region {region} --queue-url \"$(aws sqs get-queue-url --region {region} --queue-name {name} \
             --output text)\" --tag-keys {tag}"
        ),
        None => format!("aws events untag-resource --region {region} --resource-arn {arn} --tag-keys {tag}"),
    }
}

/// Two resources made one object in one apply.
pub fn made_by_two(object: &Object) -> Diagnostic {
    Diagnostic::error(format!("{} is made by two resources", title(object))).detail(format!(
        "Another resource of this configuration made or adopted it in this apply, and it is as that one planned it. Were it in \
         the state twice, the destroy of one resource would take it from the other.\n\nRemove one of the two resources, or \
         have them describe different objects. {MOVED}"
    ))
}

/// Two resources of one plan have one object. `instead`: what tells the two apart, such as "another `target_id`".
pub fn planned_twice(conflict: Conflict, object: &Object, instead: &str) -> Diagnostic {
    let (what, how) = match conflict {
        Conflict::BothMake => (
            "made by two resources",
            "Two resources of this configuration make it.",
        ),
        Conflict::OneHasIt => (
            "another resource's already",
            "One resource of this configuration has it in the state and keeps it, another one makes it.",
        ),
    };
    Diagnostic::error(format!("{} is {what}", title(object))).detail(format!(
        "{how} They would share it, and the destroy of one would take it from the other. Nothing was changed.\n\nGive one of \
         them {instead}, or remove it. {MOVED}"
    ))
}

/// The state does not say what every object has.
pub fn moved_lacks(name: &str) -> MoveRefused {
    MoveRefused::new(format!("Its state has no `{name}`."))
}

/// Two places of the state speak of two objects.
pub fn moved_contradiction(what: &str, one: (&str, &str), other: (&str, &str)) -> MoveRefused {
    let place = |place: &str| {
        if place.contains(' ') {
            place.to_owned()
        } else {
            format!("`{place}`")
        }
    };
    MoveRefused::new(format!(
        "Its state names two different values for its {what}: {} has `{}`, and {} has `{}`. Which object is meant is not known.",
        place(one.0),
        one.1,
        place(other.0),
        other.1
    ))
}

/// A setting of the object has no attribute here: the next update would remove it.
pub fn moved_has_more(what: &str, type_name: &str, rest: &str) -> MoveRefused {
    MoveRefused::new(format!(
        "It has {what}, for which there is no attribute here: an update would remove it."
    ))
    .instead(format!(
        "Remove the `moved` block and leave it as `{type_name}`. {rest}"
    ))
}
