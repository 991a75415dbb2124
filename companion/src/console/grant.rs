//! EventBridge's permission to write to a log group, as a value: the same statements, under the same names, as the provider
//! writes, so that what was clicked here plans empty there. `tests/data/log_group_permission.json` holds both to it. Pure.

use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The provider's: ids of targets and names of statements are made with it.
const NAMESPACE: Uuid = Uuid::from_u128(0x6c1f_9a2e_8d3b_5c47_b1e0_7f24_93d8_a65c);
/// The tag of a log group that was made for a target: bus and rule.
pub(super) const OWNER_TAG: &str = "scalr-eventbridge:owner";
/// Longest value of a tag.
const TAG_VALUE_CHARS_MAX: usize = 256;
/// Longest policy of a log group.
const POLICY_CHARS_MAX: usize = 51_200;
const SERVICE: &str = "events.amazonaws.com";

/// A target's need: this rule may write to this log group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) log_group_arn: String,
    pub(super) rule_arn: String,
    pub(super) target_id: String,
}

impl Need {
    /// Whether the target is a log group: others need nothing that is written here.
    pub(super) fn is_of_log_group(&self) -> bool {
        self.log_group_arn.contains(":log-group:")
    }
}

/// A log group's ARN, without `:*`.
pub(super) fn log_group_arn(region: &str, account: &str, name: &str) -> String {
    let partition = aws_local::partition(region);
    format!("arn:{partition}:logs:{region}:{account}:log-group:{name}")
}

/// A rule's ARN.
pub(super) fn rule_arn(region: &str, account: &str, bus: &str, name: &str) -> String {
    let partition = aws_local::partition(region);
    let bus = if bus == "default" {
        String::new()
    } else {
        format!("{bus}/")
    };
    format!("arn:{partition}:events:{region}:{account}:rule/{bus}{name}")
}

/// The id of the target that leads from this rule to this log group.
pub(super) fn target_id(bus: &str, rule: &str, group: &str) -> String {
    let name = format!("{}:{bus}{}:{rule}{group}", bus.len(), rule.len());
    format!("scalr-{}", Uuid::new_v5(&NAMESPACE, name.as_bytes()).simple())
}

/// The owner that a log group made for this rule is tagged with; none where it does not fit a tag.
pub(super) fn owner(bus: &str, rule: &str) -> Option<String> {
    let owner = format!("{bus}/{rule}");
    (owner.len() <= TAG_VALUE_CHARS_MAX).then_some(owner)
}

/// The document with the statements that meet this need, or why it cannot be.
pub(super) fn with(document: Option<&str>, need: &Need) -> Result<String, &'static str> {
    let mut policy = match document {
        None => Map::from_iter([("Version".to_owned(), json!("2012-10-17"))]),
        Some(text) => {
            serde_json::from_str(text).map_err(|_| "The log group's policy cannot be read as JSON.")?
        }
    };
    let mut all = match policy.remove("Statement") {
        Some(Value::Array(all)) => all,
        single => single.into_iter().collect(),
    };
    let ours = statements(need);
    all.retain(|statement| !ours.iter().any(|own| own["Sid"] == statement["Sid"]));
    all.extend(ours);
    policy.insert("Statement".to_owned(), Value::Array(all));
    let text = Value::Object(policy).to_string();
    if text.chars().count() > POLICY_CHARS_MAX {
        return Err("The log group's policy is full: choose another log group.");
    }
    Ok(text)
}

/// What is left of a policy.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// All of it.
    Same,
    /// No statement.
    Nothing,
    /// This document.
    Document(String),
}

/// The document without the statements that meet this need.
pub(super) fn without(document: &str, need: &Need) -> Left {
    let Ok(mut policy) = serde_json::from_str::<Map<String, Value>>(document) else {
        return Left::Same;
    };
    let Some(Value::Array(all)) = policy.get_mut("Statement") else {
        return Left::Same;
    };
    let before = all.len();
    let ours = statements(need);
    all.retain(|statement| !ours.iter().any(|own| own["Sid"] == statement["Sid"]));
    if all.len() == before {
        return Left::Same;
    }
    if all.is_empty() {
        return Left::Nothing;
    }
    Left::Document(Value::Object(policy).to_string())
}

fn statements(need: &Need) -> [Value; 2] {
    let whole = format!("{} {} {}", need.log_group_arn, need.rule_arn, need.target_id);
    let digest = Uuid::new_v5(&NAMESPACE, whole.as_bytes()).simple().to_string();
    let digest = digest.get(..16).unwrap_or_default();
    let resource = format!("{}:*", need.log_group_arn);
    let principal = json!({ "Service": [SERVICE, "delivery.logs.amazonaws.com"] });
    [
        json!({
            "Sid": format!("ScalrEventBridgeStream{digest}"), "Effect": "Allow", "Principal": principal,
            "Action": "logs:CreateLogStream", "Resource": resource,
        }),
        json!({
            "Sid": format!("ScalrEventBridgePut{digest}"), "Effect": "Allow", "Principal": principal,
            "Action": "logs:PutLogEvents", "Resource": resource,
            "Condition": { "ArnEquals": { "aws:SourceArn": need.rule_arn } },
        }),
    ]
}

