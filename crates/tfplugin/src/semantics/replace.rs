//! Which changes replace the object: those of attributes that say so, wherever they nest.

use super::draft::fits;
use crate::cty::Val;
use crate::path::Path;
use crate::schema::{Attribute, Nesting, Object, Shape};

/// Finds the changed attributes that replace the object. The values are prior, configured and planned ones; an object
/// that one side lacks has null attributes there.
pub(super) fn replacements(object: &Object, values: [&Val; 3], at: &Path, found: &mut Vec<Path>) {
    for attr in &object.attributes {
        let [old, config, new] = values.map(|value| value.get(&attr.name));
        if old == new || only_recomputed(attr, config, new) {
            continue;
        }
        let path = at.clone().attr(&attr.name);
        if attr.replace {
            found.push(path);
        } else if let Shape::Nested(nesting, inner) = &attr.shape {
            nested(*nesting, inner, [old, config, new], &path, found);
        }
    }
}

/// Whether a value is unknown only because the provider computes it again, which is no change. What the configuration
/// sets to something unknown is a change: if it then differed, Terraform would refuse a replacement where it planned an
/// update.
fn only_recomputed(attr: &Attribute, config: &Val, new: &Val) -> bool {
    attr.computed && new.is_unknown() && config.is_null()
}

fn nested(nesting: Nesting, object: &Object, values: [&Val; 3], at: &Path, found: &mut Vec<Path>) {
    let [old, _, new] = values;
    match nesting {
        // The unknown value may be any.
        _ if new.is_unknown() => found.extend(settable(object).then(|| at.clone())),
        Nesting::Single => replacements(object, values, at, found),
        Nesting::List => {
            for n in 0..old.elements().len().max(new.elements().len()) {
                let element = values.map(|list| list.elements().get(n).unwrap_or(&Val::Null));
                nested(Nesting::Single, object, element, &at.clone().index(n), found);
            }
        }
        Nesting::Map => {
            for key in keys(old).chain(keys(new).filter(|key| !keys(old).any(|other| other == *key))) {
                let element = values.map(|map| map.get(key));
                nested(Nesting::Single, object, element, &at.clone().key(key), found);
            }
        }
        // Elements of a set have no path in a plan: name the set.
        Nesting::Set if set_differs(object, values) => found.push(at.clone()),
        Nesting::Set => {}
    }
}

fn keys(map: &Val) -> impl Iterator<Item = &String> {
    let all = match map {
        Val::Map(all) => Some(all.keys()),
        _ => None,
    };
    all.into_iter().flatten()
}

/// Whether an element of one side has no counterpart on the other with the same `replace` attributes.
fn set_differs(object: &Object, [prior, config, planned]: [&Val; 3]) -> bool {
    let (before, after) = (prior.elements(), planned.elements());
    let alike = |old: &Val, new: &Val| {
        let written = config.elements().iter().find(|one| fits(object, new, one));
        let mut found = Vec::new();
        let values = [old, written.unwrap_or(&Val::Null), new];
        nested(Nesting::Single, object, values, &Path::empty(), &mut found);
        found.is_empty()
    };
    let came = |new: &Val| !alike(&Val::Null, new) && !before.iter().any(|old| alike(old, new));
    let went = |old: &Val| !alike(old, &Val::Null) && !after.iter().any(|new| alike(old, new));
    after.iter().any(came) || before.iter().any(went)
}

/// Whether the configuration could set something inside that replaces the object.
fn settable(object: &Object) -> bool {
    object.attributes.iter().any(|attr| {
        let inner = match &attr.shape {
            Shape::Nested(_, inner) => settable(inner),
            Shape::Plain(_) => false,
        };
        (attr.required || attr.optional) && (attr.replace || inner)
    })
}
