//! What the engine's bookkeeping makes of the alternatives when they are added.
//!
//! When a rule is added, the engine looks whether the same rule was added before, and takes an alternative for a repeat
//! when for each of its fields one test, not all, is also in an earlier alternative. So of
//! `{"$or": [{"a": [1, 2]}, {"a": [2, 3]}]}` the second is lost, and 3 does not match. This follows that bookkeeping, and
//! finds the tests that come to share an automaton on the way.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::{Alternative, Condition, Error};
use crate::engine::Engine;
use crate::test::{Test, Tests, lost_before};

/// Steps after which no more repeats are looked for.
const STEPS_MAX: usize = 100_000;
/// An alternative of more paths than this is taken as if all went the way of the first.
const PATHS_MAX: usize = 64;

/// The alternatives that the engine keeps, as it understands them.
pub(super) fn as_added(alternatives: Vec<Alternative>) -> Vec<Alternative> {
    let odd = Engine::is_odd(
        alternatives
            .iter()
            .flatten()
            .flat_map(|condition| &condition.tests.list),
    );
    if alternatives.len() < 2 && !odd {
        return alternatives;
    }
    let mut machine = Machine::new(&alternatives);
    let kept: Vec<bool> = alternatives
        .iter()
        .enumerate()
        .map(|(id, alternative)| machine.add(id, alternative))
        .collect();
    let beside = Beside {
        numeric: machine.numeric(),
        lost: machine.lost(),
        engines: if odd { machine.engines() } else { HashMap::new() },
    };
    let kept = (0..alternatives.len()).filter(|id| kept[*id]);
    if beside.is_nothing() {
        return kept.map(|id| alternatives[id].clone()).collect();
    }
    kept.flat_map(|id| {
        let alternative = &alternatives[id];
        let paths = machine.paths(id, alternative, &beside);
        paths
            .into_iter()
            .map(|path| beside.placed(alternative, &path))
            .collect::<Vec<_>>()
    })
    .collect()
}

/// The complexity of the field whose wildcards are the most complex, or `most` if that is less.
pub(super) fn complexity(alternatives: &[Alternative], most: usize) -> usize {
    let tests = alternatives
        .iter()
        .flatten()
        .flat_map(|condition| &condition.tests.list);
    if !tests.into_iter().any(is_wildcard) {
        return 0;
    }
    let mut machine = Machine::new(alternatives);
    for (id, alternative) in alternatives.iter().enumerate() {
        machine.add(id, alternative);
    }
    machine.complexity(most)
}

fn is_wildcard(test: &Test) -> bool {
    matches!(test, Test::Wildcard(_) | Test::NotWildcards(_))
}

/// Some lists the engine cannot add.
pub(super) fn addable(alternatives: &[Alternative]) -> Result<(), Error> {
    alternatives
        .iter()
        .flatten()
        .try_for_each(|condition| addable_list(condition))
}

fn addable_list(condition: &Condition) -> Result<(), Error> {
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

/// A field as it is tried from a place.
type At<'a> = (usize, &'a [u8]);
type Engines<'a> = HashMap<At<'a>, Arc<Engine>>;

/// What the tests of a field, as it is tried from a place, do to each other.
struct Beside<'a> {
    /// Where numbers are compared.
    numeric: HashSet<At<'a>>,
    /// Tests that the engine loses, from each place.
    lost: HashSet<(usize, *const Test)>,
    /// Where texts get in each other's way.
    engines: Engines<'a>,
}

/// A way through the places: for each condition the place that it is tried from, and the tests that lead on.
type Way = Vec<(usize, Vec<usize>)>;

