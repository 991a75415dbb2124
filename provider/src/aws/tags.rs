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

/// Of the tags that AWS holds, those that are the resource's own: the defaults are left out, unless the resource
/// named them itself.
pub fn own(held: &Tags, defaults: &Tags, named: Option<&Tags>) -> Option<Tags> {
    let is_own = |key: &String, value: &String| {
        defaults.get(key) != Some(value) || named.is_some_and(|named| named.contains_key(key))
    };
    let own: Tags = held
        .iter()
        .filter(|(k, v)| is_own(k, v))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    (!own.is_empty() || named.is_some()).then_some(own)
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
        for (held, defaults, named, want) in [
            ("a=1 c=3", "c=3", Some("a=1"), Some("a=1")),
            ("c=3", "c=3", None, None),
            ("c=3", "c=3", Some("c=3"), Some("c=3")),
            ("c=4", "c=3", None, Some("c=4")),
            ("", "", Some(""), Some("")),
        ] {
            assert_eq!(
                own(&tags(held), &tags(defaults), named.map(tags).as_ref()),
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
