//! Import, identity and state of older schema versions.

use serde_json::json;

use crate::zoo::{open, text};

#[tokio::test]
async fn import() {
    let zoo = open().await;
    let animal = zoo.resource("zoo_animal");
    let made = animal.create(json!({ "name": "leo" })).await.unwrap();
    assert_eq!(animal.identity(&made), json!({ "name": "leo", "mood": "calm" }));

    let by_identity = animal.import_by_identity(json!({ "name": "leo" })).await.unwrap();
    assert_eq!(by_identity.json(), made.json());
    let missing = animal
        .import_by_identity(json!({ "mood": "calm" }))
        .await
        .unwrap_err();
    assert_eq!(
        text(&missing),
        "error: Incomplete identity: The identity of a `zoo_animal` needs `name`."
    );
    let two = animal.import("leo").await.unwrap_err();
    assert!(text(&two).contains("more than one attribute"), "{two}");

    let never = zoo.resource("zoo_feeding").import("x").await.unwrap_err();
    assert_eq!(
        text(&never),
        "error: Import is not supported: A `zoo_feeding` cannot be imported."
    );
}

/// A tool may send a state without its identity: it is computed again.
#[tokio::test]
async fn prior_state_without_identity() {
    let zoo = open().await;
    let animal = zoo.resource("zoo_animal");
    let made = animal.create(json!({ "name": "leo" })).await.unwrap();
    let bare = animal.upgrade(2, &made.json()).await.unwrap();
    assert_eq!(animal.identity(&bare), json!(null));
    assert!(
        animal
            .plan(Some(&bare), json!({ "name": "leo" }))
            .await
            .unwrap()
            .is_empty()
    );
    let updated = animal
        .update(&bare, json!({ "name": "leo", "bites": false }))
        .await
        .unwrap();
    assert_eq!(
        animal.identity(&updated),
        json!({ "name": "leo", "mood": "calm" })
    );
    let read = animal.read(&bare).await.unwrap().unwrap();
    assert_eq!(animal.identity(&read), json!({ "name": "leo", "mood": "calm" }));
}

#[tokio::test]
async fn upgrade() {
    let zoo = open().await;
    let animal = zoo.resource("zoo_animal");
    let old = animal
        .upgrade(0, &json!({ "title": "leo", "gone": 1 }))
        .await
        .unwrap()
        .json();
    assert_eq!((&old["name"], &old["bites"]), (&json!("leo"), &json!(true)));
    let same = animal
        .upgrade(2, &json!({ "name": "leo", "bites": false, "weight": 0.1 }))
        .await
        .unwrap()
        .json();
    assert_eq!((&same["bites"], &same["weight"]), (&json!(false), &json!(0.1)));
    let newer = animal.upgrade(3, &json!({})).await.unwrap_err();
    assert_eq!(
        text(&newer),
        "error: The state is of a newer provider: It was written by schema version 3, and this provider knows 2 at most. Use a newer version of the provider."
    );
    let odd = animal.upgrade(2, &json!({ "name": ["leo"] })).await.unwrap_err();
    assert!(text(&odd).contains("name: expected \"string\""), "{odd}");
}

/// What an import sets meets the checks of its attributes: as an id, as a part of one, as an identity.
#[tokio::test]
async fn checked() {
    let zoo = open().await;
    let refused = async |resource: &str, id: &str, said: &str| {
        let diags = zoo.resource(resource).import(id).await.unwrap_err();
        assert_eq!(text(&diags), said, "{id}");
    };
    refused(
        "zoo_house",
        "hut-1\n",
        "error: Import id `hut-1\\n` cannot be used: It must be a house, which begins with `house-`. Nothing was imported.",
    )
    .await;
    refused(
        "zoo_sign",
        "hut-1",
        "error: Import id `hut-1` cannot be used: It must be a house, which begins with `house-`: a `zoo_sign` is imported by its `house`. Nothing was imported.",
    )
    .await;
    refused(
        "zoo_keeper",
        "hut-1/7",
        "error: Import id `hut-1/7` cannot be used: What it has for `house` must be a house, which begins with `house-`. Nothing was imported.",
    )
    .await;
    refused(
        "zoo_keeper",
        "house-1/-7",
        "error: Import id `house-1/-7` cannot be used: What it has for `badge` must be above zero. Nothing was imported.",
    )
    .await;
    refused(
        "zoo_keeper",
        "house-1",
        "error: The id has the form `HOUSE/BADGE`",
    )
    .await;
    let keeper = zoo.resource("zoo_keeper");
    let state = keeper.import("house-1/7").await.unwrap().json();
    assert_eq!((&state["house"], &state["badge"]), (&json!("house-1"), &json!(7)));
    let by_identity = keeper
        .import_by_identity(json!({ "house": "hut-1", "badge": 0 }))
        .await
        .unwrap_err();
    assert_eq!(
        text(&by_identity),
        "error: The `badge` of the identity cannot be used (at badge): It is 0 and must be above zero. Nothing was imported.\n\
         error: The `house` of the identity cannot be used (at house): It is `hut-1` and must be a house, which begins with `house-`. Nothing was imported."
    );
    keeper
        .import_by_identity(json!({ "house": "house-1", "badge": 7 }))
        .await
        .unwrap();
}