/// Whether a statement lets EventBridge put events into this log group. Conditions are not judged.
pub(super) fn permits(document: &str, log_group_arn: &str) -> bool {
    let Ok(policy) = serde_json::from_str::<Value>(document) else {
        return false;
    };
    let all = match &policy["Statement"] {
        Value::Array(all) => all.as_slice(),
        single => std::slice::from_ref(single),
    };
    let stream = format!("{log_group_arn}:log-stream:any");
    all.iter().any(|statement| {
        let has = |value: &Value, is_it: &dyn Fn(&str) -> bool| texts(value).into_iter().any(is_it);
        let principal = &statement["Principal"];
        statement["Effect"] == "Allow"
            && (principal == "*" || has(&principal["Service"], &|one| one == SERVICE || one == "*"))
            && has(&statement["Action"], &|one| {
                like(&one.to_lowercase(), "logs:putlogevents")
            })
            && has(&statement["Resource"], &|one| like(one, &stream))
    })
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        single => single.as_str().into_iter().collect(),
    }
}

/// Whether a text is like a pattern in which `*` stands for any text.
fn like(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(mut left) = text.strip_prefix(head).and_then(|text| text.strip_suffix(tail)) else {
        return false;
    };
    // The first place of each part leaves the most for the others.
    for part in middle.split('*') {
        let Some(at) = left.find(part) else {
            return false;
        };
        left = &left[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data() -> Value {
        serde_json::from_str(include_str!("../../../tests/data/log_group_permission.json")).unwrap()
    }

    fn need(data: &Value) -> Need {
        let text = |name: &str| data[name].as_str().unwrap().to_owned();
        Need {
            log_group_arn: text("log_group_arn"),
            rule_arn: text("rule_arn"),
            target_id: target_id(&text("bus"), &text("rule"), &text("group")),
        }
    }

    #[test]
    fn a_permission_is_what_the_provider_writes() {
        let data = data();
        let need = need(&data);
        assert_eq!(need.target_id, data["target_id"]);
        let written: Value = serde_json::from_str(&with(None, &need).unwrap()).unwrap();
        assert_eq!(written, data["document"]);
        assert!(permits(&written.to_string(), &need.log_group_arn));
    }

    #[test]
    fn what_others_wrote_stays_and_ours_is_there_once() {
        let need = need(&data());
        let other = r#"{"Statement":{"Sid":"other","Effect":"Deny"},"Version":"2012-10-17"}"#;
        let once = with(Some(other), &need).unwrap();
        let twice = with(Some(&once), &need).unwrap();
        assert_eq!(once, twice);
        let policy: Value = serde_json::from_str(&once).unwrap();
        let all = policy["Statement"].as_array().unwrap();
        assert_eq!((all.len(), &all[0]["Sid"]), (3, &json!("other")));
        assert!(with(Some("nonsense"), &need).is_err());
        let full = json!({ "Statement": [{ "Sid": "x".repeat(POLICY_CHARS_MAX) }] });
        assert!(with(Some(&full.to_string()), &need).is_err());
    }

    #[test]
    fn what_is_taken_back_is_ours_alone() {
        let need = need(&data());
        let ours = with(None, &need).unwrap();
        assert_eq!(without(&ours, &need), Left::Nothing);
        let other = r#"{"Statement":[{"Sid":"other"}],"Version":"2012-10-17"}"#;
        let both = with(Some(other), &need).unwrap();
        assert_eq!(without(&both, &need), Left::Document(other.to_owned()));
        for document in [other, "nonsense", r#"{"Statement":{"Sid":"single"}}"#] {
            assert_eq!(without(document, &need), Left::Same, "{document}");
        }
    }

    #[test]
    fn rules_of_the_default_bus_have_no_bus_in_their_arn() {
        for (bus, want) in [
            ("default", "arn:aws:events:eu-west-1:1:rule/r"),
            ("a/b", "arn:aws:events:eu-west-1:1:rule/a/b/r"),
        ] {
            assert_eq!(rule_arn("eu-west-1", "1", bus, "r"), want);
        }
    }

    #[test]
    fn only_what_lets_eventbridge_write_permits() {
        let arn = "arn:aws:logs:us-east-1:1:log-group:/g";
        for (principal, action, resource, want) in [
            (json!({ "Service": SERVICE }), "logs:PutLogEvents", "*", true),
            (
                json!({ "Service": [SERVICE] }),
                "logs:*",
                "arn:aws:logs:*:*:log-group:/g:*",
                true,
            ),
            (json!("*"), "*", "*", true),
            (json!({ "Service": "es.amazonaws.com" }), "logs:*", "*", false),
            (json!({ "Service": SERVICE }), "logs:CreateLogStream", "*", false),
            (
                json!({ "Service": SERVICE }),
                "logs:*",
                "arn:aws:logs:us-east-1:1:log-group:/h:*",
                false,
            ),
        ] {
            let statement = json!({
                "Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource,
            });
            let document = json!({ "Statement": [statement] }).to_string();
            assert_eq!(permits(&document, arn), want, "{document}");
        }
        assert!(!permits("{}", arn) && !permits("", arn));
    }
}
