//! Drafts a plan from configuration and prior state, before the provider's own hook adjusts it.
//!
//! What the configuration sets is planned as set; where it is silent, a default applies, or the prior value of what
//! the provider computes. If that changes anything, all else that the provider computes becomes unknown, unless it
//! is marked `keep`. If nothing changes, the plan is the prior state.

use std::collections::BTreeMap;

use super::replace::replacements;
use crate::cty::Val;
use crate::path::Path;
use crate::schema::{Attribute, Nesting, Object, Shape};

/// The block that users may set on resources with timeouts. It is no attribute, and a change of it changes nothing else.
pub(crate) const TIMEOUTS: &str = "timeouts";

/// The drafted plan, and where it asks for a replacement.
pub(crate) fn draft(object: &Object, prior: &Val, config: &Val) -> (Val, Vec<Path>) {
    let mut planned = settle_object(object, prior, config);
    let mut replace = Vec::new();
    if !same(&planned, prior) {
        mark_object(object, prior, config, &mut planned);
        if !prior.is_null() {
            replacements(object, [prior, config, &planned], &Path::empty(), &mut replace);
        }
    }
    if let (Val::Map(all), Val::Map(config)) = (&mut planned, config)
        && let Some(timeouts) = config.get(TIMEOUTS)
    {
        all.insert(TIMEOUTS.to_owned(), timeouts.clone());
    }
    (planned, replace)
}

/// Whether two objects are the same, timeouts aside.
pub(crate) fn same(a: &Val, b: &Val) -> bool {
    match (a, b) {
        (Val::Map(a), Val::Map(b)) => {
            let rest = |all: &BTreeMap<String, Val>, other: &BTreeMap<String, Val>| {
                all.iter()
                    .all(|(name, one)| name == TIMEOUTS || other.get(name).unwrap_or(&Val::Null) == one)
            };
            rest(a, b) && rest(b, a)
        }
        _ => a == b,
    }
}

fn settle_object(object: &Object, prior: &Val, config: &Val) -> Val {
    let one = |attr: &Attribute| {
        (
            attr.name.clone(),
            settle(attr, prior.get(&attr.name), config.get(&attr.name)),
        )
    };
    Val::Map(object.attributes.iter().map(one).collect())
}

fn settle(attr: &Attribute, prior: &Val, config: &Val) -> Val {
    if attr.write_only {
        return Val::Null;
    }
    let value = if !config.is_null() {
        match &attr.shape {
            Shape::Nested(nesting, object) if !config.is_unknown() => {
                settle_nested(*nesting, object, prior, config)
            }
            _ => config.clone(),
        }
    } else if let Some(default) = &attr.default {
        default()
    } else if attr.computed {
        prior.clone()
    } else {
        // A null that says its type keeps it.
        config.clone()
    };
    if means_the_same(attr, prior, &value) {
        prior.clone()
    } else {
        value
    }
}

/// Whether two different values mean the same, as the attribute's `equal` has it.
pub(crate) fn means_the_same(attr: &Attribute, a: &Val, b: &Val) -> bool {
    let known = |value: &Val| !value.is_null() && value.is_wholly_known();
    let equal = attr.equal.as_ref();
    a == b || equal.is_some_and(|equal| known(a) && known(b) && equal(a, b))
}

fn settle_nested(nesting: Nesting, object: &Object, prior: &Val, config: &Val) -> Val {
    map_elements(nesting, object, prior, config, |prior, config| {
        if config.is_null() || config.is_unknown() {
            config.clone()
        } else {
            settle_object(object, prior, config)
        }
    })
}

/// Rebuilds nested objects from those of the configuration, each beside the prior one that it continues.
fn map_elements(
    nesting: Nesting,
    object: &Object,
    prior: &Val,
    config: &Val,
    mut f: impl FnMut(&Val, &Val) -> Val,
) -> Val {
    match (nesting, config) {
        (Nesting::Single, _) => f(prior, config),
        (Nesting::Map, Val::Map(all)) => Val::Map(
            all.iter()
                .map(|(key, one)| (key.clone(), f(prior.get(key), one)))
                .collect(),
        ),
        (Nesting::List, Val::List(all)) => {
            let before = |n: usize| prior.elements().get(n).unwrap_or(&Val::Null);
            Val::List(all.iter().enumerate().map(|(n, one)| f(before(n), one)).collect())
        }
        (Nesting::Set, Val::Set(all)) => {
            Val::set(all.iter().map(|one| f(continued(object, prior, one), one)))
        }
        _ => config.clone(),
    }
}

/// The prior element of a set that an element of the configuration continues.
fn continued<'v>(object: &Object, prior: &'v Val, config: &Val) -> &'v Val {
    let found = prior.elements().iter().find(|old| fits(object, old, config));
    found.unwrap_or(&Val::Null)
}

/// Whether an element of a set has all that an element of the configuration says.
pub(super) fn fits(object: &Object, element: &Val, config: &Val) -> bool {
    object.attributes.iter().all(|attr| {
        let (old, new) = (element.get(&attr.name), config.get(&attr.name));
        let free = attr.write_only || (new.is_null() && attr.computed);
        free || matches!(attr.shape, Shape::Nested(..)) && !new.is_null() || means_the_same(attr, old, new)
    })
}

fn mark_object(object: &Object, prior: &Val, config: &Val, planned: &mut Val) {
    let Val::Map(all) = planned else { return };
    for attr in &object.attributes {
        let (prior, config) = (prior.get(&attr.name), config.get(&attr.name));
        if let Some(value) = all.get_mut(&attr.name) {
            mark(attr, prior, config, value);
        }
    }
}

fn mark(attr: &Attribute, prior: &Val, config: &Val, planned: &mut Val) {
    if attr.write_only {
        return;
    }
    if config.is_null() {
        if attr.computed && attr.default.is_none() && (!attr.keep || prior.is_null()) {
            *planned = Val::UNKNOWN;
        }
        return;
    }
    let Shape::Nested(nesting, object) = &attr.shape else {
        return;
    };
    if config.is_unknown() || planned == prior && attr.equal.is_some() {
        return;
    }
    *planned = map_elements(*nesting, object, prior, config, |prior, config| {
        if config.is_null() || config.is_unknown() {
            return config.clone();
        }
        let mut one = settle_object(object, prior, config);
        mark_object(object, prior, config, &mut one);
        one
    });
}
