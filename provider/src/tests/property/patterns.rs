//! Event patterns: every comparison that EventBridge has, in objects of some depth, written in more than one way.

use event_pattern::Pattern;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value as Json, json};

use super::values::Values;

pub(super) fn pattern() -> Values {
    (fields(), any::<bool>())
        .prop_map(|(pattern, is_pretty)| {
            if is_pretty {
                serde_json::to_string_pretty(&pattern).unwrap_or_default()
            } else {
                pattern.to_string()
            }
        })
        .prop_filter("EventBridge refuses it", |text| {
            Pattern::compile_for_eventbridge(text).is_ok()
        })
        .prop_map(Json::from)
        .boxed()
}

fn fields() -> impl Strategy<Value = Json> {
    let leaf = vec(comparison(), 1..3).prop_map(Json::from);
    let inner = leaf.prop_recursive(2, 8, 3, |inner| object(inner).boxed());
    object(inner)
}

fn object(inner: impl Strategy<Value = Json> + 'static) -> impl Strategy<Value = Json> {
    btree_map("[a-z][a-z-]{0,6}", inner, 1..3).prop_map(|all| Json::Object(all.into_iter().collect()))
}

fn comparison() -> impl Strategy<Value = Json> {
    prop_oneof![
        "\\PC{0,6}".prop_map(Json::from),
        any::<i32>().prop_map(Json::from),
        (-9_000_i32..9_000).prop_map(|thousandths| json!(f64::from(thousandths) / 1000.0)),
        select(vec![
            json!(null),
            json!(true),
            json!({ "exists": false }),
            json!({ "cidr": "10.0.0.0/24" })
        ]),
        "[a-z/]{1,6}".prop_map(|text| json!({ "prefix": text })),
        "[a-z/]{1,6}".prop_map(|text| json!({ "suffix": text })),
        "[a-zA-Z]{1,6}".prop_map(|text| json!({ "equals-ignore-case": text })),
        "[a-z]{1,3}\\*[a-z]{1,3}".prop_map(|text| json!({ "wildcard": text })),
        "[a-z]{1,6}".prop_map(|text| json!({ "anything-but": [text, "other"] })),
        "[a-z]{1,6}".prop_map(|text| json!({ "anything-but": { "prefix": text } })),
        (-9_i32..9).prop_map(|low| json!({ "numeric": [">", low, "<=", low + 5] })),
    ]
}
