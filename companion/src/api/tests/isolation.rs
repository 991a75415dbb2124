//! Accounts keep apart: every route, with a token of another account, of an operator, of too small a scope, and of nobody.

use axum::http::Method;
use serde_json::{Value, json};

use super::super::{health, routes};
use super::{call_with, operator_token, token_of};
use crate::app::Mode;
use crate::routes::Route;
use crate::testing::{ACCOUNT, Bench, TOKEN};

/// In `dev` the one token also decides on what all share, such as the clock.
const SERVICE: Mode = Mode::Service { simulates_runs: true };

/// A token of the first account that ends by itself.
const OWN_TOKEN: &str = "at-of-its-own";

/// What belongs to the first account: no answer to another one has any of it.
const OWN: [&str; 7] = [
    "in-prod",
    "env-1",
    "ws-1",
    "run-1",
    ACCOUNT,
    "at-v0owner",
    OWN_TOKEN,
];

/// What answers with a token.
fn every_route() -> Vec<Route> {
    routes(SERVICE).merge(health::figures()).into_list()
}

/// A route with an object of the first account in its path, where it has one.
fn path(route: &Route) -> String {
    let objects = [
        ("/accounts/{id}", ACCOUNT),
        ("/integrations/aws-event-bridge/{id}", "in-prod"),
        ("/connections/{id}", "in-prod"),
        ("/environments/{id}", "env-1"),
        ("/workspaces/{id}", "ws-1"),
        ("/runs/{id}", "run-1"),
        ("/tokens/{id}", "at-v0owner"),
        ("/access-tokens/{id}", OWN_TOKEN),
    ];
    let found = objects.iter().find(|(path, _)| route.path.contains(path));
    let path = found.map_or_else(|| route.path.clone(), |(_, id)| route.path.replace("{id}", id));
    assert!(
        !path.contains('{'),
        "which object of an account does {} have?",
        route.path
    );
    path
}

/// A body that the route accepts of the account that the objects belong to.
fn body(route: &Route) -> Value {
    let workspace = json!({ "workspace": { "data": { "type": "workspaces", "id": "ws-1" } } });
    let connection = json!({ "data": { "type": "aws-event-bridge-integrations", "id": "in-prod" } });
    match (route.method.as_str(), route.path.as_str()) {
        ("POST", "/api/iacp/v3/runs") => json!({ "data": { "type": "runs", "relationships": workspace } }),
        ("POST", "/_companion/runs") => json!({ "workspace": "ws-1" }),
        ("PATCH", path) if path.ends_with("/audit-log-setting") => json!({ "data": {
            "type": "audit-log-settings", "attributes": { "enabled": true },
            "relationships": { "integration": connection },
        } }),
        ("PATCH", path) if path.contains("/aws-event-bridge/") => json!({ "data": {
            "type": "aws-event-bridge-integrations", "attributes": { "status": "disabled" },
        } }),
        ("PATCH", "/_companion/accounts/{id}") => {
            json!({ "data": { "type": "accounts", "attributes": { "status": "disabled" } } })
        }
        ("POST", "/_companion/accounts") => {
            json!({ "data": { "type": "accounts", "attributes": { "name": "third" } } })
        }
        ("POST", "/_companion/tokens") => json!({ "data": {
            "type": "access-tokens", "attributes": { "name": "n", "scopes": ["admin"] },
            "relationships": { "account": { "data": { "type": "accounts", "id": ACCOUNT } } },
        } }),
        ("POST", "/_companion/events") => {
            json!({ "detail-type": "RunExecuted", "detail": scalr_events::sample(scalr_events::EventType::RunExecuted)["detail"] })
        }
        ("POST", "/events/v1/run-executed") => {
            scalr_events::sample(scalr_events::EventType::RunExecuted)["detail"].take()
        }
        ("POST", "/events/v1/audit-logs") => {
            scalr_events::sample(scalr_events::EventType::AuditLog)["detail"].take()
        }
        _ => json!({}),
    }
}

fn is_operators(route: &Route) -> bool {
    [
        "/_companion/accounts",
        "/_companion/tokens",
        "/_companion/clock",
        "/metrics",
    ]
    .iter()
    .any(|prefix| route.path.starts_with(prefix))
}

