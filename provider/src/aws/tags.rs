//! Tags: the resource's own, the provider's defaults, and what AWS holds.

use std::collections::BTreeMap;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// The resource's own tags over the provider's defaults.
pub fn all(own: &Tags, defaults: &Tags) -> Tags {
    let mut all = defaults.clone();
    all.extend(own.iter().map(|(key, value)| (key.clone(), value.clone())));
    all
}

/// What the state says of the tags of an object.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// The resource's own.
    pub own: Option<&'a Tags>,
    /// All of them, with the defaults of the time.
    pub all: Option<&'a Tags>,
}

/// Of the tags that AWS holds, those that are the resource's own: defaults are left out, those of now and those that
/// the last apply set, unless the resource named them itself.
pub fn own(held: &Tags, defaults: &Tags, known: Known<'_>) -> Option<Tags> {
    let is_default = |key: &String, value: &String| {
        defaults.get(key) == Some(value) || known.all.is_some_and(|all| all.get(key) == Some(value))
    };
    let is_named = |key: &String| known.own.is_some_and(|own| own.contains_key(key));
    let own = held
        .iter()
        .filter(|(key, value)| is_named(key) || !is_default(key, value));
    let own: Tags = own.map(|(key, value)| (key.clone(), value.clone())).collect();
    (!own.is_empty() || known.own.is_some()).then_some(own)
}

/// AWS keeps this key for itself; it is no tag of ours.
pub fn is_aws(key: &str) -> bool {
    key.starts_with("aws:")
}

/// What must be set and what removed, to come from `held` to `wanted`.
pub fn change(held: &Tags, wanted: &Tags) -> (Tags, Vec<String>) {
    let set = wanted
        .iter()
        .filter(|(key, value)| held.get(*key) != Some(*value));
    let set = set.map(|(key, value)| (key.clone(), value.clone())).collect();
    let gone = held
        .keys()
        .filter(|key| !wanted.contains_key(*key) && !is_aws(key))
        .cloned()
        .collect();
    (set, gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(text: &str) -> Tags {
        let pairs = text.split_whitespace().filter_map(|pair| pair.split_once('='));
        pairs
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }

    #[test]
    fn own_tags_win_over_defaults() {
        assert_eq!(all(&tags("a=1 b=2"), &tags("b=9 c=3")), tags("a=1 b=2 c=3"));
    }

    #[test]
    fn defaults_are_not_the_resources_own() {
        for (held, defaults, named, all, want) in [
            ("a=1 c=3", "c=3", Some("a=1"), Some("a=1 c=3"), Some("a=1")),
            ("c=3", "c=3", None, None, None),
            ("c=3", "c=3", Some("c=3"), None, Some("c=3")),
            ("c=4", "c=3", None, None, Some("c=4")),
            // The default changed since: what is held is the old one, and nobody's own.
            ("c=3", "c=4", None, Some("c=3"), None),
            // Somebody changed it behind Terraform's back.
            ("c=9", "c=4", None, Some("c=3"), Some("c=9")),
            ("a=1 x=y", "", Some("a=1"), Some("a=1"), Some("a=1 x=y")),
            ("", "", Some(""), None, Some("")),
        ] {
            let (named, all) = (named.map(tags), all.map(tags));
            let known = Known {
                own: named.as_ref(),
                all: all.as_ref(),
            };
            assert_eq!(
                own(&tags(held), &tags(defaults), known),
                want.map(tags),
                "{held} {defaults}"
            );
        }
    }

    #[test]
    fn changes() {
        let (set, gone) = change(&tags("a=1 b=2 aws:x=y"), &tags("a=1 b=3 c=4"));
        assert_eq!((set, gone), (tags("b=3 c=4"), Vec::new()));
        assert_eq!(change(&tags("a=1"), &tags("")), (tags(""), vec!["a".to_owned()]));
    }
}
