//! A pattern by itself.

use crate::choice::Choice;
use crate::compile::{self, Alternative, Condition};
use crate::error::{Error, EventError};
use crate::event::with_gathered;
use crate::names::Names;

/// A compiled event pattern.
#[derive(Debug)]
pub struct Pattern {
    pub(crate) names: Names,
    pub(crate) alternatives: Vec<Alternative>,
}

impl Pattern {
    /// Compiles a pattern as AWS's engine does.
    pub fn compile(pattern: &str) -> Result<Self, Error> {
        let alternatives = compile::compile(pattern)?;
        let mut names = Names::default();
        for condition in alternatives.iter().flatten() {
            names.add(&condition.name);
        }
        Ok(Self { names, alternatives })
    }

    /// Whether the event, a JSON object, matches.
    pub fn matches(&self, event_json: &str) -> Result<bool, EventError> {
        with_gathered(|gathered| {
            let event = gathered.read(&self.names, event_json)?;
            let mut steps = 0;
            for alternative in &self.alternatives {
                if Choice::new(self.numbered(alternative), event).exists(&mut steps)? {
                    return Ok(true);
                }
            }
            Ok(false)
        })
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
