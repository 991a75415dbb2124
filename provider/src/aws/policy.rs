//! Resource policies as values: whether one lets EventBridge write to a log group, and how our statements are added and
//! removed without changing what others mean. Nothing here does I/O.

use std::fmt;

use serde_json::{Map, Value, json};

use super::arn;
use super::statement::{self, Ask, Covers, SERVICE, sid};
use super::target_id::digest;

/// What a log group's own policy may hold, in characters.
pub const GROUP_CHARS_MAX: usize = 51_200;
/// What one account-wide policy may hold.
pub const ACCOUNT_CHARS_MAX: usize = 5_120;

/// How many account-wide policies a region may have.
pub const ACCOUNT_POLICIES_MAX: usize = 10;

/// EventBridge needs both.
const ACTIONS: [&str; 2] = ["logs:CreateLogStream", "logs:PutLogEvents"];
/// Prefix of the `Sid` of our statements.
const SID: &str = "ScalrEventBridge";

/// One target's need: this rule may write to this log group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The log group, without `:*`.
    pub log_group_arn: String,
    /// The rule.
    pub rule_arn: String,
    /// The account of both.
    pub account: String,
    /// The target, so that two targets of one rule each keep their own permission.
    pub target_id: String,
}

/// Whether a need is met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every action is allowed.
    Granted,
    /// These are allowed by no statement.
    Missing(Vec<&'static str>),
    /// A statement denies; no permission added elsewhere helps against it.
    Denied {
        /// Its `Sid`, where it has one.
        sid: Option<String>,
    },
}

/// A document that cannot be worked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyError {
    /// It is no JSON object with statements.
    Unreadable,
    /// With our statements it would be longer than AWS takes.
    TooLong {
        /// Its length with our statements.
        chars: usize,
        /// What AWS takes.
        chars_max: usize,
    },
}

/// A document without our statements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Without {
    /// They were not in it.
    Unchanged,
    /// Nothing is left: the policy can go.
    Empty,
    /// What is left.
    Document(String),
}

/// Judges all policies that apply to the log group together, as AWS does: one `Deny` wins over everything.
pub fn verdict<'a>(documents: impl IntoIterator<Item = &'a str>, need: &Need) -> Verdict {
    judge(documents, need, |_| true)
}

/// The same for as long as this target exists: of what allows, only our statements for it count. What others wrote, and
/// our statements for other targets, are silent about this one. Of what denies everything counts.
pub fn lasting_verdict<'a>(documents: impl IntoIterator<Item = &'a str>, need: &Need) -> Verdict {
    let own = sids(need);
    judge(documents, need, |statement| {
        sid(statement).is_some_and(|sid| own.iter().any(|own| own == sid))
    })
}

fn judge<'a>(
    documents: impl IntoIterator<Item = &'a str>,
    need: &Need,
    may_allow: impl Fn(&Map<String, Value>) -> bool,
) -> Verdict {
    let documents: Vec<Value> = documents
        .into_iter()
        .filter_map(|text| serde_json::from_str(text).ok())
        .collect();
    let statements: Vec<&Map<String, Value>> = documents.iter().flat_map(statement::all).collect();
    let of_effect = |effect: &'static str| {
        let same = move |s: &&Map<String, Value>| statement::effect(s) == Some(effect);
        statements.iter().copied().filter(same)
    };
    let denies = |s: &&Map<String, Value>| ACTIONS.iter().any(|action| covers(s, action, need));
    if let Some(denying) = of_effect("Deny").find(denies) {
        return Verdict::Denied {
            sid: sid(denying).map(str::to_owned),
        };
    }
    let allowed = |action: &str| of_effect("Allow").any(|s| may_allow(s) && covers(s, action, need));
    let missing: Vec<_> = ACTIONS.into_iter().filter(|action| !allowed(action)).collect();
    if missing.is_empty() {
        Verdict::Granted
    } else {
        Verdict::Missing(missing)
    }
}

/// One of our statements for this target is in the document.
pub fn holds_ours(document: &str, need: &Need) -> bool {
    matches!(without(document, need), Ok(Without::Empty | Without::Document(_)))
}

/// The document with our statements in it, in place of their earlier version.
pub fn with(document: Option<&str>, need: &Need, chars_max: usize) -> Result<String, PolicyError> {
    let mut policy = match document {
        Some(text) => read(text)?,
        None => json!({ "Version": "2012-10-17" })
            .as_object()
            .cloned()
            .unwrap_or_default(),
    };
    let mut statements = remove_statement_list(&mut policy);
    statements.retain(|statement| !is_ours(statement, need));
    as_aws_takes_them(&mut statements);
    statements.extend(ours(need));
    policy.insert("Statement".to_owned(), Value::Array(statements));
    let text = Value::Object(policy).to_string();
    let chars = text.chars().count();
    if chars > chars_max {
        return Err(PolicyError::TooLong { chars, chars_max });
    }
    Ok(text)
}

