//! A pattern by itself.

use std::collections::HashSet;
use std::sync::Arc;

use crate::choice::Choice;
use crate::compile::{self, Alternative, Condition};
use crate::error::{Error, EventError};
use crate::event::with_gathered;
use crate::names::Names;
use crate::steps::{STEPS_MAX, Steps};

/// A compiled event pattern.
#[derive(Debug)]
pub struct Pattern {
    pub(crate) names: Names,
    pub(crate) alternatives: Vec<Alternative>,
    bytes: usize,
}

impl Pattern {
    /// Compiles a pattern as AWS's engine does.
    pub fn compile(pattern: &str) -> Result<Self, Error> {
        Self::of(compile::written(pattern)?)
    }

    /// Of alternatives as they are written, what the engine makes.
    pub(crate) fn of(written: Vec<Alternative>) -> Result<Self, Error> {
        let alternatives = compile::as_added(written)?;
        let mut names = Names::default();
        for condition in alternatives.iter().flatten() {
            names.add(&condition.name);
        }
        let bytes = bytes(&alternatives);
        Ok(Self {
            names,
            alternatives,
            bytes,
        })
    }

    /// Whether the event, a JSON object, matches.
    pub fn matches(&self, event_json: &str) -> Result<bool, EventError> {
        self.matches_with(event_json, &Steps::new(STEPS_MAX))
    }

    /// The same in so many steps at most; those that were taken are subtracted.
    pub fn matches_within(&self, event_json: &str, steps: &mut usize) -> Result<bool, EventError> {
        let counted = Steps::new(*steps);
        let matches = self.matches_with(event_json, &counted);
        *steps = counted.left();
        matches
    }

    fn matches_with(&self, event_json: &str, steps: &Steps) -> Result<bool, EventError> {
        with_gathered(|gathered| {
            let event = gathered.read(&self.names, event_json)?;
            for alternative in &self.alternatives {
                if Choice::new(self.numbered(alternative), event, steps)?.exists(steps)? {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }

    /// Its size in memory, estimated. In a [`Matcher`](crate::Matcher) it takes about as much again.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The conditions of an alternative, with the numbers of their names.
    pub(crate) fn numbered<'a>(
        &'a self,
        alternative: &'a Alternative,
    ) -> impl Iterator<Item = (&'a Condition, Option<u32>)> {
        alternative
            .iter()
            .map(|condition| (&**condition, self.names.number(&condition.name)))
    }
}

/// The size of a pattern's alternatives, of which many share their conditions.
fn bytes(alternatives: &[Alternative]) -> usize {
    /// Of a condition, besides its texts.
    const CONDITION: usize = 256;
    let (mut conditions, mut automata) = (HashSet::new(), HashSet::new());
    let mut bytes = size_of::<Pattern>();
    for alternative in alternatives {
        bytes += size_of::<Alternative>() + alternative.len() * size_of::<Arc<Condition>>();
        for condition in alternative
            .iter()
            .filter(|one| conditions.insert(Arc::as_ptr(one)))
        {
            bytes += CONDITION + 2 * condition.name.len() + condition.source.len() + condition.any_of.bytes();
            let automaton = condition.any_of.automaton();
            let fresh = automaton.filter(|automaton| automata.insert(Arc::as_ptr(automaton)));
            bytes += fresh.map_or(0, |automaton| automaton.bytes());
        }
    }
    bytes
}
