//! Event buses, and what events are matched against.

use std::collections::BTreeMap;
use std::sync::Arc;

use event_pattern::Matcher;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Tags;
use super::pattern::EventPattern;
use super::rule::{DeadLetterConfig, Rule, Target};
use crate::clock::Millis;

/// A bus: the default one, a custom one, or a partner's.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Bus {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) kms_key: Option<String>,
    pub(crate) dead_letter_config: Option<DeadLetterConfig>,
    pub(crate) log_config: Option<Value>,
    /// The service that made it for an account, and that alone may change it.
    #[serde(default)]
    pub(crate) managed_by: Option<String>,
    /// The id of the event source of a custom event bus that it was made for.
    #[serde(default)]
    pub(crate) managed_for: Option<String>,
    /// The resource policy, as JSON text.
    pub(crate) policy: Option<String>,
    pub(crate) tags: Tags,
    pub(crate) created: Millis,
    pub(crate) modified: Millis,
    pub(crate) rules: BTreeMap<String, Rule>,
    #[serde(skip)]
    live: Live,
}

/// What a bus logs: each level includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum LogLevel {
    Error,
    Info,
    Trace,
}

impl LogLevel {
    /// The level of that name; none of `OFF`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "ERROR" => Some(Self::Error),
            "INFO" => Some(Self::Info),
            "TRACE" => Some(Self::Trace),
            _ => None,
        }
    }
}

/// The enabled rules with a pattern, as events are matched against them. A copy of the bus, for a snapshot, has none.
#[derive(Debug, Default)]
struct Live {
    rules: BTreeMap<Arc<str>, LiveRule>,
    matcher: Matcher<Arc<str>>,
    /// What the stories of events keep of them.
    named: Arc<[NamedPattern]>,
    /// The size of what the stories do not account for yet.
    fresh_bytes: usize,
    /// Whether the bus's rules have changed since.
    stale: bool,
}

impl Clone for Live {
    fn clone(&self) -> Self {
        Self::default()
    }
}

#[derive(Debug)]
struct LiveRule {
    pattern: EventPattern,
    targets: Vec<Arc<Target>>,
}

/// A rule as it was when an event was matched: the text of its pattern, not what that was compiled to.
#[derive(Debug, Clone)]
pub(crate) struct NamedPattern {
    pub(crate) name: Arc<str>,
    pub(crate) pattern: Arc<str>,
}

/// What an event matched on a bus.
#[derive(Debug)]
pub(crate) struct Matched {
    /// All rules that it was matched against, by name.
    pub(crate) rules: Arc<[NamedPattern]>,
    /// The names of those that matched, in order, with their targets.
    pub(crate) hits: Vec<(Arc<str>, Vec<Arc<Target>>)>,
    /// The names of those of which it is not known, since there were too few steps.
    pub(crate) undecided: Vec<Arc<str>>,
    /// The size of `rules` if no earlier event's story accounts for it.
    pub(crate) fresh_bytes: usize,
}

impl Bus {
    pub(crate) fn new(name: &str, now: Millis) -> Self {
        Self {
            name: name.to_owned(),
            description: None,
            kms_key: None,
            dead_letter_config: None,
            log_config: None,
            managed_by: None,
            managed_for: None,
            policy: None,
            tags: Tags::new(),
            created: now,
            modified: now,
            rules: BTreeMap::new(),
            live: Live::default(),
        }
    }

    /// The level of its log, and whether its records have details; none where it logs nothing.
    pub(crate) fn logs(&self) -> Option<(LogLevel, bool)> {
        let config = self.log_config.as_ref()?;
        let level = LogLevel::named(config.get("Level")?.as_str()?)?;
        Some((
            level,
            config.get("IncludeDetail").is_some_and(|detail| detail == "FULL"),
        ))
    }

    /// The rules, to be changed: events are matched against what they are afterwards.
    pub(crate) fn rules_mut(&mut self) -> &mut BTreeMap<String, Rule> {
        self.live.stale = true;
        &mut self.rules
    }

    /// The size in memory of the compiled patterns of all rules but one.
    pub(crate) fn pattern_bytes_without(&self, rule: &str) -> usize {
        let others = self
            .rules
            .values()
            .filter(|other| other.name != rule && other.managed_by.is_none());
        let patterns = others.filter_map(|rule| rule.pattern.as_ref());
        patterns.map(EventPattern::bytes).sum()
    }

    /// Matches an event against the enabled rules, in so many steps at most; those that were taken are subtracted.
    pub(crate) fn matching(&mut self, event: &str, steps: &mut usize) -> Matched {
        if self.live.stale || self.live.rules.is_empty() {
            self.live.refresh(&self.rules);
        }
        self.live.matching(event, steps)
    }
}

impl Live {
    /// Takes over what has changed: rules are added to the matcher and removed from it one by one.
    fn refresh(&mut self, rules: &BTreeMap<String, Rule>) {
        self.stale = false;
        // A managed rule represents its archive, which gets its events without it.
        let live = |rule: &&Rule| rule.is_enabled() && rule.managed_by.is_none();
        let live = |name: &str| {
            rules
                .get(name)
                .filter(live)
                .and_then(|rule| Some((rule, rule.pattern.as_ref()?)))
        };
        let gone: Vec<Arc<str>> = self
            .rules
            .iter()
            .filter(|(name, held)| live(name).is_none_or(|(_, pattern)| !pattern.is(&held.pattern)))
            .map(|(name, _)| Arc::clone(name))
            .collect();
        let (mut fresh, mut added) = (0, false);
        for name in &gone {
            self.rules.remove(name);
            self.matcher.remove(name);
        }
        for (name, pattern) in rules.keys().filter_map(|name| Some((name, live(name)?.1))) {
            if self.rules.contains_key(name.as_str()) {
                continue;
            }
            let Some(compiled) = pattern.compiled() else {
                continue;
            };
            let name: Arc<str> = name.as_str().into();
            self.matcher.add(Arc::clone(&name), compiled);
            fresh += name.len() + pattern.text().len();
            added = true;
            let (pattern, targets) = (pattern.clone(), Vec::new());
            self.rules.insert(name, LiveRule { pattern, targets });
        }
        for (name, held) in &mut self.rules {
            if let Some((rule, _)) = live(name) {
                held.targets = rule.targets.values().map(Arc::clone).collect();
            }
        }
        if added || !gone.is_empty() {
            let named = |(name, held): (&Arc<str>, &LiveRule)| NamedPattern {
                name: Arc::clone(name),
                pattern: Arc::clone(held.pattern.text()),
            };
            self.named = self.rules.iter().map(named).collect();
            self.fresh_bytes += fresh + self.named.len() * size_of::<NamedPattern>();
        }
    }

    fn matching(&mut self, event: &str, steps: &mut usize) -> Matched {
        // An event that is no JSON object matches nothing; there is none such.
        let found = self.matcher.matches_within(event, steps);
        let (mut hits, mut undecided): (Vec<Arc<str>>, Vec<Arc<str>>) = match found {
            Ok(found) => (
                found.matched.into_iter().cloned().collect(),
                found.undecided.into_iter().cloned().collect(),
            ),
            Err(_) => (Vec::new(), Vec::new()),
        };
        hits.sort_unstable();
        undecided.sort_unstable();
        let targets = |name: Arc<str>| {
            let targets = self.rules.get(&name).map(|held| held.targets.clone());
            (name, targets.unwrap_or_default())
        };
        Matched {
            rules: Arc::clone(&self.named),
            hits: hits.into_iter().map(targets).collect(),
            undecided,
            fresh_bytes: std::mem::take(&mut self.fresh_bytes),
        }
    }
}