/// The document without our statements.
pub fn without(document: &str, need: &Need) -> Result<Without, PolicyError> {
    let mut policy = read(document)?;
    let mut statements = remove_statement_list(&mut policy);
    let before = statements.len();
    statements.retain(|statement| !is_ours(statement, need));
    if statements.len() == before {
        return Ok(Without::Unchanged);
    }
    if statements.is_empty() {
        return Ok(Without::Empty);
    }
    as_aws_takes_them(&mut statements);
    policy.insert("Statement".to_owned(), Value::Array(statements));
    Ok(Without::Document(Value::Object(policy).to_string()))
}

/// CloudWatch Logs stores an account among the principals as its root ARN, and refuses that ARN when it is written back
/// (`Principal section of policy contains ARN instead of account ID`; aws/aws-cdk issue 14578 and
/// aws-cloudformation/cloudformation-coverage-roadmap issue 2557 show both answers): the account id goes back in its place.
fn as_aws_takes_them(statements: &mut [Value]) {
    for statement in statements.iter_mut().filter_map(Value::as_object_mut) {
        for principal in ["Principal", "NotPrincipal"] {
            if let Some(of_aws) = statement
                .get_mut(principal)
                .and_then(|kinds| kinds.get_mut("AWS"))
            {
                account_for_root(of_aws);
            }
        }
    }
}

fn account_for_root(principals: &mut Value) {
    match principals {
        Value::Array(several) => several.iter_mut().for_each(account_for_root),
        Value::String(one) => {
            let root = arn::parse(one).filter(|arn| arn.service == "iam" && arn.resource == "root");
            if let Some(account) = root.map(|arn| arn.account.to_owned()) {
                *one = account;
            }
        }
        _ => {}
    }
}

/// Our statements. AWS's own example puts no condition on the first action: a stream is made without the rule's ARN.
fn ours(need: &Need) -> [Value; 2] {
    let [stream, put] = sids(need);
    let resource = format!("{}:*", need.log_group_arn);
    let principal = json!({ "Service": [SERVICE, "delivery.logs.amazonaws.com"] });
    [
        json!({
            "Sid": stream, "Effect": "Allow", "Principal": principal, "Action": ACTIONS[0], "Resource": resource,
        }),
        json!({
            "Sid": put, "Effect": "Allow", "Principal": principal, "Action": ACTIONS[1], "Resource": resource,
            "Condition": { "ArnEquals": { "aws:SourceArn": need.rule_arn } },
        }),
    ]
}

fn sids(need: &Need) -> [String; 2] {
    let whose = digest(&format!(
        "{} {} {}",
        need.log_group_arn, need.rule_arn, need.target_id
    ));
    [format!("{SID}Stream{whose}"), format!("{SID}Put{whose}")]
}

fn is_ours(statement: &Value, need: &Need) -> bool {
    let sid = statement.as_object().and_then(sid);
    sid.is_some_and(|sid| sids(need).iter().any(|ours| ours == sid))
}

/// The members of a document.
pub(super) fn read(document: &str) -> Result<Map<String, Value>, PolicyError> {
    match serde_json::from_str(document) {
        Ok(Value::Object(policy)) => Ok(policy),
        _ => Err(PolicyError::Unreadable),
    }
}

/// AWS takes one statement without a list as well.
pub(super) fn remove_statement_list(policy: &mut Map<String, Value>) -> Vec<Value> {
    match policy.remove("Statement") {
        Some(Value::Array(statements)) => statements,
        Some(single) => vec![single],
        None => Vec::new(),
    }
}

