//! Resource policies: parsed strictly, evaluated as far as AWS documents for the keys known here.
//!
//! A condition key or operator that is not known is refused when the policy is set: ignoring it would allow what the
//! policy's author forbade.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::arn::Arn;

/// A parsed policy.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    statements: Vec<Statement>,
}

#[derive(Debug, Clone)]
struct Statement {
    deny: bool,
    /// Each kind of principal with its patterns; `*` alone is under "*".
    principals: BTreeMap<String, Vec<String>>,
    actions: Vec<String>,
    resources: Vec<String>,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone)]
struct Condition {
    operator: Operator,
    key: Key,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equals,
    NotEquals,
    Like,
    NotLike,
    ArnLike,
    ArnNotLike,
    Bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    SourceArn,
    SourceAccount,
    SecureTransport,
    /// Organizations do not exist here: the key has no value.
    OrgId,
    /// The account that an SNS call is made for. EventBridge's calls do not have it, so that a topic's first policy does
    /// not let them in.
    SourceOwner,
}

/// What a policy is evaluated for.
#[derive(Debug, Clone)]
pub(crate) struct Ask<'a> {
    /// The calling service, such as `events.amazonaws.com`.
    pub(crate) service: Option<&'a str>,
    /// The calling account.
    pub(crate) account: Option<&'a str>,
    pub(crate) action: &'a str,
    /// The names under which the resource counts as named.
    pub(crate) resources: &'a [&'a str],
    pub(crate) source_arn: &'a str,
    pub(crate) source_account: &'a str,
}

/// The result of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Allowed,
    Denied,
    Silent,
}

impl Verdict {
    /// Two policies on one resource: an explicit Deny wins, then an Allow.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Denied, _) | (_, Self::Denied) => Self::Denied,
            (Self::Allowed, _) | (_, Self::Allowed) => Self::Allowed,
            _ => Self::Silent,
        }
    }
}

impl Policy {
    /// Reads the policy of a resource; the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Self::parse_as(text, Kind::Resource)
    }

    /// Reads who may assume a role: it names no resource, and applies to its role.
    pub(crate) fn parse_trust(text: &str) -> Result<Self, String> {
        Self::parse_as(text, Kind::Trust)
    }

    /// Reads what a role may do: it names no principal, and applies to its role.
    pub(crate) fn parse_permissions(text: &str) -> Result<Self, String> {
        Self::parse_as(text, Kind::Permissions)
    }

    fn parse_as(text: &str, kind: Kind) -> Result<Self, String> {
        let value: Value =
            serde_json::from_str(text).map_err(|e| format!("The policy is not valid JSON: {e}"))?;
        let statements = match value.get("Statement") {
            Some(Value::Array(list)) => list
                .iter()
                .map(|one| statement(one, kind))
                .collect::<Result<Vec<_>, _>>()?,
            Some(one @ Value::Object(_)) => vec![statement(one, kind)?],
            _ => return Err("The policy has no Statement.".to_owned()),
        };
        if statements.is_empty() {
            return Err("The policy has no Statement.".to_owned());
        }
        Ok(Self { statements })
    }

    /// Whether a statement lets in everybody, without a condition.
    pub(crate) fn is_public(&self) -> bool {
        let is_public = |statement: &Statement| {
            let everybody =
                |(kind, names): (&String, &Vec<String>)| kind == "*" || names.iter().any(|name| name == "*");
            !statement.deny && statement.conditions.is_empty() && statement.principals.iter().any(everybody)
        };
        self.statements.iter().any(is_public)
    }

    /// The accounts, users and roles that the statements name.
    pub(crate) fn principals(&self) -> impl Iterator<Item = &str> {
        let named = self
            .statements
            .iter()
            .filter_map(|statement| statement.principals.get("AWS"));
        named.flatten().map(String::as_str)
    }

    /// The actions that the statements name.
    pub(crate) fn actions(&self) -> impl Iterator<Item = &str> {
        let statements = self.statements.iter();
        statements.flat_map(|statement| statement.actions.iter().map(String::as_str))
    }

    /// Evaluates one action on one resource.
    pub(crate) fn verdict(&self, ask: &Ask<'_>) -> Verdict {
        let judge = |statement: &Statement| match (statement.applies(ask), statement.deny) {
            (false, _) => Verdict::Silent,
            (true, true) => Verdict::Denied,
            (true, false) => Verdict::Allowed,
        };
        self.statements
            .iter()
            .map(judge)
            .fold(Verdict::Silent, Verdict::and)
    }
}

