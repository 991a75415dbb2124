//! The ephemeral resources: what is asked of Scalr, what a configuration sees, and how a token ends.

use serde_json::{Value as Json, json};
use tfplugin::testing::Harness;

use super::aws::beside;
use super::aws::fake::Fake;
use super::names;
use super::scalr::fake::Fake as FakeScalr;
use super::snapshot::scenarios;

scenarios![
    a_token_is_made_and_revoked,
    a_token_that_is_refused_says_why,
    a_token_that_cannot_be_revoked_is_a_warning,
];

const NAME: &str = "scalr_access_token";

async fn stage() -> (FakeScalr, Harness) {
    let (aws, scalr) = (Fake::new(), FakeScalr::start().await);
    let harness = beside(aws.config(), Some(&scalr.url()));
    (scalr, harness)
}

fn made(attributes: &Json) -> (u16, Json) {
    (
        201,
        json!({ "data": { "type": "access-tokens", "id": "at-1", "attributes": attributes } }),
    )
}

fn whole() -> (u16, Json) {
    made(&json!({
        "token": "short-lived-secret", "expires-at": "2026-01-01T01:00:00Z", "expires-in": 60, "name": null,
        "created-at": "2026-01-01T00:00:00Z",
    }))
}

#[tokio::test(start_paused = true)]
async fn a_token_is_made_and_revoked() {
    let (scalr, harness) = stage().await;
    let token = harness.ephemeral(NAME);
    for (config, asked) in [
        (json!({}), json!({ "description": "terraform", "expires-in": 60 })),
        (
            json!({ "description": "release", "expires_in": 5, "scopes": ["read", "intake"] }),
            json!({ "description": "release", "expires-in": 5, "scopes": ["intake", "read"] }),
        ),
    ] {
        scalr.state().tokens = vec![whole(), (204, Json::Null)].into();
        let open = token.open(config).await.unwrap();
        assert!(
            open.warnings.is_empty() && open.renew_at.is_none(),
            "{}",
            open.warnings
        );
        assert_eq!(
            (
                &open.result["id"],
                &open.result["token"],
                &open.result["expires_at"]
            ),
            (
                &json!("at-1"),
                &json!("short-lived-secret"),
                &json!("2026-01-01T01:00:00Z")
            )
        );
        let body = scalr.state().asked_of_tokens.pop().unwrap();
        assert_eq!(body["data"]["attributes"], asked);
        assert!(token.close(open).await.unwrap().is_empty());
        let calls = scalr.state().calls.split_off(0);
        assert_eq!(calls, ["POST access-tokens", "DELETE access-tokens/at-1"]);
        scalr.state().asked_of_tokens.clear();
    }
    // One that is gone is as good as revoked.
    let gone = json!({ "errors": [{ "status": "404", "title": "Not found", "detail": "No such token." }] });
    scalr.state().tokens = vec![whole(), (404, gone)].into();
    let open = token.open(json!({})).await.unwrap();
    assert!(token.close(open).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_refused_says_why() {
    let refusal = |status: u16, pointer: &str, detail: &str| {
        let source = json!({ "pointer": pointer });
        let error =
            json!({ "status": status.to_string(), "title": "Refused", "detail": detail, "source": source });
        (status, json!({ "errors": [error] }))
    };
    for (answers, parts) in [
        (
            vec![(404, Json::Null)],
            &["This server makes no access tokens", "`POST /access-tokens`"][..],
        ),
        (
            vec![refusal(
                422,
                "/data/attributes/scopes",
                "A token makes no token that permits more.",
            )],
            &["permits more", "No token was made"],
        ),
        (
            vec![refusal(
                403,
                "/data",
                "This takes a token with the scope `admin`.",
            )],
            &["scope `admin`"],
        ),
        (
            vec![made(&json!({})), (204, Json::Null)],
            &["did not show it", "It was revoked"],
        ),
        (
            vec![made(&json!({ "token": "" })), (403, Json::Null)],
            &["could not be revoked either"],
        ),
    ] {
        let (scalr, harness) = stage().await;
        scalr.state().tokens = answers.into();
        let refused = harness.ephemeral(NAME).open(json!({})).await.unwrap_err();
        names(&refused, parts);
    }
    let (scalr, harness) = stage().await;
    for wrong in [
        json!({ "expires_in": 0 }),
        json!({ "expires_in": 1441 }),
        json!({ "scopes": ["write"] }),
        json!({ "scopes": [] }),
        json!({ "description": "" }),
    ] {
        harness.ephemeral(NAME).open(wrong).await.unwrap_err();
    }
    assert!(scalr.state().calls.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_cannot_be_revoked_is_a_warning() {
    let (scalr, harness) = stage().await;
    let token = harness.ephemeral(NAME);
    let refused = (
        403,
        json!({ "errors": [{ "status": "403", "title": "No", "detail": "You may not." }] }),
    );
    scalr.state().tokens = vec![whole(), refused.clone()].into();
    let open = token.open(json!({})).await.unwrap();
    let warnings = token.close(open).await.unwrap();
    names(
        &warnings,
        &["`at-1` was not revoked", "ends by itself at 2026-01-01T01:00:00Z"],
    );
    scalr.state().tokens = vec![made(&json!({ "token": "endless-secret" })), refused].into();
    let open = token.open(json!({})).await.unwrap();
    names(&open.warnings, &["`at-1` does not end by itself"]);
    let warnings = token.close(open).await.unwrap();
    names(&warnings, &["revoke it where Scalr lists your access tokens"]);
}
