//! The statement that lets EventBridge send to a queue or publish to a topic, in the resource policy of that: added and
//! removed without a change of what others wrote. Nothing here does I/O.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::policy::{PolicyError, Without, read, remove_statement_list};
use super::statement::{self, Ask, Covers, SERVICE};

/// What a queue's policy may hold, in bytes (Amazon SQS policy quotas).
pub const QUEUE_BYTES_MAX: usize = 8_192;

/// One statement of ours: these rules may do that to this queue or topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission<'a> {
    /// Its `Sid`.
    pub sid: &'a str,
    /// `sqs:SendMessage` or `sns:Publish`.
    pub action: &'a str,
    /// The ARN of the queue or topic.
    pub resource: &'a str,
}

impl Admission<'_> {
    /// The rules that our statement allows; none where there is no such statement, or it is not as we write it.
    pub fn rules(&self, document: Option<&str>) -> BTreeSet<String> {
        let document: Value = document
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let statements = statement::all(&document);
        let ours = statements.into_iter().find(|one| self.is(one));
        let rules = ours.map(rules_of).unwrap_or_default();
        let lets_in = |rule: &String| ours.is_some_and(|ours| self.lets_in(ours, rule));
        rules.into_iter().filter(lets_in).collect()
    }

    /// Whether the document has statements of others.
    pub fn has_others(&self, document: Option<&str>) -> bool {
        let document: Value = document
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        statement::all(&document).into_iter().any(|one| !self.is(one))
    }

    /// The document with our statement, in place of its earlier version. `bytes_max`: what AWS takes.
    pub fn with(
        &self,
        document: Option<&str>,
        rules: &BTreeSet<String>,
        bytes_max: usize,
    ) -> Result<String, PolicyError> {
        let mut policy = match document {
            Some(text) => read(text)?,
            None => Map::from_iter([("Version".to_owned(), json!("2012-10-17"))]),
        };
        let mut statements = remove_statement_list(&mut policy);
        statements.retain(|one| !one.as_object().is_some_and(|one| self.is(one)));
        statements.push(self.statement(rules));
        policy.insert("Statement".to_owned(), Value::Array(statements));
        let text = Value::Object(policy).to_string();
        if text.len() > bytes_max {
            return Err(PolicyError::TooLong {
                chars: text.len(),
                chars_max: bytes_max,
            });
        }
        Ok(text)
    }

    /// The document without our statement.
    pub fn without(&self, document: &str) -> Result<Without, PolicyError> {
        let mut policy = read(document)?;
        let mut statements = remove_statement_list(&mut policy);
        let before = statements.len();
        statements.retain(|one| !one.as_object().is_some_and(|one| self.is(one)));
        if statements.len() == before {
            return Ok(Without::Unchanged);
        }
        if statements.is_empty() {
            return Ok(Without::Empty);
        }
        policy.insert("Statement".to_owned(), Value::Array(statements));
        Ok(Without::Document(Value::Object(policy).to_string()))
    }

    /// As the guide of EventBridge has it (*Using resource-based policies*).
    fn statement(&self, rules: &BTreeSet<String>) -> Value {
        json!({
            "Sid": self.sid,
            "Effect": "Allow",
            "Principal": { "Service": SERVICE },
            "Action": self.action,
            "Resource": self.resource,
            "Condition": { "ArnEquals": { "aws:SourceArn": rules } },
        })
    }

    fn is(&self, statement: &Map<String, Value>) -> bool {
        statement::sid(statement) == Some(self.sid)
    }

    fn lets_in(&self, statement: &Map<String, Value>, rule: &str) -> bool {
        let ask = Ask {
            action: self.action,
            resource: self.resource,
            source_arn: rule,
            account: "",
        };
        statement::effect(statement) == Some("Allow") && statement::covers(statement, &ask) == Covers::Yes
    }
}

