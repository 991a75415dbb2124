//! What the engine's bookkeeping makes of the alternatives when they are added.
//!
//! When a rule is added, the engine looks whether the same rule was added before, and takes an alternative for a repeat
//! when for each of its fields one test, not all, is also in an earlier alternative. So of
//! `{"$or": [{"a": [1, 2]}, {"a": [2, 3]}]}` the second is lost, and 3 does not match. This follows that bookkeeping, and
//! finds the tests that come to share an automaton on the way.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::{Alternative, Condition, Error};
use crate::engine::Engine;
use crate::test::Test;

/// Steps after which no more repeats are looked for.
const STEPS_MAX: usize = 100_000;

/// The alternatives that the engine keeps, as it understands them.
pub(super) fn as_added(alternatives: Vec<Alternative>) -> Result<Vec<Alternative>, Error> {
    alternatives
        .iter()
        .flatten()
        .try_for_each(|condition| addable(condition))?;
    let odd = Engine::is_odd(
        alternatives
            .iter()
            .flatten()
            .flat_map(|condition| &condition.tests.list),
    );
    if alternatives.len() < 2 && !odd {
        return Ok(alternatives);
    }
    let mut machine = Machine::default();
    machine.states.push(State::default());
    let added: Vec<(bool, Vec<usize>)> = alternatives
        .iter()
        .enumerate()
        .map(|(id, alternative)| machine.add(id, alternative))
        .collect();
    let engines = if odd { machine.engines() } else { HashMap::new() };
    let kept = alternatives.iter().zip(&added).filter(|(_, (kept, _))| *kept);
    Ok(kept
        .map(|(alternative, (_, from))| with_engines(alternative, from, &engines))
        .collect())
}

/// Some lists the engine cannot add.
fn addable(condition: &Condition) -> Result<(), Error> {
    let list = &condition.tests.list;
    if list.first() == Some(&Test::Never) {
        return Err(Error::limit(
            "Empty arrays are not allowed".to_owned(),
            "at least one value",
        ));
    }
    if list
        .iter()
        .any(|test| matches!(test, Test::Range { low, high, .. } if low == high))
    {
        // It looks for the digit in which the bounds differ, and runs off the end.
        let reason = "Index 10 out of bounds for length 10".to_owned();
        return Err(Error::limit(reason, "a bound within the range of a double"));
    }
    Ok(())
}

type Engines<'a> = HashMap<(usize, &'a [u8]), Arc<Engine>>;

fn with_engines(alternative: &Alternative, from: &[usize], engines: &Engines<'_>) -> Alternative {
    let place = |(condition, from): (&Arc<Condition>, &usize)| match engines.get(&(*from, &*condition.name)) {
        Some(engine) => {
            let tests = condition.tests.with_engine(engine);
            Arc::new(Condition {
                tests,
                ..Condition::clone(condition)
            })
        }
        None => Arc::clone(condition),
    };
    alternative.iter().zip(from).map(place).collect()
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
    /// The tests of each field from each state, in the order in which they are added.
    fields: HashMap<(usize, &'a [u8]), Vec<&'a Test>>,
}

impl<'a> Machine<'a> {
    /// Adds an alternative: false if it passes for a repeat, and the state from which each condition is tried.
    fn add(&mut self, id: usize, alternative: &'a Alternative) -> (bool, Vec<usize>) {
        let mut reached = vec![BTreeSet::new(); alternative.len()];
        if !self.step(0, alternative, 0, &mut reached).is_empty() {
            return (false, Vec::new());
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
        let from =
            std::iter::once(0).chain(reached.iter().map(|states| states.first().copied().unwrap_or(0)));
        (true, from.collect())
    }

    /// An automaton for each field whose tests get in each other's way.
    fn engines(&self) -> Engines<'a> {
        let odd = self
            .fields
            .iter()
            .filter(|(_, tests)| Engine::is_odd(tests.iter().copied()));
        odd.map(|(field, tests)| (*field, Arc::new(Engine::new(tests))))
            .collect()
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
        self.fields
            .entry((from, &condition.name))
            .or_default()
            .extend(&condition.tests.list);
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
