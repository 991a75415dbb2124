//! A state of the automaton: where each byte leads.

use std::collections::{BTreeMap, BTreeSet};

/// Where a byte leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Transition {
    State(usize),
    /// The end of a comparison.
    Match(usize),
    /// The end of a comparison, and a state.
    Composite(usize),
    /// A comparison for a whole text, of which the rest is not spelt out.
    Shortcut(usize),
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// There is more than one way to this state.
    pub(super) indeterminate: bool,
    /// Where all other bytes lead, those without a transition of their own.
    others: BTreeSet<Transition>,
    bytes: BTreeMap<u8, BTreeSet<Transition>>,
}

impl State {
    pub(super) fn new(indeterminate: bool) -> Self {
        Self {
            indeterminate,
            ..Self::default()
        }
    }

    pub(super) fn on(&self, byte: u8) -> &BTreeSet<Transition> {
        self.bytes.get(&byte).unwrap_or(&self.others)
    }

    /// Where all other bytes lead, those without a transition of their own.
    pub(super) fn on_others(&self) -> &BTreeSet<Transition> {
        &self.others
    }

    /// The bytes that have transitions of their own.
    pub(super) fn bytes(&self) -> impl Iterator<Item = u8> {
        self.bytes.keys().copied()
    }

    /// All transitions, whatever the byte.
    pub(super) fn transitions(&self) -> BTreeSet<Transition> {
        self.bytes
            .values()
            .chain([&self.others])
            .flatten()
            .copied()
            .collect()
    }

    /// Where every byte leads.
    pub(super) fn on_all(&self) -> BTreeSet<Transition> {
        let mut common = self.others.clone();
        for transitions in self.bytes.values() {
            common.retain(|transition| transitions.contains(transition));
        }
        common
    }

    pub(super) fn add(&mut self, byte: u8, transition: Transition) {
        self.bytes
            .entry(byte)
            .or_insert_with(|| self.others.clone())
            .insert(transition);
    }

    pub(super) fn remove(&mut self, byte: u8, transition: Transition) {
        self.bytes
            .entry(byte)
            .or_insert_with(|| self.others.clone())
            .remove(&transition);
    }

    pub(super) fn add_all(&mut self, transition: Transition) {
        self.others.insert(transition);
        self.bytes.values_mut().for_each(|transitions| {
            transitions.insert(transition);
        });
    }

    pub(super) fn remove_all(&mut self, transition: Transition) {
        self.others.remove(&transition);
        self.bytes.values_mut().for_each(|transitions| {
            transitions.remove(&transition);
        });
    }

    /// Every byte leads there and nowhere else.
    pub(super) fn put_all(&mut self, transition: Transition) {
        self.bytes.clear();
        self.others = BTreeSet::from([transition]);
    }

    /// It leads to nothing, or only to itself.
    pub(super) fn leads_nowhere(&self, itself: usize) -> bool {
        self.transitions()
            .iter()
            .all(|transition| *transition == Transition::State(itself))
    }
}
