//! What can be said of a rule's pattern, and of its name, before AWS is asked.

use event_pattern::{LENGTH_MAX, LENGTH_QUOTA, Pattern, Warning};
use serde_json::{Value, json};
use tfplugin::Diagnostic;
use uuid::Uuid;

/// Letters that are added to a prefix.
const SUFFIX_LENGTH: usize = 26;

/// Refuses what EventBridge would refuse, in its words.
pub(super) fn check(text: &str) -> Result<(), String> {
    let refused = |error: event_pattern::Error| {
        format!("must be a pattern that EventBridge takes. Event pattern is not valid. Reason: {error}")
    };
    let chars = text.chars().count();
    if chars > LENGTH_MAX {
        return Err(format!(
            "must have at most {LENGTH_MAX} characters, which no quota raises; it has {chars}. Shorten it, or spread it over \
             several rules"
        ));
    }
    Pattern::compile_for_eventbridge(text).map(drop).map_err(refused)
}

/// What EventBridge takes, but not in every account or not as it looks.
pub(super) fn warnings(text: &str) -> Vec<Diagnostic> {
    let (_, warnings) = Pattern::compile_for_eventbridge(text).ok().unzip();
    let (mut told, mut numbers) = (Vec::new(), Vec::new());
    for warning in warnings.unwrap_or_default() {
        match warning {
            Warning::LongerThanQuota { length } => told.push(too_long(length)),
            number => numbers.push(number.to_string()),
        }
    }
    if !numbers.is_empty() {
        told.push(
            Diagnostic::warning("The event pattern compares numbers that EventBridge does not promise to compare").detail(
                format!(
                    "AWS documents comparisons only within -5e9 to 5e9: {}. The `duration` of a run is in nanoseconds: 5e9 \
                     of them are 5 seconds.",
                    numbers.join("; ")
                ),
            ),
        );
    }
    told
}

fn too_long(length: usize) -> Diagnostic {
    Diagnostic::warning("The event pattern is longer than the default quota").detail(format!(
        "It has {length} characters. Accounts take {LENGTH_QUOTA} unless the quota `Event pattern size` was raised (the \
         maximum is 4,096); without that AWS refuses the rule. Shorten the pattern, spread it over several rules, or ask for \
         a higher quota."
    ))
}

/// On a bus of Scalr's nothing but Scalr's events arrives.
pub(super) fn matches_nothing(text: &str, bus: &str) -> Option<Diagnostic> {
    let value = serde_json::from_str(text).ok()?;
    let mut reasons = bus
        .starts_with(scalr_events::SOURCE_PREFIX)
        .then(|| scalr_events::unmatched(&value))?;
    if reasons.is_empty() && is_of_another_source(&value, bus) {
        reasons.push(format!("`source` is `{bus}` in all events on this bus"));
    }
    if reasons.is_empty() {
        return None;
    }
    let reasons: Vec<String> = reasons.iter().map(|reason| format!("  - {reason}")).collect();
    Some(
        Diagnostic::warning("The event pattern matches none of Scalr's events").detail(format!(
            "As far as the fields of Scalr's events are known, the rule will pick up nothing:\n\n{}\n\nThe guide *Fields of \
             the events* lists them, and `provider::scalr::event_pattern_matches` tries a pattern on a sample.",
            reasons.join("\n")
        )),
    )
}

/// Whether the pattern asks for a source that is not the bus's own.
fn is_of_another_source(pattern: &Value, bus: &str) -> bool {
    let sources = pattern
        .get("source")
        .map(|sources| json!({ "source": sources }).to_string());
    let matches = sources.and_then(|alone| {
        let alone = Pattern::compile(&alone).ok()?;
        alone.matches(&json!({ "source": bus }).to_string()).ok()
    });
    matches == Some(false)
}

/// A name that begins so and is like no other.
pub(super) fn made_up_name(prefix: &str) -> String {
    let mut suffix = Uuid::new_v4().simple().to_string();
    suffix.truncate(SUFFIX_LENGTH);
    format!("{prefix}{suffix}")
}

/// The prefix of a name that was made up here.
pub(super) fn prefix_of_made_up(name: &str) -> Option<String> {
    let (prefix, suffix) = name.split_at_checked(name.len().checked_sub(SUFFIX_LENGTH)?)?;
    let made_up = suffix.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (made_up && !prefix.is_empty()).then(|| prefix.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_judged_by_the_engine() {
        assert_eq!(
            check(r#"{"source": [{"prefix": "aws.partner/scalr.com"}]}"#),
            Ok(())
        );
        for (bad, why) in [
            ("", "must be"),
            (r#"{"a": "x"}"#, "\"a\" must be"),
            (r#"{"a": [{"suffix": ["x"]}]}"#, "suffix"),
            (
                r#"{"a": [{"wildcard": "*:*:*:*:*:event-bus/*"}]}"#,
                "Rule is too complex",
            ),
        ] {
            let said = check(bad).expect_err(bad);
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn warnings_are_given_for_size_and_numbers() {
        let says = |text: &str| {
            warnings(text)
                .iter()
                .map(|w| w.summary.clone())
                .collect::<Vec<_>>()
                .join("; ")
        };
        assert_eq!(says(r#"{"detail": {"n": [{"numeric": ["<", 5000000000]}]}}"#), "");
        assert!(says(r#"{"detail": {"n": [{"numeric": [">", 137000000000]}]}}"#).contains("numbers"));
        let long = format!(r#"{{"source": ["{}"]}}"#, "x".repeat(2_048));
        assert!(says(&long).contains("quota"));
    }

    #[test]
    fn no_pattern_is_longer_than_the_api_takes() {
        let long = |count: usize| format!(r#"{{"source": ["{}"]}}"#, "é".repeat(count - 16));
        assert_eq!(
            (long(4_096).chars().count(), check(&long(4_096))),
            (4_096, Ok(()))
        );
        let said = check(&long(4_097)).expect_err("too long");
        assert!(
            said.contains("at most 4096 characters") && said.len() < 200,
            "{said}"
        );
    }

    #[test]
    fn patterns_that_match_nothing_of_scalrs_are_told_on_scalrs_buses() {
        let wrong = r#"{"source": ["aws.partner/scalr.com"], "detail": {"result": ["errored"]}}"#;
        let said = matches_nothing(wrong, "aws.partner/scalr.com/acme/prod").expect("a warning");
        assert!(
            said.detail.contains("ACCOUNT/NAME") && said.detail.contains("`detail.event.result`"),
            "{said}"
        );
        assert_eq!(matches_nothing(wrong, "default"), None);
        let other = r#"{"source": ["aws.partner/scalr.com/acme/prod"]}"#;
        let said = matches_nothing(other, "aws.partner/scalr.com/acme/test").expect("a warning");
        assert!(
            said.detail
                .contains("`aws.partner/scalr.com/acme/test` in all events"),
            "{said}"
        );
        assert_eq!(matches_nothing(other, "aws.partner/scalr.com/acme/prod"), None);
        assert_eq!(
            matches_nothing(
                r#"{"detail-type": ["AuditLog"]}"#,
                "aws.partner/scalr.com/acme/prod"
            ),
            None
        );
    }

    #[test]
    fn made_up_names_are_recognised() {
        let name = made_up_name("scalr-");
        assert_eq!(
            (name.len(), prefix_of_made_up(&name).as_deref()),
            (32, Some("scalr-"))
        );
        for plain in ["scalr-RunExecuted", "x", "", "0123456789abcdef0123456789"] {
            assert_eq!(prefix_of_made_up(plain), None, "{plain}");
        }
    }
}
