//! A state of the automaton: where each byte leads.

use std::collections::{BTreeMap, BTreeSet};

/// One of the places that a byte leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Single {
    State(usize),
    /// The end of a test.
    Match(usize),
    /// The end of a test, and a state.
    Composite(usize),
    /// A test for a whole text, of which the rest is not spelt out.
    Shortcut(usize),
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// There is more than one way to this state.
    pub(super) indeterminate: bool,
    /// Where bytes lead that are not told apart.
    others: BTreeSet<Single>,
    bytes: BTreeMap<u8, BTreeSet<Single>>,
}

impl State {
    pub(super) fn new(indeterminate: bool) -> Self {
        Self {
            indeterminate,
            ..Self::default()
        }
    }

    pub(super) fn on(&self, byte: u8) -> &BTreeSet<Single> {
        self.bytes.get(&byte).unwrap_or(&self.others)
    }

    /// Where bytes lead that are not told apart.
    pub(super) fn on_others(&self) -> &BTreeSet<Single> {
        &self.others
    }

    /// The bytes that are told apart.
    pub(super) fn bytes(&self) -> impl Iterator<Item = u8> {
        self.bytes.keys().copied()
    }

    /// All places that some byte leads to.
    pub(super) fn places(&self) -> BTreeSet<Single> {
        self.bytes
            .values()
            .chain([&self.others])
            .flatten()
            .copied()
            .collect()
    }

    /// Where every byte leads.
    pub(super) fn on_all(&self) -> BTreeSet<Single> {
        let mut common = self.others.clone();
        for singles in self.bytes.values() {
            common.retain(|single| singles.contains(single));
        }
        common
    }

    pub(super) fn add(&mut self, byte: u8, single: Single) {
        self.bytes
            .entry(byte)
            .or_insert_with(|| self.others.clone())
            .insert(single);
    }

    pub(super) fn remove(&mut self, byte: u8, single: Single) {
        self.bytes
            .entry(byte)
            .or_insert_with(|| self.others.clone())
            .remove(&single);
    }

    pub(super) fn add_all(&mut self, single: Single) {
        self.others.insert(single);
        self.bytes.values_mut().for_each(|singles| {
            singles.insert(single);
        });
    }

    pub(super) fn remove_all(&mut self, single: Single) {
        self.others.remove(&single);
        self.bytes.values_mut().for_each(|singles| {
            singles.remove(&single);
        });
    }

    /// Every byte leads there and nowhere else.
    pub(super) fn put_all(&mut self, single: Single) {
        self.bytes.clear();
        self.others = BTreeSet::from([single]);
    }

    /// It leads to nothing, or only to itself.
    pub(super) fn leads_nowhere(&self, itself: usize) -> bool {
        self.places()
            .iter()
            .all(|single| *single == Single::State(itself))
    }
}