impl Beside<'_> {
    /// Whether all tests mean what they say.
    fn is_nothing(&self) -> bool {
        self.numeric.is_empty() && self.lost.is_empty() && self.engines.is_empty()
    }

    /// Whether the engine loses the test, as it is tried from a place.
    fn loses(&self, from: usize, test: &Test) -> bool {
        self.lost.contains(&(from, std::ptr::from_ref(test)))
    }

    /// Whether from both places the tests of the condition mean the same.
    fn alike(&self, condition: &Condition, one: usize, other: usize) -> bool {
        let (one, other) = ((one, &*condition.name), (other, &*condition.name));
        self.numeric.contains(&one) == self.numeric.contains(&other)
            && self.engines.get(&one) == self.engines.get(&other)
            && condition
                .tests
                .list
                .iter()
                .all(|test| self.loses(one.0, test) == self.loses(other.0, test))
    }

    /// An alternative whose conditions know what the tests beside them in the engine do to theirs.
    fn placed(&self, alternative: &Alternative, way: &Way) -> Alternative {
        alternative
            .iter()
            .zip(way)
            .map(|(condition, (from, tests))| self.placed_one(condition, *from, tests))
            .collect()
    }

    fn placed_one(&self, condition: &Arc<Condition>, from: usize, tests: &[usize]) -> Arc<Condition> {
        let at = (from, &*condition.name);
        let (engine, numeric) = (self.engines.get(&at), self.numeric.contains(&at));
        let list = &condition.tests.list;
        let whole = tests.len() == list.len() && !list.iter().any(|test| self.loses(from, test));
        if whole && engine.is_none() && !numeric {
            return Arc::clone(condition);
        }
        let mut tests = if whole {
            condition.tests.clone()
        } else {
            let kept = tests.iter().map(|at| &list[*at]);
            Tests::new(
                kept.map(|test| {
                    if self.loses(from, test) {
                        test.clone().lost()
                    } else {
                        test.clone()
                    }
                })
                .collect(),
            )
        };
        if let Some(engine) = engine {
            tests = tests.with_engine(engine);
        }
        if numeric {
            tests = tests.beside_numbers();
        }
        Arc::new(Condition {
            tests,
            ..Condition::clone(condition)
        })
    }
}

type Ids = BTreeSet<usize>;

/// A place reached after some fields have passed.
#[derive(Default)]
struct State<'a> {
    ends: HashMap<&'a Test, Ids>,
    passes: HashMap<&'a Test, Ids>,
}

/// A field as it is tried from one place.
#[derive(Default)]
struct Field<'a> {
    /// In the order in which they are added.
    tests: Vec<&'a Test>,
    /// Where tests lead that the automaton does not hold.
    next: HashMap<&'a Test, usize>,
    engine: Option<Engine>,
    /// The places that values lead to.
    leads_to: BTreeSet<usize>,
}

#[derive(Default)]
struct Machine<'a> {
    states: Vec<State<'a>>,
    steps: usize,
    fields: HashMap<At<'a>, Field<'a>>,
    /// Where the tests of an alternative's condition lead from a place.
    leads: HashMap<(usize, usize, usize), Vec<usize>>,
    /// Some tests may not be found again when they are added again.
    forgetful: bool,
}

impl<'a> Machine<'a> {
    /// A machine to which the alternatives may be added.
    fn new(alternatives: &[Alternative]) -> Self {
        let mut tests = alternatives
            .iter()
            .flatten()
            .flat_map(|condition| &condition.tests.list);
        Self {
            states: vec![State::default()],
            forgetful: tests.any(is_wildcard),
            ..Self::default()
        }
    }