/// The statement speaks of this action by EventBridge for this rule on this group. What cannot be judged does not count.
fn covers(statement: &Map<String, Value>, action: &str, need: &Need) -> bool {
    let ask = Ask {
        action,
        resource: &format!("{}:log-stream:any", need.log_group_arn),
        source_arn: &need.rule_arn,
        account: &need.account,
    };
    statement::covers(statement, &ask) == Covers::Yes
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str("the resource policy that is there is not a JSON object"),
            Self::TooLong { chars, chars_max } => write!(
                f,
                "with the statements to add the resource policy would have {chars} characters; AWS takes {chars_max}"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need() -> Need {
        Need {
            log_group_arn: "arn:aws:logs:us-east-1:123456789012:log-group:/aws/events/x".to_owned(),
            rule_arn: "arn:aws:events:us-east-1:123456789012:rule/aws.partner/scalr.com/a/b/r".to_owned(),
            account: "123456789012".to_owned(),
            target_id: "t".to_owned(),
        }
    }

    /// The companion's console writes the same, so that what is clicked there plans empty.
    #[test]
    fn a_permission_is_what_the_console_writes() {
        let data: Value =
            serde_json::from_str(include_str!("../../../tests/data/log_group_permission.json")).unwrap();
        let text = |name: &str| data[name].as_str().unwrap().to_owned();
        let need = Need {
            log_group_arn: text("log_group_arn"),
            rule_arn: text("rule_arn"),
            account: text("account"),
            target_id: super::super::target_id::derive(&text("bus"), &text("rule"), &text("group")),
        };
        assert_eq!(need.target_id, text("target_id"));
        let document: Value = serde_json::from_str(&with(None, &need, GROUP_CHARS_MAX).unwrap()).unwrap();
        assert_eq!(document, data["document"]);
    }

    fn statement(changes: Value) -> Value {
        let mut statement = json!({
            "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" },
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*",
        });
        if let (Some(into), Value::Object(changes)) = (statement.as_object_mut(), changes) {
            into.extend(changes);
        }
        statement
    }

    fn check(changes: Value, granted: bool) {
        let shown = changes.to_string();
        let document = json!({ "Statement": [statement(changes)] }).to_string();
        assert_eq!(
            verdict([document.as_str()], &need()) == Verdict::Granted,
            granted,
            "{shown}"
        );
    }

    #[test]
    fn what_grants_and_what_does_not() {
        check(json!({}), true);
        check(json!({ "Action": "logs:*" }), true);
        check(json!({ "Action": "LOGS:putlogevents" }), false);
        check(json!({ "Action": "*", "Principal": "*" }), true);
        check(json!({ "Principal": { "AWS": "*" } }), true);
        check(
            json!({ "Principal": { "Service": "lambda.amazonaws.com" } }),
            false,
        );
        check(json!({ "Principal": { "AWS": "123456789012" } }), false);
        check(
            json!({ "Resource": "arn:aws:logs:us-east-1:123456789012:log-group:/aws/events/*:*" }),
            true,
        );
        check(
            json!({ "Resource": "arn:aws:logs:us-east-1:123456789012:log-group:/aws/events/x" }),
            false,
        );
        check(
            json!({ "Resource": "arn:aws:logs:us-east-1:123456789012:log-group:/other:*" }),
            false,
        );
        check(
            json!({ "Condition": { "ArnEquals": { "aws:SourceArn": need().rule_arn } } }),
            true,
        );
        check(
            json!({ "Condition": { "ArnLike": { "AWS:SourceArn": "arn:aws:events:*:rule/aws.partner/*" } } }),
            true,
        );
        check(
            json!({ "Condition": { "ArnEquals": { "aws:SourceArn": "arn:other" } } }),
            false,
        );
        check(
            json!({ "Condition": { "StringEquals": { "aws:SourceAccount": ["1", "123456789012"] } } }),
            true,
        );
        check(
            json!({ "Condition": { "StringNotEquals": { "aws:SourceAccount": "123456789012" } } }),
            false,
        );
        check(
            json!({ "Condition": { "IpAddress": { "aws:SourceIp": "10.0.0.0/8" } } }),
            false,
        );
        check(json!({ "Effect": "Deny" }), false);
    }

    #[test]
    fn one_deny_wins() {
        let document = json!({ "Statement": [statement(json!({})), statement(json!({ "Effect": "Deny", "Sid": "no" }))] });
        let got = verdict([document.to_string().as_str()], &need());
        assert_eq!(
            got,
            Verdict::Denied {
                sid: Some("no".to_owned())
            }
        );
    }

    #[test]
    fn the_missing_action_is_named() {
        let one = json!({ "Statement": statement(json!({ "Action": "logs:PutLogEvents" })) }).to_string();
        assert_eq!(
            verdict([one.as_str()], &need()),
            Verdict::Missing(vec!["logs:CreateLogStream"])
        );
        assert_eq!(verdict([], &need()), Verdict::Missing(ACTIONS.to_vec()));
    }

    #[test]
    fn ours_goes_in_once_and_out_alone() {
        let theirs = json!({ "Version": "2012-10-17", "Statement": statement(json!({ "Sid": "theirs", "Resource": "no" })) });
        let theirs = theirs.to_string();
        let merged = with(Some(&theirs), &need(), GROUP_CHARS_MAX).expect("merged");
        assert_eq!(verdict([merged.as_str()], &need()), Verdict::Granted);
        assert_eq!(
            with(Some(&merged), &need(), GROUP_CHARS_MAX).as_deref(),
            Ok(merged.as_str())
        );
        let other = Need {
            target_id: "u".to_owned(),
            ..need()
        };
        assert_eq!(without(&merged, &other), Ok(Without::Unchanged));
        assert_eq!(verdict([merged.as_str()], &other), Verdict::Granted);
        assert_eq!(
            lasting_verdict([merged.as_str()], &other),
            Verdict::Missing(ACTIONS.to_vec())
        );
        assert_eq!(lasting_verdict([merged.as_str()], &need()), Verdict::Granted);
        let Ok(Without::Document(left)) = without(&merged, &need()) else {
            panic!("theirs stay")
        };
        assert!(left.contains("theirs") && !left.contains(SID), "{left}");
        let alone = with(None, &need(), GROUP_CHARS_MAX).expect("made");
        assert_eq!(without(&alone, &need()), Ok(Without::Empty));
    }

    fn granting() -> String {
        json!({ "Statement": [statement(json!({ "Sid": "theirs" }))] }).to_string()
    }

    /// What somebody else allows does not last; what somebody else denies does.
    #[test]
    fn only_our_own_statements_last() {
        let with_ours = with(Some(&granting()), &need(), GROUP_CHARS_MAX).expect("merged");
        let denying = json!({ "Statement": statement(json!({ "Effect": "Deny", "Sid": "no" })) }).to_string();
        let missing = Verdict::Missing(ACTIONS.to_vec());
        let sid = Some("no".to_owned());
        for (documents, now, lasting) in [
            (vec![granting()], Verdict::Granted, missing.clone()),
            (vec![with_ours.clone()], Verdict::Granted, Verdict::Granted),
            (
                vec![with_ours, denying],
                Verdict::Denied { sid: sid.clone() },
                Verdict::Denied { sid },
            ),
            (vec![], missing.clone(), missing),
        ] {
            let texts = || documents.iter().map(String::as_str);
            assert_eq!(verdict(texts(), &need()), now, "{documents:?}");
            assert_eq!(lasting_verdict(texts(), &need()), lasting, "{documents:?}");
        }
    }

    #[test]
    fn account_ids_go_back_in_place_of_root_arns() {
        let id = "210987654321";
        let root = |partition: &str| json!(format!("arn:{partition}:iam::{id}:root"));
        for (held, written) in [
            (json!({ "AWS": root("aws") }), json!({ "AWS": id })),
            (json!({ "AWS": root("aws-us-gov") }), json!({ "AWS": id })),
            (
                json!({ "AWS": [root("aws-cn"), "*"], "Service": "x.amazonaws.com" }),
                json!({ "AWS": [id, "*"], "Service": "x.amazonaws.com" }),
            ),
            (json!({ "AWS": id }), json!({ "AWS": id })),
            (json!("*"), json!("*")),
        ] {
            for member in ["Principal", "NotPrincipal"] {
                let mut theirs =
                    json!({ "Sid": "theirs", "Effect": "Allow", "Action": "a", "Resource": "*" });
                theirs[member] = held.clone();
                let document = json!({ "Statement": [theirs] }).to_string();
                let merged = with(Some(&document), &need(), GROUP_CHARS_MAX).expect("merged");
                let Ok(Without::Document(left)) = without(&merged, &need()) else {
                    panic!("theirs stay")
                };
                // As AWS gives it back once ours is in it.
                let stored: Value = serde_json::from_str(&merged).expect("JSON");
                assert_eq!(stored["Statement"][0][member], written, "{document}");
                let left: Value = serde_json::from_str(&left).expect("JSON");
                assert_eq!(left["Statement"][0][member], written, "{document}");
            }
        }
    }

    /// The form that AWS gave back is put right on removal too.
    #[test]
    fn a_removal_writes_account_ids() {
        let merged = with(Some(&granting()), &need(), GROUP_CHARS_MAX).expect("merged");
        let mut stored: Value = serde_json::from_str(&merged).expect("JSON");
        stored["Statement"][0]["Principal"] = json!({ "AWS": "arn:aws:iam::210987654321:root" });
        let Ok(Without::Document(left)) = without(&stored.to_string(), &need()) else {
            panic!("theirs stay")
        };
        let left: Value = serde_json::from_str(&left).expect("JSON");
        assert_eq!(left["Statement"][0]["Principal"]["AWS"], "210987654321");
    }

    #[test]
    fn limits_and_nonsense() {
        assert!(matches!(
            with(None, &need(), 100),
            Err(PolicyError::TooLong { chars_max: 100, .. })
        ));
        assert_eq!(with(Some("[]"), &need(), 1000), Err(PolicyError::Unreadable));
        assert_eq!(without("x", &need()), Err(PolicyError::Unreadable));
    }
}
