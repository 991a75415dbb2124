//! The engine's automaton for the texts of one field, mistakes included.
//!
//! The engine keeps all comparisons of a field in one automaton over bytes, and shares its states between them. Beside
//! a wildcard it shares too much: of `[{"wildcard": "*a"}, {"equals-ignore-case": "A"}]` it makes something that every
//! text of one character passes. Which texts pass follows from the order in which the states were made, so the
//! automaton is made here in that order. It is used only where a wildcard meets a comparison in which it may matter;
//! elsewhere each comparison means what it says.

mod complexity;
mod letters;
mod state;

use std::collections::{BTreeSet, HashMap};
use std::hash::{Hash, Hasher};

use crate::comparison::Comparison;
use letters::Letter;
pub(crate) use letters::{java_set_order, quoted};
use state::{State, Transition};

/// An automaton of more states times bytes of a value than this is not run.
const WORK_MAX: usize = 50_000_000;

/// The automaton of the comparisons that reach one field in the same state of the machine, in the order in which they
/// were added.
#[derive(Debug)]
pub(crate) struct Automaton {
    comparisons: Vec<Comparison>,
    numbers: HashMap<Comparison, usize>,
    states: Vec<State>,
    /// Ends of comparisons, and the state of the machine that each leads to. A comparison may end several times.
    matches: Vec<(usize, usize)>,
    ends: HashMap<(usize, usize), usize>,
    /// A state and an end that both hang on one byte.
    composites: Vec<(usize, usize)>,
    /// Ends of comparisons for whole texts that hang on the first byte that no other comparison has.
    shortcuts: Vec<usize>,
    has_suffix: bool,
}

impl PartialEq for Automaton {
    fn eq(&self, other: &Self) -> bool {
        self.comparisons == other.comparisons
    }
}

impl Eq for Automaton {}

impl Hash for Automaton {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.comparisons.hash(state);
    }
}

const START: usize = 0;

