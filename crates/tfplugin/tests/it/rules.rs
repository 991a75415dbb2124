//! Rules over several attributes: every combination of known, null and unknown.

use serde_json::{Value as Json, json};
use tfplugin::testing::UNKNOWN;

use crate::zoo::{open, text};

/// What the rules say of a keeper, which has a name where the case does not say otherwise.
async fn check(mut config: Json, said: &str) {
    let zoo = open().await;
    let all = config.as_object_mut().unwrap();
    all.insert("house".into(), "house-1".into());
    if !all.contains_key("name") && !all.contains_key("name_prefix") {
        all.insert("name".into(), "jo".into());
    }
    let shown = config.to_string();
    let found = zoo.resource("zoo_keeper").validate(config).await;
    let found = found.map_or_else(|diags| text(&diags), |diags| text(&diags));
    assert_eq!(found, said, "{shown}");
}

const NO_NAME: &str = "error: An attribute is missing (at name): Set `name` or `name_prefix`.";
const TWO_NAMES: &str = "error: Attributes exclude each other (at name_prefix): `name` and `name_prefix` are set; set one of them.";

#[tokio::test]
async fn exactly_one() {
    check(json!({ "name": "jo" }), "").await;
    check(json!({ "name_prefix": "j" }), "").await;
    check(json!({ "name": null }), NO_NAME).await;
    check(json!({ "name": "jo", "name_prefix": "x" }), TWO_NAMES).await;
    // What is unknown may turn out to be null, or to be set.
    check(json!({ "name": UNKNOWN }), "").await;
    check(json!({ "name": UNKNOWN, "name_prefix": UNKNOWN }), "").await;
    check(json!({ "name": UNKNOWN, "name_prefix": "j" }), "").await;
    // The exception of this rule.
    check(json!({ "name": "jo", "name_prefix": "j" }), "").await;
}

#[tokio::test]
async fn at_most_one() {
    let phone = || json!({ "number": "1" });
    check(json!({ "phone": phone() }), "").await;
    check(json!({ "phone": phone(), "radio": null }), "").await;
    check(
        json!({ "phone": phone(), "radio": "1" }),
        "error: The keeper is reached in more than one way (at radio)",
    )
    .await;
    check(
        json!({ "radio": "1", "whistle": true }),
        "error: The keeper is reached in more than one way (at whistle)",
    )
    .await;
    check(json!({ "radio": "1", "whistle": false }), "").await;
    check(json!({ "radio": "1", "whistle": UNKNOWN }), "").await;
    check(json!({ "phone": UNKNOWN, "radio": "1" }), "").await;
}

#[tokio::test]
async fn one_needs_another() {
    let phone = |messages: Json, limit: Json| json!({ "phone": { "number": "1", "messages": messages, "limit": limit } });
    let refused = "error: `phone.limit` needs another attribute (at phone[\"limit\"]): `phone.limit` has a meaning only with `phone.messages = true`.";
    check(phone(json!(true), json!(3)), "").await;
    check(phone(json!(false), json!(3)), refused).await;
    check(phone(json!(null), json!(3)), refused).await;
    check(phone(json!(UNKNOWN), json!(3)), "").await;
    check(phone(json!(false), json!(UNKNOWN)), "").await;
    check(phone(json!(false), json!(null)), "").await;
    check(json!({ "phone": UNKNOWN }), "").await;
}

#[tokio::test]
async fn one_after_the_other() {
    let zoo = open().await;
    let neither = "error: An attribute is missing (at number): Set `number` or `house` or `day`.";
    for (config, said) in [
        (json!({ "number": 1 }), ""),
        (json!({ "house": "h", "day": "d" }), ""),
        (json!({}), neither),
        (
            json!({ "house": "h" }),
            "error: `house` needs another attribute (at house): `house` has a meaning only with `day`.",
        ),
        (
            json!({ "day": "d" }),
            "error: `day` needs another attribute (at day): `day` has a meaning only with `house`.",
        ),
        // The second rule is judged only where the first is kept.
        (
            json!({ "number": 1, "house": "h" }),
            "error: Attributes exclude each other (at house): `number` and `house` or `day` are set; set one of them.",
        ),
    ] {
        let shown = config.to_string();
        let read = zoo.data_source("zoo_shift", config).await;
        assert_eq!(
            read.map_or_else(|diags| text(&diags), |_| String::new()),
            said,
            "{shown}"
        );
    }
}
