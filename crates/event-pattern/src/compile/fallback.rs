//! Alternatives that the engine loses.
//!
//! When a rule is added, the engine looks whether the same rule was added before, and takes an alternative for a repeat
//! when for each of its fields one test, not all, is also in an earlier alternative. So of
//! `{"$or": [{"a": [1, 2]}, {"a": [2, 3]}]}` the second is lost, and 3 does not match. This follows that bookkeeping.

use std::collections::{BTreeSet, HashMap};

use super::{Alternative, Error};
use crate::test::Test;

/// Steps after which no more repeats are looked for.
const STEPS_MAX: usize = 100_000;

/// The alternatives that the engine keeps.
pub(super) fn without_repeats(alternatives: Vec<Alternative>) -> Result<Vec<Alternative>, Error> {
    for condition in alternatives.iter().flatten() {
        if condition.tests.list.first() == Some(&Test::Never) {
            return Err(Error::limit(
                "Empty arrays are not allowed".to_owned(),
                "at least one value",
            ));
        }
        if condition
            .tests
            .list
            .iter()
            .any(|test| matches!(test, Test::Range { low, high, .. } if low == high))
        {
            // The engine looks for the digit in which the bounds differ, and runs off the end.
            let reason = "Index 10 out of bounds for length 10".to_owned();
            return Err(Error::limit(reason, "a bound within the range of a double"));
        }
    }
    if alternatives.len() < 2 {
        return Ok(alternatives);
    }
    let mut machine = Machine::default();
    machine.states.push(State::default());
    let kept: Vec<bool> = (0..alternatives.len())
        .map(|id| machine.add(id, &alternatives[id]))
        .collect();
    let mut kept = kept.into_iter();
    Ok(alternatives
        .into_iter()
        .filter(|_| kept.next().unwrap_or(true))
        .collect())
}

type Ids = BTreeSet<usize>;

/// A place reached after some fields have passed.
#[derive(Default)]
struct State<'a> {
    next: HashMap<(&'a [u8], &'a Test), usize>,
    ends: HashMap<&'a Test, Ids>,
    passes: HashMap<&'a Test, Ids>,
}

#[derive(Default)]
struct Machine<'a> {
    states: Vec<State<'a>>,
    steps: usize,
}

impl<'a> Machine<'a> {
    /// Adds an alternative; false if it passes for a repeat.
    fn add(&mut self, id: usize, alternative: &'a Alternative) -> bool {
        let mut reached = vec![BTreeSet::new(); alternative.len()];
        if !self.step(0, alternative, 0, &mut reached).is_empty() {
            return false;
        }
        for (at, condition) in alternative.iter().enumerate() {
            let last = at + 1 == alternative.len();
            for test in &condition.tests.list {
                for state in &reached[at] {
                    let state = &mut self.states[*state];
                    let ids = if last { &mut state.ends } else { &mut state.passes };
                    ids.entry(test).or_default().insert(id);
                }
            }
        }
        true
    }

    fn step(
        &mut self,
        from: usize,
        alternative: &'a Alternative,
        at: usize,
        reached: &mut [BTreeSet<usize>],
    ) -> Ids {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return Ids::new();
        }
        let condition = &*alternative[at];
        let states = self.enter(from, condition);
        reached[at].extend(&states);
        let mut found = Ids::new();
        if at + 1 == alternative.len() {
            for state in &states {
                found = self.shared(*state, &condition.tests.list, true);
            }
            return found;
        }
        let mut here = None;
        for state in &states {
            found = self.step(*state, alternative, at + 1, reached);
            if !found.is_empty() {
                here = Some(self.shared(*state, &condition.tests.list, false));
            }
        }
        let here = here.unwrap_or_default();
        found.retain(|id| here.contains(id));
        found
    }

    /// A test leads where it led before, or else where the one before it in the list leads.
    fn enter(&mut self, from: usize, condition: &'a super::Condition) -> Vec<usize> {
        let mut states = Vec::new();
        let mut last = None;
        for test in &condition.tests.list {
            let known = self.states[from].next.get(&(&*condition.name, test)).copied();
            let state = known.or(last).unwrap_or_else(|| {
                self.states.push(State::default());
                self.states.len() - 1
            });
            self.states[from].next.insert((&condition.name, test), state);
            last = Some(state);
            if !states.contains(&state) {
                states.push(state);
            }
        }
        states
    }

    fn shared(&self, state: usize, tests: &[Test], ends: bool) -> Ids {
        let state = &self.states[state];
        let by_test = if ends { &state.ends } else { &state.passes };
        tests
            .iter()
            .filter_map(|test| by_test.get(test))
            .flatten()
            .copied()
            .collect()
    }
}
