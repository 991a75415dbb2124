//! Prepares a struct's values for state: keeps texts that mean the same, removes what must not be stored.

use std::collections::BTreeMap;

use super::draft::{TIMEOUTS, means_the_same};
use crate::cty::Val;
use crate::schema::{Attribute, Nesting, Object, Shape};

/// The value as it goes to state: semantically equal values keep the reference's text, write-only attributes are
/// null, and the timeouts are the reference's.
pub(crate) fn for_state(object: &Object, reference: &Val, actual: Val) -> Val {
    let mut state = keep_object(object, reference, actual);
    if let (Val::Map(all), Val::Map(reference)) = (&mut state, reference)
        && let Some(timeouts) = reference.get(TIMEOUTS)
    {
        all.insert(TIMEOUTS.to_owned(), timeouts.clone());
    }
    state
}

fn keep_object(object: &Object, reference: &Val, actual: Val) -> Val {
    let Val::Map(mut all) = actual else { return actual };
    for attr in &object.attributes {
        if let Some(slot) = all.get_mut(&attr.name) {
            let value = std::mem::take(slot);
            *slot = keep(attr, reference.get(&attr.name), value);
        }
    }
    Val::Map(all)
}

fn keep(attr: &Attribute, reference: &Val, actual: Val) -> Val {
    if attr.write_only {
        return Val::Null;
    }
    if means_the_same(attr, reference, &actual) {
        return reference.clone();
    }
    let Shape::Nested(nesting, object) = &attr.shape else {
        return actual;
    };
    each(*nesting, reference, actual, |reference, one| {
        keep_object(object, reference, one)
    })
}

/// Changes nested objects, each paired with the one of the reference under the same index or key. Sets have neither.
fn each(nesting: Nesting, reference: &Val, actual: Val, mut f: impl FnMut(&Val, Val) -> Val) -> Val {
    match (nesting, actual) {
        (Nesting::Single, actual @ Val::Map(_)) => f(reference, actual),
        (Nesting::Map, Val::Map(all)) => Val::Map(
            all.into_iter()
                .map(|(key, one)| {
                    let value = f(reference.get(&key), one);
                    (key, value)
                })
                .collect(),
        ),
        (Nesting::List, Val::List(all)) => {
            let before = |n: usize| reference.elements().get(n).unwrap_or(&Val::Null);
            Val::List(
                all.into_iter()
                    .enumerate()
                    .map(|(n, one)| f(before(n), one))
                    .collect(),
            )
        }
        (Nesting::Set, Val::Set(all)) => Val::set(all.into_iter().map(|one| f(&Val::Null, one))),
        (_, other) => other,
    }
}

/// The plan with the write-only attributes that only the configuration holds: what `create` and `update` get to see.
pub(crate) fn with_write_only(object: &Object, config: &Val, planned: Val) -> Val {
    let Val::Map(mut all) = planned else {
        return planned;
    };
    for attr in &object.attributes {
        let given = config.get(&attr.name);
        let Some(slot) = all.get_mut(&attr.name) else {
            continue;
        };
        if attr.write_only {
            *slot = given.clone();
        } else if let Shape::Nested(nesting, inner) = &attr.shape {
            let value = std::mem::take(slot);
            *slot = each(*nesting, given, value, |given, one| {
                with_write_only(inner, given, one)
            });
        }
    }
    Val::Map(all)
}

/// An object of which only these attributes are set.
pub(crate) fn sparse(object: &Object, set: BTreeMap<String, Val>) -> Val {
    let mut all: BTreeMap<String, Val> = object
        .attributes
        .iter()
        .map(|attr| (attr.name.clone(), Val::Null))
        .collect();
    all.extend(set);
    Val::Map(all)
}
