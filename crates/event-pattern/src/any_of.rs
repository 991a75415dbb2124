//! The comparisons of one field, of which one must pass.

use std::sync::Arc;

use crate::automaton::Automaton;
use crate::comparison::{Comparison, lost_before};
use crate::ip;
use crate::number;
use crate::value::Value;

/// The comparisons of one field, of which one must pass.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AnyOf {
    pub(crate) list: Vec<Comparison>,
    numeric: bool,
    address: bool,
    /// The steps that a value takes, and those that each 32 bytes of it take.
    steps: (usize, usize),
    /// Where the engine makes something else of the comparisons' texts than they say: its automaton, and these
    /// comparisons in it.
    automaton: Option<(Arc<Automaton>, Vec<usize>)>,
}

impl AnyOf {
    pub(crate) fn new(mut list: Vec<Comparison>) -> Self {
        for at in lost_before(list.iter()) {
            list[at] = list[at].clone().lost();
        }
        let numeric = list.iter().any(Comparison::is_numeric);
        let address = list
            .iter()
            .any(|comparison| matches!(comparison, Comparison::Address(_)));
        let steps = list
            .iter()
            .map(Comparison::steps)
            .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        Self {
            list,
            numeric,
            address,
            steps,
            automaton: None,
        }
    }

    /// The same comparisons, for which the engine's automaton answers.
    pub(crate) fn with_automaton(&self, automaton: &Arc<Automaton>) -> Self {
        let own = self
            .list
            .iter()
            .filter_map(|comparison| automaton.number(comparison))
            .collect();
        Self {
            automaton: Some((Arc::clone(automaton), own)),
            ..self.clone()
        }
    }

    /// The same comparisons, beside one of another alternative that compares numbers: for them too a number that can be
    /// compared is ten digits and not its spelling.
    pub(crate) fn beside_numbers(mut self) -> Self {
        self.numeric = true;
        self
    }

    pub(crate) fn is_numeric(&self) -> bool {
        self.numeric
    }

    /// Whether each comparison says what it does.
    pub(crate) fn is_plain(&self) -> bool {
        self.automaton.is_none()
    }

    /// Whether the absence of the field passes.
    pub(crate) fn absent(&self) -> bool {
        self.list.contains(&Comparison::Absent)
    }

    /// The steps that [`Self::pass`] takes, at most.
    pub(crate) fn steps(&self, value: Value<'_>) -> usize {
        /// Of a byte in the automaton, where several states may be active.
        const AUTOMATON: usize = 16;
        let (of_value, of_bytes) = self.steps;
        let in_automaton = if self.automaton.is_some() && value.string {
            value.text.len().saturating_mul(AUTOMATON)
        } else {
            0
        };
        1 + of_value + (value.text.len() / 32).saturating_mul(of_bytes + 1) + in_automaton
    }

    /// Its size in memory, estimated, without its automaton.
    pub(crate) fn bytes(&self) -> usize {
        let texts: usize = self.list.iter().map(Comparison::bytes).sum();
        texts + self.list.len() * size_of::<Comparison>()
    }

    /// The engine's automaton, where it answers.
    pub(crate) fn automaton(&self) -> Option<&Arc<Automaton>> {
        self.automaton.as_ref().map(|(automaton, _)| automaton)
    }

    pub(crate) fn pass(&self, value: Value<'_>) -> bool {
        if let Some((automaton, own)) = &self.automaton
            && value.string
            && let Some(passed) = automaton.passed(value.text)
        {
            return own.iter().any(|at| passed.contains(at))
                || self
                    .list
                    .iter()
                    .any(|comparison| !comparison.is_text() && comparison.passes(value, None))
                || self.pass_as_address(value);
        }
        let number = if self.numeric && !value.string {
            number::key(value.text)
        } else {
            None
        };
        self.list
            .iter()
            .any(|comparison| comparison.passes(value, number))
            || self.pass_as_address(value)
    }

    fn pass_as_address(&self, value: Value<'_>) -> bool {
        self.address
            && value.string
            && ip::address(value.text).is_some_and(|address| self.pass_address(&address))
    }

    /// An address is looked at as hexadecimal digits, which a number in the list may spell.
    fn pass_address(&self, address: &ip::Digits) -> bool {
        self.list.iter().any(|comparison| match comparison {
            Comparison::Address(range) => range.contains(address),
            Comparison::Literal(text) => *text == address.text(),
            _ => false,
        })
    }
}
