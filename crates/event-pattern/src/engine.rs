//! The engine's automaton for the texts of one field, with the mistakes it makes.
//!
//! The engine keeps all tests of a field in one automaton over bytes, and shares its states between them. Beside a
//! wildcard it shares too much: of `[{"wildcard": "*a"}, {"equals-ignore-case": "A"}]` it makes something that every text
//! of one character passes. Which texts pass follows from the order in which the states were made, so the automaton is
//! made here in that order. It is used only where a wildcard meets a test in which it may matter; elsewhere each test
//! means what it says.

mod complexity;
mod letters;
mod state;

use std::collections::{BTreeSet, HashMap};
use std::hash::{Hash, Hasher};

use crate::test::Test;
use letters::Letter;
pub(crate) use letters::{java_set_order, quoted};
use state::{Single, State};

/// An automaton of more states times bytes of a value than this is not run.
const WORK_MAX: usize = 50_000_000;

/// The automaton of the tests that reach one field in the same place, in the order in which they were added.
#[derive(Debug)]
pub(crate) struct Engine {
    tests: Vec<Test>,
    numbers: HashMap<Test, usize>,
    states: Vec<State>,
    /// Ends of tests, and the place in the pattern that each leads to. A test may end several times.
    matches: Vec<(usize, usize)>,
    ends: HashMap<(usize, usize), usize>,
    /// A state and an end that both hang on one byte.
    composites: Vec<(usize, usize)>,
    /// Ends of tests for whole texts that hang on the first byte that no other test has.
    shortcuts: Vec<usize>,
    has_suffix: bool,
}

impl PartialEq for Engine {
    fn eq(&self, other: &Self) -> bool {
        self.tests == other.tests
    }
}

impl Eq for Engine {}

impl Hash for Engine {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.tests.hash(state);
    }
}

const START: usize = 0;

