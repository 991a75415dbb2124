//! IAM roles, as far as a delivery needs one: "not there" is an answer and no error.

use super::calls::found;
use super::tags::Tags;
use super::{Error, Regional, filled};

/// A role as IAM holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRole {
    /// Its ARN.
    pub arn: String,
    /// Its trust policy.
    pub trust: String,
    /// The ARN of its permissions boundary.
    pub boundary: Option<String>,
    /// Its tags.
    pub tags: Tags,
}

impl HeldRole {
    /// From what a call answers.
    pub fn from_wire(role: &aws_sdk_iam::types::Role) -> Self {
        let tags = role.tags().iter();
        Self {
            arn: role.arn().to_owned(),
            trust: decoded(role.assume_role_policy_document().unwrap_or_default()),
            boundary: role
                .permissions_boundary()
                .and_then(|boundary| filled(boundary.permissions_boundary_arn())),
            tags: tags
                .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
                .collect(),
        }
    }
}

impl Regional {
    /// The role of this name.
    pub async fn role(&self, name: &str) -> Result<Option<HeldRole>, Error> {
        const CALL: &str = "iam:GetRole";
        let call = self.roles.get_role().role_name(name).send();
        let Some(answer) = found(self.read(CALL, call).await)? else {
            return Ok(None);
        };
        let role = self.given(CALL, "Role", answer.role)?;
        Ok(Some(HeldRole::from_wire(&role)))
    }

    /// An inline policy of a role.
    pub async fn role_policy(&self, role: &str, policy: &str) -> Result<Option<String>, Error> {
        const CALL: &str = "iam:GetRolePolicy";
        let call = self.roles.get_role_policy().role_name(role);
        let answer = found(self.read(CALL, call.policy_name(policy).send()).await)?;
        Ok(answer.map(|answer| decoded(answer.policy_document())))
    }
}

/// A policy as it was written: IAM gives every policy percent-encoded. What is no code stays as it is.
fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| first == b'%');
        let byte = code
            .and_then(|code| std::str::from_utf8(code).ok())
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        out.push(byte.unwrap_or(first));
        rest = byte.and_then(|_| after.get(2..)).unwrap_or(after);
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn policies_are_read_as_they_were_written() {
        for (encoded, want) in [
            ("%7B%22a%22%3A%22%C3%A4%2B%22%7D", "{\"a\":\"ä+\"}"),
            ("{}", "{}"),
            ("", ""),
            ("%", "%"),
            ("%4", "%4"),
            ("%zz%41", "%zzA"),
            ("%ä", "%ä"),
        ] {
            assert_eq!(decoded(encoded), want);
        }
    }
}
