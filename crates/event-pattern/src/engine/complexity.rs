//! How complex the wildcards of one field are, counted on the engine's automaton as the engine counts.
//!
//! For each set of places that some text leads to, the engine adds up how many wildcards each place can still lead to, and
//! takes the largest sum. Where texts may end before or go on after a star, it counts the place behind the star as well.
//! Because its automaton shares states, what that gives depends on the other tests of the field and on their order.

use std::collections::{BTreeSet, HashSet, VecDeque};

use super::state::Single;
use super::{Engine, START};
use crate::test::Test;

/// More sets of places than this are not looked at: so many wildcards are complex whatever they are.
const SETS_MAX: usize = 100_000;

impl Engine {
    /// The complexity, or `most` if it is greater.
    pub(crate) fn complexity(&self, most: usize) -> usize {
        let within = self.wildcards_within();
        let mut worst = 0;
        let mut seen = HashSet::new();
        let mut sets: VecDeque<Places> = self.sets_after([START]).into();
        while let Some(places) = sets.pop_front() {
            if seen.contains(&places) {
                continue;
            }
            worst = worst.max(self.wildcards_ahead(&places, &within));
            if worst >= most || seen.len() == SETS_MAX {
                return most;
            }
            sets.extend(self.sets_after(places.iter().filter_map(|place| self.next_state(*place))));
            seen.insert(places);
        }
        worst
    }

    /// Where texts lead that go on by one byte, a set for each byte that is told apart.
    fn sets_after(&self, states: impl IntoIterator<Item = usize>) -> Vec<Places> {
        let states: Vec<_> = states.into_iter().map(|state| &self.states[state]).collect();
        let bytes: BTreeSet<u8> = states.iter().flat_map(|state| state.bytes()).collect();
        let told_apart = bytes
            .into_iter()
            .map(|byte| states.iter().map(|state| state.on(byte)).collect());
        let others = states.iter().map(|state| state.on_others()).collect();
        let sets = told_apart.chain([others]).map(|sets: Vec<&BTreeSet<Single>>| {
            let places: BTreeSet<Single> = sets.into_iter().flatten().copied().collect();
            places.into_iter().collect::<Places>()
        });
        sets.filter(|places| !places.is_empty()).collect()
    }

    fn wildcards_ahead(&self, places: &[Single], within: &[Wildcards]) -> usize {
        let ahead = |place: &Single| {
            let state = self.next_state(*place);
            let after = state.map_or_else(BTreeSet::new, |state| self.states[state].on_all());
            let after = after
                .into_iter()
                .filter(|next| places.binary_search(next).is_err());
            let further: usize = after.map(|next| self.wildcards_at(next, within).len()).sum();
            self.wildcards_at(*place, within).len() + further
        };
        places.iter().map(ahead).sum()
    }

    /// The wildcards that a place ends or leads to.
    fn wildcards_at(&self, place: Single, within: &[Wildcards]) -> Wildcards {
        let ends = self.test_on(place, true).filter(|at| self.is_wildcard(*at));
        let mut wildcards = self
            .next_state(place)
            .map_or_else(Wildcards::new, |state| within[state].clone());
        wildcards.extend(ends);
        wildcards
    }

    fn is_wildcard(&self, test: usize) -> bool {
        matches!(self.tests[test], Test::Wildcard(_) | Test::NotWildcards(_))
    }

    /// For each state, the wildcards that it can lead to.
    fn wildcards_within(&self) -> Vec<Wildcards> {
        let mut within = vec![Wildcards::new(); self.states.len()];
        let mut entered = vec![false; self.states.len()];
        let mut open = vec![START];
        while let Some(state) = open.last().copied() {
            let next = self.states[state].places();
            if !std::mem::replace(&mut entered[state], true) {
                let further = next.iter().filter_map(|place| self.next_state(*place));
                open.extend(further.filter(|next| !entered[*next]));
                continue;
            }
            let ahead = next
                .into_iter()
                .flat_map(|place| self.wildcards_at(place, &within))
                .collect();
            within[state] = ahead;
            open.pop();
        }
        within
    }
}

/// The places that one text leads to, in order.
type Places = Vec<Single>;

/// Tests by their numbers.
type Wildcards = BTreeSet<usize>;
