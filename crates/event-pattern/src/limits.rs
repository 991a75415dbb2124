//! EventBridge's own limits, which its engine does not have.

use std::collections::HashSet;
use std::sync::Arc;

use crate::comparison::Comparison;
use crate::compile;
use crate::error::Error;
use crate::number;
use crate::pattern::Pattern;

/// The longest pattern that EventBridge's service model takes, in characters.
pub const LENGTH_MAX: usize = 4_096;
/// The longest pattern that an account may have unless its quota was raised, in characters.
pub const LENGTH_QUOTA: usize = 2_048;
/// The most combinations that the `$or` lists of a pattern may have: EventBridge's guide, "Comparison operators for use in
/// event patterns", has an error for over 1000 rule combinations.
pub const COMBINATIONS_MAX: usize = 1_000;
/// The wildcard complexity above which a pattern is refused. AWS took one of 7 and refused one of 11.
pub const COMPLEXITY_MAX: usize = 10;
/// The guide promises numeric matching for numbers from minus this to this.
pub const NUMBER_MAX: f64 = 5e9;

/// What EventBridge takes, but perhaps not as meant.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// The pattern is longer than the default quota.
    LongerThanQuota {
        /// In characters.
        length: usize,
    },
    /// A number lies outside the range that the guide names.
    NumberOutOfRange {
        /// The field's keys, joined by dots.
        path: String,
        /// The number.
        number: f64,
    },
    /// In each of its fields an alternative has a comparison in common with an earlier alternative: the engine takes it for the same
    /// and ignores it.
    AlternativeIgnored {
        /// Which one, counted from 0 in the order in which they are written.
        alternative: usize,
    },
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::LongerThanQuota { length } => write!(
                f,
                "the pattern has {length} characters; an account's quota is {LENGTH_QUOTA} unless it was raised"
            ),
            Self::NumberOutOfRange { path, number } => write!(
                f,
                "`{path}` compares with {number:?}, which is outside the range of -5e9 to 5e9 that EventBridge documents"
            ),
            Self::AlternativeIgnored { alternative } => write!(
                f,
                "alternative {alternative} of `$or` (counted from 0) has a value in common with an earlier one in every field: EventBridge's \
                 engine takes it for the same one and ignores it"
            ),
        }
    }
}

impl Pattern {
    /// Compiles a pattern as EventBridge would take it: [`compile`](Self::compile), and then EventBridge's own limits.
    pub fn compile_for_eventbridge(pattern: &str) -> Result<(Self, Vec<Warning>), Error> {
        let length = pattern.chars().count();
        if length > LENGTH_MAX {
            let reason = format!("Member must have length less than or equal to {LENGTH_MAX}");
            return Err(Error::limit(reason, "a shorter pattern"));
        }
        let written = compile::written(pattern)?;
        if written.len() > COMBINATIONS_MAX {
            return Err(compile::too_complex());
        }
        if compile::complexity(&written, COMPLEXITY_MAX + 1) > COMPLEXITY_MAX {
            let reason = "Rule is too complex - try using fewer wildcard characters or fewer repeating character \
                          sequences after a wildcard character";
            return Err(Error::limit(reason.to_owned(), "fewer `*`"));
        }
        let ignored = compile::ignored(&written)?;
        let compiled = Self::of(written)?;
        let mut warnings = Vec::new();
        if length > LENGTH_QUOTA {
            warnings.push(Warning::LongerThanQuota { length });
        }
        warnings.extend(compiled.numbers_out_of_range());
        warnings.extend(
            ignored
                .into_iter()
                .map(|alternative| Warning::AlternativeIgnored { alternative }),
        );
        Ok((compiled, warnings))
    }

    fn numbers_out_of_range(&self) -> Vec<Warning> {
        let (mut warnings, mut seen) = (Vec::new(), HashSet::new());
        let conditions = self.alternatives.iter().flatten();
        for condition in conditions.filter(|one| seen.insert(Arc::as_ptr(one))) {
            for number in condition.any_of.list.iter().flat_map(numbers).map(number::double) {
                let path = String::from_utf8_lossy(&condition.name).into_owned();
                let warning = Warning::NumberOutOfRange { path, number };
                if number.abs() > NUMBER_MAX && !warnings.contains(&warning) {
                    warnings.push(warning);
                }
            }
        }
        warnings
    }
}

/// How complex a pattern's wildcards are, or `most` if they are more complex than that.
///
/// This is the count of AWS's engine: how many beginnings of wildcards can match one and the same beginning of a value,
/// at worst. Wildcards of one field are counted together; each star, and each character after it, is a new beginning.
/// The engine's own mistakes are in it: it misses a field that is only reached where an earlier one is absent, and the
/// order of a field's comparisons matters.
pub fn wildcard_complexity(pattern: &str, most: usize) -> Result<usize, Error> {
    Ok(compile::complexity(&compile::written(pattern)?, most))
}

fn numbers(comparison: &Comparison) -> Vec<number::Key> {
    match comparison {
        Comparison::Number(key) => vec![*key],
        Comparison::NotNumbers(keys) => keys.iter().copied().collect(),
        Comparison::Range { low, high, .. } => [*low, *high]
            .into_iter()
            .filter(|key| *key != number::LEAST && *key != number::GREATEST)
            .collect(),
        _ => Vec::new(),
    }
}
