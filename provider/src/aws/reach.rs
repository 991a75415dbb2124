//! Whether EventBridge reaches a queue or a topic: it is there, and its policy lets it in. What cannot be asked, or not be judged, is
//! no finding.

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};

use super::arn::{self, Arn};
use super::calls::is_no_topic;
use super::look::{Look, Service};
use super::statement::{self, Ask, Covers, SERVICE};
use super::{Error, Regional};

/// AWS's own key of a service: its policy is not the user's to change, and does not let EventBridge use it.
const KEYS_OF_AWS: [&str; 2] = ["alias/aws/sqs", "alias/aws/sns"];

/// Where events are to go, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The ARN of the queue or topic.
    pub to: String,
    /// The ARN of the rule or bus; empty where it is not known yet.
    pub from: String,
}

/// Why events do not get there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It does not exist.
    Missing,
    /// No statement of its policy lets EventBridge in.
    NotAllowed,
    /// A statement denies it.
    Denied {
        /// Its `Sid`.
        sid: Option<String>,
    },
    /// It is encrypted with a key that EventBridge cannot use.
    KeyOfAws(&'static str),
}

/// What it says of itself.
#[derive(Debug, Default)]
struct Held {
    policy: Option<String>,
    key: Option<String>,
}

/// Whether an ARN is of something that can be asked.
pub fn is_asked(arn: &str) -> bool {
    arn::parse(arn).is_some_and(|arn| service(&arn).is_some())
}

/// The service that is asked.
fn service(arn: &Arn<'_>) -> Option<Service> {
    match arn.service {
        "sqs" => Some(Service::Queues),
        "sns" => Some(Service::Topics),
        _ => None,
    }
}

/// What is wrong with a route. Nothing, where AWS does not say: credentials without the permission, a queue of another
/// account or region, an endpoint without the service.
pub async fn finding(aws: &Look, route: &Route) -> Option<Finding> {
    let to = arn::parse(&route.to)?;
    let service = service(&to)?;
    let is_here = to.region == aws.name && aws.asks(service);
    let account = aws
        .heard(Service::Events, aws.account().await)
        .filter(|_| is_here)?;
    if account != to.account {
        return None;
    }
    let held = match service {
        Service::Topics => topic(aws, &route.to).await,
        _ => queue(aws, &to).await,
    };
    match aws.heard(service, held)? {
        Some(held) => judge(&held, route, &to),
        None => Some(Finding::Missing),
    }
}

async fn queue(aws: &Regional, arn: &Arn<'_>) -> Result<Option<Held>, Error> {
    let names = [QueueAttributeName::Policy, QueueAttributeName::KmsMasterKeyId];
    let [policy, key] = &names;
    let queue = aws.queue(arn.resource, &names).await?;
    Ok(queue.map(|queue| Held {
        policy: queue.attributes.get(policy).cloned(),
        key: queue.attributes.get(key).cloned(),
    }))
}

async fn topic(aws: &Regional, arn: &str) -> Result<Option<Held>, Error> {
    const CALL: &str = "sns:GetTopicAttributes";
    let call = aws.topics.get_topic_attributes().topic_arn(arn).send();
    match aws.read(CALL, call).await {
        Ok(answer) => {
            let all = aws.given(CALL, "Attributes", answer.attributes)?;
            let of = |name| all.get(name).cloned();
            Ok(Some(Held {
                policy: of("Policy"),
                key: of("KmsMasterKeyId"),
            }))
        }
        Err(e) if is_no_topic(&e) => Ok(None),
        Err(e) => Err(e),
    }
}

fn judge(held: &Held, route: &Route, to: &Arn<'_>) -> Option<Finding> {
    let document = held.policy.as_deref().map(serde_json::from_str::<Value>);
    let document = document.transpose().ok()?.unwrap_or_default();
    let ask = Ask {
        action: action(to),
        resource: &route.to,
        source_arn: &route.from,
        account: to.account,
    };
    let of_effect = |effect: &'static str| {
        let statements = statement::all(&document).into_iter();
        statements
            .filter(move |one| statement::effect(one) == Some(effect))
            .map(|one| (statement::covers(one, &ask), statement::sid(one)))
    };
    if let Some((_, sid)) = of_effect("Deny").find(|(covers, _)| *covers == Covers::Yes) {
        let sid = sid.map(str::to_owned);
        return Some(Finding::Denied { sid });
    }
    match of_effect("Allow").map(|(covers, _)| covers).max() {
        None | Some(Covers::No) => Some(Finding::NotAllowed),
        Some(Covers::Perhaps | Covers::Yes) => {
            let is_theirs = |key: &&str| held.key.as_deref().is_some_and(|held| held.ends_with(key));
            KEYS_OF_AWS.into_iter().find(is_theirs).map(Finding::KeyOfAws)
        }
    }
}

fn action(to: &Arn<'_>) -> &'static str {
    match to.service {
        "sns" => "sns:Publish",
        _ => "sqs:SendMessage",
    }
}

impl Route {
    /// The statement that lets EventBridge in, as AWS's guide has it.
    pub fn statement(&self) -> String {
        let action = arn::parse(&self.to).map_or("sqs:SendMessage", |to| action(&to));
        let from = if self.from.is_empty() {
            "RULE_ARN"
        } else {
            &self.from
        };
        let statement = json!({
            "Effect": "Allow",
            "Principal": { "Service": SERVICE },
            "Action": action,
            "Resource": self.to,
            "Condition": { "ArnEquals": { "aws:SourceArn": from } },
        });
        format!("{statement:#}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUEUE: &str = "arn:aws:sqs:us-east-1:123456789012:q";

    fn route() -> Route {
        Route {
            to: QUEUE.to_owned(),
            from: "arn:aws:events:us-east-1:123456789012:rule/b/r".to_owned(),
        }
    }

    #[track_caller]
    fn check(statements: &[&Value], key: Option<&str>, want: Option<&Finding>) {
        let policy = json!({ "Statement": statements }).to_string();
        let held = Held {
            policy: (!statements.is_empty()).then_some(policy),
            key: key.map(str::to_owned),
        };
        let found = judge(&held, &route(), &arn::parse(QUEUE).unwrap());
        assert_eq!(found.as_ref(), want, "{statements:?} {key:?}");
    }

    /// The statement that a message shows does what the message says.
    #[test]
    fn the_statement_to_add_lets_eventbridge_in() {
        let ours: Value = serde_json::from_str(&route().statement()).unwrap();
        let denying =
            json!({ "Sid": "no", "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*" });
        let mut other_rule = ours.clone();
        other_rule["Condition"]["ArnEquals"]["aws:SourceArn"] = json!("arn:aws:events:us-east-1:1:rule/b/x");
        // What cannot be judged is no finding.
        let mut unclear = ours.clone();
        unclear["Condition"] = json!({ "StringEquals": { "aws:SourceOrgID": "o-1" } });
        let denied = Finding::Denied {
            sid: Some("no".to_owned()),
        };
        let key_of_aws = Finding::KeyOfAws("alias/aws/sqs");
        for (statements, key, want) in [
            (&[][..], None, Some(&Finding::NotAllowed)),
            (&[&ours], None, None),
            (&[&ours, &denying], None, Some(&denied)),
            (&[&ours], Some("alias/aws/sqs"), Some(&key_of_aws)),
            (&[&ours], Some("alias/mine"), None),
            (&[&other_rule], None, Some(&Finding::NotAllowed)),
            (&[&unclear], None, None),
        ] {
            check(statements, key, want);
        }
    }
}
