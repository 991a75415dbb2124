//! A module uses only what is below it: the code against the picture on the page of its parent.

use std::collections::{BTreeMap, BTreeSet};

use super::level::{self, Level, Unit};
use super::picture;
use super::tree::{Module, ModulePath, Tree};
use super::uses::Use;

/// A crate with at most so many modules beside its root needs no picture: they are seen at a glance.
const UNDRAWN_MAX: usize = 2;

/// What is wrong with the pictures of a crate, and what breaks them.
pub(super) fn check(tree: &Tree, uses: &[Use]) -> Vec<String> {
    let mut found = Vec::new();
    for (module_path, module) in &tree.modules {
        match picture::read(&module.syntax.page) {
            Some(floors) => found.extend(of_picture(tree, module_path, module, &floors, uses)),
            None if module_path.is_empty() && module.children.len() > UNDRAWN_MAX => found.push(format!(
                "{}: {} modules and no picture of them under `# Floors`",
                module.file,
                module.children.len()
            )),
            None => {}
        }
    }
    found
}

fn of_picture(
    tree: &Tree,
    module_path: &ModulePath,
    module: &Module,
    floors: &[Vec<String>],
    uses: &[Use],
) -> Vec<String> {
    let level = level::of(module_path, uses);
    let mut found = names(module, floors);
    let heights = floors.iter().enumerate();
    let heights: BTreeMap<&str, usize> = heights
        .flat_map(|(height, floor)| floor.iter().map(move |name| (name.as_str(), height)))
        .collect();
    let height = |unit: Unit<'_>| unit.and_then(|name| heights.get(name).copied());
    for ((from, to), uses) in &level.uses {
        if let Some(why) = refused(*from, *to, height) {
            let lines = uses.iter().map(|one| {
                let module_path = level::location(tree, one);
                format!(
                    "{module_path}: `{}` uses `{}`, {why}",
                    level::path(&one.from),
                    level::path(&one.to)
                )
            });
            found.extend(lines);
        }
    }
    found.extend(level_cycles(tree, &level, module, height));
    found
}

fn refused<'a>(
    from: Unit<'a>,
    to: Unit<'a>,
    height: impl Fn(Unit<'a>) -> Option<usize>,
) -> Option<&'static str> {
    match (from, to) {
        (None, _) => None,
        (Some(_), None) => Some("the file with the picture, which is above all that it draws"),
        (Some(_), Some(_)) => (height(from)? < height(to)?).then_some("which is on a higher floor"),
    }
}

/// Every child once, and nothing else.
fn names(module: &Module, floors: &[Vec<String>]) -> Vec<String> {
    let children: BTreeSet<&str> = module.children.iter().map(String::as_str).collect();
    let mut drawn = BTreeSet::new();
    let mut found = Vec::new();
    for name in floors.iter().flatten() {
        if !children.contains(name.as_str()) {
            found.push(format!(
                "{}: the picture names `{name}`, which is no module",
                module.file
            ));
        } else if !drawn.insert(name.as_str()) {
            found.push(format!("{}: the picture names `{name}` twice", module.file));
        }
    }
    let missing = children.difference(&drawn);
    found.extend(missing.map(|name| format!("{}: the picture lacks `{name}`", module.file)));
    found
}

/// Cycles between the modules of one floor.
fn level_cycles<'a>(
    tree: &Tree,
    level: &Level<'a>,
    module: &'a Module,
    height: impl Fn(Unit<'a>) -> Option<usize>,
) -> Vec<String> {
    let mut covered = BTreeSet::new();
    let mut found = Vec::new();
    for child in &module.children {
        let unit = Some(child.as_str());
        let floor = height(unit);
        if floor.is_none() || covered.contains(&unit) {
            continue;
        }
        if let Some(cycle) = level.cycle(unit, |_, to| height(to) == floor) {
            covered.extend(cycle.iter().copied());
            let spelt = level.spell(tree, &cycle);
            found.push(format!("{}: an import cycle on one floor: {spelt}", module.file));
        }
    }
    found
}
