//! Tags: the resource's own, the provider's defaults, those that are ignored, and what AWS holds.

use std::collections::{BTreeMap, BTreeSet};

use crate::setting::{NotKnownYet, Setting};

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// Tags as a configuration has them: a null one is ignored, as everywhere in HCL.
pub type Written = BTreeMap<String, Option<String>>;

/// The provider's default tags. Some may be unknown while Terraform plans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// Those whose values are known.
    pub known: Tags,
    /// Keys of those whose values are not.
    pub unknown: BTreeSet<String>,
    /// The setting that is not known, if one is not; without a key among `unknown`, it may hold any.
    pub missing: Option<NotKnownYet>,
}

impl Defaults {
    /// All of them.
    pub fn all(&self) -> Setting<&Tags> {
        self.missing.clone().map_or(Ok(&self.known), Err)
    }

    /// Whether a tag of this key may be a default one whose value is not known.
    fn may_have(&self, key: &str) -> bool {
        self.missing.is_some() && (self.unknown.is_empty() || self.unknown.contains(key))
    }

    /// All tags that an object has by configuration, with those that are ignored left out; none while they are not known.
    pub fn under(&self, own: &Written, ignored: &Ignored) -> Option<Tags> {
        let is_settled = |key: &String| ignored.has(key) || own.get(key).is_some_and(Option::is_some);
        let is_known = self.missing.is_none() || !self.unknown.is_empty();
        (is_known && self.unknown.iter().all(is_settled)).then(|| ignored.without(all(own, &self.known)))
    }
}

/// Tags that are somebody else's, as `ignore_tags` of hashicorp/aws has them: never shown, changed or removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ignored {
    /// Their keys.
    pub keys: BTreeSet<String>,
    /// Beginnings of their keys.
    pub key_prefixes: BTreeSet<String>,
}

impl Ignored {
    /// Whether tags of this key are ignored.
    pub fn has(&self, key: &str) -> bool {
        self.keys.contains(key) || self.key_prefixes.iter().any(|prefix| key.starts_with(prefix))
    }

    /// The tags that are not ignored.
    pub fn without(&self, mut tags: Tags) -> Tags {
        tags.retain(|key, _| !self.has(key));
        tags
    }
}

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
/// the last apply set, unless the resource named them itself. Those that are written as null, or are ignored, stay as they
/// are written.
pub fn own(held: &Tags, defaults: &Defaults, ignored: &Ignored, known: FromState<'_>) -> Option<Written> {
    let is_default = |key: &String, value: &String| {
        defaults.known.get(key) == Some(value)
            || defaults.may_have(key) && known.all.is_none()
            || known.all.is_some_and(|all| all.get(key) == Some(value))
    };
    let written = |key: &String| known.own.and_then(|own| own.get(key));
    let is_named = |key: &String| matches!(written(key), Some(Some(_)));
    let own = held
        .iter()
        .filter(|(key, value)| is_named(key) || !is_default(key, value));
    let own = own.map(|(key, value)| (key.clone(), Some(value.clone())));
    let kept = known.own.into_iter().flatten();
    let kept = kept
        .filter(|(key, value)| value.is_none() || ignored.has(key))
        .map(|(key, value)| (key.clone(), value.clone()));
    // What is held comes last: a null key that was given a value since is a difference.
    let own: Written = kept.chain(own).collect();
    (!own.is_empty() || known.own.is_some()).then_some(own)
}

/// Beginning of the keys that this provider gives a meaning of its own. They show in no attribute.
pub const OURS: &str = "scalr-eventbridge:";
/// Tag of a bus or rule that was adopted: the owner that adopted it.
pub const INSTANCE: &str = "scalr-eventbridge:instance";

/// The tag of a rule that names the owner which adopted a target: targets have no tags.
pub fn of_target(id: &str) -> String {
    format!("scalr-eventbridge:target/{id}")
}

