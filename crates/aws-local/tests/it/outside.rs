//! API destinations, and targets that the operator gave a URL for, over real HTTP.

use std::sync::{Arc, Mutex};

use aws_local::Config;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::client::{CUSTOMER, Local, REGION};

const C: &str = CUSTOMER;

/// An endpoint that answers with the next of its statuses, then with 200, and reports each request.
pub(crate) async fn endpoint(
    statuses: Vec<u16>,
) -> (String, mpsc::UnboundedReceiver<(String, String, String)>) {
    let (tell, told) = mpsc::unbounded_channel();
    let statuses = Arc::new(Mutex::new(statuses));
    let answer = |State((tell, statuses)): State<(mpsc::UnboundedSender<_>, Arc<Mutex<Vec<u16>>>)>,
                  request: Request| async move {
        let header = request
            .headers()
            .get("authorization")
            .map(|value| value.to_str().unwrap().to_owned());
        let path = request.uri().to_string();
        let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
        if path == "/token" {
            return (StatusCode::OK, r#"{"access_token":"tok","expires_in":60}"#);
        }
        tell.send((
            path,
            header.unwrap_or_default(),
            String::from_utf8(body.to_vec()).unwrap(),
        ))
        .unwrap();
        let mut statuses = statuses.lock().unwrap();
        let status = if statuses.is_empty() {
            200
        } else {
            statuses.remove(0)
        };
        (StatusCode::from_u16(status).unwrap(), "")
    };
    let app = Router::new().fallback(answer).with_state((tell, statuses));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, told)
}

async fn destination(local: &Local, url: &str, kind: &str, auth: Value, retries: u32) -> String {
    let connection = json!({ "Name": "c", "AuthorizationType": kind, "AuthParameters": auth }).to_string();
    let (_, made) = local.ask(C, "events.CreateConnection", &connection).await;
    let wanted = json!({
        "Name": "d",
        "ConnectionArn": made["ConnectionArn"],
        "InvocationEndpoint": format!("{url}/hook/*"),
        "HttpMethod": "POST",
    });
    let (_, made) = local
        .ask(C, "events.CreateApiDestination", &wanted.to_string())
        .await;
    let target = json!({ "Rule": "r", "Targets": [{
        "Id": "1",
        "Arn": made["ApiDestinationArn"],
        "RoleArn": format!("arn:aws:iam::{C}:role/x"),
        "InputPath": "$.detail",
        "HttpParameters": { "PathParameterValues": ["a b"], "QueryStringParameters": { "q": "1" } },
        "RetryPolicy": { "MaximumRetryAttempts": retries },
    }] });
    let rule = r#"{"Name":"r","EventPattern":"{\"source\":[\"s\"]}"}"#;
    local
        .run(&[
            (C, "events.PutRule", rule, "ok"),
            (C, "events.PutTargets", &target.to_string(), "ok"),
        ])
        .await;
    put(local).await
}

async fn put(local: &Local) -> String {
    let event = r#"{"Entries":[{"Source":"s","DetailType":"t","Detail":"{\"a\":1}"}]}"#;
    let (_, put) = local.ask(C, "events.PutEvents", event).await;
    put["Entries"][0]["EventId"].as_str().unwrap().to_owned()
}

