//! `lifecycle { ignore_changes }` of attributes that only the provider sets: Terraform puts their prior values into the
//! configuration of the plan (`processIgnoreChanges` in its core), and takes any plan for them (`AssertPlanValid`).

use serde_json::{Value as Json, json};
use tfplugin::Path;

use crate::zoo::{Animal, open, text};

fn leo(mut more: Json) -> Json {
    more["name"] = "leo".into();
    more
}

/// Creates an animal, plans a change of it that ignores some attributes, and applies that: what is ignored stays. Then
/// the same configuration is planned and applied with nothing ignored.
async fn check(before: Json, after: Json, ignored: &[Path], empty: bool) {
    let shown = format!("{before} -> {after}, ignoring {ignored:?}");
    let zoo = open().await;
    let animal = zoo.resource("zoo_animal");
    let state = animal.create(leo(before)).await.unwrap();
    let planned = animal.plan_ignoring(&state, leo(after.clone()), ignored).await;
    let planned = planned.unwrap_or_else(|diags| panic!("{shown}: {diags}"));
    assert_eq!(planned.is_empty(), empty, "{shown}: {}", planned.json());
    assert_eq!(planned.replaces(), Vec::<String>::new(), "{shown}");
    let kept = |json: &Json| -> Vec<Json> {
        let names = ignored.iter().map(ToString::to_string);
        names
            .map(|name| {
                name.split('.')
                    .fold(json.clone(), |json, part| json[part].clone())
            })
            .collect()
    };
    assert_eq!(kept(&planned.json()), kept(&state.json()), "{shown}");
    if empty {
        return;
    }
    let applied = animal.apply(planned.clone()).await;
    assert_eq!(text(&applied.diags), "", "{shown}");
    let state = applied.state.unwrap();
    assert_eq!(kept(&state.json()), kept(&planned.json()), "{shown}");
    // What one plan ignores the next one need not.
    let changed = and(and(after, "species", "Lion"), "mode", "none");
    let state = animal.update(&state, leo(changed)).await.unwrap();
    assert_eq!(
        (&state.json()["species"], &state.json()["id"]),
        (&"Lion".into(), &"animal-leo".into())
    );
}

fn and(mut json: Json, name: &str, value: &str) -> Json {
    json[name] = value.into();
    json
}

#[tokio::test]
async fn what_is_ignored_stays() {
    let none = || json!({});
    let bites = || json!({ "bites": false });
    let revision = || Path::from(Animal::revision());
    check(none(), none(), &[revision()], true).await;
    check(none(), bites(), &[revision()], false).await;
    check(none(), bites(), &[Animal::id().into(), revision()], false).await;
    // The provider's own plan of it counts for nothing.
    let plans = || json!({ "mode": "plans revision" });
    check(plans(), plans(), &[revision()], true).await;
    check(none(), plans(), &[revision()], false).await;
    check(
        json!({ "mood": "mad" }),
        json!({ "mood": "sad" }),
        &[Animal::mood().into(), revision()],
        true,
    )
    .await;
}

#[tokio::test]
async fn what_is_ignored_inside_stays() {
    let one = json!({ "number": 1 });
    let warming = |more: &Json, bites: bool| {
        let mut json = json!({ "mode": "warms up", "bites": bites });
        json.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json
    };
    for (more, whole) in [
        (json!({ "cage": one }), Path::from(Animal::cage())),
        (json!({ "cage": one }), Animal::cage().degrees().into()),
        (
            json!({ "former": [one, { "number": 2 }] }),
            Animal::former().into(),
        ),
        (
            json!({ "others": [one, { "number": 2 }] }),
            Animal::others().into(),
        ),
        (json!({ "seasons": { "winter": one } }), Animal::seasons().into()),
    ] {
        check(
            warming(&more, true),
            warming(&more, true),
            std::slice::from_ref(&whole),
            true,
        )
        .await;
        check(warming(&more, true), warming(&more, false), &[whole], false).await;
    }
    let moved = json!({ "cage": { "number": 2 } });
    check(json!({ "cage": one }), moved, &[Animal::cage().into()], true).await;
}

/// What a failed apply was told to ignore is no business of the next one.
#[tokio::test]
async fn a_failed_apply_leaves_no_note() {
    let zoo = open().await;
    let animal = zoo.resource("zoo_animal");
    let state = animal.create(leo(json!({}))).await.unwrap();
    let fails = leo(json!({ "mode": "fails" }));
    let planned = animal
        .plan_ignoring(&state, fails, &[Animal::revision().into()])
        .await
        .unwrap();
    let failed = animal.apply(planned).await;
    assert_eq!(text(&failed.diags), "error: It will not change");
    let state = animal
        .update(&failed.state.unwrap(), leo(json!({ "bites": false })))
        .await
        .unwrap();
    assert_eq!(state.json()["revision"], 2);
}