/// A bench whose first account has one object of each kind, and a second account; the token that opens that one.
async fn two_accounts() -> (Bench, String, String) {
    let mut bench = Bench::new().await;
    bench.app.mode = SERVICE;
    bench
        .connect("prod", "us-east-1", &scalr_api::Status::Pending)
        .await;
    bench.run("run-1").await;
    bench.own_token(OWN_TOKEN).await;
    let operator = operator_token(&bench).await;
    let other = token_of(&bench, &operator, "other", &["admin"]).await;
    (bench, operator, other)
}

/// All that the first account has, as it reads it itself.
async fn all_of_the_first(bench: &Bench) -> Vec<Value> {
    let mut all = vec![];
    for route in every_route() {
        if route.method == Method::GET && !is_operators(&route) {
            let (status, read) = call_with(bench, TOKEN, "GET", &path(&route), &json!(null)).await;
            assert_eq!(status, 200, "{}: {read}", route.path);
            all.push(read);
        }
    }
    all
}

#[tokio::test]
async fn no_route_shows_or_changes_objects_of_another_account() {
    let (bench, _, other) = two_accounts().await;
    let before = all_of_the_first(&bench).await;
    for route in every_route() {
        let (method, path) = (route.method.as_str(), path(&route));
        let (status, answer) = call_with(&bench, &other, method, &path, &body(&route)).await;
        let text = answer.to_string();
        if is_operators(&route) {
            assert_eq!(status, 403, "{method} {path}: {text}");
        } else if route.path.contains('{') {
            assert_eq!(status, 404, "{method} {path}: {text}");
            assert_eq!(answer["errors"][0]["code"], "not-found", "{method} {path}");
        } else {
            assert!(status != 404 && status < 500, "{method} {path}: {text}");
            // What the caller has named itself is not a secret.
            let told = OWN
                .iter()
                .find(|id| text.contains(*id) && !body(&route).to_string().contains(*id));
            assert_eq!(told, None, "{method} {path}: {text}");
            let refers = body(&route).to_string().contains("\"ws-1\"");
            assert!(!refers || status == 422, "{method} {path}: {text}");
        }
    }
    assert_eq!(all_of_the_first(&bench).await, before);
}

#[tokio::test]
async fn an_operator_opens_no_account_and_nobody_gets_in_without_a_token() {
    let (bench, operator, other) = two_accounts().await;
    let revoked = token_of(&bench, &operator, "revoked", &["admin"]).await;
    let (_, tokens) = call_with(
        &bench,
        &operator,
        "GET",
        "/_companion/tokens?page[size]=100",
        &json!(null),
    )
    .await;
    let id = tokens["data"].as_array().unwrap().last().unwrap()["id"]
        .as_str()
        .unwrap();
    let revoke = format!("/_companion/tokens/{id}");
    assert_eq!(
        call_with(&bench, &operator, "DELETE", &revoke, &json!(null))
            .await
            .0,
        204
    );
    for route in every_route() {
        let (method, path) = (route.method.as_str(), path(&route));
        for token in [revoked.as_str(), "wrong", "", &other.to_uppercase()] {
            let (status, answer) = call_with(&bench, token, method, &path, &body(&route)).await;
            assert_eq!(status, 401, "{method} {path}: {answer}");
        }
        // The clock is shared by all accounts.
        if !is_operators(&route) && !path.ends_with("/clock/confirm") {
            let (status, answer) = call_with(&bench, &operator, method, &path, &body(&route)).await;
            assert_eq!(status, 403, "{method} {path}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_token_does_what_its_scopes_permit_and_no_more() {
    let (bench, operator, _) = two_accounts().await;
    let read = token_of(&bench, &operator, "read", &["read"]).await;
    let intake = token_of(&bench, &operator, "intake", &["intake"]).await;
    for route in every_route() {
        let is_intake = route.method == Method::POST
            && ["/runs", "/events", "/run-executed", "/audit-logs"]
                .iter()
                .any(|end| route.path.ends_with(end));
        let is_read = route.method == Method::GET;
        for (token, may) in [(&read, is_read), (&intake, is_intake)] {
            let may = may && !is_operators(&route);
            let (method, path) = (route.method.as_str(), path(&route));
            let (status, answer) = call_with(&bench, token, method, &path, &body(&route)).await;
            assert_eq!(status != 403, may, "{method} {path}: {status} {answer}");
        }
    }
}