    /// Adds an alternative: false if it passes for a repeat.
    fn add(&mut self, id: usize, alternative: &'a Alternative) -> bool {
        let mut reached = vec![BTreeSet::new(); alternative.len()];
        if !self.step(0, (id, alternative), 0, &mut reached).is_empty() {
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

    /// The ways through an alternative that was kept: one, unless the tests of a field lead to places in which a later field
    /// means something else.
    fn paths(&self, id: usize, alternative: &Alternative, beside: &Beside<'_>) -> Vec<Way> {
        let mut ways = Vec::new();
        self.walk((id, alternative), 0, &mut Vec::new(), &mut ways);
        let all_alike = alternative.iter().enumerate().all(|(at, condition)| {
            let mut from = ways.iter().map(|way: &Way| way[at].0);
            let first = from.next().unwrap_or_default();
            from.all(|other| beside.alike(condition, first, other))
        });
        if !all_alike && ways.len() <= PATHS_MAX {
            return ways;
        }
        let whole = |(condition, (from, _)): (&Arc<Condition>, &(usize, Vec<usize>))| {
            (*from, (0..condition.tests.list.len()).collect())
        };
        let first = ways
            .first()
            .map(|way| alternative.iter().zip(way).map(whole).collect());
        first.into_iter().collect()
    }

    fn walk(
        &self,
        (id, alternative): (usize, &Alternative),
        from: usize,
        way: &mut Way,
        ways: &mut Vec<Way>,
    ) {
        let at = way.len();
        if ways.len() > PATHS_MAX {
            return;
        }
        if at == alternative.len() {
            ways.push(way.clone());
            return;
        }
        let all = alternative[at].tests.list.len();
        let leads = self.leads.get(&(id, at, from)).map_or(&[][..], Vec::as_slice);
        // Where the last field leads to is the same to all that comes after, which is nothing.
        let next = |test: usize| {
            if at + 1 == alternative.len() {
                0
            } else {
                leads.get(test).copied().unwrap_or_default()
            }
        };
        let mut done = BTreeSet::new();
        for test in 0..all {
            if done.insert(next(test)) {
                let alike = (0..all).filter(|other| next(*other) == next(test)).collect();
                way.push((from, alike));
                self.walk((id, alternative), next(test), way, ways);
                way.pop();
            }
        }
    }

    /// Tests that the engine loses when it adds a later one to the same field.
    fn lost(&self) -> HashSet<(usize, *const Test)> {
        let of_field = |((from, _), field): (&At<'_>, &Field<'_>)| {
            let lost = lost_before(field.tests.iter().copied()).into_iter();
            lost.map(|at| (*from, std::ptr::from_ref(field.tests[at])))
                .collect::<Vec<_>>()
        };
        self.fields.iter().flat_map(of_field).collect()
    }

    /// An automaton for each field whose tests get in each other's way.
    fn engines(&mut self) -> Engines<'a> {
        let odd = self
            .fields
            .iter_mut()
            .filter(|(_, field)| Engine::is_odd(field.tests.iter().copied()));
        odd.filter_map(|(at, field)| Some((*at, Arc::new(field.engine.take()?))))
            .collect()
    }

    /// The fields at which numbers are compared.
    fn numeric(&self) -> HashSet<At<'a>> {
        let fields = self.fields.iter();
        let numeric = fields.filter(|(_, field)| field.tests.iter().any(|test| test.is_numeric()));
        numeric.map(|(at, _)| *at).collect()
    }

    /// The engine does not look behind a field that may be absent, unless a test of a value leads there too.
    fn complexity(&self, most: usize) -> usize {
        let mut fields: HashMap<usize, Vec<&Field<'_>>> = HashMap::new();
        for ((from, _), field) in &self.fields {
            fields.entry(*from).or_default().push(field);
        }
        let mut reached = BTreeSet::from([0]);
        let mut open = vec![0];
        let mut worst = 0;
        while let Some(state) = open.pop() {
            for field in fields.get(&state).into_iter().flatten() {
                let engine = field.engine.as_ref();
                worst = worst.max(engine.map_or(0, |engine| engine.complexity(most)));
                if worst == most {
                    return most;
                }
                open.extend(field.leads_to.iter().filter(|state| reached.insert(**state)));
            }
        }
        worst
    }

    fn step(
        &mut self,
        from: usize,
        (id, alternative): (usize, &'a Alternative),
        at: usize,
        reached: &mut [BTreeSet<usize>],
    ) -> Ids {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return Ids::new();
        }
        let condition = &*alternative[at];
        let leads = self.enter(from, condition);
        let mut seen = BTreeSet::new();
        let states: Vec<usize> = leads
            .iter()
            .copied()
            .filter(|state| seen.insert(*state))
            .collect();
        self.leads.insert((id, at, from), leads);
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
            found = self.step(*state, (id, alternative), at + 1, reached);
            if !found.is_empty() {
                here = Some(self.shared(*state, &condition.tests.list, false));
            }
        }
        let here = here.unwrap_or_default();
        found.retain(|id| here.contains(id));
        found
    }

    /// A test leads where it led before, or else where the one before it in the list leads.
    fn enter(&mut self, from: usize, condition: &'a Condition) -> Vec<usize> {
        let mut states = Vec::new();
        let field = self.fields.entry((from, &condition.name)).or_default();
        for test in &condition.tests.list {
            let fresh = self.states.len();
            let next = states.last().copied().unwrap_or(fresh);
            field.tests.push(test);
            let state = if self.forgetful && test.is_text() {
                field.engine.get_or_insert_with(Engine::new).put(test, next)
            } else {
                *field.next.entry(test).or_insert(next)
            };
            if state == fresh {
                self.states.push(State::default());
            }
            if *test != Test::Absent {
                field.leads_to.insert(state);
            }
            states.push(state);
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
