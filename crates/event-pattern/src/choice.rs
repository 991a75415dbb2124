//! Whether the conditions of an alternative hold together.

use std::collections::{HashMap, HashSet};

use crate::compile::Condition;
use crate::error::EventError;
use crate::event::{Element, Event};

/// Looks for one value for each condition, such that no two lie in different elements of one array.
///
/// Conditions are taken in the order of their names, as the engine does: a field that must be absent must be absent
/// from the elements chosen by then. A dead end is cached by those of its elements that matter from there on, which are
/// few, because names that share an array are neighbours in that order.
pub(crate) struct Choice<'a> {
    conditions: Vec<Candidates<'a>>,
    dead_ends: HashSet<(usize, Vec<Element>)>,
}

struct Candidates<'a> {
    condition: &'a Condition,
    /// The elements of each value.
    found: Vec<Vec<Element>>,
    passing: Vec<bool>,
    by_element: HashMap<Element, Vec<usize>>,
    arrays: HashSet<u32>,
    /// The arrays that matter to this condition and to those after it.
    matter: HashSet<u32>,
}

/// Two lists of 700 elements that have nothing to do with each other take so many.
const STEPS_MAX: usize = 500_000;

impl<'a> Choice<'a> {
    /// Each condition with the number of its name.
    pub(crate) fn new(
        conditions: impl Iterator<Item = (&'a Condition, Option<u32>)>,
        event: Event<'_>,
    ) -> Self {
        let conditions = conditions
            .map(|(condition, name)| Candidates::new(condition, name, event))
            .collect();
        Self {
            conditions,
            dead_ends: HashSet::new(),
        }
    }

    /// Whether there is such a choice. Steps are counted over all of an event's alternatives.
    pub(crate) fn exists(mut self, steps: &mut usize) -> Result<bool, EventError> {
        if !self.conditions.iter().all(Candidates::possible) {
            return Ok(false);
        }
        let in_arrays = self
            .conditions
            .iter()
            .any(|one| one.found.iter().any(|elements| !elements.is_empty()));
        if !in_arrays {
            return Ok(self.conditions.iter().all(Candidates::holds_outside_arrays));
        }
        let mut matter = HashSet::new();
        for one in self.conditions.iter_mut().rev() {
            one.index();
            matter.extend(&one.arrays);
            one.matter.clone_from(&matter);
        }
        self.from(0, &[], steps)
    }

    fn from(&mut self, at: usize, chosen: &[Element], steps: &mut usize) -> Result<bool, EventError> {
        let Some(one) = self.conditions.get(at) else {
            return Ok(true);
        };
        let matters: Vec<Element> = chosen
            .iter()
            .filter(|(array, _)| one.matter.contains(array))
            .copied()
            .collect();
        if self.dead_ends.contains(&(at, matters.clone())) {
            return Ok(false);
        }
        let one = &self.conditions[at];
        let candidates = one.candidates(&matters);
        *steps += candidates.len() + 1;
        if *steps > STEPS_MAX {
            return Err(EventError::TooComplex);
        }
        if one.condition.any_of.absent()
            && !one.found.iter().any(|found| merged(&matters, found).is_some())
            && self.from(at + 1, &matters, steps)?
        {
            return Ok(true);
        }
        for merged in candidates {
            if self.from(at + 1, &merged, steps)? {
                return Ok(true);
            }
        }
        self.dead_ends.insert((at, matters));
        Ok(false)
    }
}

impl<'a> Candidates<'a> {
    fn new(condition: &'a Condition, name: Option<u32>, event: Event<'_>) -> Self {
        let values = name.into_iter().flat_map(|name| event.values_in_elements(name));
        let (passing, found) = values
            .map(|(value, elements)| (condition.any_of.pass(value), elements))
            .unzip();
        Self {
            condition,
            found,
            passing,
            by_element: HashMap::new(),
            arrays: HashSet::new(),
            matter: HashSet::new(),
        }
    }

    fn possible(&self) -> bool {
        self.condition.any_of.absent() || self.passing.contains(&true)
    }

    fn holds_outside_arrays(&self) -> bool {
        self.passing.contains(&true) || (self.condition.any_of.absent() && self.found.is_empty())
    }

    fn index(&mut self) {
        for (at, found) in self.found.iter().enumerate() {
            for element in found {
                self.by_element.entry(*element).or_default().push(at);
                self.arrays.insert(element.0);
            }
        }
    }

    /// What choosing each value that passes would lead to.
    ///
    /// Where the field lies in a chosen array, the engine looks only there, and so misses a value of the same name that
    /// came from elsewhere, by a key with dots or a key given twice.
    fn candidates(&self, chosen: &[Element]) -> Vec<Vec<Element>> {
        let merge = |at: &usize| {
            self.passing[*at]
                .then(|| merged(chosen, &self.found[*at]))
                .flatten()
        };
        let mut order: Vec<&Element> = chosen
            .iter()
            .filter(|(array, _)| self.arrays.contains(array))
            .collect();
        order.sort_by_key(|(array, _)| engine_order(*array, chosen.len()));
        match order.first() {
            Some(element) => self
                .by_element
                .get(element)
                .into_iter()
                .flatten()
                .filter_map(merge)
                .collect(),
            None => (0..self.found.len())
                .collect::<Vec<_>>()
                .iter()
                .filter_map(merge)
                .collect(),
        }
    }
}

/// Both choices together, unless they differ on an array.
fn merged(chosen: &[Element], elements: &[Element]) -> Option<Vec<Element>> {
    let mut all = chosen.to_vec();
    for (array, index) in elements {
        match chosen.binary_search_by_key(array, |(array, _)| *array) {
            Ok(at) if chosen[at].1 != *index => return None,
            Ok(_) => {}
            Err(_) => all.push((*array, *index)),
        }
    }
    all.sort_unstable();
    Some(all)
}

/// The order in which the engine's hash table gives out the arrays of a choice.
fn engine_order(array: u32, size: usize) -> u32 {
    let mixed = array.wrapping_mul(0x9e37_79b9).cast_signed();
    let mixed = (mixed ^ (mixed >> 16)).cast_unsigned();
    let mut capacity = 8;
    while size * 4 > capacity * 3 {
        capacity *= 2;
    }
    mixed & (u32::try_from(capacity).unwrap_or(u32::MAX) - 1)
}
