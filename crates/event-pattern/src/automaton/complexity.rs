//! How complex the wildcards of one field are, counted on the engine's automaton as the engine counts.
//!
//! For each set of transitions that some text leads to, the engine adds up how many wildcards each transition can still
//! lead to, and takes the largest sum. Where texts may end before or go on after a star, it counts the transition after
//! the star as well. Because its automaton shares states, what that gives depends on the other comparisons of the field
//! and on their order.

use std::collections::{BTreeSet, HashSet, VecDeque};

use super::state::Transition;
use super::{Automaton, START};
use crate::comparison::Comparison;

/// Beyond so many transitions, over all sets, no more are evaluated: so many wildcards are too complex in any case.
const TRANSITIONS_MAX: usize = 2_000_000;

impl Automaton {
    /// The complexity, or `most` if it is greater.
    pub(crate) fn complexity(&self, most: usize) -> usize {
        let within = self.wildcards_within(most);
        let mut worst = 0;
        let mut evaluated = 0;
        let mut seen = HashSet::new();
        let mut sets: VecDeque<TransitionSet> = VecDeque::new();
        let first = self.sets_after([START], &mut evaluated);
        sets.extend(first.into_iter().filter(|set| seen.insert(set.clone())));
        while let Some(transitions) = sets.pop_front() {
            worst = worst.max(self.wildcards_ahead(&transitions, &within));
            if worst >= most || evaluated > TRANSITIONS_MAX {
                return most;
            }
            let states = transitions.iter();
            let states = states.filter_map(|transition| self.next_state(*transition));
            let next = self.sets_after(states, &mut evaluated);
            sets.extend(next.into_iter().filter(|set| seen.insert(set.clone())));
        }
        worst
    }

    /// Where one more byte leads: a set for each byte with transitions of its own, and one for all others.
    fn sets_after(
        &self,
        states: impl IntoIterator<Item = usize>,
        evaluated: &mut usize,
    ) -> Vec<TransitionSet> {
        let states: Vec<_> = states.into_iter().map(|state| &self.states[state]).collect();
        let bytes: BTreeSet<u8> = states.iter().flat_map(|state| state.bytes()).collect();
        let own = bytes
            .into_iter()
            .map(|byte| states.iter().map(|state| state.on(byte)).collect());
        let others = states.iter().map(|state| state.on_others()).collect();
        let sets = own.chain([others]).map(|sets: Vec<&BTreeSet<Transition>>| {
            let transitions: BTreeSet<Transition> = sets.into_iter().flatten().copied().collect();
            *evaluated += 1 + transitions.len();
            transitions.into_iter().collect::<TransitionSet>()
        });
        sets.filter(|transitions| !transitions.is_empty()).collect()
    }

    fn wildcards_ahead(&self, transitions: &[Transition], within: &[Wildcards]) -> usize {
        let ahead = |transition: &Transition| {
            let state = self.next_state(*transition);
            let after = state.map_or_else(BTreeSet::new, |state| self.states[state].on_all());
            let after = after
                .into_iter()
                .filter(|next| transitions.binary_search(next).is_err());
            let further: usize = after.map(|next| self.wildcards_at(next, within).len()).sum();
            self.wildcards_at(*transition, within).len() + further
        };
        transitions.iter().map(ahead).sum()
    }

    /// The wildcards that a transition ends or leads to.
    fn wildcards_at(&self, transition: Transition, within: &[Wildcards]) -> Wildcards {
        let ends = self
            .comparison_on(transition, true)
            .filter(|at| self.is_wildcard(*at));
        let mut wildcards = self
            .next_state(transition)
            .map_or_else(Wildcards::new, |state| within[state].clone());
        wildcards.extend(ends);
        wildcards
    }

    fn is_wildcard(&self, comparison: usize) -> bool {
        matches!(
            self.comparisons[comparison],
            Comparison::Wildcard(_) | Comparison::NotWildcards(_)
        )
    }

    /// For each state, the wildcards that it can lead to; `most` of them where there are more.
    fn wildcards_within(&self, most: usize) -> Vec<Wildcards> {
        let mut within = vec![Wildcards::new(); self.states.len()];
        let mut entered = vec![false; self.states.len()];
        let mut open = vec![START];
        while let Some(state) = open.last().copied() {
            let next = self.states[state].transitions();
            if !std::mem::replace(&mut entered[state], true) {
                let further = next.iter().filter_map(|transition| self.next_state(*transition));
                open.extend(further.filter(|next| !entered[*next]));
                continue;
            }
            let mut ahead = Wildcards::new();
            for transition in next {
                if ahead.len() >= most {
                    break;
                }
                ahead.extend(self.wildcards_at(transition, &within));
            }
            within[state] = ahead;
            open.pop();
        }
        within
    }
}

/// The transitions that one text leads to, sorted.
type TransitionSet = Vec<Transition>;

/// Comparisons by their numbers.
type Wildcards = BTreeSet<usize>;
