//! What can be said of a subscriber's filters before AWS is asked.

use event_pattern::{FilterError, Filters, Scope};
use tfplugin::{Diagnostic, Path, Plan};

use super::parts::Filter;
use super::{Subscriber, messages};
use crate::resources::eventbridge_rule;

/// Warns of filters that AWS refuses, as far as is known, and of such that let nothing of Scalr's through.
pub(super) fn warn(plan: &mut Plan<'_, Subscriber>) {
    let Some(filters) = plan.config(Subscriber::filter()).known() else {
        return;
    };
    let whose = plan.planned(Subscriber::name()).known().map_or_else(
        || "the subscriber".to_owned(),
        |name| format!("the subscriber `{name}`"),
    );
    for (warning, place) in warnings(&whose, &filters) {
        let place: Path = match place {
            Some(number) => Subscriber::filter().index(number).pattern().into(),
            None => Subscriber::filter().into(),
        };
        plan.warn(warning.at(place));
    }
}

/// The warnings, each with the number of the filter that it is about.
fn warnings(whose: &str, filters: &[Filter]) -> Vec<(Diagnostic, Option<usize>)> {
    let mut found = Vec::new();
    let all = filters
        .iter()
        .filter_map(|filter| Some((Scope::named(&filter.scope)?, &*filter.pattern)));
    // One that is no pattern is said by its own check.
    if let Err(error) = Filters::compile(all)
        && !matches!(error, FilterError::Pattern(..))
    {
        found.push((messages::refused_filters(whose, &error), place(&error, filters)));
    }
    for (number, filter) in filters.iter().enumerate() {
        match Scope::named(&filter.scope) {
            Some(Scope::Data) => {
                let warnings = eventbridge_rule::unmatched(whose, &filter.pattern);
                found.extend(warnings.into_iter().map(|warning| (warning, Some(number))));
            }
            Some(Scope::Metadata) => found.push((messages::no_metadata(whose), Some(number))),
            Some(Scope::SystemMetadata) | None => {}
        }
    }
    found
}

/// The filter that an error is about, if it is about one.
fn place(error: &FilterError, filters: &[Filter]) -> Option<usize> {
    let scope = match error {
        FilterError::Wildcard(scope) | FilterError::Pattern(scope, _) => *scope,
        FilterError::NotExact(_) => Scope::Metadata,
        _ => return None,
    };
    filters.iter().position(|filter| filter.scope == scope.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Json;

    #[track_caller]
    fn check(filters: &[(&str, &str)], want: &[&str]) {
        let filters: Vec<Filter> = filters
            .iter()
            .map(|(scope, pattern)| Filter {
                scope: (*scope).to_owned(),
                pattern: Json::from(*pattern),
            })
            .collect();
        let said: Vec<String> = warnings("the subscriber `runs`", &filters)
            .into_iter()
            .map(|(warning, _)| warning.summary)
            .collect();
        assert_eq!(said.len(), want.len(), "{said:?}");
        for (said, want) in said.iter().zip(want) {
            assert!(said.contains(want), "{said}");
        }
    }

    #[test]
    fn filters_that_aws_refuses_are_warned_of() {
        let runs = ("DATA", r#"{"detail-type":["RunExecuted"]}"#);
        let long = format!(r#"{{"a":["{}"]}}"#, "x".repeat(2_100));
        check(&[runs], &[]);
        check(&[runs, runs], &["AWS refuses"]);
        check(&[("DATA", &long), ("SYSTEM_METADATA", &long)], &["AWS refuses"]);
        check(&[("DATA", r#"{"a":[{"wildcard":"x*"}]}"#)], &["AWS refuses"]);
        check(&[("SYSTEM_METADATA", r#"{"aws:Source":[{"prefix":"x"}]}"#)], &[]);
    }

    #[test]
    fn filters_that_let_nothing_of_scalrs_through_are_warned_of() {
        check(&[("METADATA", r#"{"a":["b"]}"#)], &["METADATA"]);
        check(
            &[("METADATA", r#"{"a":[{"prefix":"b"}]}"#)],
            &["AWS refuses", "METADATA"],
        );
        check(
            &[("DATA", r#"{"source":["aws.partner/scalr.com"]}"#)],
            &["matches none of Scalr's events"],
        );
        check(
            &[("DATA", r#"{"detail-type":["RunExectued"]}"#)],
            &["matches none"],
        );
        check(&[("DATA", r#"{"source":["billing"]}"#)], &[]);
        check(&[("DATA", r#"{"detail-type":["Billed"]}"#)], &[]);
    }
}