impl Automaton {
    /// Whether these comparisons interfere: together they may match otherwise than each alone.
    pub(crate) fn interferes<'a>(mut comparisons: impl Iterator<Item = &'a Comparison> + Clone) -> bool {
        let wild = |comparison: &Comparison| match comparison {
            Comparison::Wildcard(wildcard) => wildcard.parts.len() > 1,
            Comparison::NotWildcards(list) => list.iter().any(|wildcard| wildcard.parts.len() > 1),
            _ => false,
        };
        let sensitive = |comparison: &Comparison| {
            matches!(
                comparison,
                Comparison::IgnoreCase(_)
                    | Comparison::PrefixIgnoreCase(_)
                    | Comparison::SuffixIgnoreCase(_)
                    | Comparison::NotIgnoreCase(_)
                    | Comparison::Suffix(_)
                    | Comparison::NotSuffixes(_)
            )
        };
        comparisons.clone().any(wild) && comparisons.any(sensitive)
    }

    pub(crate) fn new() -> Self {
        Self {
            comparisons: Vec::new(),
            numbers: HashMap::new(),
            states: vec![State::default()],
            matches: Vec::new(),
            ends: HashMap::new(),
            composites: Vec::new(),
            shortcuts: Vec::new(),
            has_suffix: false,
        }
    }

    /// Adds a comparison, and returns the state of the machine that it leads to: where it led before if it is found
    /// again, else `next`. One with something after a star is not found again.
    pub(crate) fn put(&mut self, comparison: &Comparison, next: usize) -> usize {
        let at = self.number(comparison).unwrap_or_else(|| {
            self.comparisons.push(Comparison::clone(comparison));
            self.numbers
                .insert(Comparison::clone(comparison), self.comparisons.len() - 1);
            self.comparisons.len() - 1
        });
        let rows = letters::of(comparison);
        rows.iter()
            .fold(next, |next, letters| self.add(letters, at, next))
    }

    /// How many states it has.
    pub(crate) fn states(&self) -> usize {
        self.states.len()
    }

    /// Its size in memory, estimated.
    pub(crate) fn bytes(&self) -> usize {
        /// Of a state with few transitions.
        const STATE: usize = 512;
        let comparisons: usize = self.comparisons.iter().map(Comparison::bytes).sum();
        self.states.len() * STATE + 2 * comparisons + self.comparisons.len() * 2 * size_of::<Comparison>()
    }

    /// The number of a comparison among those that were added.
    pub(crate) fn number(&self, comparison: &Comparison) -> Option<usize> {
        self.numbers.get(comparison).copied()
    }

    /// The comparisons that a text passes, by number; `None` if that would take too long.
    pub(crate) fn passed(&self, text: &[u8]) -> Option<BTreeSet<usize>> {
        if self.states.len().saturating_mul(text.len()) > WORK_MAX {
            return None;
        }
        let value = [b"\"", text, b"\""].concat();
        let mut hits = BTreeSet::new();
        if self.has_suffix {
            self.run(value.iter().rev().copied(), |at, _| {
                if letters::is_suffix(&self.comparisons[at]) {
                    hits.insert(at);
                }
            });
        }
        let mut shortcuts = BTreeSet::new();
        let last = value.len() - 1;
        self.run_with(value.iter().copied(), &mut shortcuts, |at, position| {
            if !letters::is_suffix(&self.comparisons[at])
                && (position == last || letters::is_prefix(&self.comparisons[at]))
            {
                hits.insert(at);
            }
        });
        hits.extend(
            shortcuts
                .into_iter()
                .filter(|at| matches!(&self.comparisons[*at], Comparison::String(whole) if whole == text)),
        );
        // What a denial says no to is what it hit.
        let denials = (0..self.comparisons.len()).filter(|at| letters::is_denial(&self.comparisons[*at]));
        let (denied, kept): (BTreeSet<usize>, BTreeSet<usize>) = hits
            .into_iter()
            .partition(|at| letters::is_denial(&self.comparisons[*at]));
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
        for (position, byte) in bytes.enumerate() {
            let transitions: BTreeSet<Transition> = states
                .iter()
                .flat_map(|state| self.states[*state].on(byte))
                .copied()
                .collect();
            for transition in &transitions {
                match transition {
                    Transition::Match(_) | Transition::Composite(_) => {
                        self.comparison_on(*transition, true)
                            .into_iter()
                            .for_each(|at| hit(at, position));
                    }
                    Transition::Shortcut(_) => shortcuts.extend(self.comparison_on(*transition, true)),
                    Transition::State(_) => {}
                }
            }
            states = transitions
                .iter()
                .filter_map(|transition| self.next_state(*transition))
                .collect();
            if states.is_empty() {
                return;
            }
        }
    }

    fn next_state(&self, transition: Transition) -> Option<usize> {
        match transition {
            Transition::State(state) => Some(state),
            Transition::Composite(at) => Some(self.composites[at].0),
            Transition::Match(_) | Transition::Shortcut(_) => None,
        }
    }

    /// The comparison that hangs on a transition. Among several transitions a shortcut does not count.
    fn comparison_on(&self, transition: Transition, alone: bool) -> Option<usize> {
        self.end_on(transition, alone).map(|end| self.matches[end].0)
    }

    fn end_on(&self, transition: Transition, alone: bool) -> Option<usize> {
        match transition {
            Transition::Match(at) => Some(at),
            Transition::Composite(at) => Some(self.composites[at].1),
            Transition::Shortcut(at) if alone => Some(self.shortcuts[at]),
            _ => None,
        }
    }

    fn ends_on<'a>(&'a self, transitions: &'a BTreeSet<Transition>) -> impl Iterator<Item = usize> + 'a {
        let alone = transitions.len() == 1;
        transitions
            .iter()
            .filter_map(move |transition| self.end_on(*transition, alone))
    }

    /// Where several transitions lead, by preference to a state that is reached in only one way.
    fn state_after(&self, transitions: &BTreeSet<Transition>) -> Option<usize> {
        let states = || {
            transitions
                .iter()
                .filter_map(|transition| self.next_state(*transition))
        };
        states()
            .find(|state| !self.states[*state].indeterminate)
            .or_else(|| states().next())
    }

    fn is_nothing(&self, transitions: &BTreeSet<Transition>) -> bool {
        self.ends_on(transitions).next().is_none() && self.state_after(transitions).is_none()
    }

    /// Where a letter leads from a state.
    fn on(&self, state: usize, letter: &Letter) -> BTreeSet<Transition> {
        match letter {
            Letter::Byte(byte) => self.states[state].on(*byte).clone(),
            Letter::Any => self.states[state].on_all(),
            Letter::Either(forms) => {
                let mut common: Option<BTreeSet<Transition>> = None;
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

    fn on_bytes(&self, state: usize, bytes: &[u8]) -> BTreeSet<Transition> {
        let mut reached = BTreeSet::from([Transition::State(state)]);
        for byte in bytes {
            let states = reached.iter().filter_map(|transition| match transition {
                Transition::State(state) => Some(*state),
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

    fn link(&mut self, state: usize, letter: &Letter, transition: Transition) {
        match letter {
            Letter::Byte(byte) => self.states[state].add(*byte, transition),
            Letter::Any => self.states[state].put_all(transition),
            Letter::Either(forms) => {
                for form in forms {
                    let Some((last, before)) = form.split_last() else {
                        continue;
                    };
                    let mut current = state;
                    for byte in before {
                        let next = self.new_state(current);
                        self.states[next].indeterminate = true;
                        self.states[current].add(*byte, Transition::State(next));
                        current = next;
                    }
                    self.states[current].add(*last, transition);
                }
            }
        }
    }

    fn unlink(&mut self, state: usize, letter: &Letter, transition: Transition) {
        match letter {
            Letter::Byte(byte) => self.states[state].remove(*byte, transition),
            Letter::Any => self.states[state].remove_all(transition),
            Letter::Either(forms) => forms
                .iter()
                .for_each(|form| self.unlink_bytes(state, form, transition)),
        }
    }

    fn unlink_bytes(&mut self, state: usize, bytes: &[u8], transition: Transition) {
        let [byte, rest @ ..] = bytes else { return };
        if rest.is_empty() {
            self.states[state].remove(*byte, transition);
            return;
        }
        for between in self.states[state].on(*byte).clone() {
            if let Some(next) = self.next_state(between) {
                self.unlink_bytes(next, rest, transition);
                if self.states[next].leads_nowhere(next) {
                    self.states[state].remove(*byte, between);
                }
            }
        }
    }
}

/// How a comparison is added.
impl Automaton {
    fn add(&mut self, letters: &[Letter], comparison: usize, leads_to: usize) -> usize {
        let (mut state, mut before, mut at) = (START, None, 0);
        while at + 1 < letters.len() {
            let transitions = self.on(state, &letters[at]);
            if self.is_nothing(&transitions) {
                break;
            }
            let mut states = transitions
                .iter()
                .filter_map(|transition| self.next_state(*transition));
            let Some(next) = states.find(|next| self.may_share(state, *next, letters, at)) else {
                break;
            };
            (before, state) = (Some(state), next);
            at += 1;
        }
        self.add_rest((state, before), letters, at, (comparison, leads_to))
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
        if !self.is_nothing(&all) && all != BTreeSet::from([Transition::State(state)]) {
            return true;
        }
        letters::has_case(&letters[at..], backwards)
    }

    fn add_rest(
        &mut self,
        (mut state, mut before): (usize, Option<usize>),
        letters: &[Letter],
        at: usize,
        (comparison, leads_to): (usize, usize),
    ) -> usize {
        let transitions = self.on(state, &letters[at]);
        if let Some(shortcut) = only_shortcut(&transitions) {
            let (known, next) = self.matches[self.shortcuts[shortcut]];
            if known == comparison {
                return next;
            }
            self.split_shortcut(state, letters, at, shortcut);
        }
        let whole = matches!(self.comparisons[comparison], Comparison::String(_));
        let mut may_cut_short = true;
        let mut at = at;
        while at + 1 < letters.len() && !(at + 2 == letters.len() && letters[at + 1] == Letter::Any) {
            let transitions = self.on(state, &letters[at]);
            if self.is_nothing(&transitions) {
                break;
            }
            let next = match self.state_after(&transitions) {
                Some(next) if self.states[next].indeterminate => {
                    may_cut_short = false;
                    break;
                }
                Some(next) => next,
                None => {
                    let next = self.new_state(state);
                    if let Some(first) = transitions.first() {
                        self.put_next(state, &letters[at], *first, Some(next));
                    }
                    next
                }
            };
            (before, state) = (Some(state), next);
            at += 1;
        }
        if whole && at + 1 < letters.len() && may_cut_short {
            let end = self.end_of(comparison, leads_to);
            self.shortcuts.push(end);
            self.link(
                state,
                &letters[at],
                Transition::Shortcut(self.shortcuts.len() - 1),
            );
            return leads_to;
        }
        while at + 1 < letters.len() {
            let next = self.next_or_new(state, before, letters, at);
            (before, state) = (Some(state), next);
            at += 1;
        }
        self.end((state, before), letters, (comparison, leads_to))
    }

    /// Makes room for a comparison that shares the beginning of another that was cut short.
    fn split_shortcut(&mut self, state: usize, letters: &[Letter], at: usize, shortcut: usize) {
        let end = self.shortcuts[shortcut];
        let old = self.letters_of_whole(end);
        let transition = Transition::Shortcut(shortcut);
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
                    self.put_next(current, &old[k], transition, Some(next));
                }
                current = next;
            }
        }
        let still_short = common + 1 < old.len();
        let last = if still_short {
            common
        } else {
            old.len().saturating_sub(1)
        };
        let moved = if still_short {
            self.shortcuts.push(end);
            Transition::Shortcut(self.shortcuts.len() - 1)
        } else {
            Transition::Match(end)
        };
        self.link(current, &old[last], moved);
        self.unlink(current, &old[last], transition);
        self.put_next(state, &letters[at], transition, first_new);
    }

    fn letters_of_whole(&self, end: usize) -> Vec<Letter> {
        letters::of(&self.comparisons[self.matches[end].0])
            .pop()
            .unwrap_or_default()
    }

    /// Replaces a transition by one that leads to a state; what was cut short is lost, what ended stays.
    fn put_next(&mut self, state: usize, letter: &Letter, transition: Transition, next: Option<usize>) {
        let ended = match transition {
            Transition::Match(end) => Some(end),
            Transition::Composite(at) => Some(self.composites[at].1),
            Transition::State(_) | Transition::Shortcut(_) => None,
        };
        let replaced = next.map(|next| match ended {
            Some(end) => {
                self.composites.push((next, end));
                Transition::Composite(self.composites.len() - 1)
            }
            None => Transition::State(next),
        });
        if let Some(replaced) = replaced {
            self.link(state, letter, replaced);
        }
        self.unlink(state, letter, transition);
    }

    fn next_or_new(&mut self, state: usize, before: Option<usize>, letters: &[Letter], at: usize) -> usize {
        let letter = &letters[at];
        let mut transitions = self.on(state, letter);
        if let Some(shortcut) = only_shortcut(&transitions) {
            self.spell_out(state, letter, at, shortcut);
            transitions = self.on(state, letter);
        }
        let next = self.state_after(&transitions);
        let ends_wild = at + 2 == letters.len() && letters[at + 1] == Letter::Any;
        if let Some(next) = next.filter(|next| !self.states[*next].indeterminate && !ends_wild) {
            return next;
        }
        let next = self.new_state(state);
        let transition = Transition::State(next);
        if *letter == Letter::Any {
            self.states[next].add_all(transition);
            self.states[next].indeterminate = true;
            self.states[state].add_all(transition);
            return next;
        }
        self.states[next].indeterminate |= matches!(letter, Letter::Either(_));
        self.link(state, letter, transition);
        if let Some(before) = before.filter(|_| letters[at - 1] == Letter::Any) {
            self.link(before, letter, transition);
        }
        next
    }

    /// Gives a comparison that was cut short all its states.
    fn spell_out(&mut self, state: usize, letter: &Letter, at: usize, shortcut: usize) {
        let end = self.shortcuts[shortcut];
        let old = self.letters_of_whole(end);
        let transition = Transition::Shortcut(shortcut);
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
                self.put_next(current, old, transition, Some(next));
            }
            current = next;
        }
        self.link(current, last, Transition::Match(end));
        self.unlink(current, last, transition);
        self.put_next(state, letter, transition, first_new);
    }

    fn end(
        &mut self,
        (state, before): (usize, Option<usize>),
        letters: &[Letter],
        (comparison, leads_to): (usize, usize),
    ) -> usize {
        let Some((last, rest)) = letters.split_last() else {
            return leads_to;
        };
        let here = self.on(state, last);
        let known = self.ends_on(&here).find(|end| self.matches[*end].0 == comparison);
        if let Some(known) = known {
            return self.matches[known].1;
        }
        self.has_suffix |= letters::is_suffix(&self.comparisons[comparison]);
        let end = Transition::Match(self.end_of(comparison, leads_to));
        self.link(state, last, end);
        if let Some(before) = before.filter(|_| rest.last() == Some(&Letter::Any)) {
            self.link(before, last, end);
        }
        leads_to
    }

    /// Ends of one comparison that lead to one state are one end.
    fn end_of(&mut self, comparison: usize, leads_to: usize) -> usize {
        *self.ends.entry((comparison, leads_to)).or_insert_with(|| {
            self.matches.push((comparison, leads_to));
            self.matches.len() - 1
        })
    }
}

fn only_shortcut(transitions: &BTreeSet<Transition>) -> Option<usize> {
    match transitions.first() {
        Some(Transition::Shortcut(at)) if transitions.len() == 1 => Some(*at),
        _ => None,
    }
}
