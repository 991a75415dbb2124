//! A configuration for an object that exists: what a person would write.
//!
//! Left out is what only the provider sets, what is never stored or deprecated, what is the default anyway, and what is empty
//! where the provider fills it in. Of attributes that exclude each other one stays. A plan with the result changes nothing:
//! what is left out keeps its prior value.

use crate::cty::Val;
use crate::path::{Path, Step};
use crate::schema::{Attribute, Nesting, Object, Shape};
use crate::semantics::draft::{TIMEOUTS, means_the_same};

/// The configuration of a state, before rules over several attributes.
pub(crate) fn config(object: &Object, state: &Val) -> Val {
    let Val::Map(_) = state else {
        return Val::Null;
    };
    let written = |attr: &Attribute| (attr.name.clone(), attribute(attr, state.get(&attr.name)));
    let timeouts = state.get(TIMEOUTS);
    let timeouts = (!timeouts.is_null()).then(|| (TIMEOUTS.to_owned(), timeouts.clone()));
    Val::Map(object.attributes.iter().map(written).chain(timeouts).collect())
}

fn attribute(attr: &Attribute, value: &Val) -> Val {
    let stays = attr.required || (attr.optional && attr.deprecated.is_none());
    if value.is_null() || attr.write_only || !stays {
        return Val::Null;
    }
    let value = match &attr.shape {
        Shape::Plain(_) => value.clone(),
        Shape::Nested(nesting, object) => nested(*nesting, object, value),
    };
    let is_implied = match &attr.default {
        Some(default) => means_the_same(attr, &default(), &value),
        None => attr.computed && is_empty(&value),
    };
    if is_implied && !attr.required {
        Val::Null
    } else {
        value
    }
}

fn nested(nesting: Nesting, object: &Object, value: &Val) -> Val {
    match (nesting, value) {
        (Nesting::Map, Val::Map(all)) => Val::Map(
            all.iter()
                .map(|(key, one)| (key.clone(), config(object, one)))
                .collect(),
        ),
        (Nesting::List, _) => Val::List(value.elements().iter().map(|one| config(object, one)).collect()),
        (Nesting::Set, _) => Val::set(value.elements().iter().map(|one| config(object, one))),
        _ => config(object, value),
    }
}

fn is_empty(value: &Val) -> bool {
    match value {
        Val::Null => true,
        Val::String(text) => text.is_empty(),
        Val::List(all) | Val::Set(all) => all.is_empty(),
        Val::Map(all) => all.values().all(Val::is_null),
        _ => false,
    }
}

/// Keeps one of several alternatives that exclude each other, each the attributes that it consists of: the first that the
/// provider does not fill in by itself, else the first.
pub(crate) fn keep_one(object: &Object, alternatives: &[Vec<Path>], config: &mut Val) {
    let is_filled_in = |path: &Path| match path.steps() {
        [Step::Attr(name)] => object.attribute(name).is_some_and(|attr| attr.computed),
        _ => false,
    };
    let by_hand = alternatives
        .iter()
        .position(|paths| !paths.iter().all(is_filled_in));
    let kept = by_hand.unwrap_or_default();
    let others = alternatives.iter().enumerate().filter(|(n, _)| *n != kept);
    for path in others.flat_map(|(_, paths)| paths) {
        config.put(path.steps(), Val::Null);
    }
}
