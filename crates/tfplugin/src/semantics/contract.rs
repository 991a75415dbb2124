//! Terraform's rules for what a provider may answer. They are checked here too, so that a provider that breaks one
//! fails its own tests, with a message that says which attribute and why.

use super::draft::TIMEOUTS;
use crate::cty::Val;
use crate::diag::{Diagnostic, Diagnostics};
use crate::path::{Path, Step};
use crate::schema::{Nesting, Object, Shape};

/// A plan may differ from the configuration only where the provider computes: where the configuration is silent, and where
/// it may not speak, so that what it says came from `ignore_changes`.
pub(crate) fn plan(object: &Object, prior: &Val, config: &Val, planned: &Val) -> Diagnostics {
    let mut diags = Diagnostics::new();
    plan_object(object, [prior, config, planned], &Path::empty(), &mut diags);
    diags
}

fn plan_object(object: &Object, values: [&Val; 3], at: &Path, diags: &mut Diagnostics) {
    for attr in &object.attributes {
        let path = at.clone().attr(&attr.name);
        let [prior, config, planned] = values.map(|value| value.get(&attr.name));
        let kept = planned == prior && !prior.is_null() && !config.is_null();
        let broken = if attr.write_only {
            (!planned.is_null()).then_some("a write-only attribute is planned, which would store it")
        } else if planned == config || kept || (attr.computed && !attr.optional) {
            None
        } else if config.is_null() {
            (!attr.computed).then_some("it is not computed, and the configuration does not set it")
        } else {
            match &attr.shape {
                Shape::Nested(nesting, inner) if !config.is_unknown() => {
                    plan_nested(*nesting, inner, [prior, config, planned], &path, diags)
                }
                _ => Some("the configuration sets another value"),
            }
        };
        if let Some(reason) = broken {
            diags.push(
                Diagnostic::error("The provider planned an invalid value")
                    .detail(format!("This is a bug in the provider. At `{path}`: {reason}."))
                    .at(path),
            );
        }
    }
}

fn plan_nested(
    nesting: Nesting,
    object: &Object,
    values: [&Val; 3],
    at: &Path,
    diags: &mut Diagnostics,
) -> Option<&'static str> {
    match (nesting, values) {
        (Nesting::Single, [_, Val::Map(_), Val::Map(_)]) => plan_object(object, values, at, diags),
        (Nesting::Map, [prior, Val::Map(config), Val::Map(planned)]) if config.keys().eq(planned.keys()) => {
            for (key, config) in config {
                plan_object(
                    object,
                    [prior.get(key), config, &planned[key]],
                    &at.clone().key(key),
                    diags,
                );
            }
        }
        (Nesting::List, [prior, Val::List(config), Val::List(planned)]) if config.len() == planned.len() => {
            for (n, pair) in config.iter().zip(planned).enumerate() {
                let prior = prior.elements().get(n).unwrap_or(&Val::Null);
                plan_object(object, [prior, pair.0, pair.1], &at.clone().index(n), diags);
            }
        }
        // Elements of a set have no index or key to pair them by.
        (Nesting::Set, [_, Val::Set(config), Val::Set(planned)]) if config.len() >= planned.len() => {}
        _ => return Some("the configuration has other elements"),
    }
    None
}

/// A result has every known value of the plan, and no unknown one.
pub(crate) fn applied(object: &Object, planned: &Val, actual: &Val) -> Diagnostics {
    let mut diags = Diagnostics::new();
    known(actual, &Path::empty(), &mut diags);
    let root = Location {
        path: Path::empty(),
        sensitive: false,
    };
    applied_object(object, planned, actual, &root, &mut diags);
    diags
}

/// The path of an object, and whether it or an object around it is sensitive: then so is all inside.
struct Location {
    path: Path,
    sensitive: bool,
}

fn applied_object(object: &Object, planned: &Val, actual: &Val, at: &Location, diags: &mut Diagnostics) {
    for attr in &object.attributes {
        let (planned, actual) = (planned.get(&attr.name), actual.get(&attr.name));
        if compatible(planned, actual) {
            continue;
        }
        let here = Location {
            path: at.path.clone().attr(&attr.name),
            sensitive: at.sensitive || attr.sensitive,
        };
        if let (Shape::Nested(Nesting::Single, inner), Val::Map(_), Val::Map(_)) =
            (&attr.shape, planned, actual)
        {
            applied_object(inner, planned, actual, &here, diags);
            continue;
        }
        let Location { path, sensitive } = here;
        let values = if sensitive {
            String::new()
        } else {
            format!(" It planned {} and returned {}.", brief(planned), brief(actual))
        };
        diags.push(
            Diagnostic::error("The provider returned something else than it planned")
                .detail(format!(
                    "This is a bug in the provider: `{path}` differs from the plan.{values}"
                ))
                .at(path),
        );
    }
}

/// Whether a value is one that the plan allows.
fn compatible(planned: &Val, actual: &Val) -> bool {
    match (planned, actual) {
        (Val::Unknown(_), _) => true,
        (Val::List(a), Val::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| compatible(a, b)),
        (Val::Map(a), Val::Map(b)) => {
            a.keys()
                .filter(|name| *name != TIMEOUTS)
                .all(|name| b.contains_key(name))
                && b.iter()
                    .all(|(name, b)| a.get(name).is_some_and(|a| compatible(a, b)))
        }
        (Val::Set(a), Val::Set(b)) => {
            let found = |all: &[Val], one: &Val, forward: bool| {
                all.iter().any(|other| {
                    if forward {
                        compatible(one, other)
                    } else {
                        compatible(other, one)
                    }
                })
            };
            a.iter().all(|one| found(b, one, true)) && b.iter().all(|one| found(a, one, false))
        }
        (Val::Typed(a), Val::Typed(b)) => a.value.is_unknown() || compatible(&a.value, &b.value),
        (Val::Typed(a), _) if a.value.is_unknown() => true,
        _ => planned == actual,
    }
}

fn known(value: &Val, at: &Path, diags: &mut Diagnostics) {
    match value {
        Val::Unknown(_) => diags.push(
            Diagnostic::error("The provider left a value unknown")
                .detail(format!(
                    "This is a bug in the provider: after apply `{at}` must be known."
                ))
                .at(at.clone()),
        ),
        Val::Map(all) => all
            .iter()
            .for_each(|(name, one)| known(one, &at.clone().attr(name), diags)),
        Val::List(all) | Val::Set(all) => {
            all.iter()
                .enumerate()
                .for_each(|(n, one)| known(one, &at.clone().step(Step::Index(n)), diags));
        }
        Val::Typed(inner) => known(&inner.value, at, diags),
        Val::Null | Val::Bool(_) | Val::Number(_) | Val::String(_) => {}
    }
}

/// A value in a message: short, and readable.
pub(crate) fn brief(value: &Val) -> String {
    let text = match value {
        Val::Null => "null".to_owned(),
        Val::Bool(value) => value.to_string(),
        Val::Number(number) => number.to_string(),
        Val::String(text) => format!("{text:?}"),
        Val::Unknown(_) => "an unknown value".to_owned(),
        Val::List(all) => format!("a list of {}", all.len()),
        Val::Set(all) => format!("a set of {}", all.len()),
        Val::Map(all) => format!("an object of {}", all.len()),
        Val::Typed(inner) => brief(&inner.value),
    };
    if text.chars().count() > 80 {
        text.chars().take(77).chain("...".chars()).collect()
    } else {
        text
    }
}
