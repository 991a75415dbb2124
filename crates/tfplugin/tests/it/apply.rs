//! What an apply leaves, above all when something goes wrong.

use serde_json::{Value as Json, json};

use crate::zoo::{open, text};

/// Creates an animal, and compares the messages and some of the state.
async fn check(config: Json, diags: &str, state: Option<Json>) {
    let zoo = open().await;
    let animal = zoo.resource("zoo_animal");
    let planned = animal.plan(None, config).await.unwrap();
    let applied = animal.apply(planned).await;
    assert_eq!(text(&applied.diags), diags);
    let got = applied.state.map(|state| state.json());
    match (got, state) {
        (Some(got), Some(Json::Object(wanted))) => {
            for (name, value) in wanted {
                assert_eq!(got[&name], value, "{name}");
            }
        }
        (got, wanted) => assert_eq!(got, wanted),
    }
}

#[tokio::test]
async fn create() {
    check(
        json!({ "name": "leo" }),
        "",
        Some(json!({ "id": "animal-leo", "revision": 1, "mood": "calm" })),
    )
    .await;
    // The object exists and is saved: the error keeps it, what is not known becomes null.
    check(
        json!({ "name": "leo", "mode": "fails late" }),
        "error: It ran away (at name)",
        Some(json!({ "id": "animal-leo", "revision": null })),
    )
    .await;
    let crashed = "error: The provider crashed: This is a bug in the provider: the lion is loose. What was done before is in the state as far as it was saved.";
    check(
        json!({ "name": "leo", "mode": "panics late" }),
        crashed,
        Some(json!({ "id": "animal-leo" })),
    )
    .await;
    check(json!({ "name": "leo", "mode": "panics before" }), crashed, None).await;
    // Rules that Terraform would complain about.
    check(
        json!({ "name": "leo", "mode": "lies" }),
        "error: The provider returned something else than it planned (at name): This is a bug in the provider: `name` differs from the plan. It planned \"leo\" and returned \"leo?\".",
        Some(json!({ "name": "leo?" })),
    )
    .await;
    // What is sensitive stays out of the message, the inside of a sensitive object too.
    check(
        json!({ "name": "leo", "vault": { "code": "s3same" }, "mode": "lies about the vault" }),
        "error: The provider returned something else than it planned (at vault[\"code\"]): This is a bug in the provider: `vault.code` differs from the plan.",
        Some(json!({ "name": "leo" })),
    )
    .await;
    // Semantically the same: the plan's text stays.
    check(
        json!({ "name": "leo", "species": "Lion", "mode": "shouts" }),
        "",
        Some(json!({ "species": "Lion" })),
    )
    .await;
    // Secrets are replaced in every message.
    check(
        json!({ "name": "leo", "mode": "gossips" }),
        "warning: It has secrets: (hidden) and (hidden)",
        Some(json!({})),
    )
    .await;
    // Never stored.
    check(
        json!({ "name": "leo", "whisper": "psst" }),
        "",
        Some(json!({ "whisper": null })),
    )
    .await;
}

/// A float cannot hold each number that a user may write. What was written stays, where the float is the same.
#[tokio::test]
async fn a_float_keeps_the_digits() {
    let zoo = open().await;
    let animal = zoo.resource("zoo_animal");
    let config = |height: &str| -> Json {
        serde_json::from_str(&format!(r#"{{"name": "leo", "height": {height}}}"#)).unwrap()
    };
    let long = config("0.1234567890123456789");
    let state = animal.create(long.clone()).await.unwrap();
    assert_eq!(state.json()["height"], long["height"]);
    animal.assert_stable(&state, long).await;
    // Other digits of the same float are no change; another float is.
    let same = config("0.12345678901234568");
    assert!(animal.plan(Some(&state), same).await.unwrap().is_empty());
    let other = config("0.12345678901234567000001");
    assert!(!animal.plan(Some(&state), other.clone()).await.unwrap().is_empty());
    let state = animal.update(&state, other.clone()).await.unwrap();
    assert_eq!(state.json()["height"], other["height"]);
    let huge = animal.create(config("1e400")).await.unwrap_err();
    assert_eq!(
        text(&huge),
        "error: Invalid value (at height): `height` must be a number between -1.7e308 and 1.7e308."
    );
}

#[tokio::test]
async fn life() {
    let zoo = open().await;
    let animal = zoo.resource("zoo_animal");
    let config = json!({
        "name": "leo", "species": "lion", "weight": 190.123_456_789_012_34, "height": 1.1,
        "cage": { "number": 1 }, "former": [{ "number": 2 }], "others": [{ "number": 3 }, { "number": 4 }],
        "seasons": { "winter": { "number": 5 } }, "notes": { "a": "b" }, "extra": { "deep": [true, { "x": null }] },
        "whisper": "psst", "mode": "shouts", "timeouts": { "create": "90s" },
    });
    let state = animal.create(config.clone()).await.unwrap();
    assert_eq!(state.json()["height"], json!(1.1));
    assert_eq!(
        state.json()["timeouts"],
        json!({ "create": "90s", "delete": null })
    );
    animal.assert_stable(&state, config.clone()).await;

    let mut changed = config.clone();
    changed["bites"] = false.into();
    changed["others"][1]["heating"] = "oil".into();
    let state = animal.update(&state, changed.clone()).await.unwrap();
    assert_eq!(state.json()["revision"], 2);
    animal.assert_stable(&state, changed.clone()).await;

    // The timeouts alone do not reach `update`, which would panic on a change that is none.
    changed["timeouts"]["create"] = "2m".into();
    let state = animal.update(&state, changed.clone()).await.unwrap();
    assert_eq!(
        (
            state.json()["revision"].clone(),
            state.json()["timeouts"]["create"].clone()
        ),
        (2.into(), "2m".into())
    );

    // A failed update leaves the prior state.
    changed["mode"] = "fails".into();
    let planned = animal.plan(Some(&state), changed.clone()).await.unwrap();
    let failed = animal.apply(planned).await;
    assert_eq!(text(&failed.diags), "error: It will not change");
    assert_eq!(failed.state.unwrap().json(), state.json());

    // A replacement is a removal and a create.
    changed["mode"] = "none".into();
    changed["name"] = "lea".into();
    let state = animal.update(&state, changed).await.unwrap();
    assert_eq!(
        (state.json()["id"].clone(), state.json()["revision"].clone()),
        ("animal-lea".into(), 1.into())
    );
    assert_eq!(
        zoo.data_source("zoo_census", json!({})).await.unwrap(),
        json!({ "prefix": "", "count": 1, "names": ["lea"] })
    );

    animal.destroy(&state).await.unwrap();
    assert!(animal.read(&state).await.unwrap().is_none());
}

#[tokio::test]
async fn failed_destroy_keeps_the_state() {
    let zoo = open().await;
    let animal = zoo.resource("zoo_animal");
    let state = animal
        .create(json!({ "name": "leo", "mode": "stays" }))
        .await
        .unwrap();
    let destroy = animal.plan_destroy(&state).await.unwrap();
    let failed = animal.apply(destroy).await;
    assert!(text(&failed.diags).contains("It will not leave"));
    assert_eq!(failed.state.unwrap().json(), state.json());
}
