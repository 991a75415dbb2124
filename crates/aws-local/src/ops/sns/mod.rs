//! Amazon SNS, as far as a rule's target needs it: topics, their attributes and policies. They have no subscriptions;
//! what a topic gets is kept with the invocations.

use super::{Call, Operation};
use crate::arn::{Arn, arn, root};
use crate::fault::Fault;
use crate::policy::{Ask, Policy, Verdict};
use crate::state::RealmId;
use crate::state::topic::Topic;

mod attributes;
mod topics;

/// The implemented operations of the service.
pub(crate) const TABLES: &[&[&dyn Operation]] = &[topics::OPS, attributes::OPS];

/// `Invalid parameter: …`, as SNS answers what it does not take.
fn invalid(why: impl std::fmt::Display) -> Fault {
    Fault::new("InvalidParameter", format!("Invalid parameter: {why}"))
}

fn missing() -> Fault {
    Fault {
        status: 404,
        ..Fault::new("NotFound", "Topic does not exist")
    }
}

/// The owner and name of the topic that an ARN names, if the caller may do that to it.
fn locate(call: &mut Call<'_>, operation: &str, text: &str) -> Result<(RealmId, String), Fault> {
    let parts = text.split(':').count();
    if parts < 6 {
        return Err(invalid(format!(
            "TopicArn Reason: An ARN must have at least 6 elements, not {parts}"
        )));
    }
    let topic = Arn::parse(text)
        .filter(|arn| arn.service == "sns" && arn.region == call.caller.region && is_account(arn.account));
    let topic = topic.ok_or_else(|| invalid("TopicArn"))?;
    let realm = RealmId::new(topic.account, topic.region);
    if realm.account() != call.caller.account {
        check_access(call, operation, &realm, topic.resource)?;
    }
    Ok((realm, topic.resource.to_owned()))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Another account's topic is open to a caller as far as its policy allows.
fn check_access(call: &mut Call<'_>, operation: &str, realm: &RealmId, name: &str) -> Result<(), Fault> {
    let (action, resource) = (format!("SNS:{operation}"), topic_arn(realm, name));
    let ask = Ask {
        service: None,
        account: Some(&call.caller.account),
        action: &action,
        resources: &[&resource],
        source_arn: "",
        source_account: "",
    };
    let topic = call.turn.world.realm(realm).topics.get(name);
    let policy = topic.and_then(|topic| Policy::parse(topic.policy()?).ok());
    if policy.is_some_and(|policy| policy.verdict(&ask) == Verdict::Allowed) {
        return Ok(());
    }
    let caller = root(&call.caller.region, &call.caller.account);
    Err(Fault {
        status: 403,
        ..Fault::new(
            "AuthorizationError",
            format!(
                "User: {caller} is not authorized to perform: {action} on resource: {resource} because no resource-based policy allows the {action} action"
            ),
        )
    })
}

/// The topic that an ARN names.
fn topic<'c>(call: &'c mut Call<'_>, operation: &str, arn: &str) -> Result<&'c mut Topic, Fault> {
    let (realm, name) = locate(call, operation, arn)?;
    let topics = &mut call.turn.world.realm(&realm).topics;
    topics.get_mut(&name).ok_or_else(missing)
}

fn topic_arn(realm: &RealmId, name: &str) -> String {
    arn("sns", realm.region(), realm.account(), name)
}
