//! No import cycle across folders. At each level of a crate the units are a module's own file and its children, each with
//! all that is below it. Files of one level may use each other; as soon as a folder is part of a cycle, it is refused.

use std::collections::BTreeSet;

use super::level::{self, Level, Unit};
use super::tree::{Module, ModulePath, Tree};
use super::uses::Use;

/// One finding for each folder in a cycle: the shortest one through it.
pub(super) fn check(tree: &Tree, uses: &[Use]) -> Vec<String> {
    tree.modules
        .iter()
        .flat_map(|(module_path, module)| of_level(tree, module_path, module, uses))
        .collect()
}

fn of_level(tree: &Tree, module_path: &ModulePath, module: &Module, uses: &[Use]) -> Vec<String> {
    let level = level::of(module_path, uses);
    let mut covered: BTreeSet<Unit<'_>> = BTreeSet::new();
    let mut found = Vec::new();
    for child in &module.children {
        let below = [module_path.as_slice(), std::slice::from_ref(child)].concat();
        if !tree.is_folder(&below) || covered.contains(&Some(child.as_str())) {
            continue;
        }
        if let Some(cycle) = level.cycle(Some(child), |_, _| true) {
            covered.extend(&cycle);
            found.push(finding(tree, &level, module, &cycle));
        }
    }
    found
}

fn finding(tree: &Tree, level: &Level<'_>, module: &Module, cycle: &[Unit<'_>]) -> String {
    format!(
        "{}: an import cycle with a folder: {}",
        module.file,
        level.spell(tree, cycle)
    )
}
