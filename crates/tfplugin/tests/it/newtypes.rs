//! Types that carry their own check and equality.

use serde_json::{Value as Json, json};
use tfplugin::testing::UNKNOWN;

use crate::zoo::{open, text};

fn keeper(more: Json) -> Json {
    let mut config = json!({ "house": "house-1", "name": "jo" });
    if let Json::Object(more) = more {
        config.as_object_mut().unwrap().extend(more);
    }
    config
}

async fn refused(more: Json, said: &str) {
    let zoo = open().await;
    let found = zoo
        .resource("zoo_keeper")
        .validate(keeper(more))
        .await
        .unwrap_err();
    assert_eq!(text(&found), said);
}

#[tokio::test]
async fn checked_wherever_they_are() {
    let why = "must be a language of two letters, such as `en`";
    refused(
        json!({ "language": "eng" }),
        &format!("error: Invalid value (at language): `language` {why}."),
    )
    .await;
    refused(
        json!({ "others": ["eng"] }),
        &format!("error: Invalid value (at others): `others` has an element, which {why}."),
    )
    .await;
    refused(
        json!({ "order": ["en", "eng"] }),
        &format!("error: Invalid value (at order): `order` has element 1, which {why}."),
    )
    .await;
    refused(
        json!({ "spoken": { "lions": "en", "bears": "russian" } }),
        &format!("error: Invalid value (at spoken): `spoken` has `bears`, which {why}."),
    )
    .await;
}

#[tokio::test]
async fn equal_wherever_they_are() {
    let zoo = open().await;
    let resource = zoo.resource("zoo_keeper");
    let config = keeper(json!({
        "language": "en", "others": ["de", "fr"], "order": ["fr", "de"], "spoken": { "lions": "en" },
    }));
    let state = resource.create(config.clone()).await.unwrap();
    // A read gives capitals, which mean the same: the state keeps its own.
    resource.assert_stable(&state, config.clone()).await;
    let mut other = config.clone();
    other["language"] = "EN".into();
    other["others"] = json!(["FR", "DE"]);
    assert!(
        resource
            .plan(Some(&state), other.clone())
            .await
            .unwrap()
            .is_empty()
    );
    other["order"] = json!(["de", "fr"]);
    assert!(!resource.plan(Some(&state), other).await.unwrap().is_empty());
}

#[tokio::test]
async fn elements_may_be_unknown() {
    let zoo = open().await;
    let config = json!({
        "house": "house-1", "name": "warns of unknowns", "spoken": { "lions": "en", "bears": UNKNOWN },
    });
    let planned = zoo.resource("zoo_keeper").plan(None, config).await.unwrap();
    assert_eq!(text(&planned.warnings), "warning: Known(1) are known");
}
