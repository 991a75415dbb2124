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
#[derive(Debug, Serialize, Deserialize)]
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
}

/// The enabled rules of a bus at one moment, ready to match. Kept by the stories of the events that met them.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    pub(crate) rules: Vec<CompiledRule>,
    matcher: Matcher<usize>,
}

/// One enabled rule with a pattern.
#[derive(Debug)]
pub(crate) struct CompiledRule {
    pub(crate) name: String,
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
        }
    }

    /// Every change of a rule or target passes here, or events would meet the rules of before.
    pub(crate) fn rules_mut(&mut self) -> &mut BTreeMap<String, Rule> {
        self.compiled = None;
        &mut self.rules
    }

    /// The rules that events are matched against.
    pub(crate) fn compiled(&mut self) -> Arc<Compiled> {
        let rules = &self.rules;
        Arc::clone(self.compiled.get_or_insert_with(|| Arc::new(compile(rules))))
    }
}

fn compile(rules: &BTreeMap<String, Rule>) -> Compiled {
    let ready = |rule: &Rule| {
        let pattern = Pattern::compile(rule.pattern.as_deref()?).ok()?;
        let targets = rule.targets.values().map(Arc::clone).collect();
        Some(CompiledRule {
            name: rule.name.clone(),
            pattern,
            targets,
        })
    };
    let rules: Vec<CompiledRule> = rules
        .values()
        // A managed rule stands for its archive, which events are brought to without it.
        .filter(|rule| rule.is_enabled() && rule.managed_by.is_none())
        .filter_map(ready)
        .collect();
    let mut matcher = Matcher::new();
    for (at, rule) in rules.iter().enumerate() {
        matcher.add(at, &rule.pattern);
    }
    Compiled { rules, matcher }
}

impl Compiled {
    /// The places in `rules` of those that match the event, in order.
    pub(crate) fn matching(&self, event: &str) -> Vec<usize> {
        let mut places: Vec<usize> = self
            .matcher
            .matches(event)
            .unwrap_or_default()
            .into_iter()
            .copied()
            .collect();
        places.sort_unstable();
        places
    }
}
