//! The running subscribers of a bus that follow it, as a new event is matched against them: all patterns of their data at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use event_pattern::{Matcher, Scope};

use super::subscriber::Subscriber;
use crate::state::bus::NamedPattern;

/// As many changes are taken over one by one; after more of them all is made once more.
const CHANGED_MAX: usize = 10_000;

/// What has changed is taken over when the first event after it comes. A copy of the bus, for a snapshot, has nothing.
#[derive(Debug, Default)]
pub(super) struct Live {
    held: BTreeMap<Arc<str>, Held>,
    matcher: Matcher<Arc<str>>,
    /// Those without a filter of the data, and those whose filter the matcher does not take.
    others: BTreeSet<Arc<str>>,
    /// What the stories of events keep of them.
    named: Arc<[NamedPattern]>,
    /// The size of what the stories do not account for yet.
    fresh_bytes: usize,
    /// The subscribers that have changed since; where it is not known, all have.
    changed: Option<BTreeSet<String>>,
}

/// What is held of a subscriber: the text of its filter of the data, and whether it has no other.
#[derive(Debug, PartialEq, Eq)]
struct Held {
    data: Option<Arc<str>>,
    is_alone: bool,
}

impl Clone for Live {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// The subscribers that may want an event; their other filters are still to be asked.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    pub(crate) all: Vec<Candidate>,
    /// Those of which it is not known, since matching took more steps than it may.
    pub(crate) undecided: Vec<Arc<str>>,
    /// Those with a filter of the data alone, for the event's story.
    pub(crate) named: Arc<[NamedPattern]>,
    pub(crate) fresh_bytes: usize,
}

/// A subscriber that may want an event.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Candidate {
    pub(crate) name: Arc<str>,
    /// The scope of which its filter was asked.
    pub(crate) matched: Option<Scope>,
}

impl Live {
    /// A subscriber came, went or is another than before.
    pub(super) fn changed(&mut self, name: &str) {
        let Some(changed) = &mut self.changed else { return };
        if changed.len() < CHANGED_MAX {
            changed.insert(name.to_owned());
        } else {
            self.changed = None;
        }
    }

    /// Takes over what has changed: subscribers are added to the matcher and removed from it one by one.
    fn refresh(&mut self, subscribers: &BTreeMap<String, Subscriber>) {
        let (mut fresh, mut renamed) = (0, false);
        let mut take = |live: &mut Self, name: &str| {
            let (is_renamed, bytes) = live.take(name, subscribers.get(name));
            renamed |= is_renamed;
            fresh += bytes;
        };
        if let Some(changed) = self.changed.replace(BTreeSet::new()) {
            for name in &changed {
                take(self, name);
            }
        } else {
            *self = Self {
                changed: Some(BTreeSet::new()),
                ..Self::default()
            };
            for name in subscribers.keys() {
                take(self, name);
            }
        }
        if renamed {
            let named = |(name, held): (&Arc<str>, &Held)| {
                let pattern = held.data.clone().filter(|_| held.is_alone)?;
                let name = Arc::clone(name);
                Some(NamedPattern { name, pattern })
            };
            self.named = self.held.iter().filter_map(named).collect();
            self.fresh_bytes += fresh + self.named.len() * size_of::<NamedPattern>();
        }
    }

    /// Takes over what a subscriber is now; gives whether stories keep something else of it, and the size of that.
    fn take(&mut self, name: &str, subscriber: Option<&Subscriber>) -> (bool, usize) {
        let filters = subscriber
            .filter(|subscriber| subscriber.is_live())
            .map(|one| &one.filters);
        let pattern = filters.and_then(|filters| filters.compiled()?.pattern(Scope::Data));
        let now = filters.map(|filters| Held {
            data: pattern.and_then(|_| filters.text(Scope::Data)).map(Arc::from),
            is_alone: filters.texts.len() == 1,
        });
        if self.held.get(name) == now.as_ref() {
            return (false, 0);
        }
        let before = self.held.remove(name);
        self.matcher.remove(&Arc::from(name));
        self.others.remove(name);
        let is_named = |held: &Option<Held>| {
            held.as_ref()
                .is_some_and(|held| held.is_alone && held.data.is_some())
        };
        let is_renamed = is_named(&before) || is_named(&now);
        let Some(now) = now else { return (is_renamed, 0) };
        let name: Arc<str> = name.into();
        match pattern {
            Some(pattern) => self.matcher.add(Arc::clone(&name), pattern),
            None => drop(self.others.insert(Arc::clone(&name))),
        }
        let text = now.data.as_ref().filter(|_| now.is_alone);
        let bytes = text.map_or(0, |text| name.len() + text.len());
        self.held.insert(name, now);
        (is_renamed, bytes)
    }

