//! IAM roles, as far as a delivery needs them: who may assume one, and what its inline policies allow.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::Tags;
use crate::arn::Arn;
use crate::clock::Millis;
use crate::policy::{Ask, Policy, Verdict};

/// How many names of deleted roles are kept.
const DELETED_MAX: usize = 10_000;

/// The roles of one account.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Roles {
    pub(crate) by_name: BTreeMap<String, Role>,
    /// The names of roles that were deleted: other than one that never was, such a role lets nobody in.
    deleted: BTreeSet<String>,
}

/// A role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Role {
    /// `/`, or `/path/` of its ARN.
    pub(crate) path: String,
    /// `AROA` and more: another one for each role that was created under a name.
    pub(crate) id: String,
    /// Who may assume it.
    pub(crate) trust: RolePolicy,
    pub(crate) description: Option<String>,
    pub(crate) session_seconds_max: i64,
    pub(crate) created: Millis,
    /// The ARN of its permissions boundary, which is not evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) boundary: Option<String>,
    pub(crate) tags: Tags,
    /// The inline policies by name.
    pub(crate) policies: BTreeMap<String, RolePolicy>,
}

/// A policy of a role. Its text is what is stored; a text that this version refuses, though an earlier one took it, allows
/// nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct RolePolicy {
    pub(crate) text: String,
    #[serde(skip)]
    parsed: OnceLock<Option<Policy>>,
}

/// Who wants to assume a role, and what for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Use<'a> {
    pub(crate) service: &'a str,
    /// The rule that delivers.
    pub(crate) source_arn: &'a str,
    pub(crate) source_account: &'a str,
    pub(crate) action: &'a str,
    pub(crate) resource: &'a str,
}

/// What a role says to a use of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grant {
    Allowed,
    /// There never was such a role here.
    Unknown,
    Deleted,
    /// Its trust policy does not let the service in.
    NotTrusted,
    /// Its own policies do not allow the action.
    NotAllowed,
}

impl Roles {
    pub(crate) fn insert(&mut self, name: String, role: Role) {
        self.deleted.remove(&name);
        self.by_name.insert(name, role);
    }

    pub(crate) fn remove(&mut self, name: &str) {
        if self.by_name.remove(name).is_some() && self.deleted.len() < DELETED_MAX {
            self.deleted.insert(name.to_owned());
        }
    }

    /// What the role of an ARN says to a use of it.
    pub(crate) fn grant(&self, arn: &Arn<'_>, by: &Use<'_>) -> Grant {
        let path = arn.resource.strip_prefix("role").unwrap_or_default();
        let name = path.rsplit('/').next().unwrap_or_default();
        let role = self.by_name.get(name);
        match role.filter(|role| path.strip_suffix(name) == Some(&role.path)) {
            Some(role) => role.grant(by),
            None if self.deleted.contains(name) => Grant::Deleted,
            None => Grant::Unknown,
        }
    }
}

impl Role {
    fn grant(&self, by: &Use<'_>) -> Grant {
        // Its trust policy names no resource: it applies to the role.
        let assume = Ask {
            service: Some(by.service),
            account: None,
            action: "sts:AssumeRole",
            resources: &["*"],
            source_arn: by.source_arn,
            source_account: by.source_account,
        };
        if self.trust.verdict(Policy::parse_trust, &assume) != Verdict::Allowed {
            return Grant::NotTrusted;
        }
        // What an assumed role calls has no `aws:SourceArn` of the service's.
        let act = Ask {
            action: by.action,
            resources: &[by.resource],
            source_arn: "",
            source_account: "",
            ..assume
        };
        let verdicts = self
            .policies
            .values()
            .map(|policy| policy.verdict(Policy::parse_permissions, &act));
        match verdicts.fold(Verdict::Silent, Verdict::and) {
            Verdict::Allowed => Grant::Allowed,
            Verdict::Denied | Verdict::Silent => Grant::NotAllowed,
        }
    }
}

impl RolePolicy {
    pub(crate) fn new(text: String) -> Self {
        Self {
            text,
            parsed: OnceLock::new(),
        }
    }

