//! `moved` blocks from another type of resource, and the identities that come of them.

use serde_json::{Value as Json, json};
use tfplugin::testing::MovedFrom;
use tfplugin::{MoveFrom, MoveRefused, MovedObject};

use crate::zoo::{Animal, open, text};

pub(crate) fn of_animal() -> Vec<MoveFrom<Animal>> {
    vec![
        MoveFrom::new("jungle/wild", "wild_beast", 1..=2, tamed),
        MoveFrom::new("sea/wild", "wild_fish", 0..=0, |_| {
            Err(MoveRefused::new("It lives in water.").instead("Leave it there."))
        }),
    ]
}

fn tamed(beast: &mut MovedObject) -> Result<Animal, MoveRefused> {
    let called = if beast.schema_version() == 1 {
        "title"
    } else {
        "name"
    };
    let name = beast.state()[called].as_str().filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| MoveRefused::new("it has no name"))?.to_owned();
    if beast
        .identity()
        .is_some_and(|identity| identity["name"] != name.as_str())
    {
        return Err(MoveRefused::new("It is two beasts."));
    }
    assert!(name != "hydra", "it has many heads");
    beast.set_private("heard", "roar");
    Ok(Animal::moved(&name))
}

/// A beast in the state.
fn beast(state: &Json) -> MovedFrom<'_> {
    MovedFrom {
        provider: "registry.terraform.io/jungle/wild",
        type_name: "wild_beast",
        version: 2,
        state,
        identity: None,
    }
}

#[tokio::test]
async fn an_object_moves_with_private_state_and_identity() {
    let zoo = open().await;
    let animal = zoo.resource("zoo_animal");
    let state = json!({ "name": "leo", "teeth": 30 });
    let moved = animal.move_from(&beast(&state)).await.unwrap();
    let expected = json!({ "name": "leo", "bites": true });
    for (name, value) in moved.json().as_object().unwrap() {
        assert_eq!(*value, expected[name], "{name}");
    }
    assert!(moved.has_private("heard"));
    assert_eq!(animal.identity(&moved), json!({ "name": "leo", "mood": null }));

    let older = json!({ "title": "leo" });
    for provider in [
        "registry.opentofu.org/jungle/wild",
        "mirror.example.com:8443/jungle/wild",
    ] {
        let from = MovedFrom {
            provider,
            version: 1,
            ..beast(&older)
        };
        assert_eq!(
            animal.move_from(&from).await.unwrap().json(),
            moved.json(),
            "{provider}"
        );
    }
    // The object is there: what is read of it is what stays.
    animal.create(json!({ "name": "leo" })).await.unwrap();
    let read = animal.read(&moved).await.unwrap().unwrap();
    animal.assert_stable(&read, json!({ "name": "leo" })).await;
}

const TWO_BLOCKS: &str =
    "In place of `moved` write two blocks: a `removed` block with `from = wild_beast.NAME`";

/// What the refusal of a move says.
async fn check_refused(target: &str, from: MovedFrom<'_>, said: &[&str]) {
    let refused = open().await.resource(target).move_from(&from).await.unwrap_err();
    let refused = text(&refused);
    for part in said {
        assert!(refused.contains(part), "{part:?} is not in\n{refused}");
    }
}

#[tokio::test]
async fn a_state_that_is_no_such_object_is_refused() {
    let good = json!({ "name": "leo" });
    for (state, said) in [
        (json!({}), &["It has no name.", TWO_BLOCKS][..]),
        (json!([]), &["it is no object", TWO_BLOCKS]),
        (json!(null), &["it is no object", TWO_BLOCKS]),
        (
            json!({ "name": "hydra" }),
            &["The provider crashed", "many heads"],
        ),
    ] {
        let from = MovedFrom {
            state: &state,
            ..beast(&good)
        };
        check_refused("zoo_animal", from, said).await;
    }
}

#[tokio::test]
async fn what_cannot_be_moved_is_answered_with_what_to_write_instead() {
    let state = json!({ "id": "animal-leo", "name": "leo" });
    let other = json!({ "name": "other" });
    let one = beast(&state);
    for (target, from, said) in [
        (
            "zoo_animal",
            MovedFrom {
                type_name: "wild_plant",
                ..one
            },
            &[
                "error: Cannot move `wild_plant` to `zoo_animal`",
                "`wild_beast` of `jungle/wild`, `wild_fish` of `sea/wild`",
                "from = wild_plant.NAME",
                "Nothing was changed. In its state the object has the id `animal-leo`.",
            ][..],
        ),
        (
            "zoo_animal",
            MovedFrom {
                provider: "registry.terraform.io/desert/wild",
                ..one
            },
            &[
                "provider `registry.terraform.io/desert/wild`",
                "of `jungle/wild`",
                TWO_BLOCKS,
            ],
        ),
        (
            "zoo_animal",
            MovedFrom { version: 0, ..one },
            &["has version 0", "versions 1 to 2", TWO_BLOCKS],
        ),
        (
            "zoo_animal",
            MovedFrom { version: 3, ..one },
            &["has version 3", TWO_BLOCKS],
        ),
        (
            "zoo_animal",
            MovedFrom {
                identity: Some(&other),
                ..one
            },
            &["It is two beasts.", TWO_BLOCKS],
        ),
        (
            "zoo_animal",
            MovedFrom {
                provider: "registry.terraform.io/sea/wild",
                type_name: "wild_fish",
                version: 0,
                ..one
            },
            &["It lives in water.", "Nothing was changed.", "Leave it there."],
        ),
        (
            "zoo_feeding",
            one,
            &[
                "No other type of resource can be moved to `zoo_feeding`",
                "is created, since it cannot be imported",
            ],
        ),
    ] {
        check_refused(target, from, said).await;
    }
}

/// A registry that has another address: the objects are this provider's own.
#[tokio::test]
async fn an_object_of_the_same_type_keeps_its_state() {
    let zoo = open().await;
    let animal = zoo.resource("zoo_animal");
    let made = animal.create(json!({ "name": "leo" })).await.unwrap();
    let state = made.json();
    let from = MovedFrom {
        provider: "example.com/zoo/zoo",
        type_name: "zoo_animal",
        version: 2,
        state: &state,
        identity: None,
    };
    let moved = animal.move_from(&from).await.unwrap();
    assert_eq!(moved.json(), state);
    let newer = animal
        .move_from(&MovedFrom { version: 3, ..from })
        .await
        .unwrap_err();
    assert!(text(&newer).contains("newer provider"), "{newer}");
}

/// OpenTofu keeps the identity that an object had before it was moved, and asks for it to be upgraded. Terraform asks for objects
/// without an identity, too.
#[tokio::test]
async fn the_identity_of_another_type_is_dropped() {
    let zoo = open().await;
    let animal = zoo.resource("zoo_animal");
    for (version, identity, want) in [
        (0, json!(null), json!(null)),
        (
            0,
            json!({ "name": "leo", "mood": "calm" }),
            json!({ "name": "leo", "mood": "calm" }),
        ),
        (
            0,
            json!({ "name": "leo" }),
            json!({ "name": "leo", "mood": null }),
        ),
        (0, json!({ "name": "leo", "jungle": "deep" }), json!(null)),
        (0, json!({ "mood": "calm" }), json!(null)),
        (0, json!({ "name": null, "mood": "calm" }), json!(null)),
        (
            1,
            json!({ "name": "leo", "jungle": "deep" }),
            json!({ "name": "leo", "mood": null }),
        ),
    ] {
        let upgraded = animal.upgrade_identity(version, &identity).await.unwrap();
        assert_eq!(upgraded, want, "{version} {identity}");
    }
}
