//! Which module uses which: every path of a crate, followed to the module it leads to.

use std::collections::BTreeMap;

use super::syntax::{Import, Named};
use super::tree::{Module, ModulePath, Tree};

/// A module that names another one of its crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) from: ModulePath,
    pub(super) to: ModulePath,
    /// Where first.
    pub(super) line: usize,
}

/// How often a name may be an import of an import; more is a loop.
const HOPS_MAX: usize = 16;

/// Every pair of modules of which one uses the other, each once.
pub(super) fn all(tree: &Tree) -> Vec<Use> {
    let mut lines: BTreeMap<(ModulePath, ModulePath), usize> = BTreeMap::new();
    for (from, module) in &tree.modules {
        let imports = module.syntax.imports.iter().filter_map(|import| {
            let to = target(tree, from, absolute(tree, from, &import.what, true)?)?;
            // A module that passes on what its children define uses none of it.
            let own = to.len() > from.len() && to.starts_with(from);
            (!(import.passed_on && own)).then_some((to, import.what.line))
        });
        let paths = module.syntax.paths.iter().filter_map(|path| {
            let to = target(tree, from, absolute(tree, from, path, false)?)?;
            Some((to, path.line))
        });
        for (to, line) in imports.chain(paths).filter(|(to, _)| to != from) {
            let first = lines.entry((from.clone(), to)).or_insert(line);
            *first = line.min(*first);
        }
    }
    let uses = lines.into_iter();
    uses.map(|((from, to), line)| Use { from, to, line }).collect()
}

/// A path from the crate's root on; none if it leads out of the crate.
fn absolute(tree: &Tree, at: &[String], path: &Named, imported: bool) -> Option<ModulePath> {
    hop(tree, at, path, imported, 0)
}

fn hop(tree: &Tree, at: &[String], path: &Named, imported: bool, hops: usize) -> Option<ModulePath> {
    let module = tree.modules.get(at)?;
    let (first, rest) = path.segments.split_first()?;
    let here = || [at, &path.inline].concat();
    match first.as_str() {
        "crate" => Some(rest.to_vec()),
        "self" => Some([here().as_slice(), rest].concat()),
        "super" => Some(upwards(here(), &path.segments)),
        // A lone name is not a module but a variable or the like.
        child if path.inline.is_empty() && module.children.iter().any(|name| name == child) => {
            (imported || !rest.is_empty()).then(|| [at, &path.segments].concat())
        }
        name if hops < HOPS_MAX => {
            let import = module
                .syntax
                .imports
                .iter()
                .find(|import| import.brings(name, path))?;
            let from = hop(tree, at, &import.what, true, hops + 1)?;
            Some([from.as_slice(), rest].concat())
        }
        _ => None,
    }
}

fn upwards(mut from: ModulePath, segments: &[String]) -> ModulePath {
    let ups = segments.iter().take_while(|segment| *segment == "super").count();
    from.truncate(from.len().saturating_sub(ups));
    from.extend_from_slice(&segments[ups..]);
    from
}

impl Import {
    /// Whether a path starts at the name that this brings in. `use a::a` does not start at itself.
    fn brings(&self, name: &str, path: &Named) -> bool {
        let itself = self.what.line == path.line && self.what.segments == path.segments;
        self.name.as_deref() == Some(name) && self.what.inline == path.inline && !itself
    }
}

/// The module that an absolute path leads to. What a module above `from` merely imports is followed to its own module;
/// what another folder passes on is that folder's.
fn target(tree: &Tree, from: &[String], mut path: ModulePath) -> Option<ModulePath> {
    for _ in 0..HOPS_MAX {
        let depth = (0..=path.len())
            .rev()
            .find(|depth| tree.modules.contains_key(&path[..*depth]))?;
        let (module_path, rest) = path.split_at(depth);
        let Some(name) = rest.first().filter(|_| from.starts_with(module_path)) else {
            return Some(module_path.to_vec());
        };
        let module = &tree.modules[module_path];
        if module.syntax.items.contains(name) {
            return Some(module_path.to_vec());
        }
        path = match origin(tree, module_path, module, name) {
            Origin::Here => return Some(module_path.to_vec()),
            Origin::Elsewhere => return None,
            Origin::At(origin) => [origin.as_slice(), &rest[1..]].concat(),
        };
    }
    None
}

enum Origin {
    /// Nothing says otherwise: a macro may have defined it.
    Here,
    /// In another crate.
    Elsewhere,
    At(ModulePath),
}

/// Where a name comes from that a module holds and does not define.
fn origin(tree: &Tree, module_path: &[String], module: &Module, name: &str) -> Origin {
    let imports = module
        .syntax
        .imports
        .iter()
        .filter(|import| import.what.inline.is_empty());
    let (named, globs): (Vec<_>, Vec<_>) = imports.partition(|import| import.name.is_some());
    if let Some(import) = named
        .into_iter()
        .find(|import| import.name.as_deref() == Some(name))
    {
        return absolute(tree, module_path, &import.what, true).map_or(Origin::Elsewhere, Origin::At);
    }
    let within = globs.into_iter().filter_map(|glob| {
        let folder = absolute(tree, module_path, &glob.what, true)?;
        let syntax = &tree.modules.get(&folder)?.syntax;
        let passed = || {
            syntax
                .imports
                .iter()
                .any(|import| import.name.as_deref() == Some(name))
        };
        (syntax.items.contains(name) || passed()).then(|| [folder.as_slice(), &[name.to_owned()]].concat())
    });
    within.into_iter().next().map_or(Origin::Here, Origin::At)
}
