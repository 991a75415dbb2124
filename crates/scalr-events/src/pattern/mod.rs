//! Builds an event pattern from a detail type and a few filters.

mod error;
mod leaf;

pub use error::PatternError;

use event_pattern::{LENGTH_MAX, Pattern};
use serde_json::{Map, Value, json};

use crate::EventType;
use crate::catalogue::SOURCE_PREFIX;
use crate::values::kind_of;
use leaf::{Leaf, clash, leaves};

/// The filter that holds alternatives: lists of other filters, of which one must pass.
pub const ANY_OF: &str = "any_of";
const SOURCE: &str = "source";

/// The pattern that matches events of this type which pass every filter.
///
/// `filters` maps filter names (see [`catalogue`](crate::catalogue)) to a value, a list of values of which any may match, or a matcher of
/// EventBridge's such as `{"prefix": "prod-"}`. The filter [`ANY_OF`] is a list of such maps, of which one must pass. Null filters count
/// as absent; so does a null map.
pub fn event_pattern(event_type: &str, filters: &Value) -> Result<Value, PatternError> {
    let event_type: EventType = event_type.parse().map_err(PatternError::Type)?;
    let none = Map::new();
    let filters = match filters {
        Value::Null => &none,
        Value::Object(filters) => filters,
        other => {
            return Err(PatternError::NotAnObject {
                given: kind_of(other),
            });
        }
    };
    let mut every = leaves(event_type, filters, "")?;
    let mut any_of = filters
        .get(ANY_OF)
        .map_or(Ok(Vec::new()), |choices| alternatives(event_type, choices))?;
    for leaf in any_of.iter().flatten() {
        clash(every.iter(), leaf)?;
    }
    if any_of.len() == 1 {
        every.append(&mut any_of.remove(0));
    }
    add_source(&mut every, &mut any_of);
    let pattern = assembled(event_type, &every, &any_of);
    judge(&pattern, &every, &any_of).map(|()| pattern)
}

/// The alternatives of `any_of`: one at least, each with a filter.
fn alternatives(event_type: EventType, choices: &Value) -> Result<Vec<Vec<Leaf>>, PatternError> {
    let choices = match choices {
        Value::Null => return Ok(Vec::new()),
        Value::Array(choices) => choices,
        other => {
            return Err(PatternError::NoAlternatives {
                given: kind_of(other),
            });
        }
    };
    if choices.is_empty() {
        return Err(PatternError::Empty {
            name: ANY_OF.to_owned(),
        });
    }
    let of_choice = |(number, choice): (usize, &Value)| {
        let Value::Object(filters) = choice else {
            return Err(PatternError::NoAlternatives {
                given: kind_of(choice),
            });
        };
        if filters.get(ANY_OF).is_some_and(|inner| !inner.is_null()) {
            return Err(PatternError::Nested);
        }
        let found = leaves(event_type, filters, &format!("{ANY_OF}[{number}]."))?;
        if found.is_empty() {
            return Err(PatternError::TakesAll { number });
        }
        Ok(found)
    };
    choices.iter().enumerate().map(of_choice).collect()
}

/// Scalr's sources where no filter says which: beside the alternatives, or within those that say none.
fn add_source(every: &mut Vec<Leaf>, any_of: &mut [Vec<Leaf>]) {
    let has_source = |leaves: &[Leaf]| leaves.iter().any(|leaf| leaf.field.path == SOURCE);
    if has_source(every) {
        return;
    }
    let of_scalr = || Leaf::of_scalr(json!({ "prefix": SOURCE_PREFIX }));
    if any_of.iter().any(|leaves| has_source(leaves)) {
        for leaves in any_of.iter_mut().filter(|leaves| !has_source(leaves)) {
            leaves.push(of_scalr());
        }
    } else {
        every.push(of_scalr());
    }
}

