//! Tags: the resource's own, the provider's defaults, and what AWS holds.

use std::collections::BTreeMap;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// Tags as a configuration has them: a null one counts as not written, as everywhere in HCL.
pub type Written = BTreeMap<String, Option<String>>;

/// The resource's own tags over the provider's defaults.
pub fn all(own: &Written, defaults: &Tags) -> Tags {
    let mut all = defaults.clone();
    all.extend(
        own.iter()
            .filter_map(|(key, value)| Some((key.clone(), value.clone()?))),
    );
    all
}

/// What the state says of the tags of an object.
#[derive(Clone, Copy, Debug, Default)]
pub struct FromState<'a> {
    /// The resource's own.
    pub own: Option<&'a Written>,
    /// All of them, with the defaults of the time.
    pub all: Option<&'a Tags>,
}

/// Of the tags that AWS holds, those that are the resource's own: defaults are left out, those of now and those that
/// the last apply set, unless the resource named them itself. Those that are written as null stay so.
pub fn own(held: &Tags, defaults: &Tags, known: FromState<'_>) -> Option<Written> {
    let is_default = |key: &String, value: &String| {
        defaults.get(key) == Some(value) || known.all.is_some_and(|all| all.get(key) == Some(value))
    };
    let written = |key: &String| known.own.and_then(|own| own.get(key));
    let is_named = |key: &String| matches!(written(key), Some(Some(_)));
    let own = held
        .iter()
        .filter(|(key, value)| is_named(key) || !is_default(key, value));
    let own = own.map(|(key, value)| (key.clone(), Some(value.clone())));
    let nulls = known.own.into_iter().flatten();
    let nulls = nulls
        .filter(|(_, value)| value.is_none())
        .map(|(key, _)| (key.clone(), None));
    // What is held comes last: a null key that was given a value since is a difference.
    let own: Written = nulls.chain(own).collect();
    (!own.is_empty() || known.own.is_some()).then_some(own)
}

/// What an update is to make of the tags of an object: those that are planned, and the changes of the resource's own.
/// With `ignore_changes = [tags_all]` the plan has all tags as they were.
pub fn wanted(planned: &Tags, [before, after]: [Option<&Written>; 2], defaults: &Tags) -> Tags {
    let value = |own: Option<&Written>, key: &String| own.and_then(|own| own.get(key)).cloned().flatten();
    let mut wanted = planned.clone();
    for key in [before, after].into_iter().flatten().flat_map(BTreeMap::keys) {
        let now = value(after, key);
        if value(before, key) == now {
            continue;
        }
        match now.or_else(|| defaults.get(key).cloned()) {
            Some(value) => wanted.insert(key.clone(), value),
            None => wanted.remove(key),
        };
    }
    wanted
}

/// AWS reserves this key.
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

    /// `key=` is one that is written as null.
    fn written(text: &str) -> Written {
        let filled = |value: String| (!value.is_empty()).then_some(value);
        tags(text)
            .into_iter()
            .map(|(key, value)| (key, filled(value)))
            .collect()
    }

    #[test]
    fn own_tags_win_over_defaults() {
        for (own, defaults, want) in [
            ("a=1 b=2", "b=9 c=3", "a=1 b=2 c=3"),
            ("a=1 b=", "b=9", "a=1 b=9"),
            ("a=", "", ""),
        ] {
            assert_eq!(
                all(&written(own), &tags(defaults)),
                tags(want),
                "{own} {defaults}"
            );
        }
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
            // Null counts as not written, and stays as it is written.
            ("a=1", "", Some("a=1 n="), Some("a=1"), Some("a=1 n=")),
            ("a=1 n=d", "n=d", Some("a=1 n="), Some("a=1 n=d"), Some("a=1 n=")),
            ("n=x", "", Some("n="), Some(""), Some("n=x")),
        ] {
            let (named, all) = (named.map(written), all.map(tags));
            let known = FromState {
                own: named.as_ref(),
                all: all.as_ref(),
            };
            assert_eq!(
                own(&tags(held), &tags(defaults), known),
                want.map(written),
                "{held} {defaults}"
            );
        }
    }

    #[test]
    fn changes_of_own_tags_are_wanted_where_all_tags_are_ignored() {
        for (planned, before, after, defaults, want) in [
            // Nothing is ignored: the plan has the changes.
            ("a=2 d=1", "a=1", "a=2", "d=1", "a=2 d=1"),
            ("d=1", "a=1", "", "d=1", "d=1"),
            // All tags are as they were, a default that drifted too.
            ("a=1", "a=1", "a=1", "d=1", "a=1"),
            ("a=1 d=9", "a=1", "a=2", "d=1", "a=2 d=9"),
            ("a=1", "a=1", "b=2", "d=1", "b=2"),
            ("d=9", "d=9", "", "d=1", "d=1"),
            ("a=1", "a=1", "a=", "", ""),
        ] {
            let (before, after) = (written(before), written(after));
            assert_eq!(
                wanted(&tags(planned), [Some(&before), Some(&after)], &tags(defaults)),
                tags(want),
                "{planned}: {before:?} -> {after:?}"
            );
        }
        assert_eq!(wanted(&tags("a=1"), [None, None], &tags("d=1")), tags("a=1"));
    }

    #[test]
    fn changes() {
        let (set, gone) = change(&tags("a=1 b=2 aws:x=y"), &tags("a=1 b=3 c=4"));
        assert_eq!((set, gone), (tags("b=3 c=4"), Vec::new()));
        assert_eq!(change(&tags("a=1"), &tags("")), (tags(""), vec!["a".to_owned()]));
    }
}
