//! Drafts a plan from configuration and prior state, before the provider's own hook adjusts it.
//!
//! What the configuration sets is planned as set; where it is silent, a default applies, or the prior value of what
//! the provider computes. If that changes anything, all else that the provider computes becomes unknown, unless it
//! is marked `use_state_for_unknown`. If nothing changes, the plan is the prior state.

use std::collections::BTreeMap;

use super::replace::replacements;
use crate::cty::Val;
use crate::path::Path;
use crate::schema::{Attribute, Nesting, Object, Shape};

/// The block that users may set on resources with timeouts. It is no attribute, and a change of it changes nothing else.
pub(crate) const TIMEOUTS: &str = "timeouts";

/// What is planned for an attribute that the provider computes and the configuration leaves out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Computed {
    /// The prior value: nothing changes.
    Prior,
    /// Unknown, unless the attribute keeps its prior value: something changes, or the object is new.
    Unknown,
}

/// The drafted plan, and where it asks for a replacement.
pub(crate) fn draft(object: &Object, prior: &Val, config: &Val) -> (Val, Vec<Path>) {
    let mut replace = Vec::new();
    let mut planned = if prior.is_null() {
        plan_object(object, prior, config, Computed::Unknown)
    } else {
        plan_object(object, prior, config, Computed::Prior)
    };
    if !prior.is_null() && !same(&planned, prior) {
        planned = plan_object(object, prior, config, Computed::Unknown);
        replacements(object, [prior, config, &planned], &Path::empty(), &mut replace);
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

fn plan_object(object: &Object, prior: &Val, config: &Val, computed: Computed) -> Val {
    let one = |attr: &Attribute| {
        let (prior, config) = (prior.get(&attr.name), config.get(&attr.name));
        (attr.name.clone(), plan_attribute(attr, prior, config, computed))
    };
    Val::Map(object.attributes.iter().map(one).collect())
}

fn plan_attribute(attr: &Attribute, prior: &Val, config: &Val, computed: Computed) -> Val {
    if attr.write_only {
        return Val::Null;
    }
    let value = match (&attr.shape, &attr.default) {
        (Shape::Nested(nesting, object), _) if !config.is_null() && !config.is_unknown() => {
            return plan_nested(attr, *nesting, object, [prior, config], computed);
        }
        _ if !config.is_null() => config.clone(),
        (_, Some(default)) => default(),
        _ if attr.computed => return computed_value(attr, prior, computed),
        // A null that says its type keeps it.
        _ => config.clone(),
    };
    if means_the_same(attr, prior, &value) {
        prior.clone()
    } else {
        value
    }
}

fn computed_value(attr: &Attribute, prior: &Val, computed: Computed) -> Val {
    let keeps = attr.use_state_for_unknown && !prior.is_null();
    if computed == Computed::Unknown && !keeps {
        Val::UNKNOWN
    } else {
        prior.clone()
    }
}

/// A nested attribute that is written. What means the same as before stays as it was, inside too.
fn plan_nested(
    attr: &Attribute,
    nesting: Nesting,
    object: &Object,
    [prior, config]: [&Val; 2],
    computed: Computed,
) -> Val {
    let plan = |computed| {
        map_elements(nesting, object, prior, config, |prior, config| {
            if config.is_null() || config.is_unknown() {
                config.clone()
            } else {
                plan_object(object, prior, config, computed)
            }
        })
    };
    if attr.equal.is_some() && means_the_same(attr, prior, &plan(Computed::Prior)) {
        return prior.clone();
    }
    plan(computed)
}

/// Whether two different values mean the same, as the attribute's `equal` has it.
pub(crate) fn means_the_same(attr: &Attribute, a: &Val, b: &Val) -> bool {
    let known = |value: &Val| !value.is_null() && value.is_wholly_known();
    let equal = attr.equal.as_ref();
    a == b || equal.is_some_and(|equal| known(a) && known(b) && equal(a, b))
}

/// Plans nested objects from those of the configuration, each paired with its prior one.
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
            Val::set(all.iter().map(|one| f(prior_element(object, prior, one), one)))
        }
        _ => config.clone(),
    }
}

/// The prior element of a set to pair with an element of the configuration.
fn prior_element<'v>(object: &Object, prior: &'v Val, config: &Val) -> &'v Val {
    let found = prior.elements().iter().find(|old| fits(object, old, config));
    found.unwrap_or(&Val::Null)
}

/// Whether an element of a set has every value that an element of the configuration sets.
pub(super) fn fits(object: &Object, element: &Val, config: &Val) -> bool {
    object.attributes.iter().all(|attr| {
        let (old, new) = (element.get(&attr.name), config.get(&attr.name));
        let free = attr.write_only || (new.is_null() && attr.computed);
        free || matches!(attr.shape, Shape::Nested(..)) && !new.is_null() || means_the_same(attr, old, new)
    })
}
