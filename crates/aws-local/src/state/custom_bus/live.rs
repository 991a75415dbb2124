//! The running subscribers of a bus that follow it, as a new event is matched against them: all patterns of their data at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use event_pattern::{Matcher, Pattern, Scope};

use super::subscriber::Subscriber;
use crate::state::bus::NamedPattern;

/// Made of the subscribers when the first event after a change comes. A copy of the bus, for a snapshot, has none.
#[derive(Debug)]
pub(super) struct Live {
    matcher: Matcher<Arc<str>>,
    /// Those without a filter of the data, and those whose filter the matcher does not take.
    others: Vec<Arc<str>>,
    /// What the stories of events keep of them.
    named: Arc<[NamedPattern]>,
    /// The size of what the stories do not account for yet.
    fresh_bytes: usize,
    stale: bool,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            matcher: Matcher::default(),
            others: Vec::new(),
            named: Arc::default(),
            fresh_bytes: 0,
            stale: true,
        }
    }
}

impl Clone for Live {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// The subscribers that may want an event; their other filters are still to be asked.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    pub(crate) names: Vec<Arc<str>>,
    /// Those of which it is not known, since matching took more steps than it may.
    pub(crate) undecided: Vec<Arc<str>>,
    /// Those with a filter of the data alone, for the event's story.
    pub(crate) named: Arc<[NamedPattern]>,
    pub(crate) fresh_bytes: usize,
}

impl Live {
    /// The subscribers have changed.
    pub(super) fn changed(&mut self) {
        self.stale = true;
    }

    fn refresh(&mut self, subscribers: &BTreeMap<String, Subscriber>) {
        *self = Self {
            stale: false,
            ..Self::default()
        };
        let mut named = Vec::new();
        for (name, subscriber) in subscribers.iter().filter(|(_, subscriber)| subscriber.is_live()) {
            let name: Arc<str> = name.as_str().into();
            let texts = &subscriber.filters.texts;
            let data = texts.iter().find(|(scope, _)| scope == Scope::Data.name());
            let compiled = data.and_then(|(_, text)| Some((text, Pattern::compile(text).ok()?)));
            let Some((text, pattern)) = compiled else {
                self.others.push(name);
                continue;
            };
            self.matcher.add(Arc::clone(&name), &pattern);
            if texts.len() == 1 {
                let pattern = text.as_str().into();
                named.push(NamedPattern { name, pattern });
            }
        }
        let bytes = |one: &NamedPattern| one.name.len() + one.pattern.len() + size_of::<NamedPattern>();
        self.fresh_bytes = named.iter().map(bytes).sum();
        self.named = named.into();
    }

    /// The candidates for an event, which takes so many steps at most; those that were taken are subtracted.
    pub(super) fn candidates(
        &mut self,
        subscribers: &BTreeMap<String, Subscriber>,
        data: &str,
        steps: &mut usize,
    ) -> Candidates {
        if self.stale {
            self.refresh(subscribers);
        }
        let (mut names, mut undecided) = (self.others.clone(), Vec::new());
        if data.trim_start().starts_with('{') {
            if let Ok(found) = self.matcher.matches_within(data, steps) {
                names.extend(found.matched.into_iter().cloned());
                undecided.extend(found.undecided.into_iter().cloned());
            }
        } else {
            // What is no object is asked of each filter by itself.
            let live = subscribers.iter().filter(|(_, subscriber)| subscriber.is_live());
            names = live.map(|(name, _)| name.as_str().into()).collect();
        }
        names.sort_unstable();
        undecided.sort_unstable();
        Candidates {
            names,
            undecided,
            named: Arc::clone(&self.named),
            fresh_bytes: std::mem::take(&mut self.fresh_bytes),
        }
    }
}
