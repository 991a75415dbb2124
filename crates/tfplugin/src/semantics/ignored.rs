//! What `ignore_changes` keeps of attributes that only the provider sets: there Terraform puts the prior value into the
//! configuration of a plan. It is planned as it stands, and an apply has to return what was planned.
//!
//! The configuration of an apply is the one that is written. So the plan notes in the private state what is kept, and the
//! apply takes the note out again.

use std::collections::{BTreeMap, BTreeSet};

use crate::cty::Val;
use crate::path::Path;
use crate::schema::{Nesting, Object, Shape};

/// Where the note is in the private state.
const KEY: &str = "tfplugin:ignored";

/// The attributes that only the provider sets and that have a value all the same. Elements of a set have no path: the set
/// stands for them.
pub(crate) fn paths(object: &Object, value: &Val) -> Vec<Path> {
    let mut found = Vec::new();
    find(object, value, &Path::empty(), &mut found);
    found
}

fn find(object: &Object, value: &Val, at: &Path, found: &mut Vec<Path>) {
    for attr in &object.attributes {
        let (value, path) = (value.get(&attr.name), at.clone().attr(&attr.name));
        if value.is_null() {
            continue;
        }
        if attr.computed && !attr.optional {
            found.push(path);
        } else if let Shape::Nested(nesting, inner) = &attr.shape {
            find_nested(*nesting, inner, value, path, found);
        }
    }
}

fn find_nested(nesting: Nesting, object: &Object, value: &Val, at: Path, found: &mut Vec<Path>) {
    match (nesting, value) {
        (Nesting::Single, _) => find(object, value, &at, found),
        (Nesting::Map, Val::Map(all)) => {
            for (key, one) in all {
                find(object, one, &at.clone().key(key), found);
            }
        }
        (Nesting::Set, _) => {
            if value.elements().iter().any(|one| !paths(object, one).is_empty()) {
                found.push(at);
            }
        }
        _ => {
            for (n, one) in value.elements().iter().enumerate() {
                find(object, one, &at.clone().index(n), found);
            }
        }
    }
}

/// Notes in the private state of a plan what is kept.
pub(crate) fn note(private: &mut BTreeMap<String, Vec<u8>>, kept: &[Path]) {
    let names: Vec<String> = kept.iter().map(ToString::to_string).collect();
    private.insert(KEY.to_owned(), names.join("\n").into_bytes());
}

/// Takes the note out of the private state.
pub(crate) fn take(private: &mut BTreeMap<String, Vec<u8>>) -> BTreeSet<String> {
    let noted = private.remove(KEY).unwrap_or_default();
    String::from_utf8_lossy(&noted)
        .lines()
        .map(str::to_owned)
        .collect()
}

/// The result of an update, in which what is kept is as it was planned.
pub(crate) fn keep(object: &Object, kept: &BTreeSet<String>, planned: &Val, mut actual: Val) -> Val {
    for path in paths(object, planned) {
        if kept.contains(&path.to_string()) {
            actual.put(path.steps(), planned.at(&path).clone());
        }
    }
    actual
}
