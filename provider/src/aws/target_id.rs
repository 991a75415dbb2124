//! The id of a target where the configuration names none: always the same for the same rule and destination, so that an
//! apply after an interrupted one finds the target.

use uuid::Uuid;

/// Generated once; another one would orphan every existing target.
const NAMESPACE: Uuid = Uuid::from_u128(0x6c1f_9a2e_8d3b_5c47_b1e0_7f24_93d8_a65c);

/// The id for a target of this rule at this destination (a log group's name, or an ARN).
pub fn derive(bus: &str, rule: &str, destination: &str) -> String {
    let name = format!("{}:{bus}{}:{rule}{destination}", bus.len(), rule.len());
    format!("scalr-{}", Uuid::new_v5(&NAMESPACE, name.as_bytes()).simple())
}

/// Whether an id has the form of those.
pub fn is_derived(id: &str) -> bool {
    let digits = id.strip_prefix("scalr-").filter(|digits| digits.len() == 32);
    digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A digest of 16 letters of a text that is too long or holds letters that are not allowed.
pub fn digest(text: &str) -> String {
    let mut digest = Uuid::new_v5(&NAMESPACE, text.as_bytes()).simple().to_string();
    digest.truncate(16);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_in_same_out() {
        let id = derive("aws.partner/scalr.com/a/b", "r", "/g");
        assert_eq!(id, derive("aws.partner/scalr.com/a/b", "r", "/g"));
        assert_eq!(id, "scalr-4251eb2d10fa5da7bb156632537dfd30");
        assert!(
            id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'),
            "{id}"
        );
        assert!(is_derived(&id) && !is_derived("mine") && !is_derived("scalr-4251eb2d"));
    }

    #[test]
    fn parts_do_not_run_together() {
        let ids = [
            derive("a", "bc", "d"),
            derive("ab", "c", "d"),
            derive("a", "b", "cd"),
            derive("a", "b", "c"),
        ];
        for (i, id) in ids.iter().enumerate() {
            assert!(!ids[i + 1..].contains(id), "{id}");
        }
    }
}
