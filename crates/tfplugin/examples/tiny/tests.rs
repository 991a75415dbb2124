//! The provider through the calls that Terraform makes, without Terraform.

use serde_json::json;
use tfplugin::testing::Harness;

use super::Tiny;

#[tokio::test]
async fn notes() {
    let folder = tempfile::tempdir().unwrap();
    let tiny = Harness::with_client::<Tiny>(folder.path().to_owned());
    let note = tiny.resource("tiny_note");

    let state = note.create(json!({ "name": "a" })).await.unwrap();
    assert_eq!(state.json()["text"], "nothing yet");
    note.assert_stable(&state, json!({ "name": "a" })).await;

    let state = note
        .update(&state, json!({ "name": "a", "text": "hello" }))
        .await
        .unwrap();
    assert_eq!(state.json()["size"], 5);
    assert_eq!(note.import("a").await.unwrap().json(), state.json());

    let all = tiny.data_source("tiny_notes", json!({})).await.unwrap();
    assert_eq!(all["names"], json!(["a"]));

    note.destroy(&state).await.unwrap();
    assert!(note.read(&state).await.unwrap().is_none());
}

#[tokio::test]
async fn a_file_that_is_there_already_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let tiny = Harness::with_client::<Tiny>(folder.path().to_owned());
    let file = folder.path().join("a");
    std::fs::write(&file, "somebody else's").unwrap();
    let failed = tiny.resource("tiny_note").create(json!({ "name": "a" })).await;
    let failed = failed.unwrap_err().to_string();
    assert!(failed.starts_with("error: Cannot write the note `a` (at name): File exists"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "somebody else's");
}

#[tokio::test]
async fn refusals() {
    let tiny = Harness::with_client::<Tiny>("/nowhere".into());
    let note = tiny.resource("tiny_note");
    for name in ["a/b", "a/", "..", ".", ""] {
        let refused = note.create(json!({ "name": name })).await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            "error: Invalid value (at name): `name` must be a plain file name."
        );
        assert!(note.import(name).await.is_err());
    }
    let failed = note.create(json!({ "name": "a" })).await.unwrap_err();
    assert!(
        failed
            .to_string()
            .starts_with("error: Cannot write the note `a` (at name): No such file")
    );

    let shout = tiny.call("shout", &[json!("")]).await.unwrap_err();
    assert_eq!(shout.to_string(), "there is nothing to say");
    assert_eq!(tiny.call("shout", &[json!("hi")]).await.unwrap(), "HI");
}