fn assembled(event_type: EventType, every: &[Leaf], any_of: &[Vec<Leaf>]) -> Value {
    let mut pattern = json!({ "detail-type": [event_type.as_str()] });
    for leaf in every {
        leaf.set_in(&mut pattern);
    }
    if !any_of.is_empty() {
        let choices = any_of.iter().map(|leaves| {
            let mut choice = Value::Object(Map::new());
            for leaf in leaves {
                leaf.set_in(&mut choice);
            }
            choice
        });
        pattern["$or"] = choices.collect();
    }
    pattern
}

/// Whether EventBridge takes the pattern, and means by it what the filters say.
fn judge(pattern: &Value, every: &[Leaf], any_of: &[Vec<Leaf>]) -> Result<(), PatternError> {
    let text = pattern.to_string();
    let chars = text.chars().count();
    if chars > LENGTH_MAX {
        return Err(PatternError::TooLong { chars });
    }
    let (_, warnings) = Pattern::compile_for_eventbridge(&text).map_err(|error| {
        // The path ends within a matcher that is wrong, so a field's path is its beginning.
        let mut all = every.iter().chain(any_of.iter().flatten());
        let wrong = all.find(|leaf| error.path().starts_with(leaf.field.path) && !error.path().is_empty());
        PatternError::Refused {
            name: wrong.map(|leaf| leaf.name.clone()),
            reason: error.reason().to_owned(),
        }
    })?;
    let ignored = warnings.iter().find_map(|warning| match warning {
        event_pattern::Warning::AlternativeIgnored { alternative } => Some(*alternative),
        _ => None,
    });
    ignored.map_or(Ok(()), |number| Err(PatternError::Ignored { number }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    fn check(event_type: &str, filters: &Value, want: Result<Value, &str>) {
        let have = event_pattern(event_type, filters).map_err(|error| error.to_string());
        match want {
            Ok(want) => assert_eq!(have, Ok(want), "{filters}"),
            Err(part) => {
                let message = have.expect_err(part);
                assert!(message.contains(part), "{message:?} lacks {part:?}");
            }
        }
    }

    #[test]
    fn the_ready_patterns_are_the_documented_ones() {
        for name in ["RunExecuted", "AuditLog"] {
            let want = json!({ "source": [{ "prefix": "aws.partner/scalr.com" }], "detail-type": [name] });
            check(name, &json!({}), Ok(want.clone()));
            check(name, &Value::Null, Ok(want.clone()));
            check(name, &json!({ "workspace": null }), Ok(want));
        }
    }

    #[test]
    fn filters_become_leaves() {
        check(
            "RunExecuted",
            &json!({ "result": ["errored", "canceled"], "is_dry": false, "workspace": { "prefix": "prod-" } }),
            Ok(json!({
                "source": [{ "prefix": "aws.partner/scalr.com" }],
                "detail-type": ["RunExecuted"],
                "detail": { "event": {
                    "result": ["errored", "canceled"], "is-dry": [false], "workspace": [{ "prefix": "prod-" }],
                } },
            })),
        );
        check(
            "AuditLog",
            &json!({ "event_source_name": "aws.partner/scalr.com/a/b", "status_code": 201, "tags": "scalr-action:x" }),
            Ok(json!({
                "source": ["aws.partner/scalr.com/a/b"],
                "detail-type": ["AuditLog"],
                "detail": { "outcome": { "status-code": [201] }, "tags": ["scalr-action:x"] },
            })),
        );
    }

    #[test]
    fn wrong_arguments_are_named() {
        check("RunExecute", &json!({}), Err("did you mean `RunExecuted`?"));
        check("runExecuted", &json!({}), Err("did you mean `RunExecuted`?"));
        check(
            "Other",
            &json!({}),
            Err("Event types are `RunExecuted` and `AuditLog`."),
        );
        check(
            "RunExecuted",
            &json!({ "workspce": "x" }),
            Err("no filter `workspce`; the nearest is `workspace`."),
        );
        check(
            "RunExecuted",
            &json!({ "action": "x" }),
            Err("Filters are `envelope_id`, "),
        );
        check(
            "RunExecuted",
            &json!({ "detail_type": "x" }),
            Err("no filter `detail_type`"),
        );
        check(
            "RunExecuted",
            &json!({ "is_dry": "false" }),
            Err("`is_dry` takes a bool, a list of them"),
        );
        check(
            "RunExecuted",
            &json!({ "workspace": [["x"]] }),
            Err("this is a list"),
        );
        check(
            "RunExecuted",
            &json!({ "workspace": [] }),
            Err("is an empty list"),
        );
        for two in [["is-dry", "is_dry"], ["event.is-dry", "is_dry"]] {
            let filters = json!({ two[0]: true, two[1]: false });
            let both = format!("`{}` and `{}` are one filter", two[0], two[1]);
            check("RunExecuted", &filters, Err(&both));
        }
        check(
            "RunExecuted",
            &json!({ "is-dry": null, "is_dry": false }),
            Ok(event_pattern("RunExecuted", &json!({ "is_dry": false })).unwrap()),
        );
        let typo = json!({ "workspace": { "prefx": "x" } });
        check(
            "RunExecuted",
            &typo,
            Err("The filter `workspace`: EventBridge has no comparison `prefx`; the nearest is `prefix`."),
        );
        check("RunExecuted", &json!(["workspace"]), Err("this is a list"));
        assert_eq!(event_pattern("X", &Value::Null).unwrap_err().argument(), 0);
        assert_eq!(event_pattern("AuditLog", &json!(1)).unwrap_err().argument(), 1);
    }

    #[test]
    fn ids_are_looked_for_among_the_tags() {
        let of_tags = |tags: Value| {
            Ok(json!({
                "source": [{ "prefix": "aws.partner/scalr.com" }],
                "detail-type": ["RunExecuted"],
                "detail": { "tags": tags },
            }))
        };
        for (filters, tags) in [
            (
                json!({ "workspace_id": ["ws-1", "ws-2"] }),
                json!(["scalr-workspace:ws-1", "scalr-workspace:ws-2"]),
            ),
            (
                json!({ "environment_id": "env-1" }),
                json!(["scalr-environment:env-1"]),
            ),
            (
                json!({ "workspace-id": [{ "wildcard": "ws-*1" }, { "prefix": "ws-a" }, { "equals-ignore-case": "WS-B" }] }),
                json!([
                    { "wildcard": "scalr-workspace:ws-*1" },
                    { "prefix": "scalr-workspace:ws-a" },
                    { "equals-ignore-case": "scalr-workspace:WS-B" }
                ]),
            ),
        ] {
            check("RunExecuted", &filters, of_tags(tags));
        }
        // There the event has a field for it.
        check(
            "AuditLog",
            &json!({ "workspace_id": "ws-1", "environment_id": { "anything-but": "env-1" } }),
            Ok(json!({
                "source": [{ "prefix": "aws.partner/scalr.com" }],
                "detail-type": ["AuditLog"],
                "detail": { "target": { "context": {
                    "workspace": { "id": ["ws-1"] }, "environment": { "id": [{ "anything-but": "env-1" }] },
                } } },
            })),
        );
    }

    #[test]
    fn what_cannot_be_said_of_a_tag_is_refused() {
        for (filters, part) in [
            (
                json!({ "workspace_id": "network" }),
                "begin with `ws-`, never `network`; names have the filter `workspace`.",
            ),
            (
                json!({ "environment_id": "env-*" }),
                "write `{\"wildcard\":\"env-*\"}`",
            ),
            (
                json!({ "workspace_id": { "anything-but": "ws-1" } }),
                "looks for one tag among several, and cannot say `{\"anything-but\":\"ws-1\"}`",
            ),
            (
                json!({ "workspace_id": { "exists": true } }),
                "cannot say `{\"exists\":true}`",
            ),
            (json!({ "workspace_id": [null] }), "cannot say `null`"),
            (json!({ "workspace_id": 1 }), "takes a string"),
            (
                json!({ "workspace_id": "ws-1", "environment_id": "env-1" }),
                "so its id says both",
            ),
            (
                json!({ "workspace_id": "ws-1", "tags": "x" }),
                "both look at `detail.tags`",
            ),
            (
                json!({ "workspace_id": "ws-1", "workspace-id": "ws-2" }),
                "are one filter",
            ),
        ] {
            check("RunExecuted", &filters, Err(part));
        }
    }

    #[test]
    fn alternatives_become_or() {
        let source = json!([{ "prefix": "aws.partner/scalr.com" }]);
        check(
            "RunExecuted",
            &json!({ "is_dry": false, "any_of": [{ "result": "errored" }, { "is_destroy": true, "workspace_id": "ws-1", "source": null }] }),
            Ok(json!({
                "source": source,
                "detail-type": ["RunExecuted"],
                "detail": { "event": { "is-dry": [false] } },
                "$or": [
                    { "detail": { "event": { "result": ["errored"] } } },
                    { "detail": { "event": { "is-destroy": [true] }, "tags": ["scalr-workspace:ws-1"] } },
                ],
            })),
        );
        // One is no alternative; null is none.
        let plain = event_pattern("RunExecuted", &json!({ "is_dry": false, "result": "errored" })).unwrap();
        check(
            "RunExecuted",
            &json!({ "is_dry": false, "any_of": [{ "result": "errored", "any_of": null }] }),
            Ok(plain),
        );
        check(
            "RunExecuted",
            &json!({ "any_of": null }),
            event_pattern("RunExecuted", &json!({})).map_err(|_| ""),
        );
        // A source of an alternative stands in the place of Scalr's own.
        check(
            "AuditLog",
            &json!({ "any_of": [{ "event_source_name": "aws.partner/scalr.com/a/b" }, { "action": "create-run" }] }),
            Ok(json!({
                "detail-type": ["AuditLog"],
                "$or": [
                    { "source": ["aws.partner/scalr.com/a/b"] },
                    { "source": source, "detail": { "request": { "action": ["create-run"] } } },
                ],
            })),
        );
    }

    #[test]
    fn wrong_alternatives_are_named() {
        for (any_of, part) in [
            (json!("x"), "`any_of` is a list of objects"),
            (json!({ "result": "errored" }), "this is an object."),
            (json!(["x"]), "this is a string."),
            (json!([]), "`any_of` is an empty list"),
            (json!([{ "result": "errored" }, {}]), "`any_of[1]` has no filter"),
            (
                json!([{ "resutl": "errored" }]),
                "no filter `any_of[0].resutl`; the nearest is `result`.",
            ),
            (
                json!([{ "result": "erorred" }]),
                "No event passes the filter `any_of[0].result`",
            ),
            (
                json!([{ "any_of": [{ "is_dry": true }] }, { "is_dry": false }]),
                "no `any_of` of its own",
            ),
            (
                json!([{ "is_destroy": true }, { "result": "errored" }]),
                "`is_destroy` and `any_of[0].is_destroy` both look at",
            ),
            (
                json!([{ "result": ["errored", "canceled"] }, { "result": ["canceled", "discarded"] }]),
                "would ignore the alternative `any_of[1]`",
            ),
            (
                json!([{ "workspace": { "suffix": 1 } }, { "is_dry": true }]),
                "refuse the filter `any_of[0].workspace`: suffix match pattern must be a string",
            ),
        ] {
            check(
                "RunExecuted",
                &json!({ "is_destroy": false, "any_of": any_of }),
                Err(part),
            );
        }
        check(
            "RunExecuted",
            &json!({ "anyof": [] }),
            Err("the nearest is `any_of`"),
        );
    }

    /// One must pass, and all beside it: compared with each alternative by itself.
    #[test]
    fn alternatives_match_what_one_of_them_matches() {
        let choices = [
            json!({ "result": "errored" }),
            json!({ "result": ["canceled", "discarded"], "workspace": { "prefix": "prod-" } }),
            json!({ "workspace_id": "ws-1" }),
            json!({ "environment_id": "env-1", "is_destroy": true }),
            json!({ "duration": { "numeric": ["<", 1000] } }),
        ];
        let events: Vec<String> = [
            json!({}),
            json!({ "result": "errored", "is_dry": true }),
            json!({ "result": "errored" }),
            json!({ "result": "discarded", "workspace": "prod-a" }),
            json!({ "result": "discarded", "workspace": "test-a" }),
            json!({ "workspace_id": "ws-1" }),
            json!({ "environment_id": "env-1" }),
            json!({ "environment_id": "env-1", "is_destroy": true }),
            json!({ "duration": 999 }),
        ]
        .map(|fields| crate::sample_event("RunExecuted", &[fields]).unwrap())
        .into();
        let matches = |filters: &Value, event: &str| {
            let pattern = event_pattern("RunExecuted", filters).unwrap().to_string();
            Pattern::compile(&pattern).unwrap().matches(event).unwrap()
        };
        let mut passed = 0;
        for one in &choices {
            for other in choices.iter().filter(|other| *other != one) {
                for event in &events {
                    let all = json!({ "is_dry": false, "any_of": [one, other] });
                    let each = [one, other].map(|choice| {
                        let mut filters = choice.clone();
                        filters["is_dry"] = json!(false);
                        matches(&filters, event)
                    });
                    let is_matched = matches(&all, event);
                    assert_eq!(is_matched, each.contains(&true), "{all} {event}");
                    passed += usize::from(is_matched);
                }
            }
        }
        assert!(passed > 20, "{passed} passed");
    }

    #[test]
    fn values_that_no_event_has_are_refused() {
        for (filters, part) in [
            (
                json!({ "result": "cancelled" }),
                "never `cancelled`: perhaps `canceled` is meant.",
            ),
            (json!({ "result": ["errored", "failed"] }), "never `failed`."),
            (
                json!({ "result": { "prefix": "plan_" } }),
                "never what `{\"prefix\":\"plan_\"}` matches.",
            ),
            (json!({ "envelope_version": "1" }), "`version` is `0`, never `1`."),
            (
                json!({ "event_source_name": "aws.partner/scalr.com" }),
                "`aws.partner/scalr.com/ACCOUNT/NAME`",
            ),
            (
                json!({ "is_dry": { "prefix": "t" } }),
                "No event passes the filter `is_dry`",
            ),
        ] {
            check("RunExecuted", &filters, Err(part));
        }
        for filters in [
            json!({ "result": { "equals-ignore-case": "ERRORED" } }),
            json!({ "result": { "anything-but": "applied" } }),
            json!({ "result": "policy_soft_failed" }),
        ] {
            assert!(event_pattern("RunExecuted", &filters).is_ok(), "{filters}");
        }
    }

    #[test]
    fn a_pattern_that_is_too_long_says_how_long_it_is() {
        let names = |length: usize| json!({ "workspace": "é".repeat(length) });
        let around = event_pattern("RunExecuted", &names(1))
            .unwrap()
            .to_string()
            .chars()
            .count()
            - 1;
        assert!(event_pattern("RunExecuted", &names(4_096 - around)).is_ok());
        check(
            "RunExecuted",
            &names(4_097 - around),
            Err("The pattern has 4097 characters with these filters; EventBridge takes 4096."),
        );
    }

    #[test]
    fn every_filter_builds() {
        for event_type in EventType::ALL {
            for name in error::filter_names(event_type).filter(|name| *name != ANY_OF) {
                let field = catalogue::find(event_type, name).unwrap();
                let (filter, matcher) = match field.tag {
                    Some(tag) => (json!({ "prefix": "" }), json!({ "prefix": tag })),
                    None => (json!({ "exists": true }), json!({ "exists": true })),
                };
                let pattern = event_pattern(event_type.as_str(), &json!({ name: filter })).unwrap();
                assert_eq!(
                    pattern.pointer(&field.pointer()),
                    Some(&json!([matcher])),
                    "{name}"
                );
            }
        }
    }
}
