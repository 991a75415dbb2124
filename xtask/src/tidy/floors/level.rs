//! One level of a crate: a module's own file and its children, each child with all that is below it, and who uses whom.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::{ModulePath, Tree};
use super::uses::Use;

/// A child of the level's module; none is the module's own file.
pub(super) type Unit<'a> = Option<&'a str>;

/// The uses between the units of one level.
pub(super) struct Level<'a> {
    pub(super) module_path: &'a ModulePath,
    pub(super) uses: BTreeMap<(Unit<'a>, Unit<'a>), Vec<&'a Use>>,
}

/// The level whose module is at `module_path`.
pub(super) fn of<'a>(module_path: &'a ModulePath, uses: &'a [Use]) -> Level<'a> {
    let mut found: BTreeMap<_, Vec<&Use>> = BTreeMap::new();
    let within = |at: &ModulePath| at.starts_with(module_path);
    for one in uses.iter().filter(|one| within(&one.from) && within(&one.to)) {
        let (from, to) = (unit(module_path, &one.from), unit(module_path, &one.to));
        if from != to {
            found.entry((from, to)).or_default().push(one);
        }
    }
    Level {
        module_path,
        uses: found,
    }
}

fn unit<'a>(module_path: &ModulePath, at: &'a ModulePath) -> Unit<'a> {
    at.get(module_path.len()).map(String::as_str)
}

impl<'a> Level<'a> {
    /// The shortest way from a unit back to itself over the uses that count.
    pub(super) fn cycle(
        &self,
        start: Unit<'a>,
        counts: impl Fn(Unit<'a>, Unit<'a>) -> bool,
    ) -> Option<Vec<Unit<'a>>> {
        let mut ways = vec![vec![start]];
        let mut seen = BTreeSet::new();
        while !ways.is_empty() {
            let mut longer = Vec::new();
            for way in ways {
                let last = *way.last()?;
                for (_, to) in self
                    .uses
                    .keys()
                    .filter(|(from, to)| *from == last && counts(*from, *to))
                {
                    let on = [way.as_slice(), &[*to]].concat();
                    if *to == start {
                        return Some(on);
                    }
                    if seen.insert(*to) {
                        longer.push(on);
                    }
                }
            }
            ways = longer;
        }
        None
    }

    /// A cycle as a reader sees it, with the first line of code for each of its steps.
    pub(super) fn spell(&self, tree: &Tree, cycle: &[Unit<'a>]) -> String {
        let units: Vec<String> = cycle.iter().map(|unit| self.name(tree, *unit)).collect();
        let steps = cycle.windows(2).filter_map(|pair| {
            let first = self.uses.get(&(pair[0], pair[1]))?.first()?;
            Some(format!("{} uses `{}`", location(tree, first), path(&first.to)))
        });
        format!(
            "{} ({})",
            units.join(" -> "),
            steps.collect::<Vec<_>>().join("; ")
        )
    }

    fn name(&self, tree: &Tree, unit: Unit<'a>) -> String {
        let Some(child) = unit else {
            return "its own file".to_owned();
        };
        let module_path = [self.module_path.as_slice(), &[child.to_owned()]].concat();
        let folder = if tree.is_folder(&module_path) { "/" } else { "" };
        format!("`{child}{folder}`")
    }
}

/// `file:line` of a use.
pub(super) fn location(tree: &Tree, one: &Use) -> String {
    let file = tree
        .modules
        .get(&one.from)
        .map_or("", |module| module.file.as_str());
    format!("{file}:{}", one.line)
}

/// A module as code spells it.
pub(super) fn path(module_path: &[String]) -> String {
    std::iter::once("crate")
        .chain(module_path.iter().map(String::as_str))
        .collect::<Vec<_>>()
        .join("::")
}