    /// The candidates for an event, which takes so many steps at most; those that were taken are subtracted.
    pub(super) fn candidates(
        &mut self,
        subscribers: &BTreeMap<String, Subscriber>,
        data: &str,
        steps: &mut usize,
    ) -> Candidates {
        if self.changed.as_ref().is_none_or(|changed| !changed.is_empty()) {
            self.refresh(subscribers);
        }
        let candidate = |matched| {
            move |name: &Arc<str>| Candidate {
                name: Arc::clone(name),
                matched,
            }
        };
        let (mut all, mut undecided) = (Vec::new(), Vec::new());
        if data.trim_start().starts_with('{') {
            all.extend(self.others.iter().map(candidate(None)));
            if let Ok(found) = self.matcher.matches_within(data, steps) {
                all.extend(found.matched.into_iter().map(candidate(Some(Scope::Data))));
                undecided.extend(found.undecided.into_iter().cloned());
            }
        } else {
            // What is no object is asked of each filter by itself.
            all.extend(self.held.keys().map(candidate(None)));
        }
        all.sort_unstable();
        undecided.sort_unstable();
        Candidates {
            all,
            undecided,
            named: Arc::clone(&self.named),
            fresh_bytes: std::mem::take(&mut self.fresh_bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn subscriber(texts: &[(Scope, &str)], running: bool) -> Subscriber {
        let stored = json!({
            "name": "", "id": "", "arn": "", "invoke": {}, "target": { "Id": "", "Arn": "" }, "description": null,
            "filters": texts.iter().map(|(scope, text)| json!([scope.name(), text])).collect::<Vec<_>>(),
            "ordering": "UNORDERED", "point_in_time": null, "batch": null, "transformer": null,
            "retry": { "attempts_max": 0, "age_seconds_max": 0 }, "dead_letter": null, "log": null,
            "running": running, "revoked": false, "tags": {}, "created": 0, "modified": 0, "filter_changes": [],
            "next": null, "replayed_to": 0, "end": null, "failing": {}, "behind": {}, "behind_count": 0,
        });
        serde_json::from_value(stored).unwrap()
    }

    const A: (Scope, &str) = (Scope::Data, r#"{"k":["a"]}"#);
    const B: (Scope, &str) = (Scope::Data, r#"{"k":["b"]}"#);
    const META: (Scope, &str) = (Scope::Metadata, r#"{"m":["x"]}"#);

    /// Of an object, the matcher has asked the filter of the data; all else is still to be asked.
    #[test]
    fn what_was_asked_is_said() {
        let all = BTreeMap::from([
            ("a".to_owned(), subscriber(&[META, A], true)),
            ("b".to_owned(), subscriber(&[META], true)),
        ]);
        let check = |data: &str, expected: &[(&str, Option<Scope>)]| {
            let found = Live::default().candidates(&all, data, &mut 1_000_000).all;
            let found: Vec<_> = found.iter().map(|one| (&*one.name, one.matched)).collect();
            assert_eq!(found, expected, "{data}");
        };
        check(r#"{"k":"a"}"#, &[("a", Some(Scope::Data)), ("b", None)]);
        check(r#"{"k":"x"}"#, &[("b", None)]);
        check("[1]", &[("a", None), ("b", None)]);
    }

    fn names(candidates: &Candidates) -> String {
        candidates.all.iter().map(|one| &*one.name).collect()
    }

    /// After each change, what one that has followed all of them gives, and one that is made of the subscribers as they are.
    #[test]
    fn what_was_taken_over_one_by_one_is_what_is_made_at_once() {
        let (mut all, mut live) = (BTreeMap::new(), Live::default());
        let mut check = |name: &str, new: Option<Subscriber>, expected: (&str, &str, &str)| {
            match new {
                Some(new) => all.insert(name.to_owned(), new),
                None => all.remove(name),
            };
            live.changed(name);
            let mut once = Live::default();
            for live in [&mut live, &mut once] {
                let mut found = |data: &str| {
                    let all = live.candidates(&all, data, &mut 1_000_000);
                    let named: Vec<&str> = all.named.iter().map(|one| &*one.name).collect();
                    (names(&all), named.concat())
                };
                let (a, named) = found(r#"{"k":"a"}"#);
                let (listed, _) = found("[1]");
                assert_eq!((a.as_str(), named.as_str(), listed.as_str()), expected, "{name}");
            }
        };
        check("1", Some(subscriber(&[A], true)), ("1", "1", "1"));
        check("2", Some(subscriber(&[B], true)), ("1", "12", "12"));
        check("3", Some(subscriber(&[], true)), ("13", "12", "123"));
        check("4", Some(subscriber(&[META, A], true)), ("134", "12", "1234"));
        check("2", Some(subscriber(&[A], true)), ("1234", "12", "1234"));
        check("1", Some(subscriber(&[A], false)), ("234", "2", "234"));
        check("4", Some(subscriber(&[A], true)), ("234", "24", "234"));
        check("3", Some(subscriber(&[META], true)), ("234", "24", "234"));
        check("2", None, ("34", "4", "34"));
        check("3", Some(subscriber(&[B], true)), ("4", "34", "34"));
    }

    #[test]
    fn many_changes_without_an_event_are_forgotten_together() {
        let mut live = Live::default();
        let all = BTreeMap::from([("a".to_owned(), subscriber(&[A], true))]);
        live.refresh(&all);
        for number in 0..=CHANGED_MAX {
            live.changed(&number.to_string());
        }
        assert_eq!(live.changed, None);
        assert_eq!(names(&live.candidates(&all, r#"{"k":"a"}"#, &mut 1_000_000)), "a");
    }
}
