//! Calls whose change is committed while applying it at AWS fails; who may call what.

mod administration;
mod intake;
mod isolation;
mod own_tokens;

use axum::body::Body;
use axum::http::Request;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use scalr_api::{MEDIA_TYPE, Status};
use serde_json::{Value, json};

use super::*;
use crate::caller::{Scope, Scopes};
use crate::store::AccessToken;
use crate::testing::{Bench, TOKEN};
use crate::token::Token;

const PATH: &str = "/api/iacp/v3/integrations/aws-event-bridge";

/// Makes a call; returns the status and the body.
async fn call(bench: &Bench, method: &str, path: &str, body: &Value) -> (u16, Value) {
    call_with(bench, TOKEN, method, path, body).await
}

/// The same with this token.
async fn call_with(bench: &Bench, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", MEDIA_TYPE)
        .body(Body::from(body.to_string()))
        .unwrap();
    let answer = TowerToHyperService::new(router(bench.app.clone()))
        .call(request)
        .await
        .unwrap();
    let status = answer.status().as_u16();
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

/// An operator's token, made in the store as the first start does.
async fn operator_token(bench: &Bench) -> String {
    let token = Token::random("sebo_");
    let new = AccessToken {
        id: "at-operator".into(),
        account_id: None,
        name: "first".into(),
        scopes: Scopes::of(&[Scope::Admin]),
        end: token.end(),
        created_at_ms: 0,
        last_used_at_ms: None,
        revoked_at_ms: None,
        expires_at_ms: None,
    };
    let mut tx = bench.app.store.begin().await.unwrap();
    tx.insert_token(&new, &token).await.unwrap();
    tx.commit().await.unwrap();
    token.reveal().to_owned()
}

/// Makes an account and a token that opens it; its text.
async fn token_of(bench: &Bench, operator: &str, account: &str, scopes: &[&str]) -> String {
    let new = json!({ "data": { "type": "accounts", "attributes": { "name": account } } });
    let (status, made) = call_with(bench, operator, "POST", "/_companion/accounts", &new).await;
    assert_eq!(status, 201, "{made}");
    let of = json!({ "account": { "data": { "type": "accounts", "id": made["data"]["id"] } } });
    let new = json!({ "data": {
        "type": "access-tokens", "attributes": { "name": "n", "scopes": scopes }, "relationships": of,
    } });
    let (status, made) = call_with(bench, operator, "POST", "/_companion/tokens", &new).await;
    assert_eq!(status, 201, "{made}");
    made["data"]["attributes"]["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_committed_connection_is_answered_even_if_its_source_fails() {
    let bench = Bench::new().await;
    bench.app.store.fill_disk(&["connection"]).await;
    let body = json!({ "data": { "type": "aws-event-bridge-integrations", "attributes": {
        "name": "prod", "aws-account-id": "123456789012", "region": "us-east-1",
    } } });
    let (status, answer) = call(&bench, "POST", PATH, &body).await;
    assert_eq!(status, 201, "{answer}");
    assert_eq!(answer["data"]["attributes"]["status"], "pending");
    let id = answer["data"]["id"].as_str().unwrap();
    let (status, read) = call(&bench, "GET", &format!("{PATH}/{id}"), &json!(null)).await;
    assert_eq!((status, &read["data"]), (200, &answer["data"]));
}

#[tokio::test]
async fn a_committed_deletion_is_answered_even_if_its_source_stays() {
    let bench = Bench::new().await;
    let id = bench.connect("prod", "us-east-1", &Status::Active).await;
    bench.app.store.fill_disk(&["source_removal"]).await;
    let (status, answer) = call(&bench, "DELETE", &format!("{PATH}/{id}"), &json!(null)).await;
    assert_eq!(status, 204, "{answer}");
    assert_eq!(
        call(&bench, "GET", &format!("{PATH}/{id}"), &json!(null)).await.0,
        404
    );
}

/// What a fault may name is what this API answers.
#[tokio::test]
async fn faults_are_for_routes_that_exist() {
    let bench = Bench::new().await;
    let can_fail = routes(Mode::Dev)
        .into_list()
        .into_iter()
        .filter(|route| !route.path.ends_with("/faults"));
    let mut known: Vec<String> = can_fail
        .map(|route| format!("{} {}", route.method, route.path.replace("{id}", "*")))
        .chain(["GET /.well-known/terraform.json".to_owned()])
        .collect();
    known.sort_unstable();
    let mut named = faults::OPERATIONS;
    named.sort_unstable();
    assert_eq!(named.as_slice(), known.as_slice());
    for operation in faults::OPERATIONS {
        let (method, path) = operation.split_once(' ').unwrap();
        let (status, answer) = call(&bench, method, &path.replace('*', "in-1"), &json!({})).await;
        let code = answer["errors"][0]["code"].as_str().unwrap_or_default();
        assert!(status != 405 && code != "no-route", "{operation}: {answer}");
    }
    let (_, refused) = call(
        &bench,
        "POST",
        "/_companion/faults",
        &json!({ "kind": "cut", "operation": "GET /runs" }),
    )
    .await;
    let detail = refused["errors"][0]["detail"].to_string();
    assert!(
        detail.contains("`POST /api/iacp/v3/runs`")
            || detail.contains("`GET /api/iacp/v3/runs`")
            || detail.contains("`GET /api/iacp/v3/runs/*`"),
        "{refused}"
    );
}
