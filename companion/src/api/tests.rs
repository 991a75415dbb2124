//! Calls whose change is committed while applying it at AWS fails.

use axum::body::Body;
use axum::http::Request;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use scalr_api::{MEDIA_TYPE, Status};
use serde_json::{Value, json};

use super::*;
use crate::testing::{Bench, TOKEN};

const PATH: &str = "/api/iacp/v3/integrations/aws-event-bridge";

/// Makes a call; returns the status and the body.
async fn call(bench: &Bench, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {TOKEN}"))
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
