//! The name of a rule of which the configuration gives the beginning alone.

use tfplugin::Config;
use uuid::Uuid;

use super::Rule;

/// Letters that are added to a prefix.
const SUFFIX_LENGTH: usize = 26;

/// A name that begins so and is like no other.
pub(super) fn new(prefix: &str) -> String {
    let mut suffix = Uuid::new_v4().simple().to_string();
    suffix.truncate(SUFFIX_LENGTH);
    format!("{prefix}{suffix}")
}

/// The prefix of a name that was generated here.
pub(super) fn prefix(name: &str) -> Option<String> {
    let (prefix, suffix) = name.split_at_checked(name.len().checked_sub(SUFFIX_LENGTH)?)?;
    let generated = suffix.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (generated && !prefix.is_empty()).then(|| prefix.to_owned())
}

/// A configuration that was generated from an import has a name and its prefix.
pub(super) fn is_of_an_import(config: &Config<'_, Rule>) -> bool {
    let name = config.value(Rule::name()).known();
    let written = config.value(Rule::name_prefix()).known();
    written.is_some() && name.and_then(|name| prefix(&name)) == written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_names_are_recognised() {
        let name = new("scalr-");
        assert_eq!((name.len(), prefix(&name).as_deref()), (32, Some("scalr-")));
        for plain in ["scalr-RunExecuted", "x", "", "0123456789abcdef0123456789"] {
            assert_eq!(prefix(plain), None, "{plain}");
        }
    }
}