/// The rules that a statement of ours names.
fn rules_of(statement: &Map<String, Value>) -> BTreeSet<String> {
    let named = statement
        .get("Condition")
        .and_then(|condition| condition.get("ArnEquals"))
        .and_then(|arns| arns.get("aws:SourceArn"));
    let rules = named.map(statement::texts).unwrap_or_default();
    rules.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUEUE: &str = "arn:aws:sqs:us-east-1:123456789012:q";
    const RULE: &str = "arn:aws:events:us-east-1:123456789012:rule/b/r";
    const OURS: Admission<'_> = Admission {
        sid: "Ours",
        action: "sqs:SendMessage",
        resource: QUEUE,
    };

    fn rules(these: &[&str]) -> BTreeSet<String> {
        these.iter().map(|&one| one.to_owned()).collect()
    }

    fn with(document: Option<&Value>, these: &[&str]) -> Value {
        let document = document.map(Value::to_string);
        let text = OURS.with(document.as_deref(), &rules(these), QUEUE_BYTES_MAX);
        serde_json::from_str(&text.unwrap()).unwrap()
    }

    #[test]
    fn what_is_written_is_read_back() {
        for these in [
            &[RULE][..],
            &[RULE, "arn:aws:events:us-east-1:123456789012:rule/b/s"],
        ] {
            let written = with(None, these).to_string();
            assert_eq!(OURS.rules(Some(&written)), rules(these));
            assert!(!OURS.has_others(Some(&written)));
        }
        assert_eq!(OURS.rules(None), rules(&[]));
        assert_eq!(OURS.rules(Some("nonsense")), rules(&[]));
    }

    /// Somebody changed our statement: an apply writes it again.
    #[test]
    fn a_changed_statement_lets_nobody_in() {
        for (pointer, value) in [
            ("/Statement/0/Effect", json!("Deny")),
            ("/Statement/0/Action", json!("sqs:ReceiveMessage")),
            (
                "/Statement/0/Resource",
                json!("arn:aws:sqs:us-east-1:123456789012:other"),
            ),
            (
                "/Statement/0/Principal",
                json!({ "Service": "sns.amazonaws.com" }),
            ),
            (
                "/Statement/0/Condition",
                json!({ "ArnLike": { "aws:SourceArn": RULE } }),
            ),
        ] {
            let mut document = with(None, &[RULE]);
            *document.pointer_mut(pointer).unwrap() = value;
            assert_eq!(OURS.rules(Some(&document.to_string())), rules(&[]), "{document}");
        }
        // AWS takes one text for a list of one, and a wider action.
        let mut document = with(None, &[RULE]);
        document["Statement"][0]["Condition"]["ArnEquals"]["aws:SourceArn"] = json!(RULE);
        document["Statement"][0]["Action"] = json!(["SQS:SendMessage"]);
        assert_eq!(OURS.rules(Some(&document.to_string())), rules(&[RULE]));
    }

    #[test]
    fn statements_of_others_stay() {
        let theirs = json!({ "Sid": "theirs", "Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*" });
        let held = json!({ "Version": "2008-10-17", "Id": "x", "Statement": theirs });
        let both = with(Some(&held), &[RULE]);
        assert_eq!((&both["Id"], &both["Statement"][0]), (&json!("x"), &theirs));
        assert!(OURS.has_others(Some(&both.to_string())));
        assert_eq!(with(Some(&both), &[RULE]), both);
        let left = OURS.without(&both.to_string()).unwrap();
        let Without::Document(left) = left else {
            panic!("{left:?}")
        };
        let left: Value = serde_json::from_str(&left).unwrap();
        assert_eq!(left["Statement"], json!([theirs]));
        assert_eq!(OURS.without(&left.to_string()), Ok(Without::Unchanged));
        let alone = with(None, &[RULE]).to_string();
        assert_eq!(OURS.without(&alone), Ok(Without::Empty));
    }

    #[test]
    fn a_policy_that_cannot_be_written_is_refused() {
        let many: BTreeSet<String> = (0..200).map(|n| format!("{RULE}{n}")).collect();
        let refused = OURS.with(None, &many, QUEUE_BYTES_MAX).unwrap_err();
        assert!(matches!(refused, PolicyError::TooLong { .. }), "{refused}");
        assert_eq!(
            OURS.with(Some("[]"), &rules(&[RULE]), QUEUE_BYTES_MAX),
            Err(PolicyError::Unreadable)
        );
    }
}