    fn verdict(&self, parse: fn(&str) -> Result<Policy, String>, ask: &Ask<'_>) -> Verdict {
        let policy = self.parsed.get_or_init(|| parse(&self.text).ok());
        policy
            .as_ref()
            .map_or(Verdict::Silent, |policy| policy.verdict(ask))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "arn:aws:events:us-east-1:1:rule/b/r";
    const BUS: &str = "arn:aws:events:us-east-1:1:event-bus/to";

    fn role(conditions: &str, policies: &[&str]) -> Role {
        let trust = format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":{{"Service":"events.amazonaws.com"}},"Action":"sts:AssumeRole"{conditions}}}}}"#
        );
        let policies = policies.iter().enumerate().map(|(n, statement)| {
            let text = format!(r#"{{"Statement":{{{statement}}}}}"#);
            (n.to_string(), RolePolicy::new(text))
        });
        Role {
            path: "/p/".to_owned(),
            id: String::new(),
            trust: RolePolicy::new(trust),
            description: None,
            session_seconds_max: 3_600,
            created: 0,
            boundary: None,
            tags: Tags::new(),
            policies: policies.collect(),
        }
    }

    fn grant(roles: &Roles, arn: &str) -> Grant {
        let by = Use {
            service: "events.amazonaws.com",
            source_arn: RULE,
            source_account: "1",
            action: "events:PutEvents",
            resource: BUS,
        };
        roles.grant(&Arn::parse(arn).unwrap(), &by)
    }

    #[test]
    fn trust_and_policies_decide() {
        let put = format!(r#""Effect":"Allow","Action":"events:PutEvents","Resource":"{BUS}""#);
        let all = r#""Effect":"Allow","Action":"*","Resource":"*""#;
        let deny = r#""Effect":"Deny","Action":"events:*","Resource":"*""#;
        let elsewhere =
            r#""Effect":"Allow","Action":"events:PutEvents","Resource":"arn:aws:events:*:1:event-bus/x""#;
        let other = r#""Effect":"Allow","Action":"sqs:SendMessage","Resource":"*""#;
        let of_rule = format!(r#","Condition":{{"ArnEquals":{{"aws:SourceArn":"{RULE}"}}}}"#);
        let of_other =
            r#","Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:events:us-east-1:1:rule/b/x"}}"#;
        let of_account = r#","Condition":{"StringEquals":{"aws:SourceAccount":"1"}}"#;
        let of_other_account = r#","Condition":{"StringEquals":{"aws:SourceAccount":"2"}}"#;
        for (conditions, policies, expected) in [
            ("", vec![&*put], Grant::Allowed),
            ("", vec![all], Grant::Allowed),
            ("", vec![], Grant::NotAllowed),
            ("", vec![elsewhere, other], Grant::NotAllowed),
            ("", vec![&*put, deny], Grant::NotAllowed),
            (&*of_rule, vec![all], Grant::Allowed),
            (of_account, vec![all], Grant::Allowed),
            (of_other, vec![all], Grant::NotTrusted),
            (of_other_account, vec![all], Grant::NotTrusted),
        ] {
            let mut roles = Roles::default();
            roles.insert("r".to_owned(), role(conditions, &policies));
            assert_eq!(
                grant(&roles, "arn:aws:iam::1:role/p/r"),
                expected,
                "{conditions} {policies:?}"
            );
        }
    }

    #[test]
    fn a_role_that_never_was_is_not_one_that_was_deleted() {
        let arn = "arn:aws:iam::1:role/p/r";
        let mut roles = Roles::default();
        assert_eq!(grant(&roles, arn), Grant::Unknown);
        roles.insert("r".to_owned(), role("", &[]));
        // Its path is part of its name.
        assert_eq!(grant(&roles, "arn:aws:iam::1:role/r"), Grant::Unknown);
        roles.remove("r");
        assert_eq!(grant(&roles, arn), Grant::Deleted);
        roles.insert("r".to_owned(), role("", &[]));
        assert_eq!(grant(&roles, arn), Grant::NotAllowed);
    }
}
