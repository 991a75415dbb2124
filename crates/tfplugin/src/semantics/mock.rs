//! Values that a mocked run may have made up.
//!
//! With a `mock_provider`, `terraform test` and `tofu test` start the plugin and have it validate every resource, but send it
//! no settings and plan and apply nothing: what a provider would have computed is made up from the schema. Terraform takes 8
//! small letters and digits for a text, OpenTofu 4 to 15 letters and digits, both 0 for a number. Such a value reaches the
//! attributes that refer to it, and no check of a format could pass.

use crate::cty::Val;
use crate::diag::{Diagnostic, Diagnostics, Severity};

/// Added to a finding that may be about a value of the tool's.
const PERHAPS_MADE_UP: &str = "This is only a warning because the provider has not been configured in this run, as in a test with \
     `mock_provider`, where such a value is generated and nothing has to be changed. A value of your own has to be corrected: a \
     plan refuses it.";

/// How long the texts are that the tools make up.
const TEXT_LENGTHS: std::ops::RangeInclusive<usize> = 4..=15;

/// The configuration with all that may be made up as unknown.
pub(crate) fn certain(config: &Val) -> Val {
    replaced(config, &|value| match value {
        Val::String(text) => is_made_up(text),
        other => is_zero(other),
    })
}

/// The configuration with some of its values as unknown.
fn replaced(config: &Val, is_unknown: &dyn Fn(&Val) -> bool) -> Val {
    let inner = |one: &Val| replaced(one, is_unknown);
    match config {
        value if is_unknown(value) => Val::UNKNOWN,
        Val::List(all) => Val::List(all.iter().map(inner).collect()),
        Val::Set(all) => Val::Set(all.iter().map(inner).collect()),
        Val::Map(all) => Val::Map(all.iter().map(|(name, one)| (name.clone(), inner(one))).collect()),
        other => other.clone(),
    }
}

fn is_zero(value: &Val) -> bool {
    matches!(value, Val::Number(number) if number.to_i64() == Some(0))
}

/// The configuration with each zero as unknown. A finding about one waits for the plan, which judges it with the settings: a plan
/// begins with a validation without them, and would say the same twice. A text that looks made up is warned of all the same, since
/// an id that is too short looks so.
pub(crate) fn without_zeros(config: &Val) -> Val {
    replaced(config, &|value| is_zero(value))
}

/// All findings, where an error that is not among the certain ones is a warning: a value that a user wrote and that looks
/// made up is refused when the provider has its settings, at plan.
pub(crate) fn without_doubt(all: Diagnostics, certain: &Diagnostics) -> Diagnostics {
    let is_certain = |found: &Diagnostic| certain.iter().any(|certain| certain == found);
    all.into_iter()
        .filter(|found| is_certain(found) || found.severity == Severity::Error)
        .map(|mut found| {
            if !is_certain(&found) {
                found.severity = Severity::Warning;
                found = found.next(PERHAPS_MADE_UP);
            }
            found
        })
        .collect()
}

fn is_made_up(text: &str) -> bool {
    TEXT_LENGTHS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::is_made_up;

    #[test]
    fn only_what_a_tool_makes_up_counts() {
        let check = |text: &str, wanted: bool| assert_eq!(is_made_up(text), wanted, "{text}");
        check("x8f3k2a1", true);
        check("Qz9L", true);
        check("aB3dE6gH9jK2mN5", true);
        check("abc", false);
        check("aB3dE6gH9jK2mN5p", false);
        check("us-east-1", false);
        check("größer", false);
        check("", false);
    }
}
