//! What a plan shows.

use expect_test::{Expect, expect};
use serde_json::{Value as Json, json};
use tfplugin::testing::UNKNOWN;

use crate::zoo::{Zoo, open, text};

/// Plans a change from one configuration to another, and shows what the plan has beyond plain nulls.
async fn check(before: Option<Json>, after: Json, expect: Expect) {
    let zoo = open().await;
    let animal = zoo.resource("zoo_animal");
    let state = match before {
        Some(before) => Some(animal.create(before).await.unwrap()),
        None => None,
    };
    let shown = match animal.plan(state.as_ref(), after).await {
        Ok(planned) => {
            let mut shown = planned.json();
            shown.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            let replaces = planned.replaces().join(", ");
            let empty = if planned.is_empty() { " (no changes)" } else { "" };
            let warnings = planned
                .warnings
                .iter()
                .fold(String::new(), |all, one| format!("{all}\n{one}"));
            format!(
                "{shown}{empty}{}{warnings}",
                if replaces.is_empty() {
                    String::new()
                } else {
                    format!(" replaced by {replaces}")
                }
            )
        }
        Err(diags) => text(&diags),
    };
    expect.assert_eq(&shown.replace(UNKNOWN, "?").replace("\\u0001unknown\\u0001", "?"));
}

#[tokio::test]
async fn create() {
    let all = json!({
        "name": "leo",
        "cage": { "number": 1 },
        "former": [{ "number": 2, "heating": "oil" }],
        "others": [{ "number": 3 }],
        "seasons": { "winter": { "number": 4 } },
        "extra": [1, "a", null],
    });
    check(
        None,
        json!({ "name": "leo" }),
        expect![[r#"{"bites":true,"id":"?","mood":"?","name":"leo","revision":"?"}"#]],
    )
    .await;
    check(None, all, expect![[r#"{"bites":true,"cage":{"degrees":"?","heating":"sun","number":1},"extra":[1,"a",null],"former":[{"degrees":"?","heating":"oil","number":2}],"id":"?","mood":"?","name":"leo","others":[{"degrees":"?","heating":"sun","number":3}],"revision":"?","seasons":{"winter":{"degrees":"?","heating":"sun","number":4}}}"#]]).await;
    check(
        None,
        json!({ "name": UNKNOWN, "bites": UNKNOWN, "cage": UNKNOWN }),
        expect![[r#"{"bites":"?","cage":"?","id":"?","mood":"?","name":"?","revision":"?"}"#]],
    )
    .await;
}

#[tokio::test]
async fn update() {
    let before = || {
        Some(
            json!({ "name": "leo", "species": "Lion", "cage": { "number": 1 }, "others": [{ "number": 3 }] }),
        )
    };
    // Nothing changes: the plan is the prior state, whatever is computed.
    check(before(), before().unwrap(), expect![[r#"{"bites":true,"cage":{"degrees":10,"heating":"sun","number":1},"id":"animal-leo","mood":"calm","name":"leo","others":[{"degrees":30,"heating":"sun","number":3}],"revision":1,"species":"Lion"} (no changes)"#]])
        .await;
    // Another text for the same thing is no change.
    check(
        Some(json!({ "name": "leo", "species": "Lion" })),
        json!({ "name": "leo", "species": "LION" }),
        expect![[r#"{"bites":true,"id":"animal-leo","mood":"calm","name":"leo","revision":1,"species":"Lion"} (no changes)"#]],
    )
    .await;
    // Something changes: what is computed becomes unknown, but for what is kept.
    check(
        Some(json!({ "name": "leo", "cage": { "number": 1 } })),
        json!({ "name": "leo", "bites": false, "cage": { "number": 1 } }),
        expect![[r#"{"bites":false,"cage":{"degrees":"?","heating":"sun","number":1},"id":"animal-leo","mood":"?","name":"leo","revision":"?"}"#]],
    )
    .await;
    // Taken out of the configuration: a default applies, an optional attribute goes, a computed one stays.
    check(
        Some(json!({ "name": "leo", "bites": false, "species": "Lion", "mood": "mad" })),
        json!({ "name": "leo" }),
        expect![[r#"{"bites":true,"id":"animal-leo","mood":"?","name":"leo","revision":"?"}"#]],
    )
    .await;
    // The timeouts alone: an update, in which nothing is unknown.
    check(
        Some(json!({ "name": "leo" })),
        json!({ "name": "leo", "timeouts": { "create": "5m" } }),
        expect![[r#"{"bites":true,"id":"animal-leo","mood":"calm","name":"leo","revision":1,"timeouts":{"create":"5m","delete":null}}"#]],
    )
    .await;
}

#[tokio::test]
async fn replace() {
    check(
        Some(json!({ "name": "leo" })),
        json!({ "name": "lea" }),
        expect![[
            r#"{"bites":true,"id":"animal-leo","mood":"?","name":"lea","revision":"?"} replaced by name"#
        ]],
    )
    .await;
    check(
        Some(json!({ "name": "leo" })),
        json!({ "name": UNKNOWN }),
        expect![[
            r#"{"bites":true,"id":"animal-leo","mood":"?","name":"?","revision":"?"} replaced by name"#
        ]],
    )
    .await;
    check(
        Some(json!({ "name": "leo", "cage": { "number": 1 }, "seasons": { "s": { "number": 2 } } })),
        json!({ "name": "leo", "cage": { "number": 3 }, "seasons": { "s": { "number": 4 } } }),
        expect![[r#"{"bites":true,"cage":{"degrees":"?","heating":"sun","number":3},"id":"animal-leo","mood":"?","name":"leo","revision":"?","seasons":{"s":{"degrees":"?","heating":"sun","number":4}}} replaced by cage.number, seasons["s"].number"#]],
    )
    .await;
    check(Some(json!({ "name": "leo" })), json!({ "name": "leo", "mode": "replaces" }), expect![[r#"{"bites":true,"id":"animal-leo","mode":"replaces","mood":"?","name":"leo","revision":"?"} replaced by mode"#]]).await;
}

/// Which attributes have an animal of one configuration replaced by one of another.
async fn replaced(before: Json, after: Json, by: &[&str]) {
    let named = |mut json: Json| {
        json["name"] = "leo".into();
        json
    };
    let zoo = open().await;
    let animal = zoo.resource("zoo_animal");
    let state = animal.create(named(before.clone())).await.unwrap();
    let planned = animal.plan(Some(&state), named(after.clone())).await.unwrap();
    assert_eq!(planned.replaces(), by, "{before} -> {after}");
}

#[tokio::test]
async fn replace_inside() {
    let (one, two) = (json!({ "number": 1 }), json!({ "number": 2 }));
    let warm = json!({ "number": 1, "heating": "oil" });
    let none = || json!({});
    // An object that is on one side only is a null on the other.
    replaced(none(), json!({ "cage": one }), &["cage.number"]).await;
    replaced(json!({ "cage": one }), none(), &["cage.number"]).await;
    replaced(json!({ "cage": one }), json!({ "cage": warm }), &[]).await;
    replaced(none(), json!({ "mark": { "colour": "red" } }), &[]).await;
    replaced(none(), json!({ "mark": { "text": "x" } }), &["mark.text"]).await;
    replaced(json!({ "mark": { "colour": "red" } }), none(), &[]).await;
    replaced(
        json!({ "mark": { "text": "x" } }),
        json!({ "mark": {} }),
        &["mark.text"],
    )
    .await;
    // Elements come and go.
    replaced(none(), json!({ "former": [one] }), &["former[0].number"]).await;
    replaced(
        json!({ "former": [one] }),
        json!({ "former": [one, two] }),
        &["former[1].number"],
    )
    .await;
    replaced(
        json!({ "former": [one, two] }),
        json!({ "former": [one] }),
        &["former[1].number"],
    )
    .await;
    replaced(json!({ "former": [one] }), json!({ "former": [warm] }), &[]).await;
    replaced(
        json!({ "seasons": { "s": one } }),
        json!({ "seasons": { "w": one } }),
        &["seasons[\"s\"].number", "seasons[\"w\"].number"],
    )
    .await;
    replaced(
        json!({ "seasons": { "s": one } }),
        json!({ "seasons": { "s": warm } }),
        &[],
    )
    .await;
    // Elements of a set have no name: the set is named. One that changes elsewhere is still there.
    replaced(none(), json!({ "others": [one] }), &["others"]).await;
    replaced(
        json!({ "others": [one, two] }),
        json!({ "others": [two] }),
        &["others"],
    )
    .await;
    replaced(
        json!({ "others": [one] }),
        json!({ "others": [two] }),
        &["others"],
    )
    .await;
    replaced(
        json!({ "others": [one, two] }),
        json!({ "others": [two, warm] }),
        &[],
    )
    .await;
}

#[tokio::test]
async fn replace_unknown() {
    let (one, unknown) = (json!({ "number": 1 }), json!({ "number": UNKNOWN }));
    // What the configuration sets may turn out to differ.
    replaced(
        json!({ "cage": one }),
        json!({ "cage": unknown }),
        &["cage.number"],
    )
    .await;
    replaced(json!({ "cage": one }), json!({ "cage": UNKNOWN }), &["cage"]).await;
    replaced(json!({}), json!({ "cage": UNKNOWN }), &["cage"]).await;
    replaced(
        json!({ "former": [one] }),
        json!({ "former": [UNKNOWN] }),
        &["former[0]"],
    )
    .await;
    replaced(
        json!({ "former": [one] }),
        json!({ "former": UNKNOWN }),
        &["former"],
    )
    .await;
    replaced(
        json!({ "others": [one] }),
        json!({ "others": [unknown] }),
        &["others"],
    )
    .await;
    replaced(
        json!({ "vault": { "code": "x" } }),
        json!({ "vault": UNKNOWN }),
        &[],
    )
    .await;
    replaced(
        json!({ "mark": { "place": "ear" } }),
        json!({ "mark": { "place": UNKNOWN } }),
        &["mark.place"],
    )
    .await;
    // What the provider computes is merely not computed yet.
    replaced(
        json!({ "mark": { "place": "ear" } }),
        json!({ "mark": { "colour": "red" } }),
        &[],
    )
    .await;
}

#[tokio::test]
async fn hooks() {
    check(
        None,
        json!({ "name": "leo", "mode": "plans mood" }),
        expect![[
            r#"{"bites":true,"id":"?","mode":"plans mood","mood":"planned","name":"leo","revision":"?"}"#
        ]],
    )
    .await;
    check(
        None,
        json!({ "name": "leo", "mode": "refuses" }),
        expect!["error: Not today"],
    )
    .await;
    check(
        None,
        json!({ "name": "leo", "mode": "warns and fails" }),
        expect![[r"
            warning: It is hungry
            error: It does not move"]],
    )
    .await;
    check(None, json!({ "name": "leo", "mode": "plans nonsense" }), expect!["error: The provider planned an invalid value (at name): This is a bug in the provider. At `name`: the configuration sets another value."]).await;
    let zoo = open().await;
    let animal = zoo.resource("zoo_animal");
    let state = animal.create(json!({ "name": "leo" })).await.unwrap();
    let planned = animal.plan_destroy(&state).await.unwrap();
    assert_eq!(text(&planned.warnings), "warning: It will be missed");
    assert_eq!(planned.json(), Json::Null);
}

#[tokio::test]
async fn validate() {
    check(
        None,
        json!({}),
        expect!["error: The configuration does not fit the schema: `name` is required."],
    )
    .await;
    check(
        None,
        json!({ "name": "leo", "id": "x" }),
        expect!["error: The configuration does not fit the schema: `id` is computed and cannot be set."],
    )
    .await;
    check(
        None,
        json!({ "name": "leo", "cage": { "number": -1 } }),
        expect!["error: Invalid value (at cage[\"number\"]): `cage.number` must be positive."],
    )
    .await;
    check(
        None,
        json!({ "name": "leo", "former": [{ "number": 1.5 }] }),
        expect!["error: Invalid value (at former[0]): `former[0].number` must be a whole number."],
    )
    .await;
    check(
        None,
        json!({ "name": "leo", "cage": { "number": 13 } }),
        expect!["error: Bad luck (at cage[\"number\"])"],
    )
    .await;
    check(
        None,
        json!({ "name": "leo", "cage": { "number": null }, "seasons": { "winter": {} }, "former": [null] }),
        expect![[r#"
            error: A required attribute is not set (at cage["number"]): `cage.number` must be set; here it is null.
            error: A required attribute is not set (at seasons["winter"]): `seasons["winter"].number` must be set; here it is null."#]],
    )
    .await;
    check(None, json!({ "name": "leo", "timeouts": { "create": "soon" } }), expect!["error: Invalid timeout (at timeouts.create): `soon` is no duration above zero. Write it as in `30s`, `10m` or `1h30m`."]).await;
    check(
        None,
        json!({ "name": "leo", "notes": { "secret": "x" }, "remark": "old" }),
        expect![[r#"
        {"bites":true,"id":"?","mood":"?","name":"leo","notes":{"secret":"x"},"remark":"old","revision":"?"}
        warning: Deprecated attribute (at remark): use `notes`
        warning: Told to all (at notes["secret"])"#]],
    )
    .await;
}

#[tokio::test]
async fn without_a_client() {
    let zoo = tfplugin::testing::Harness::new::<Zoo>();
    let animal = zoo.resource("zoo_animal");
    let config = || json!({ "name": "leo", "mode": "needs client" });
    let planned = animal.plan(None, config()).await.unwrap();
    assert_eq!(planned.json()["mood"], UNKNOWN);
    let refused = animal.apply(planned).await;
    assert_eq!(
        text(&refused.diags),
        "error: The provider is not configured: This needs the provider's settings, but Terraform has not configured it."
    );
    assert!(refused.state.is_none());
    // A plain setting that is unknown is waited for; a `Value` is the provider's to judge.
    zoo.configure(json!({ "key": UNKNOWN })).await.unwrap();
    let refused = animal.create(config()).await.unwrap_err();
    assert_eq!(
        text(&refused),
        "error: The provider is not configured: This needs the provider's settings, but its setting `key` is known only after apply."
    );
    zoo.configure(json!({ "name": UNKNOWN })).await.unwrap();
    animal.create(config()).await.unwrap();
    let closed = zoo.configure(json!({ "name": "closed" })).await.unwrap_err();
    assert_eq!(text(&closed), "error: The zoo is closed (at name)");
    // Where nothing is configured there may be no block to point into.
    let nowhere = zoo.configure(json!({})).await.unwrap_err();
    assert_eq!(text(&nowhere), "error: The zoo is nowhere");
}

/// A destroy is planned without the hook where the resource does not ask for it.
#[tokio::test]
async fn destroy_without_the_hook() {
    let zoo = open().await;
    let feeding = zoo.resource("zoo_feeding");
    let state = feeding.create(json!({ "looks": 0 })).await.unwrap();
    let planned = feeding.plan_destroy(&state).await.unwrap();
    assert_eq!(planned.json(), Json::Null);
    feeding.destroy(&state).await.unwrap();
}

/// A harness takes a client that is ready, and shows the diagnostics to whoever collects them.
#[tokio::test]
async fn a_ready_client() {
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let all = std::sync::Arc::clone(&seen);
    let zoo = tfplugin::testing::Harness::with_client::<Zoo>(crate::zoo::Client::default())
        .observed_by(move |one| all.lock().unwrap().push(one.to_string()));
    let animal = zoo.resource("zoo_animal");
    let state = animal
        .create(json!({ "name": "leo", "mode": "stays" }))
        .await
        .unwrap();
    animal.destroy(&state).await.unwrap_err();
    assert_eq!(
        *seen.lock().unwrap(),
        ["warning: It will be missed", "error: It will not leave"]
    );
}

/// Both tools plan a change once more when they apply it, and show what that plan says beside the first one's words.
#[tokio::test]
async fn an_apply_does_not_say_again_what_the_plan_has_said() {
    let zoo = open().await;
    let animal = zoo.resource("zoo_animal");
    let config = || json!({ "name": "leo", "mode": "warns" });
    let planned = animal.plan(None, config()).await.unwrap();
    assert_eq!(text(&planned.warnings), "warning: It is hungry");
    let again = animal.plan_within_apply(None, config()).await.unwrap();
    assert_eq!(
        (text(&again.warnings), again.json()),
        (String::new(), planned.json())
    );
    let state = animal.apply(planned).await.state;
    // The next walk is a plan again.
    let planned = animal.plan(state.as_ref(), config()).await.unwrap();
    assert_eq!(text(&planned.warnings), "warning: It is hungry");
    // What cannot be done is an error whenever it is found.
    let refused = json!({ "name": "lea", "mode": "refuses" });
    let refused = animal.plan_within_apply(None, refused).await.unwrap_err();
    assert_eq!(text(&refused), "error: Not today");
}
