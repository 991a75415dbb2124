//! What `%` stands for: the step whose input it is, found when the path around it is known.

use super::super::ast::{Kind, Name, Node};
use super::super::error::Invalid;

/// All uses of `%` so far.
#[derive(Debug, Default)]
pub(super) struct Ancestry {
    /// How many steps up each still looks.
    levels: Vec<usize>,
    /// Which variable each has: those with one ancestor share one.
    variables: Vec<usize>,
}

impl Ancestry {
    pub(super) fn open(&mut self) -> usize {
        self.levels.push(1);
        self.variables.push(self.variables.len());
        self.levels.len() - 1
    }

    /// A name that no expression can write, for each use.
    pub(super) fn names(&self) -> Vec<Name> {
        self.variables
            .iter()
            .map(|number| format!("!{number}").into())
            .collect()
    }

    /// Nothing may still look for its ancestor.
    pub(super) fn refuse_open(root: &Node) -> Result<(), Invalid> {
        if matches!(root.kind, Kind::Parent(_)) || !root.seeking.is_empty() {
            return Err(none(root.position));
        }
        Ok(())
    }

    /// What `below` looks for, `node` looks for.
    pub(super) fn push(node: &mut Node, below: &Node) {
        node.seeking.extend(&below.seeking);
        if let Kind::Parent(slot) = below.kind {
            node.seeking.push(slot);
        }
    }

    /// Gives the last step of a path its ancestors among the steps before.
    pub(super) fn resolve(&mut self, path: &mut Node) -> Result<(), Invalid> {
        let Kind::Path { steps, .. } = &mut path.kind else {
            return Ok(());
        };
        let Some((last, before)) = steps.split_last_mut() else {
            return Ok(());
        };
        let mut slots: Vec<usize> = last.seeking.clone();
        if let Kind::Parent(slot) = last.kind {
            slots.push(slot);
        }
        for slot in slots {
            let mut left = before.len();
            while self.levels[slot] > 0 {
                if left == 0 {
                    path.seeking.push(slot);
                    break;
                }
                left -= 1;
                while left > 0 && before[left].step.focus.is_some() && before[left - 1].step.focus.is_some() {
                    left -= 1;
                }
                self.seek(&mut before[left], slot)?;
            }
        }
        Ok(())
    }

    /// A filter's uses of `%` begin at the step that it filters.
    pub(super) fn filter(&mut self, step: &mut Node, filter: &Node) -> Result<(), Invalid> {
        for slot in filter.seeking.iter().copied() {
            if self.levels[slot] == 1 {
                self.seek(step, slot)?;
            } else {
                self.levels[slot] = self.levels[slot].saturating_sub(1);
            }
        }
        if !filter.seeking.is_empty() {
            Self::push(step, filter);
        }
        Ok(())
    }

    fn seek(&mut self, node: &mut Node, slot: usize) -> Result<(), Invalid> {
        match &mut node.kind {
            Kind::Name(_) | Kind::Wildcard => {
                self.levels[slot] = self.levels[slot].saturating_sub(1);
                if self.levels[slot] == 0 {
                    if let Some(known) = node.step.ancestor {
                        self.variables[slot] = self.variables[known];
                    }
                    node.step.ancestor = Some(slot);
                    node.step.tuple = true;
                }
            }
            Kind::Parent(_) => self.levels[slot] += 1,
            Kind::Block { parts, .. } => {
                if let Some(last) = parts.last_mut() {
                    node.step.tuple = true;
                    self.seek(last, slot)?;
                }
            }
            Kind::Path { steps, .. } => {
                node.step.tuple = true;
                let mut later = steps.iter_mut().rev();
                if let Some(last) = later.next() {
                    self.seek(last, slot)?;
                }
                for step in later {
                    if self.levels[slot] == 0 {
                        break;
                    }
                    self.seek(step, slot)?;
                }
            }
            _ => return Err(none(node.position)),
        }
        Ok(())
    }
}

fn none(position: usize) -> Invalid {
    Invalid::new("`%` has no parent here", position)
}