/// Waits until the story of an event says so.
async fn until(local: &Local, id: &str, outcome: &str) -> Value {
    loop {
        let story = local.look(&format!("events/{id}")).await;
        if story["buses"][0]["deliveries"][0]["outcome"] == json!(outcome) {
            return story;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn destinations_are_called_with_credentials() {
    let (url, mut told) = endpoint(vec![]).await;
    let oauth = json!({ "OAuthParameters": {
        "ClientParameters": { "ClientID": "i", "ClientSecret": "s" },
        "AuthorizationEndpoint": format!("{url}/token"),
        "HttpMethod": "POST",
    } });
    for (kind, auth, expected) in [
        (
            "BASIC",
            json!({ "BasicAuthParameters": { "Username": "u", "Password": "p" } }),
            "Basic dTpw",
        ),
        (
            "API_KEY",
            json!({ "ApiKeyAuthParameters": { "ApiKeyName": "Authorization", "ApiKeyValue": "k" } }),
            "k",
        ),
        ("OAUTH_CLIENT_CREDENTIALS", oauth, "Bearer tok"),
    ] {
        let local = Local::start(Config::default()).await;
        destination(&local, &url, kind, auth, 0).await;
        let request = told.recv().await.unwrap();
        assert_eq!(
            request,
            (
                "/hook/a%20b?q=1".to_owned(),
                expected.to_owned(),
                r#"{"a":1}"#.to_owned()
            ),
            "{kind}"
        );
        local.stop().await;
    }
}

#[tokio::test]
async fn failures_are_retried_by_the_clock_and_then_given_up() {
    let (url, mut told) = endpoint(vec![503, 500, 500]).await;
    let local = Local::start(Config::default()).await;
    let auth = json!({ "BasicAuthParameters": { "Username": "u", "Password": "p" } });
    let id = destination(&local, &url, "BASIC", auth, 2).await;
    for _ in 0..3 {
        told.recv().await.unwrap();
        local.tell("clock", r#"{"advance_seconds":60}"#).await;
        while local.look(&format!("events/{id}")).await["buses"][0]["deliveries"][0]["attempts"] == json!([])
        {
            tokio::task::yield_now().await;
        }
        local.tell("clock", r#"{"advance_seconds":60}"#).await;
    }
    let story = until(&local, &id, "failed").await;
    assert_eq!(
        story["buses"][0]["deliveries"][0]["attempts"]
            .as_array()
            .unwrap()
            .len(),
        3,
        "{story}"
    );
    local.stop().await;
}

/// However long an endpoint asks to wait, an event is not kept beyond its maximum age.
#[tokio::test]
async fn a_wait_beyond_the_events_age_ends_the_delivery() {
    let answer = || async {
        let wait = [("retry-after", i64::MAX.to_string())];
        (StatusCode::TOO_MANY_REQUESTS, wait)
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, app).await });
    let local = Local::start(Config::default()).await;
    let auth = json!({ "BasicAuthParameters": { "Username": "u", "Password": "p" } });
    let id = destination(&local, &url, "BASIC", auth, 2).await;
    until(&local, &id, "failed").await;
    local.stop().await;
}

#[tokio::test]
async fn hosts_beyond_loopback_are_not_called() {
    let local = Local::start(Config::default()).await;
    let auth = json!({ "BasicAuthParameters": { "Username": "u", "Password": "p" } });
    let id = destination(&local, "http://192.0.2.1", "BASIC", auth, 0).await;
    let story = until(&local, &id, "failed").await;
    assert_eq!(
        story["buses"][0]["deliveries"][0]["attempts"][0]["error_code"],
        json!("NO_PERMISSIONS")
    );
    local.stop().await;
}

#[tokio::test]
async fn other_targets_are_recorded_and_posted_to_their_url() {
    let (url, mut told) = endpoint(vec![]).await;
    let lambda = |name: &str| format!("arn:aws:lambda:{REGION}:{C}:function:{name}");
    let config = Config {
        targets: vec![(lambda("a"), url)],
        ..Config::default()
    };
    let local = Local::start(config).await;
    let rule = r#"{"Name":"r","EventPattern":"{\"source\":[\"s\"]}"}"#;
    let targets = json!({ "Rule": "r", "Targets": [{ "Id": "1", "Arn": lambda("a") }, { "Id": "2", "Arn": lambda("b") }] });
    local
        .run(&[
            (C, "events.PutRule", rule, "ok"),
            (C, "events.PutTargets", &targets.to_string(), "ok"),
        ])
        .await;
    let id = put(&local).await;
    assert!(told.recv().await.unwrap().2.contains(&id));
    let story = until(&local, &id, "delivered").await;
    assert_eq!(
        story["buses"][0]["deliveries"][1]["attempts"][0]["error_code"],
        json!("NO_RESOURCE")
    );
    assert_eq!(
        local.look("invocations").await["invocations"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    local.stop().await;
}