impl Engine {
    /// Whether these tests, together, may mean other than each alone.
    pub(crate) fn is_odd<'a>(mut tests: impl Iterator<Item = &'a Test> + Clone) -> bool {
        let wild = |test: &Test| match test {
            Test::Wildcard(wildcard) => wildcard.parts.len() > 1,
            Test::NotWildcards(list) => list.iter().any(|wildcard| wildcard.parts.len() > 1),
            _ => false,
        };
        let touchy = |test: &Test| {
            matches!(
                test,
                Test::IgnoreCase(_)
                    | Test::PrefixIgnoreCase(_)
                    | Test::SuffixIgnoreCase(_)
                    | Test::NotIgnoreCase(_)
                    | Test::Suffix(_)
                    | Test::NotSuffixes(_)
            )
        };
        tests.clone().any(wild) && tests.any(touchy)
    }

    pub(crate) fn new() -> Self {
        Self {
            tests: Vec::new(),
            numbers: HashMap::new(),
            states: vec![State::default()],
            matches: Vec::new(),
            ends: HashMap::new(),
            composites: Vec::new(),
            shortcuts: Vec::new(),
            has_suffix: false,
        }
    }

    /// Adds a test, and gives the place in the pattern that it leads to: where it led before if it is found again, else
    /// `next`. One with something after a star is not found again.
    pub(crate) fn put(&mut self, test: &Test, next: usize) -> usize {
        let at = self.number(test).unwrap_or_else(|| {
            self.tests.push(Test::clone(test));
            self.numbers.insert(Test::clone(test), self.tests.len() - 1);
            self.tests.len() - 1
        });
        let rows = letters::of(test);
        rows.iter()
            .fold(next, |next, letters| self.add(letters, at, next))
    }

    /// The number of a test among those that were added.
    pub(crate) fn number(&self, test: &Test) -> Option<usize> {
        self.numbers.get(test).copied()
    }

    /// The tests that a text passes, by number; `None` if that would take too long.
    pub(crate) fn passed(&self, text: &[u8]) -> Option<BTreeSet<usize>> {
        if self.states.len().saturating_mul(text.len()) > WORK_MAX {
            return None;
        }
        let value = [b"\"", text, b"\""].concat();
        let mut hits = BTreeSet::new();
        if self.has_suffix {
            self.run(value.iter().rev().copied(), |at, _| {
                if letters::is_suffix(&self.tests[at]) {
                    hits.insert(at);
                }
            });
        }
        let mut shortcuts = BTreeSet::new();
        let last = value.len() - 1;
        self.run_with(value.iter().copied(), &mut shortcuts, |at, place| {
            if !letters::is_suffix(&self.tests[at]) && (place == last || letters::is_prefix(&self.tests[at]))
            {
                hits.insert(at);
            }
        });
        hits.extend(
            shortcuts
                .into_iter()
                .filter(|at| matches!(&self.tests[*at], Test::String(whole) if whole == text)),
        );
        // What a denial says no to is what it hit.
        let denials = (0..self.tests.len()).filter(|at| letters::is_denial(&self.tests[*at]));
        let (denied, kept): (BTreeSet<usize>, BTreeSet<usize>) = hits
            .into_iter()
            .partition(|at| letters::is_denial(&self.tests[*at]));
        Some(
            kept.into_iter()
                .chain(denials.filter(|at| !denied.contains(at)))
                .collect(),
        )
    }

    fn run(&self, bytes: impl Iterator<Item = u8>, hit: impl FnMut(usize, usize)) {
        self.run_with(bytes, &mut BTreeSet::new(), hit);
    }

    fn run_with(
        &self,
        bytes: impl Iterator<Item = u8>,
        shortcuts: &mut BTreeSet<usize>,
        mut hit: impl FnMut(usize, usize),
    ) {
        let mut states = BTreeSet::from([START]);
        for (place, byte) in bytes.enumerate() {
            let singles: BTreeSet<Single> = states
                .iter()
                .flat_map(|state| self.states[*state].on(byte))
                .copied()
                .collect();
            for single in &singles {
                match single {
                    Single::Match(_) | Single::Composite(_) => {
                        self.test_on(*single, true)
                            .into_iter()
                            .for_each(|at| hit(at, place));
                    }
                    Single::Shortcut(_) => shortcuts.extend(self.test_on(*single, true)),
                    Single::State(_) => {}
                }
            }
            states = singles
                .iter()
                .filter_map(|single| self.next_state(*single))
                .collect();
            if states.is_empty() {
                return;
            }
        }
    }

    fn next_state(&self, single: Single) -> Option<usize> {
        match single {
            Single::State(state) => Some(state),
            Single::Composite(at) => Some(self.composites[at].0),
            Single::Match(_) | Single::Shortcut(_) => None,
        }
    }

    /// The test that hangs on a transition. Among several transitions a shortcut does not count.
    fn test_on(&self, single: Single, alone: bool) -> Option<usize> {
        self.end_on(single, alone).map(|end| self.matches[end].0)
    }

    fn end_on(&self, single: Single, alone: bool) -> Option<usize> {
        match single {
            Single::Match(at) => Some(at),
            Single::Composite(at) => Some(self.composites[at].1),
            Single::Shortcut(at) if alone => Some(self.shortcuts[at]),
            _ => None,
        }
    }

    fn ends_on<'a>(&'a self, singles: &'a BTreeSet<Single>) -> impl Iterator<Item = usize> + 'a {
        let alone = singles.len() == 1;
        singles
            .iter()
            .filter_map(move |single| self.end_on(*single, alone))
    }

    /// Where several transitions lead, by preference to a state with but one way to it.
    fn state_after(&self, singles: &BTreeSet<Single>) -> Option<usize> {
        let states = || singles.iter().filter_map(|single| self.next_state(*single));
        states()
            .find(|state| !self.states[*state].indeterminate)
            .or_else(|| states().next())
    }

    fn is_nothing(&self, singles: &BTreeSet<Single>) -> bool {
        self.ends_on(singles).next().is_none() && self.state_after(singles).is_none()
    }

    /// Where a letter leads from a state.
    fn on(&self, state: usize, letter: &Letter) -> BTreeSet<Single> {
        match letter {
            Letter::Byte(byte) => self.states[state].on(*byte).clone(),
            Letter::Any => self.states[state].on_all(),
            Letter::Either(forms) => {
                let mut common: Option<BTreeSet<Single>> = None;
                for form in forms {
                    let reached = self.on_bytes(state, form);
                    common = Some(match common {
                        Some(common) => common.intersection(&reached).copied().collect(),
                        None => reached,
                    });
                }
                common.unwrap_or_default()
            }
        }
    }

    fn on_bytes(&self, state: usize, bytes: &[u8]) -> BTreeSet<Single> {
        let mut reached = BTreeSet::from([Single::State(state)]);
        for byte in bytes {
            let states = reached.iter().filter_map(|single| match single {
                Single::State(state) => Some(*state),
                _ => None,
            });
            reached = states
                .flat_map(|state| self.states[state].on(*byte))
                .copied()
                .collect();
        }
        reached
    }

    fn new_state(&mut self, like: usize) -> usize {
        let indeterminate = self.states[like].indeterminate;
        self.states.push(State::new(indeterminate));
        self.states.len() - 1
    }

    fn link(&mut self, state: usize, letter: &Letter, single: Single) {
        match letter {
            Letter::Byte(byte) => self.states[state].add(*byte, single),
            Letter::Any => self.states[state].put_all(single),
            Letter::Either(forms) => {
                for form in forms {
                    let Some((last, before)) = form.split_last() else {
                        continue;
                    };
                    let mut current = state;
                    for byte in before {
                        let next = self.new_state(current);
                        self.states[next].indeterminate = true;
                        self.states[current].add(*byte, Single::State(next));
                        current = next;
                    }
                    self.states[current].add(*last, single);
                }
            }
        }
    }

    fn unlink(&mut self, state: usize, letter: &Letter, single: Single) {
        match letter {
            Letter::Byte(byte) => self.states[state].remove(*byte, single),
            Letter::Any => self.states[state].remove_all(single),
            Letter::Either(forms) => forms
                .iter()
                .for_each(|form| self.unlink_bytes(state, form, single)),
        }
    }

    fn unlink_bytes(&mut self, state: usize, bytes: &[u8], single: Single) {
        let [byte, rest @ ..] = bytes else { return };
        if rest.is_empty() {
            self.states[state].remove(*byte, single);
            return;
        }
        for between in self.states[state].on(*byte).clone() {
            if let Some(next) = self.next_state(between) {
                self.unlink_bytes(next, rest, single);
                if self.states[next].leads_nowhere(next) {
                    self.states[state].remove(*byte, between);
                }
            }
        }
    }
}

