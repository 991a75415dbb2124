//! Event buses, and the compiled form of their rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use event_pattern::{Matcher, Pattern};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Tags;
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
    /// The resource policy, as JSON text.
    pub(crate) policy: Option<String>,
    pub(crate) tags: Tags,
    pub(crate) created: Millis,
    pub(crate) modified: Millis,
    pub(crate) rules: BTreeMap<String, Rule>,
    #[serde(skip)]
    compiled: Option<Arc<Compiled>>,
    /// The compiled rules before the last change, reused for what did not change.
    #[serde(skip)]
    before: Arc<[Arc<CompiledRule>]>,
}

/// The enabled rules of a bus at one moment, compiled. The stories of the events matched against them keep the rules.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    pub(crate) rules: Arc<[Arc<CompiledRule>]>,
    matcher: Matcher<usize>,
}

/// One enabled rule with a pattern.
#[derive(Debug)]
pub(crate) struct CompiledRule {
    pub(crate) name: Arc<str>,
    /// What `pattern` was compiled from.
    text: String,
    pub(crate) pattern: Pattern,
    pub(crate) targets: Vec<Arc<Target>>,
}

impl Bus {
    pub(crate) fn new(name: &str, now: Millis) -> Self {
        Self {
            name: name.to_owned(),
            description: None,
            kms_key: None,
            dead_letter_config: None,
            log_config: None,
            policy: None,
            tags: Tags::new(),
            created: now,
            modified: now,
            rules: BTreeMap::new(),
            compiled: None,
            before: Arc::default(),
        }
    }

    /// The rules, to be changed: this drops their compiled form, or events would be matched against the old ones.
    pub(crate) fn rules_mut(&mut self) -> &mut BTreeMap<String, Rule> {
        if let Some(compiled) = self.compiled.take() {
            self.before = Arc::clone(&compiled.rules);
        }
        &mut self.rules
    }

    /// The rules that events are matched against.
    pub(crate) fn compiled(&mut self) -> Arc<Compiled> {
        let (rules, before) = (&self.rules, &self.before);
        Arc::clone(
            self.compiled
                .get_or_insert_with(|| Arc::new(compile(rules, before))),
        )
    }
}

/// Compiles what changed; the rest is reused, since stories share it.
fn compile(rules: &BTreeMap<String, Rule>, before: &[Arc<CompiledRule>]) -> Compiled {
    let before: BTreeMap<&str, &Arc<CompiledRule>> = before.iter().map(|rule| (&*rule.name, rule)).collect();
    let ready = |rule: &Rule| {
        let text = rule.pattern.as_deref()?;
        let old = before.get(rule.name.as_str()).filter(|old| old.is_of(rule, text));
        if let Some(old) = old {
            return Some(Arc::clone(old));
        }
        Some(Arc::new(CompiledRule {
            name: rule.name.as_str().into(),
            text: text.to_owned(),
            pattern: Pattern::compile(text).ok()?,
            targets: rule.targets.values().map(Arc::clone).collect(),
        }))
    };
    let rules: Arc<[Arc<CompiledRule>]> = rules
        .values()
        // A managed rule represents its archive, which gets its events without it.
        .filter(|rule| rule.is_enabled() && rule.managed_by.is_none())
        .filter_map(ready)
        .collect();
    let mut matcher = Matcher::new();
    for (at, rule) in rules.iter().enumerate() {
        matcher.add(at, &rule.pattern);
    }
    Compiled { rules, matcher }
}

impl CompiledRule {
    /// Whether the rule is still what this was compiled from.
    fn is_of(&self, rule: &Rule, text: &str) -> bool {
        let same = |(held, target): (&Arc<Target>, &Arc<Target>)| Arc::ptr_eq(held, target);
        self.text == text
            && self.targets.len() == rule.targets.len()
            && self.targets.iter().zip(rule.targets.values()).all(same)
    }
}

impl Compiled {
    /// The indexes in `rules` of those that match the event, in order.
    pub(crate) fn matching(&self, event: &str) -> Vec<usize> {
        if let Ok(found) = self.matcher.matches(event) {
            let mut places: Vec<usize> = found.into_iter().copied().collect();
            places.sort_unstable();
            return places;
        }
        // A rule whose match fails must not keep the event from the others.
        let rules = self.rules.iter().enumerate();
        rules
            .filter(|(_, rule)| rule.pattern.matches(event).unwrap_or_default())
            .map(|(place, _)| place)
            .collect()
    }
}
