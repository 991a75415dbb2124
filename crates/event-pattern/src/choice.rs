//! Whether the conditions of an alternative hold together.

use std::collections::{HashMap, HashSet};

use crate::compile::Condition;
use crate::error::EventError;
use crate::event::{Element, Event};
use crate::steps::Steps;

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

/// The steps of one try, besides those of the elements that it keeps apart.
const TRY: usize = 40;
/// The steps of an entry of a set.
const MARK: usize = 16;

impl<'a> Choice<'a> {
    /// Each condition with the number of its name.
    pub(crate) fn new(
        conditions: impl Iterator<Item = (&'a Condition, Option<u32>)>,
        event: Event<'_>,
        steps: &Steps,
    ) -> Result<Self, EventError> {
        let conditions = conditions.map(|(condition, name)| Candidates::new(condition, name, event, steps));
        Ok(Self {
            conditions: conditions.collect::<Result<_, _>>()?,
            dead_ends: HashSet::new(),
        })
    }

    /// Whether there is such a choice.
    pub(crate) fn exists(mut self, steps: &Steps) -> Result<bool, EventError> {
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
            steps.take(MARK * matter.len())?;
            one.matter.clone_from(&matter);
        }
        self.from(0, &[], steps)
    }

    fn from(&mut self, at: usize, chosen: &[Element], steps: &Steps) -> Result<bool, EventError> {
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
        steps.take(TRY + chosen.len())?;
        let candidates = one.candidates(&matters, steps)?;
        if one.condition.any_of.absent()
            && !one.any_fits(&matters, steps)?
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
    fn new(
        condition: &'a Condition,
        name: Option<u32>,
        event: Event<'_>,
        steps: &Steps,
    ) -> Result<Self, EventError> {
        let (mut passing, mut found) = (Vec::new(), Vec::new());
        for (value, elements) in name.into_iter().flat_map(|name| event.values_in_elements(name)) {
            steps.take(condition.any_of.steps(value) + 2 * MARK * elements.len())?;
            passing.push(condition.any_of.pass(value));
            found.push(elements);
        }
        Ok(Self {
            condition,
            found,
            passing,
            by_element: HashMap::new(),
            arrays: HashSet::new(),
            matter: HashSet::new(),
        })
    }

    /// Whether some value, passing or not, lies in the chosen elements or in none that were chosen.
    fn any_fits(&self, chosen: &[Element], steps: &Steps) -> Result<bool, EventError> {
        for found in &self.found {
            steps.take(1 + chosen.len() + found.len())?;
            if merged(chosen, found).is_some() {
                return Ok(true);
            }
        }
        Ok(false)
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
    fn candidates(&self, chosen: &[Element], steps: &Steps) -> Result<Vec<Vec<Element>>, EventError> {
        let merge = |at: usize| {
            steps.take(1)?;
            if !self.passing[at] {
                return Ok(None);
            }
            steps.take(TRY + chosen.len() + self.found[at].len())?;
            Ok(merged(chosen, &self.found[at]))
        };
        let mut order: Vec<&Element> = chosen
            .iter()
            .filter(|(array, _)| self.arrays.contains(array))
            .collect();
        order.sort_by_key(|(array, _)| engine_order(*array, chosen.len()));
        let merged = |at: usize| merge(at).transpose();
        match order.first() {
            Some(element) => {
                let there = self.by_element.get(element);
                there.into_iter().flatten().copied().filter_map(merged).collect()
            }
            None => (0..self.found.len()).filter_map(merged).collect(),
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
