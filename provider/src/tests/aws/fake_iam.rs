//! IAM of the fake AWS: roles with their inline policies. It speaks forms and XML, and percent-encodes policies.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::fake::{ACCOUNT, Holdings, Trouble};

/// A role.
#[derive(Clone, Debug, Default)]
pub(in crate::tests) struct Role {
    pub(in crate::tests) path: String,
    pub(in crate::tests) trust: String,
    /// The permissions boundary.
    pub(in crate::tests) boundary: Option<String>,
    pub(in crate::tests) tags: BTreeMap<String, String>,
    /// Inline policies by name.
    pub(in crate::tests) policies: BTreeMap<String, String>,
}

/// The calls that are of this service.
const CALLS: [&str; 11] = [
    "CreateRole",
    "DeleteRole",
    "DeleteRolePermissionsBoundary",
    "DeleteRolePolicy",
    "GetRole",
    "GetRolePolicy",
    "PutRolePermissionsBoundary",
    "PutRolePolicy",
    "TagRole",
    "UntagRole",
    "UpdateAssumeRolePolicy",
];

pub(super) fn is_call(name: &str) -> bool {
    CALLS.contains(&name)
}

impl Holdings {
    /// What is not of Classic EventBridge, CloudWatch Logs, SQS or SNS.
    pub(super) fn carry_out_beside(&mut self, call: &str, body: &Json) -> Result<Json, Trouble> {
        if is_call(call) {
            return self.carry_out_roles(call, body);
        }
        self.carry_out_custom(call, body)
    }

    fn carry_out_roles(&mut self, call: &str, body: &Json) -> Result<Json, Trouble> {
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let (name, policy) = (text("RoleName"), text("PolicyName"));
        let missing = || Trouble::Says("NoSuchEntity", "It cannot be found.");
        if call == "CreateRole" {
            if self.roles.contains_key(&name) {
                return Err(Trouble::Says("EntityAlreadyExists", "It already exists."));
            }
            let role = Role {
                path: text("Path"),
                trust: text("AssumeRolePolicyDocument"),
                boundary: body["PermissionsBoundary"].as_str().map(str::to_owned),
                tags: tags(body),
                policies: BTreeMap::new(),
            };
            let answer = shown(&name, &role);
            self.roles.insert(name, role);
            return Ok(answer);
        }
        let role = self.roles.get_mut(&name).ok_or_else(missing)?;
        Ok(match call {
            "GetRole" => shown(&name, role),
            "GetRolePolicy" => {
                let held = role.policies.get(&policy).ok_or_else(missing)?;
                json!({ "RoleName": name, "PolicyName": policy, "PolicyDocument": encoded(held) })
            }
            "PutRolePermissionsBoundary" => {
                role.boundary = Some(text("PermissionsBoundary"));
                json!({})
            }
            "DeleteRolePermissionsBoundary" => {
                role.boundary.take().ok_or_else(missing)?;
                json!({})
            }
            "PutRolePolicy" => {
                role.policies.insert(policy, text("PolicyDocument"));
                json!({})
            }
            "TagRole" => {
                role.tags.extend(tags(body));
                json!({})
            }
            "UntagRole" => {
                let key = body["TagKeys.member.1"].as_str().unwrap_or_default();
                role.tags.remove(key);
                json!({})
            }
            "UpdateAssumeRolePolicy" => {
                role.trust = text("PolicyDocument");
                json!({})
            }
            "DeleteRolePolicy" => {
                role.policies.remove(&policy).ok_or_else(missing)?;
                json!({})
            }
            _ if !role.policies.is_empty() => {
                return Err(Trouble::Says("DeleteConflict", "Must delete policies first."));
            }
            _ => {
                self.roles.remove(&name);
                json!({})
            }
        })
    }
}

fn shown(name: &str, role: &Role) -> Json {
    let tags = role
        .tags
        .iter()
        .map(|(key, value)| json!({ "Key": key, "Value": value }));
    let mut shown = json!({
        "Path": role.path, "RoleName": name, "RoleId": "AROA", "CreateDate": "2026-11-30T12:00:00Z",
        "Arn": format!("arn:aws:iam::{ACCOUNT}:role{}{name}", role.path),
        "AssumeRolePolicyDocument": encoded(&role.trust),
        "Tags": tags.collect::<Vec<_>>(),
    });
    if let Some(boundary) = &role.boundary {
        shown["PermissionsBoundary"] =
            json!({ "PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary });
    }
    json!({ "Role": shown })
}

/// `Tags.member.1.Key` and so on.
fn tags(body: &Json) -> BTreeMap<String, String> {
    let text = |at: u32, what: &str| body[format!("Tags.member.{at}.{what}")].as_str();
    (1..)
        .map_while(|at| Some((text(at, "Key")?.to_owned(), text(at, "Value")?.to_owned())))
        .collect()
}

fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The body of an answer. The members of lists are called `member`.
pub(super) fn answer(name: &str, body: &Json) -> String {
    let mut result = String::new();
    element(body, &mut result);
    format!("<{name}Response><{name}Result>{result}</{name}Result></{name}Response>")
}

fn element(value: &Json, out: &mut String) {
    match value {
        Json::Object(all) => {
            for (name, value) in all {
                let _ = write!(out, "<{name}>");
                element(value, out);
                let _ = write!(out, "</{name}>");
            }
        }
        Json::Array(all) => {
            for value in all {
                out.push_str("<member>");
                element(value, out);
                out.push_str("</member>");
            }
        }
        other => out.push_str(other.as_str().unwrap_or_default()),
    }
}
