//! Accounts and tokens, as an operator makes and ends them.

use serde_json::{Value, json};

use super::{call_with, operator_token, token_of};
use crate::testing::{ACCOUNT, Bench, TOKEN};

const ACCOUNTS: &str = "/_companion/accounts";
const TOKENS: &str = "/_companion/tokens";

fn account(attributes: &Value) -> Value {
    json!({ "data": { "type": "accounts", "attributes": attributes } })
}

fn token(attributes: &Value, account: &Value) -> Value {
    json!({ "data": {
        "type": "access-tokens", "attributes": attributes, "relationships": { "account": { "data": account } },
    } })
}

/// Makes these calls as an operator: each is refused with this status and at this place.
async fn check(rows: &[(&str, &str, Value, (u16, &str))]) {
    let bench = Bench::new().await;
    let operator = operator_token(&bench).await;
    for (method, path, body, want) in rows {
        let (status, answer) = call_with(&bench, &operator, method, path, body).await;
        let pointer = answer["errors"][0]["source"]["pointer"].as_str();
        assert_eq!(
            (status, pointer.unwrap_or_default()),
            *want,
            "{method} {path} {body}: {answer}"
        );
    }
}

#[tokio::test]
async fn what_an_account_cannot_be_is_refused_where_it_stands() {
    const NAME: &str = "/data/attributes/name";
    const STATUS: &str = "/data/attributes/status";
    let (post, patch) = (("POST", ACCOUNTS), ("PATCH", "/_companion/accounts/acc-1"));
    let long = "n".repeat(300);
    let rows = [
        (post, json!({}), (422, NAME)),
        (post, json!({ "name": "a b" }), (422, NAME)),
        (post, json!({ "name": long }), (422, NAME)),
        (post, json!({ "name": "local" }), (409, NAME)),
        (post, json!({ "name": "x", "status": "disabled" }), (422, STATUS)),
        (patch, json!({ "name": "x" }), (422, NAME)),
        (patch, json!({ "status": "gone" }), (422, STATUS)),
    ];
    check(&rows.map(|((method, path), body, want)| (method, path, account(&body), want))).await;
    let gone = ["acc-none", "acc-deleted-connections"].map(|id| format!("{ACCOUNTS}/{id}"));
    // A name like the id of deleted connections' account is as good as any.
    check(&[(
        "POST",
        ACCOUNTS,
        account(&json!({ "name": "acc-deleted-connections" })),
        (201, ""),
    )])
    .await;
    check(
        &gone
            .each_ref()
            .map(|path| ("GET", path.as_str(), json!(null), (404, ""))),
    )
    .await;
}

#[tokio::test]
async fn what_a_token_cannot_be_is_refused_where_it_stands() {
    const SCOPES: &str = "/data/attributes/scopes";
    let of = |id: &str| json!({ "type": "accounts", "id": id });
    let rows = [
        (
            json!({ "scopes": ["read"] }),
            of(ACCOUNT),
            (422, "/data/attributes/name"),
        ),
        (json!({ "name": "n" }), of(ACCOUNT), (422, SCOPES)),
        (
            json!({ "name": "n", "scopes": ["write"] }),
            of(ACCOUNT),
            (422, SCOPES),
        ),
        (
            json!({ "name": "n", "scopes": ["intake"] }),
            json!(null),
            (422, SCOPES),
        ),
        (
            json!({ "name": "n", "scopes": ["read"] }),
            of("acc-none"),
            (422, "/data/relationships/account"),
        ),
    ];
    check(&rows.map(|(body, of, want)| ("POST", TOKENS, token(&body, &of), want))).await;
    check(&[("DELETE", "/_companion/tokens/at-none", json!(null), (404, ""))]).await;
}

#[tokio::test]
async fn a_token_is_told_once_and_admits_until_it_is_revoked() {
    let bench = Bench::new().await;
    let operator = operator_token(&bench).await;
    let secret = token_of(&bench, &operator, "acme", &["admin"]).await;
    let (_, listed) = call_with(&bench, &operator, "GET", TOKENS, &json!(null)).await;
    assert!(!listed.to_string().contains(&secret), "{listed}");
    let stored = bench.app.store.every_text_of_tokens().await;
    assert!(
        stored.contains(&secret[secret.len() - 6..]) && !stored.contains(&secret),
        "{stored}"
    );
    let made = listed["data"].as_array().unwrap().last().unwrap();
    assert_eq!(made["attributes"]["last-used-at"], json!(null));
    let environments = "/api/iacp/v3/environments";
    assert_eq!(
        call_with(&bench, &secret, "GET", environments, &json!(null))
            .await
            .0,
        200
    );
    let one = format!("{TOKENS}/{}", made["id"].as_str().unwrap());
    let (_, used) = call_with(&bench, &operator, "GET", TOKENS, &json!(null)).await;
    let last_used = &used["data"].as_array().unwrap().last().unwrap()["attributes"]["last-used-at"];
    assert!(last_used.is_string(), "{used}");
    bench.app.uses.flush(&bench.app.store).await.unwrap();
    assert_eq!(
        bench.app.uses.last_ms(made["id"].as_str().unwrap()),
        None,
        "it is stored"
    );
    let (_, after) = call_with(&bench, &operator, "GET", TOKENS, &json!(null)).await;
    assert_eq!(
        &after["data"].as_array().unwrap().last().unwrap()["attributes"]["last-used-at"],
        last_used
    );
    for _ in 0..2 {
        assert_eq!(
            call_with(&bench, &operator, "DELETE", &one, &json!(null)).await.0,
            204
        );
    }
    let (status, refused) = call_with(&bench, &secret, "GET", environments, &json!(null)).await;
    assert_eq!(status, 401);
    assert!(refused.to_string().contains("is revoked"), "{refused}");
    let (_, listed) = call_with(&bench, &operator, "GET", TOKENS, &json!(null)).await;
    let revoked = &listed["data"].as_array().unwrap().last().unwrap()["attributes"]["revoked-at"];
    assert!(revoked.is_string(), "{listed}");
}

