//! One event against all rules: conditions by their indexes, then the alternatives whose pivot holds.

use std::collections::BTreeSet;

use super::{Alternative, Matcher};
use crate::any_of::AnyOf;
use crate::choice::Choice;
use crate::error::EventError;
use crate::event::Event;
use crate::steps::Steps;
use crate::value::Value;

/// What is known of a condition, for one event.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Tried {
    #[default]
    Fails,
    Holds,
    /// It holds, and the alternatives whose pivot it is were evaluated.
    Done,
}

/// One event against all rules.
pub(super) struct Run<'a, 's, Id> {
    pub(super) matcher: &'a Matcher<Id>,
    pub(super) event: Event<'s>,
    pub(super) number: u32,
    pub(super) tried: &'s mut [(u32, Tried)],
    pub(super) matched: &'s mut [u32],
    pub(super) used: &'s mut [(u32, usize)],
    pub(super) ids: Vec<&'a Id>,
    /// Alternatives whose rule has taken its part of the steps.
    pub(super) put_off: Vec<u32>,
    pub(super) part: usize,
    pub(super) steps: &'s Steps,
}

impl<'a, Id> Run<'a, '_, Id> {
    /// Looks for all rules that match; gives those of which it is not known whether they do.
    pub(super) fn all(&mut self) -> Vec<&'a Id> {
        let matcher = self.matcher;
        if self.each().is_err() {
            let rules = matcher.ids.iter();
            let unmatched = rules.filter(|(_, rule)| self.matched[**rule as usize] != self.number);
            return unmatched.map(|(id, _)| id).collect();
        }
        let mut undecided = BTreeSet::new();
        for at in std::mem::take(&mut self.put_off) {
            if let Some(alternative) = matcher.alternatives.get(at)
                && self.matched[alternative.rule as usize] != self.number
                && self.decide(alternative, self.steps.left()).is_err()
            {
                undecided.insert(alternative.rule);
            }
        }
        undecided.retain(|rule| self.matched[*rule as usize] != self.number);
        let rules = undecided.into_iter().filter_map(|rule| matcher.rules.get(rule));
        rules.map(|rule| &rule.id).collect()
    }

    fn each(&mut self) -> Result<(), EventError> {
        let matcher = self.matcher;
        let mut hits = Vec::new();
        for (name, value) in self.event.all() {
            let Some(index) = matcher.indexes.get(name as usize) else {
                continue;
            };
            index.hits(value, &mut hits, self.steps, |at| self.passes(at, value))?;
            for at in hits.drain(..) {
                self.holds(at)?;
            }
        }
        for at in &matcher.unindexed {
            self.try_alternative(*at, None)?;
        }
        // A condition that could not be tried passed for one that fails.
        self.steps.take(1)
    }

    fn passes(&self, at: u32, value: Value<'_>) -> bool {
        let passes = |any_of: &AnyOf| self.steps.take(any_of.steps(value)).is_ok() && any_of.pass(value);
        self.tried[at as usize] != (self.number, Tried::Done)
            && self
                .matcher
                .conditions
                .get(at)
                .is_some_and(|shared| passes(&shared.condition.any_of))
    }

    /// A condition holds: evaluates the alternatives whose pivot it is, once.
    fn holds(&mut self, at: u32) -> Result<(), EventError> {
        let tried = &mut self.tried[at as usize];
        if *tried == (self.number, Tried::Done) {
            return Ok(());
        }
        *tried = (self.number, Tried::Done);
        let matcher = self.matcher;
        let dependents = matcher
            .conditions
            .get(at)
            .map_or(&[][..], |shared| &shared.dependents);
        dependents
            .iter()
            .try_for_each(|alternative| self.try_alternative(*alternative, Some(at)))
    }

    fn try_alternative(&mut self, at: u32, pivot: Option<u32>) -> Result<(), EventError> {
        let matcher = self.matcher;
        let Some(alternative) = matcher.alternatives.get(at) else {
            return Ok(());
        };
        if self.matched[alternative.rule as usize] == self.number {
            return Ok(());
        }
        self.steps.take(1 + alternative.conditions.len() / 4)?;
        for one in &alternative.conditions {
            if Some(*one) != pivot && !self.may_hold(*one)? {
                return Ok(());
            }
        }
        if !self.needs_choice(alternative) {
            self.matches(alternative.rule);
            return Ok(());
        }
        let used = &mut self.used[alternative.rule as usize];
        if used.0 != self.number {
            *used = (self.number, 0);
        }
        let part = self.part.saturating_sub(used.1);
        if self.decide(alternative, part).is_err() {
            self.put_off.push(at);
        }
        Ok(())
    }

    /// Decides on an alternative by the choice among elements, in so many steps.
    fn decide(&mut self, alternative: &'a Alternative, steps: usize) -> Result<(), EventError> {
        let part = self.steps.part(steps);
        let began = part.left();
        let holds = self.choice(alternative, &part);
        self.used[alternative.rule as usize].1 += self.steps.used_of(&part, began);
        if holds? {
            self.matches(alternative.rule);
        }
        Ok(())
    }

    fn matches(&mut self, rule: u32) {
        self.matched[rule as usize] = self.number;
        self.ids.extend(self.matcher.rules.get(rule).map(|rule| &rule.id));
    }

    /// Whether some value passes, or the field may be absent. A field that is absent from some elements only is left to
    /// the choice among them.
    fn may_hold(&mut self, at: u32) -> Result<bool, EventError> {
        let (event, tried) = self.tried[at as usize];
        if event == self.number {
            return Ok(tried != Tried::Fails);
        }
        let Some(shared) = self.matcher.conditions.get(at) else {
            return Ok(false);
        };
        let any_of = &shared.condition.any_of;
        let mut holds =
            any_of.absent() && (!self.event.has(shared.name) || self.event.in_elements(shared.name));
        let mut values = self.event.values(shared.name);
        while !holds && let Some(value) = values.next() {
            self.steps.take(any_of.steps(value))?;
            holds = any_of.pass(value);
        }
        self.tried[at as usize] = (self.number, if holds { Tried::Holds } else { Tried::Fails });
        Ok(holds)
    }

    /// Whether values from different elements may have to be kept apart: two fields have some.
    fn needs_choice(&self, alternative: &Alternative) -> bool {
        let in_elements = |at: &&u32| {
            self.matcher
                .conditions
                .get(**at)
                .is_some_and(|shared| self.event.in_elements(shared.name))
        };
        self.event.has_elements() && {
            let mut fields = alternative.conditions.iter().filter(in_elements);
            fields
                .next()
                .is_some_and(|first| fields.next().is_some() || self.may_be_absent(*first))
        }
    }

    fn may_be_absent(&self, at: u32) -> bool {
        self.matcher
            .conditions
            .get(at)
            .is_some_and(|shared| shared.condition.any_of.absent())
    }

    fn choice(&self, alternative: &Alternative, steps: &Steps) -> Result<bool, EventError> {
        let shared = alternative
            .conditions
            .iter()
            .filter_map(|at| self.matcher.conditions.get(*at));
        let conditions = shared.map(|shared| (&*shared.condition, Some(shared.name)));
        Choice::new(conditions, self.event, steps)?.exists(steps)
    }
}