impl Statement {
    fn applies(&self, ask: &Ask<'_>) -> bool {
        self.principal(ask)
            && self
                .actions
                .iter()
                .any(|pattern| glob_by(pattern, ask.action, u8::eq_ignore_ascii_case))
            && self
                .resources
                .iter()
                .any(|pattern| ask.resources.iter().any(|resource| glob(pattern, resource)))
            && self.conditions.iter().all(|condition| condition.holds(ask))
    }

    fn principal(&self, ask: &Ask<'_>) -> bool {
        let has = |kind: &str, fits: &dyn Fn(&str) -> bool| {
            self.principals
                .get(kind)
                .is_some_and(|all| all.iter().any(|given| given == "*" || fits(given)))
        };
        has("*", &|_| false)
            || ask
                .service
                .is_some_and(|service| has("Service", &|given| given == service))
            || has("AWS", &|given| {
                ask.account
                    .is_some_and(|account| given == account || is_of_account(given, account, ask))
            })
    }
}

/// Whether a principal's ARN is of an account, in the partition of the resource.
fn is_of_account(principal: &str, account: &str, ask: &Ask<'_>) -> bool {
    let mut resources = ask.resources.iter().copied();
    let here = resources.find_map(|text| Some(Arn::parse(text)?.partition));
    Arn::parse(principal).is_some_and(|arn| {
        arn.service == "iam" && arn.account == account && here.is_none_or(|here| here == arn.partition)
    })
}

impl Condition {
    fn holds(&self, ask: &Ask<'_>) -> bool {
        let value = match self.key {
            Key::SourceArn => ask.source_arn,
            Key::SourceAccount => ask.source_account,
            Key::SecureTransport => "true",
            Key::OrgId => "",
            Key::SourceOwner => ask.account.filter(|_| ask.service.is_none()).unwrap_or_default(),
        };
        let any = |fits: fn(&str, &str) -> bool| {
            !value.is_empty() && self.values.iter().any(|wanted| fits(wanted, value))
        };
        match self.operator {
            Operator::Equals => any(|wanted, value| wanted == value),
            Operator::NotEquals => !any(|wanted, value| wanted == value),
            Operator::Like => any(glob),
            Operator::NotLike => !any(glob),
            Operator::ArnLike => any(arn_like),
            Operator::ArnNotLike => !any(arn_like),
            Operator::Bool => any(str::eq_ignore_ascii_case),
        }
    }
}

/// The members of a statement that are supported.
const KNOWN: [&str; 6] = ["Sid", "Effect", "Principal", "Action", "Resource", "Condition"];

/// The kinds of principals that AWS has.
const PRINCIPALS: [&str; 4] = ["AWS", "Service", "Federated", "CanonicalUser"];

/// What a policy is attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Resource,
    Trust,
    Permissions,
}

impl Kind {
    /// The member that the statements of such a policy cannot have.
    fn without(self) -> Option<&'static str> {
        match self {
            Self::Resource => None,
            Self::Trust => Some("Resource"),
            Self::Permissions => Some("Principal"),
        }
    }
}

fn statement(value: &Value, kind: Kind) -> Result<Statement, String> {
    let Some(members) = value.as_object() else {
        return Err("A statement is not an object.".to_owned());
    };
    if let Some(odd) = members.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(format!("The statement member `{odd}` is not supported."));
    }
    if let Some(odd) = kind.without().filter(|odd| members.contains_key(*odd)) {
        return Err(format!("Has prohibited field {odd}"));
    }
    let all = Value::String("*".to_owned());
    let member = |name: &str| match kind.without() {
        Some(without) if without == name => Some(&all),
        _ => members.get(name),
    };
    let deny = match members.get("Effect").and_then(Value::as_str) {
        Some("Allow") => false,
        Some("Deny") => true,
        _ => return Err("Effect must be Allow or Deny.".to_owned()),
    };
    let mut conditions = Vec::new();
    if let Some(given) = members.get("Condition") {
        let Some(operators) = given.as_object() else {
            return Err("Condition is not an object.".to_owned());
        };
        for (operator, keys) in operators {
            conditions.extend(condition(operator, keys)?);
        }
    }
    Ok(Statement {
        deny,
        principals: principals(member("Principal"))?,
        actions: strings("Action", members.get("Action"))?,
        resources: strings("Resource", member("Resource"))?,
        conditions,
    })
}

