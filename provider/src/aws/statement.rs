//! One statement of a resource policy, as a value: whether it speaks of what EventBridge asks for. Nothing here does I/O.

use serde_json::{Map, Value};

/// The principal that delivers events.
pub const SERVICE: &str = "events.amazonaws.com";

/// What EventBridge asks for.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The action: `logs:PutLogEvents`, `sqs:SendMessage`.
    pub action: &'a str,
    /// The ARN of what is asked for.
    pub resource: &'a str,
    /// The ARN of the rule or bus for which; empty where it is not known yet.
    pub source_arn: &'a str,
    /// The account of that.
    pub account: &'a str,
}

/// Whether a statement speaks of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Covers {
    /// It does not.
    No,
    /// It has what cannot be judged here: `NotAction` and the like, a condition on something else.
    Perhaps,
    /// It does.
    Yes,
}

impl From<bool> for Covers {
    fn from(covers: bool) -> Self {
        if covers { Self::Yes } else { Self::No }
    }
}

/// The statements of a document: AWS takes one without a list as well.
pub fn all(document: &Value) -> Vec<&Map<String, Value>> {
    match document.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().filter_map(Value::as_object).collect(),
        Some(Value::Object(single)) => vec![single],
        _ => Vec::new(),
    }
}

/// The statement's `Sid`.
pub fn sid(statement: &Map<String, Value>) -> Option<&str> {
    statement.get("Sid").and_then(Value::as_str)
}

/// `Allow` or `Deny`.
pub fn effect(statement: &Map<String, Value>) -> Option<&str> {
    statement.get("Effect").and_then(Value::as_str)
}

/// Whether the statement speaks of what is asked.
pub fn covers(statement: &Map<String, Value>, ask: &Ask<'_>) -> Covers {
    let judged = |member: &str, negated: &str, judge: &dyn Fn(&Value) -> bool| match statement.get(member) {
        Some(value) => judge(value).into(),
        None if statement.contains_key(negated) => Covers::Perhaps,
        None => Covers::No,
    };
    let is_action = |pattern: &&str| like(&pattern.to_ascii_lowercase(), &ask.action.to_ascii_lowercase());
    let action = judged("Action", "NotAction", &|value| texts(value).iter().any(is_action));
    let resource = judged("Resource", "NotResource", &|value| {
        texts(value).iter().any(|pattern| like(pattern, ask.resource))
    });
    let principal = judged("Principal", "NotPrincipal", &is_for_us);
    let conditions = statement
        .get("Condition")
        .map_or(Covers::Yes, |conditions| conditions_hold(conditions, ask));
    action.min(resource).min(principal).min(conditions)
}

fn is_for_us(principal: &Value) -> bool {
    match principal {
        Value::String(any) => any == "*",
        Value::Object(kinds) => {
            let of = |kind: &str| kinds.get(kind).map(texts).unwrap_or_default();
            of("Service")
                .iter()
                .any(|service| *service == SERVICE || *service == "*")
                || of("AWS").contains(&"*")
        }
        _ => false,
    }
}

fn conditions_hold(condition: &Value, ask: &Ask<'_>) -> Covers {
    let Some(operators) = condition.as_object() else {
        return Covers::Perhaps;
    };
    let one = |(operator, keys): (&String, &Value)| match keys.as_object() {
        Some(keys) => least(keys.iter().map(|(key, wanted)| holds(operator, key, wanted, ask))),
        None => Covers::Perhaps,
    };
    least(operators.iter().map(one))
}

fn least(parts: impl Iterator<Item = Covers>) -> Covers {
    parts.min().unwrap_or(Covers::Yes)
}

fn holds(operator: &str, key: &str, wanted: &Value, ask: &Ask<'_>) -> Covers {
    let given = match key.to_ascii_lowercase().as_str() {
        "aws:sourcearn" if ask.source_arn.is_empty() => return Covers::Perhaps,
        "aws:sourcearn" => ask.source_arn,
        "aws:sourceaccount" => ask.account,
        // EventBridge comes over TLS, as a service.
        "aws:securetransport" | "aws:principalisawsservice" => "true",
        // The condition of a topic's default policy: EventBridge needs a statement of its own, as the guide says.
        "aws:sourceowner" => return Covers::No,
        _ => return Covers::Perhaps,
    };
    let wanted = texts_of_any(wanted);
    let any_like = || wanted.iter().any(|pattern| like(pattern, given)).into();
    let any_same = || wanted.iter().any(|text| text == given).into();
    let any_same_letters = || wanted.iter().any(|text| text.eq_ignore_ascii_case(given)).into();
    match operator.strip_suffix("IfExists").unwrap_or(operator) {
        "ArnEquals" | "ArnLike" | "StringLike" => any_like(),
        "StringEquals" => any_same(),
        "StringEqualsIgnoreCase" | "Bool" => any_same_letters(),
        "ArnNotEquals" | "ArnNotLike" | "StringNotLike" => not(any_like()),
        "StringNotEquals" => not(any_same()),
        _ => Covers::Perhaps,
    }
}