/// A key that is AWS's or this provider's, and no configuration's.
pub fn is_reserved(key: &str) -> bool {
    key.starts_with("aws:") || key.starts_with(OURS)
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

/// What must be set and what removed, to come from `held` to `wanted`.
pub fn change(held: &Tags, wanted: &Tags, ignored: &Ignored) -> (Tags, Vec<String>) {
    let set = wanted
        .iter()
        .filter(|(key, value)| held.get(*key) != Some(*value) && !ignored.has(key));
    let set = set.map(|(key, value)| (key.clone(), value.clone())).collect();
    let gone = held
        .keys()
        .filter(|key| !wanted.contains_key(*key) && !is_reserved(key) && !ignored.has(key))
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
            // Null is ignored, and stays as it is written.
            ("a=1", "", Some("a=1 n="), Some("a=1"), Some("a=1 n=")),
            ("a=1 n=d", "n=d", Some("a=1 n="), Some("a=1 n=d"), Some("a=1 n=")),
            ("n=x", "", Some("n="), Some(""), Some("n=x")),
        ] {
            let (named, all) = (named.map(written), all.map(tags));
            let known = FromState {
                own: named.as_ref(),
                all: all.as_ref(),
            };
            let defaults = Defaults {
                known: tags(defaults),
                ..Defaults::default()
            };
            assert_eq!(
                own(&tags(held), &defaults, &Ignored::default(), known),
                want.map(written),
                "{held} {defaults:?}"
            );
        }
    }

    fn unknown(keys: &str) -> Defaults {
        Defaults {
            known: tags("d=1"),
            unknown: keys.split_whitespace().map(str::to_owned).collect(),
            missing: Some(NotKnownYet(crate::provider::ScalrEventBridge::aws().into())),
        }
    }

    fn ignored(keys: &str, prefixes: &str) -> Ignored {
        let set = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        Ignored {
            keys: set(keys),
            key_prefixes: set(prefixes),
        }
    }

    #[test]
    fn all_tags_are_known_where_no_unknown_default_counts() {
        let none = Ignored::default();
        for (own, defaults, ignored, want) in [
            ("a=1", Defaults::default(), &none, Some("a=1")),
            ("a=1", unknown("t"), &none, None),
            ("a=1", unknown(""), &none, None),
            ("t=mine", unknown("t"), &none, Some("d=1 t=mine")),
            ("t=", unknown("t"), &none, None),
            ("a=1", unknown("t"), &ignored("t", ""), Some("a=1 d=1")),
        ] {
            let planned = defaults.under(&written(own), ignored);
            assert_eq!(planned, want.map(tags), "{own} {defaults:?}");
        }
        assert!(unknown("t").all().is_err() && Defaults::default().all().is_ok());
    }

    /// What may be a default is nobody's own in an import; later the state says what it was.
    #[test]
    fn a_default_that_is_not_known_is_not_the_resources_own() {
        let (state, none) = (tags("t=then"), Ignored::default());
        for (held, all, want) in [
            ("t=x a=1", None, Some("a=1")),
            ("t=then", Some(&state), None),
            ("t=by-hand", Some(&state), Some("t=by-hand")),
        ] {
            let known = FromState { own: None, all };
            let found = own(&tags(held), &unknown("t"), &none, known);
            assert_eq!(found, want.map(written), "{held}");
        }
    }

    #[test]
    fn ignored_tags_stay_as_they_are_written_and_as_they_are_held() {
        let ignored = ignored("owner", "org:");
        for (key, is) in [
            ("owner", true),
            ("org:cost", true),
            ("org", false),
            ("owners", false),
        ] {
            assert_eq!(ignored.has(key), is, "{key}");
        }
        assert_eq!(ignored.without(tags("a=1 owner=x org:y=z")), tags("a=1"));
        let named = written("a=1 owner=me");
        let known = FromState {
            own: Some(&named),
            all: None,
        };
        let found = own(&tags("a=1"), &Defaults::default(), &ignored, known);
        assert_eq!(found, Some(written("a=1 owner=me")));
        let (set, gone) = change(&tags("a=1 owner=x org:y=z"), &tags("b=2 owner=me"), &ignored);
        assert_eq!((set, gone), (tags("b=2"), vec!["a".to_owned()]));
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
        let none = Ignored::default();
        let (set, gone) = change(
            &tags("a=1 b=2 aws:x=y scalr-eventbridge:instance=i"),
            &tags("a=1 b=3 c=4"),
            &none,
        );
        assert_eq!((set, gone), (tags("b=3 c=4"), Vec::new()));
        let gone = vec!["a".to_owned()];
        assert_eq!(change(&tags("a=1"), &tags(""), &none), (tags(""), gone));
    }
}