/// How a test is added.
impl Engine {
    fn add(&mut self, letters: &[Letter], test: usize, leads_to: usize) -> usize {
        let (mut state, mut before, mut at) = (START, None, 0);
        while at + 1 < letters.len() {
            let singles = self.on(state, &letters[at]);
            if self.is_nothing(&singles) {
                break;
            }
            let mut states = singles.iter().filter_map(|single| self.next_state(*single));
            let Some(next) = states.find(|next| self.may_share(state, *next, letters, at)) else {
                break;
            };
            (before, state) = (Some(state), next);
            at += 1;
        }
        self.add_rest((state, before), letters, at, (test, leads_to))
    }

    fn may_share(&self, state: usize, next: usize, letters: &[Letter], at: usize) -> bool {
        if next == state {
            return false;
        }
        if self.states[next].indeterminate {
            return !self.paths_meet(state, letters, at);
        }
        !(at + 2 == letters.len() && letters[at + 1] == Letter::Any)
    }

    fn paths_meet(&self, state: usize, letters: &[Letter], at: usize) -> bool {
        let Letter::Byte(_) = letters[at] else {
            return false;
        };
        let continues = |at: usize| letters.get(at).is_some_and(Letter::continues);
        let backwards = self.has_suffix && continues(at) && !(at > 0 && continues(at - 1));
        if continues(at) && !backwards {
            return false;
        }
        let all = self.states[state].on_all();
        if !self.is_nothing(&all) && all != BTreeSet::from([Single::State(state)]) {
            return true;
        }
        letters::has_case(&letters[at..], backwards)
    }

    fn add_rest(
        &mut self,
        (mut state, mut before): (usize, Option<usize>),
        letters: &[Letter],
        at: usize,
        (test, leads_to): (usize, usize),
    ) -> usize {
        let singles = self.on(state, &letters[at]);
        if let Some(shortcut) = only_shortcut(&singles) {
            let (known, next) = self.matches[self.shortcuts[shortcut]];
            if known == test {
                return next;
            }
            self.split_shortcut(state, letters, at, shortcut);
        }
        let whole = matches!(self.tests[test], Test::String(_));
        let mut may_cut_short = true;
        let mut at = at;
        while at + 1 < letters.len() && !(at + 2 == letters.len() && letters[at + 1] == Letter::Any) {
            let singles = self.on(state, &letters[at]);
            if self.is_nothing(&singles) {
                break;
            }
            let next = match self.state_after(&singles) {
                Some(next) if self.states[next].indeterminate => {
                    may_cut_short = false;
                    break;
                }
                Some(next) => next,
                None => {
                    let next = self.new_state(state);
                    if let Some(first) = singles.first() {
                        self.put_next(state, &letters[at], *first, Some(next));
                    }
                    next
                }
            };
            (before, state) = (Some(state), next);
            at += 1;
        }
        if whole && at + 1 < letters.len() && may_cut_short {
            let end = self.end_of(test, leads_to);
            self.shortcuts.push(end);
            self.link(state, &letters[at], Single::Shortcut(self.shortcuts.len() - 1));
            return leads_to;
        }
        while at + 1 < letters.len() {
            let next = self.next_or_new(state, before, letters, at);
            (before, state) = (Some(state), next);
            at += 1;
        }
        self.end((state, before), letters, (test, leads_to))
    }