fn not(covers: Covers) -> Covers {
    (covers == Covers::No).into()
}

/// One text, or a list of them.
pub fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The same, with `true` and `false` as texts.
fn texts_of_any(value: &Value) -> Vec<String> {
    let one = |value: &Value| match value {
        Value::Bool(flag) => Some(flag.to_string()),
        other => other.as_str().map(str::to_owned),
    };
    match value {
        Value::Array(items) => items.iter().filter_map(one).collect(),
        single => one(single).into_iter().collect(),
    }
}

/// IAM's wildcards: `*` any letters, `?` one. Goes back only to the last star, so time stays bounded.
pub fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == b'?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const QUEUE: &str = "arn:aws:sqs:us-east-1:123456789012:q";
    const RULE: &str = "arn:aws:events:us-east-1:123456789012:rule/aws.partner/scalr.com/a/b/r";

    #[track_caller]
    fn check(changes: &Value, source_arn: &str, want: Covers) {
        let mut statement = json!({
            "Principal": { "Service": SERVICE }, "Action": "SQS:SendMessage", "Resource": QUEUE,
        });
        let shown = changes.to_string();
        let statement = statement.as_object_mut().unwrap();
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => drop(statement.remove(name)),
                value => drop(statement.insert(name.clone(), value.clone())),
            }
        }
        let ask = Ask {
            action: "sqs:SendMessage",
            resource: QUEUE,
            source_arn,
            account: "123456789012",
        };
        assert_eq!(covers(statement, &ask), want, "{shown}");
    }

    #[test]
    fn what_cannot_be_judged_is_neither_yes_nor_no() {
        use Covers::{No, Perhaps, Yes};
        check(&json!({}), RULE, Yes);
        check(
            &json!({ "NotAction": "sqs:DeleteQueue", "Action": null }),
            RULE,
            Perhaps,
        );
        check(&json!({ "Resource": null, "NotResource": "x" }), RULE, Perhaps);
        check(
            &json!({ "Principal": null, "NotPrincipal": { "AWS": "1" } }),
            RULE,
            Perhaps,
        );
        check(&json!({ "Action": null }), RULE, No);
        // What is known to be no stays no.
        let unknown = json!({ "IpAddress": { "aws:SourceIp": "10.0.0.0/8" } });
        check(&json!({ "Condition": unknown }), RULE, Perhaps);
        check(
            &json!({ "Condition": unknown, "Action": "sqs:ReceiveMessage" }),
            RULE,
            No,
        );
        check(&json!({ "Condition": [] }), RULE, Perhaps);
        check(
            &json!({ "Condition": { "ArnEquals": { "aws:SourceArn": RULE } } }),
            RULE,
            Yes,
        );
        check(
            &json!({ "Condition": { "ArnEquals": { "aws:SourceArn": RULE } } }),
            "",
            Perhaps,
        );
        check(
            &json!({ "Condition": { "ArnLike": { "aws:SourceArn": ["arn:aws:x", "*/b/*"] } } }),
            RULE,
            Yes,
        );
        check(
            &json!({ "Condition": { "StringEquals": { "aws:SourceOwner": "123456789012" } } }),
            RULE,
            No,
        );
        // The usual statements against plain HTTP and against everybody but services.
        for (operator, key) in [
            ("Bool", "aws:SecureTransport"),
            ("BoolIfExists", "aws:PrincipalIsAWSService"),
        ] {
            for value in [json!("false"), json!(false)] {
                check(
                    &json!({ "Principal": "*", "Condition": { operator: { key: value } } }),
                    RULE,
                    No,
                );
            }
        }
    }

    #[test]
    fn wildcards() {
        for (pattern, text, want) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a?c", "ac", false),
            ("a*b*c", "aXbXbc", true),
            ("ab", "abc", false),
        ] {
            assert_eq!(like(pattern, text), want, "{pattern} {text}");
        }
    }
}
