//! What to do about a call that AWS does not allow.

/// How AWS begins to say which action is missing.
const ACTION: &str = "not authorized to perform: ";
/// How it says that a policy denies it.
const DENIED: &str = "explicit deny";

/// The advice. AWS's message names the action, which may be another one than the call: tags, a role or a secret need
/// permissions of their own.
pub(super) fn advice(call: &str, message: &str) -> String {
    let action = action(message).map_or_else(|| of_call(call), str::to_owned);
    if message.contains(DENIED) {
        return format!(
            "A policy denies `{action}` to these credentials, and no further permission outweighs that: change the policy that \
             AWS's answer names, or use other credentials."
        );
    }
    format!(
        "The credentials need the IAM permission `{action}` on this object. The documentation has the whole policy: under \
         *AWS Permissions* on the page, and in the guide *Permissions*."
    )
}

/// The action that a call needs. IAM has one prefix for both kinds of event bus.
fn of_call(call: &str) -> String {
    let of_custom_buses = call.strip_prefix("eventsv2:");
    of_custom_buses.map_or_else(|| call.to_owned(), |name| format!("events:{name}"))
}

/// The action that AWS names, such as `events:TagResource`.
fn action(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once(ACTION)?;
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == ':' || c == '-'));
    let action = &rest[..end.unwrap_or(rest.len())];
    action
        .split_once(':')
        .is_some_and(|(service, name)| !service.is_empty() && !name.is_empty())
        .then_some(action)
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: &str = "User: arn:aws:sts::123456789012:assumed-role/ci/run";
    const ON: &str = "on resource: arn:aws:events:us-east-1:123456789012:rule/b/r";

    #[track_caller]
    fn check(message: &str, words: &[&str]) {
        let advice = advice("events:PutRule", message);
        assert!(words.iter().all(|word| advice.contains(word)), "{advice}");
    }

    #[test]
    fn the_action_that_aws_names_is_the_one_that_is_missing() {
        let why = "because no identity-based policy allows the events:TagResource action";
        check(
            &format!("{USER} is not authorized to perform: events:TagResource {ON} {why}"),
            &["need the IAM permission `events:TagResource`", "*Permissions*"],
        );
        check(
            &format!("{USER} is not authorized to perform: iam:PassRole"),
            &["need the IAM permission `iam:PassRole`"],
        );
        for silent in [
            "",
            "You may not.",
            "x is not authorized to perform: this",
            "not authorized to perform: :",
        ] {
            check(silent, &["need the IAM permission `events:PutRule`"]);
        }
    }

    #[test]
    fn iam_has_one_prefix_for_both_kinds_of_bus() {
        let advice = advice("eventsv2:CreateEventBus", "Access denied.");
        assert!(
            advice.contains("need the IAM permission `events:CreateEventBus`"),
            "{advice}"
        );
    }

    #[test]
    fn a_permission_does_not_help_against_a_deny() {
        check(
            &format!(
                "{USER} is not authorized to perform: events:PutRule {ON} with an explicit deny in a service control policy"
            ),
            &["denies `events:PutRule`", "use other credentials"],
        );
    }
}