fn principals(value: Option<&Value>) -> Result<BTreeMap<String, Vec<String>>, String> {
    match value {
        Some(Value::String(all)) if all == "*" => {
            Ok(BTreeMap::from([("*".to_owned(), vec!["*".to_owned()])]))
        }
        Some(Value::Object(kinds)) => kinds
            .iter()
            .map(|(kind, given)| {
                if !PRINCIPALS.contains(&kind.as_str()) {
                    return Err(format!("The kind of principal `{kind}` is not supported."));
                }
                Ok((kind.clone(), strings("Principal", Some(given))?))
            })
            .collect(),
        _ => Err("Principal must be \"*\" or an object.".to_owned()),
    }
}

fn condition(operator: &str, keys: &Value) -> Result<Vec<Condition>, String> {
    let known = match operator {
        "StringEquals" => Operator::Equals,
        "StringLike" => Operator::Like,
        "ArnEquals" | "ArnLike" => Operator::ArnLike,
        "StringNotEquals" => Operator::NotEquals,
        "StringNotLike" => Operator::NotLike,
        "ArnNotEquals" | "ArnNotLike" => Operator::ArnNotLike,
        "Bool" => Operator::Bool,
        other => return Err(format!("The condition operator `{other}` is not supported.")),
    };
    let Some(keys) = keys.as_object() else {
        return Err(format!("The condition `{operator}` is not an object."));
    };
    keys.iter()
        .map(|(key, values)| {
            let found = match key.to_ascii_lowercase().as_str() {
                "aws:sourcearn" => Key::SourceArn,
                "aws:sourceaccount" => Key::SourceAccount,
                "aws:securetransport" => Key::SecureTransport,
                "aws:principalorgid" => Key::OrgId,
                "aws:sourceowner" => Key::SourceOwner,
                _ => return Err(format!("The condition key `{key}` is not supported.")),
            };
            Ok(Condition {
                operator: known,
                key: found,
                values: strings(key, Some(values))?,
            })
        })
        .collect()
}

fn strings(what: &str, value: Option<&Value>) -> Result<Vec<String>, String> {
    let one = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(flag) => Ok(flag.to_string()),
        _ => Err(format!("{what} must be text or a list of texts.")),
    };
    match value {
        Some(Value::Array(list)) => list.iter().map(one).collect(),
        Some(value) => Ok(vec![one(value)?]),
        None => Err(format!("{what} is missing.")),
    }
}

/// ARNs are compared part by part: a `*` does not match a colon, except in the last part.
fn arn_like(pattern: &str, arn: &str) -> bool {
    let (mut patterns, mut parts) = (pattern.splitn(6, ':'), arn.splitn(6, ':'));
    loop {
        match (patterns.next(), parts.next()) {
            (None, None) => return true,
            (Some(pattern), Some(part)) if glob(pattern, part) => {}
            _ => return false,
        }
    }
}

/// Glob match: `*` is any text, `?` one character.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    glob_by(pattern, text, u8::eq)
}