    /// Makes way for a test that shares the beginning of another that was cut short.
    fn split_shortcut(&mut self, state: usize, letters: &[Letter], at: usize, shortcut: usize) {
        let end = self.shortcuts[shortcut];
        let old = self.letters_of_whole(end);
        let single = Single::Shortcut(shortcut);
        let common = at
            + old
                .iter()
                .zip(letters)
                .skip(at)
                .take_while(|(a, b)| a == b)
                .count();
        let mut first_new = None;
        let mut current = state;
        for k in at..common {
            if k + 1 != old.len() {
                let next = self.new_state(current);
                if k == at {
                    first_new = Some(next);
                } else {
                    self.put_next(current, &old[k], single, Some(next));
                }
                current = next;
            }
        }
        let still_short = common + 1 < old.len();
        let place = if still_short {
            common
        } else {
            old.len().saturating_sub(1)
        };
        let moved = if still_short {
            self.shortcuts.push(end);
            Single::Shortcut(self.shortcuts.len() - 1)
        } else {
            Single::Match(end)
        };
        self.link(current, &old[place], moved);
        self.unlink(current, &old[place], single);
        self.put_next(state, &letters[at], single, first_new);
    }

    fn letters_of_whole(&self, end: usize) -> Vec<Letter> {
        letters::of(&self.tests[self.matches[end].0])
            .pop()
            .unwrap_or_default()
    }

    /// Replaces a transition by one that leads to a state; what was cut short is lost, what ended stays.
    fn put_next(&mut self, state: usize, letter: &Letter, single: Single, next: Option<usize>) {
        let ended = match single {
            Single::Match(end) => Some(end),
            Single::Composite(at) => Some(self.composites[at].1),
            Single::State(_) | Single::Shortcut(_) => None,
        };
        let replaced = next.map(|next| match ended {
            Some(end) => {
                self.composites.push((next, end));
                Single::Composite(self.composites.len() - 1)
            }
            None => Single::State(next),
        });
        if let Some(replaced) = replaced {
            self.link(state, letter, replaced);
        }
        self.unlink(state, letter, single);
    }

    fn next_or_new(&mut self, state: usize, before: Option<usize>, letters: &[Letter], at: usize) -> usize {
        let letter = &letters[at];
        let mut singles = self.on(state, letter);
        if let Some(shortcut) = only_shortcut(&singles) {
            self.spell_out(state, letter, at, shortcut);
            singles = self.on(state, letter);
        }
        let next = self.state_after(&singles);
        let ends_wild = at + 2 == letters.len() && letters[at + 1] == Letter::Any;
        if let Some(next) = next.filter(|next| !self.states[*next].indeterminate && !ends_wild) {
            return next;
        }
        let next = self.new_state(state);
        let single = Single::State(next);
        if *letter == Letter::Any {
            self.states[next].add_all(single);
            self.states[next].indeterminate = true;
            self.states[state].add_all(single);
            return next;
        }
        self.states[next].indeterminate |= matches!(letter, Letter::Either(_));
        self.link(state, letter, single);
        if let Some(before) = before.filter(|_| letters[at - 1] == Letter::Any) {
            self.link(before, letter, single);
        }
        next
    }

    /// Gives a test that was cut short all its states.
    fn spell_out(&mut self, state: usize, letter: &Letter, at: usize, shortcut: usize) {
        let end = self.shortcuts[shortcut];
        let old = self.letters_of_whole(end);
        let single = Single::Shortcut(shortcut);
        let mut first_new = None;
        let mut current = state;
        let Some((last, before_last)) = old.split_last() else {
            return;
        };
        for (k, old) in before_last.iter().enumerate().skip(at) {
            let next = self.new_state(current);
            if k == at {
                first_new = Some(next);
            } else {
                self.put_next(current, old, single, Some(next));
            }
            current = next;
        }
        self.link(current, last, Single::Match(end));
        self.unlink(current, last, single);
        self.put_next(state, letter, single, first_new);
    }

    fn end(
        &mut self,
        (state, before): (usize, Option<usize>),
        letters: &[Letter],
        (test, leads_to): (usize, usize),
    ) -> usize {
        let Some((last, rest)) = letters.split_last() else {
            return leads_to;
        };
        let here = self.on(state, last);
        let known = self.ends_on(&here).find(|end| self.matches[*end].0 == test);
        if let Some(known) = known {
            return self.matches[known].1;
        }
        self.has_suffix |= letters::is_suffix(&self.tests[test]);
        let end = Single::Match(self.end_of(test, leads_to));
        self.link(state, last, end);
        if let Some(before) = before.filter(|_| rest.last() == Some(&Letter::Any)) {
            self.link(before, last, end);
        }
        leads_to
    }

    /// Ends of one test that lead to one place are one end.
    fn end_of(&mut self, test: usize, leads_to: usize) -> usize {
        *self.ends.entry((test, leads_to)).or_insert_with(|| {
            self.matches.push((test, leads_to));
            self.matches.len() - 1
        })
    }
}

fn only_shortcut(singles: &BTreeSet<Single>) -> Option<usize> {
    match singles.first() {
        Some(Single::Shortcut(at)) if singles.len() == 1 => Some(*at),
        _ => None,
    }
}