#[tokio::test]
async fn an_account_that_is_disabled_is_closed_until_it_is_enabled() {
    let bench = Bench::new().await;
    let operator = operator_token(&bench).await;
    let path = format!("{ACCOUNTS}/{ACCOUNT}");
    for (status, want) in [("disabled", 401), ("disabled", 401), ("active", 200)] {
        let body = account(&json!({ "status": status }));
        let (code, answer) = call_with(&bench, &operator, "PATCH", &path, &body).await;
        assert_eq!(
            (code, &answer["data"]["attributes"]["status"]),
            (200, &json!(status))
        );
        let (code, answer) = call_with(&bench, TOKEN, "GET", "/api/iacp/v3/runs", &json!(null)).await;
        assert_eq!(code, want, "{answer}");
    }
}

#[tokio::test]
async fn the_last_operator_stays() {
    let bench = Bench::new().await;
    let operator = operator_token(&bench).await;
    let one = format!("{TOKENS}/at-operator");
    // One that may only read can make no other, and may go.
    let body = token(&json!({ "name": "reader", "scopes": ["read"] }), &json!(null));
    let (_, reader) = call_with(&bench, &operator, "POST", TOKENS, &body).await;
    let reader = format!("{TOKENS}/{}", reader["data"]["id"].as_str().unwrap());
    let (status, answer) = call_with(&bench, &operator, "DELETE", &one, &json!(null)).await;
    assert_eq!(status, 409, "{answer}");
    assert_eq!(
        call_with(&bench, &operator, "DELETE", &reader, &json!(null))
            .await
            .0,
        204
    );
    let body = token(&json!({ "name": "next", "scopes": ["admin"] }), &json!(null));
    let (status, made) = call_with(&bench, &operator, "POST", TOKENS, &body).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(
        call_with(&bench, &operator, "DELETE", &one, &json!(null)).await.0,
        204
    );
    let next = made["data"]["attributes"]["token"].as_str().unwrap();
    assert!(next.starts_with("sebo_"), "{next}");
    assert_eq!(
        call_with(&bench, next, "GET", ACCOUNTS, &json!(null)).await.0,
        200
    );
}

/// What an operator does to an account is in the account's own audit log, with the end of the operator's token.
#[tokio::test]
async fn changes_of_an_accounts_tokens_are_in_its_audit_log() {
    let bench = Bench::new().await;
    let operator = operator_token(&bench).await;
    let id = bench
        .connect("prod", "us-east-1", &scalr_api::Status::Pending)
        .await;
    bench.accept(&id, 0).await;
    let of = json!({ "type": "accounts", "id": ACCOUNT });
    let body = token(&json!({ "name": "ci", "scopes": ["read"] }), &of);
    let (_, made) = call_with(&bench, &operator, "POST", TOKENS, &body).await;
    let one = format!("{TOKENS}/{}", made["data"]["id"].as_str().unwrap());
    call_with(&bench, &operator, "DELETE", &one, &json!(null)).await;
    let path = format!("{ACCOUNTS}/{ACCOUNT}");
    call_with(
        &bench,
        &operator,
        "PATCH",
        &path,
        &account(&json!({ "status": "disabled" })),
    )
    .await;
    let logs = bench.held_details(&id).await;
    let seen: Vec<(&str, &str, &str)> = logs
        .iter()
        .map(|log| {
            let text = |pointer: &str| log.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            (
                text("/request/action"),
                text("/target/display-name"),
                text("/actor/access-token/token"),
            )
        })
        .collect();
    let end = format!("...{}", &operator[operator.len() - 6..]);
    assert_eq!(
        seen,
        [
            ("create-access-token", "ci", end.as_str()),
            ("delete-access-token", "ci", &end),
            ("update-account", "local", &end),
        ]
    );
}