/// Greedy, backtracking to the last star only: linear for one star.
fn glob_by(pattern: &str, text: &str, same: impl Fn(&u8, &u8) -> bool) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == b'?' || same(c, &text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask<'a>() -> Ask<'a> {
        Ask {
            service: Some("events.amazonaws.com"),
            account: None,
            action: "logs:PutLogEvents",
            resources: &["arn:aws:logs:r:1:log-group:/g:log-stream:s"],
            source_arn: "arn:aws:events:r:1:rule/b/x",
            source_account: "1",
        }
    }

    fn verdict(statements: &str) -> Verdict {
        Policy::parse(&format!(r#"{{"Version":"2012-10-17","Statement":{statements}}}"#))
            .unwrap()
            .verdict(&ask())
    }

    #[test]
    fn policies_are_evaluated() {
        let base =
            |extra: &str| format!(r#""Action":"logs:*","Resource":"arn:aws:logs:r:1:log-group:/g:*"{extra}"#);
        let service = r#""Principal":{"Service":["delivery.logs.amazonaws.com","events.amazonaws.com"]}"#;
        let condition = |text: &str| base(&format!(r#","Condition":{text}"#));
        for (statement, expected) in [
            (
                format!(r#"{{"Effect":"Allow",{service},{}}}"#, base("")),
                Verdict::Allowed,
            ),
            (
                format!(r#"{{"Effect":"Allow","Principal":"*",{}}}"#, base("")),
                Verdict::Allowed,
            ),
            (
                format!(
                    r#"{{"Effect":"Allow","Principal":{{"Service":"sns.amazonaws.com"}},{}}}"#,
                    base("")
                ),
                Verdict::Silent,
            ),
            (
                format!(r#"{{"Effect":"Allow",{service},"Action":"logs:PutLogEvents","Resource":"*"}}"#),
                Verdict::Allowed,
            ),
            (
                format!(r#"{{"Effect":"Allow",{service},"Action":"logs:CreateLogStream","Resource":"*"}}"#),
                Verdict::Silent,
            ),
            (
                format!(
                    r#"{{"Effect":"Allow",{service},"Action":"*","Resource":"arn:aws:logs:r:1:log-group:/h:*"}}"#
                ),
                Verdict::Silent,
            ),
            (
                format!(
                    r#"[{{"Effect":"Allow",{service},{}}},{{"Effect":"Deny",{service},{}}}]"#,
                    base(""),
                    base("")
                ),
                Verdict::Denied,
            ),
            (
                format!(
                    r#"{{"Effect":"Allow",{service},{}}}"#,
                    condition(r#"{"ArnLike":{"aws:SourceArn":"arn:aws:events:r:1:rule/b/*"}}"#)
                ),
                Verdict::Allowed,
            ),
            (
                format!(
                    r#"{{"Effect":"Allow",{service},{}}}"#,
                    condition(r#"{"ArnEquals":{"aws:SourceArn":"arn:aws:events:r:1:rule/b/y"}}"#)
                ),
                Verdict::Silent,
            ),
            (
                format!(
                    r#"{{"Effect":"Allow",{service},{}}}"#,
                    condition(r#"{"StringEquals":{"aws:SourceAccount":["2","1"]}}"#)
                ),
                Verdict::Allowed,
            ),
            (
                format!(
                    r#"{{"Effect":"Allow",{service},{}}}"#,
                    condition(r#"{"StringNotEquals":{"aws:SourceAccount":"1"}}"#)
                ),
                Verdict::Silent,
            ),
            (
                format!(
                    r#"{{"Effect":"Allow",{service},{}}}"#,
                    condition(r#"{"ArnLike":{"aws:SourceArn":"arn:aws:events:*"}}"#)
                ),
                Verdict::Silent,
            ),
            (
                format!(
                    r#"{{"Effect":"Allow",{service},{}}}"#,
                    condition(r#"{"StringLike":{"aws:SourceArn":"arn:aws:events:*"}}"#)
                ),
                Verdict::Allowed,
            ),
            (
                format!(
                    r#"{{"Effect":"Allow",{service},{}}}"#,
                    condition(r#"{"ArnEquals":{"aws:SourceArn":"arn:aws:events:*:?:rule/b/*"}}"#)
                ),
                Verdict::Allowed,
            ),
            (
                format!(
                    r#"{{"Effect":"Allow",{service},{}}}"#,
                    condition(r#"{"ArnNotLike":{"aws:SourceArn":"arn:aws:events:r:1:rule/b/*"}}"#)
                ),
                Verdict::Silent,
            ),
            (
                format!(
                    r#"{{"Effect":"Allow",{service},{}}}"#,
                    condition(
                        r#"{"Bool":{"aws:SecureTransport":true},"StringEquals":{"AWS:sourceaccount":"1"}}"#
                    )
                ),
                Verdict::Allowed,
            ),
        ] {
            assert_eq!(verdict(&statement), expected, "{statement}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let with = |member: &str| {
            format!(
                r#"{{"Statement":{{"Effect":"Allow","Principal":"*","Action":"a","Resource":"*",{member}}}}}"#
            )
        };
        for text in [
            "",
            "[]",
            "{}",
            r#"{"Statement":[]}"#,
            r#"{"Statement":{"Effect":"Maybe","Principal":"*","Action":"a","Resource":"*"}}"#,
            &with(r#""NotAction":"x""#),
            &with(r#""Condition":{"IpAddress":{"aws:SourceIp":"::1"}}"#),
            &with(r#""Condition":{"StringEquals":{"aws:UserAgent":"x"}}"#),
            &with(r#""Condition":{"StringEqualsIfExists":{"aws:SourceArn":"x"}}"#),
            &with(r#""Condition":{"StringEquals":{"aws:SourceArn":{}}}"#),
            &with(r#""Condition":[]"#),
            &with(r#""Principals":"*""#),
            r#"{"Statement":{"Effect":"Allow","Principal":{"Services":"x"},"Action":"a","Resource":"*"}}"#,
            r#"{"Statement":{"Effect":"Allow","Principal":"x","Action":"a","Resource":"*"}}"#,
            r#"{"Statement":{"Effect":"Allow","Principal":"*","Resource":"*"}}"#,
            r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"a"}}"#,
        ] {
            assert!(Policy::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn globs() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abcd", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b*", "xxaxxbxx", true),
            ("**", "x", true),
            ("abc", "abc", true),
            ("abc", "abcd", false),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }
}
