//! The API, call by call: statuses, bodies, refusals and where they point.

use serde_json::{Value, json};

use crate::companion::{CONNECTION, Companion, connection};
use crate::stage;

/// Makes a call and compares the answer: its status, and the value at a pointer into its body.
async fn check(
    companion: &Companion,
    method: &str,
    path: &str,
    body: Option<Value>,
    want: (u16, &str, Value),
) {
    let (status, answer) = companion.call(method, path, body).await;
    let (code, pointer, value) = want;
    assert_eq!(status, code, "{method} {path}: {answer}");
    assert_eq!(answer.pointer(pointer), Some(&value), "{method} {path}: {answer}");
}

const POINTER: &str = "/errors/0/source/pointer";
const PARAMETER: &str = "/errors/0/source/parameter";

#[tokio::test(flavor = "multi_thread")]
async fn reads_and_refusals() {
    let (_aws, c, _dir) = stage::empty().await;
    let account = format!("/accounts/{}", c.text("/scalr/account_id"));
    let setting = format!("{account}/audit-log-setting");
    let workspace = format!("/workspaces/{}", c.text("/scalr/workspace_id"));
    let environment = c.text("/scalr/environment_id").to_owned();
    let connections = "/integrations/aws-event-bridge";
    for (path, want) in [
        (account.as_str(), (200, "/data/attributes/name", json!("local"))),
        ("/accounts/acc-other", (404, "/errors/0/status", json!("404"))),
        (setting.as_str(), (200, "/data/attributes/enabled", json!(false))),
        (
            setting.as_str(),
            (200, "/data/relationships/integration/data", json!(null)),
        ),
        (
            workspace.as_str(),
            (200, "/data/relationships/environment/data/id", json!(environment)),
        ),
        (
            "/workspaces?filter%5Bname%5D=network",
            (200, "/meta/pagination/total-count", json!(1)),
        ),
        ("/workspaces?filter[name]=netw", (200, "/data", json!([]))),
        ("/workspaces?filter[account]=acc-other", (200, "/data", json!([]))),
        (
            "/workspaces?filter[colour]=x",
            (400, PARAMETER, json!("filter[colour]")),
        ),
        (
            "/environments?page[number]=0",
            (400, PARAMETER, json!("page[number]")),
        ),
        (
            "/environments",
            (200, "/data/0/attributes/name", json!("development")),
        ),
        (connections, (200, "/meta/pagination/next-page", json!(null))),
        (
            "/integrations/aws-event-bridge/in-none",
            (404, "/errors/0/code", json!("not-found")),
        ),
        ("/nothing/here", (404, "/errors/0/code", json!("no-route"))),
        ("/runs/run-none", (404, "/errors/0/code", json!("not-found"))),
        ("/runs", (200, "/data", json!([]))),
        (
            "/runs?filter[workspace]=ws-other",
            (200, "/meta/pagination/total-count", json!(0)),
        ),
    ] {
        check(&c, "GET", path, None, want).await;
    }
    check(
        &c,
        "DELETE",
        "/runs",
        None,
        (405, "/errors/0/status", json!("405")),
    )
    .await;
}

const CONNECTIONS: &str = "/integrations/aws-event-bridge";

/// The body that creates a connection, with one attribute replaced.
fn with(attribute: &str, value: Value) -> Value {
    let mut body = connection("prod", "us-east-1");
    body["data"]["attributes"][attribute] = value;
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_connection_is_checked() {
    let (_aws, c, _dir) = stage::empty().await;
    for (attribute, value) in [
        ("name", json!(null)),
        ("name", json!("")),
        ("name", json!("a b")),
        ("name", json!("a/b")),
        ("name", json!("n".repeat(300))),
        ("aws-account-id", json!("12345678901")),
        ("aws-account-id", json!("12345678901x")),
        ("aws-account-id", json!(123_456_789_012_u64)),
        ("region", json!("mars")),
        ("status", json!("active")),
    ] {
        let want = (422, POINTER, json!(format!("/data/attributes/{attribute}")));
        check(&c, "POST", CONNECTIONS, Some(with(attribute, value)), want).await;
    }
    let (wrong, long) = (json!({ "data": { "type": "runs" } }), json!("x".repeat(600_000)));
    let want = (422, POINTER, json!("/data/type"));
    check(&c, "POST", CONNECTIONS, Some(wrong), want).await;
    let want = (413, "/errors/0/code", json!("invalid-body"));
    check(&c, "POST", CONNECTIONS, Some(long), want).await;

    c.connect("prod", "us-east-1").await;
    let want = (409, POINTER, json!("/data/attributes/region"));
    check(&c, "POST", CONNECTIONS, Some(with("name", json!("other"))), want).await;
    let other_account = with("aws-account-id", json!("000011112222"));
    let want = (409, POINTER, json!("/data/attributes/name"));
    check(&c, "POST", CONNECTIONS, Some(other_account), want).await;
    c.connect("prod", "eu-west-1").await;
    let page = format!("{CONNECTIONS}?filter[name]=prod&page[size]=1");
    let want = json!({
        "current-page": 1, "prev-page": null, "next-page": 2, "total-pages": 2, "total-count": 2,
    });
    check(&c, "GET", &page, None, (200, "/meta/pagination", want)).await;
    for list in [CONNECTIONS, "/environments", "/workspaces"] {
        let beyond = format!("{list}?page[number]=9");
        let total = if list == CONNECTIONS { 2 } else { 1 };
        check(
            &c,
            "GET",
            &beyond,
            None,
            (200, "/meta/pagination/total-count", json!(total)),
        )
        .await;
        check(&c, "GET", &beyond, None, (200, "/data", json!([]))).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_status_of_a_connection_changes() {
    let (_aws, c, _dir) = stage::empty().await;
    let path = format!("{CONNECTIONS}/{}", c.connect("prod", "us-east-1").await);
    let body = |attributes: Value| Some(json!({ "data": { "type": CONNECTION, "attributes": attributes } }));
    for (attribute, value) in [
        ("name", "x"),
        ("aws-account-id", "000011112222"),
        ("region", "eu-west-2"),
        ("status", "failed"),
        ("status", ""),
    ] {
        let want = (422, POINTER, json!(format!("/data/attributes/{attribute}")));
        check(&c, "PATCH", &path, body(json!({ attribute: value })), want).await;
    }
    let same = body(json!({ "name": "prod", "region": "us-east-1", "aws-account-id": "123456789012" }));
    let want = (200, "/data/attributes/status", json!("pending"));
    check(&c, "PATCH", &path, same, want).await;
    let other = json!({ "data": { "type": CONNECTION, "id": "in-other" } });
    check(&c, "PATCH", &path, Some(other), (409, POINTER, json!("/data/id"))).await;

    let source = "aws.partner/scalr.com/local/prod";
    let arn = format!("arn:aws:events:us-east-1::event-source/{source}");
    for (attribute, value) in [("event-source", source), ("event-source-arn", &arn)] {
        let pointer = format!("/data/attributes/{attribute}");
        check(&c, "GET", &path, None, (200, &pointer, json!(value))).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_answers_without_the_token() {
    let (_aws, c, _dir) = stage::empty().await;
    let (host, token) = (c.text("/scalr/hostname"), c.text("/scalr/token"));
    let http = reqwest::Client::new();
    for path in [
        "/",
        "/api/iacp/v3/workspaces",
        "/api/iacp/v3/nothing",
        "/_companion/connections/in-1/delivery",
    ] {
        for (sent, detail) in [
            (None, "No token was sent."),
            (Some(String::new()), "No token was sent."),
            (Some(format!("{token}x")), "The token that was sent is not"),
            (Some(token.to_uppercase()), "The token that was sent is not"),
        ] {
            let mut request = http.get(format!("{host}{path}"));
            if let Some(sent) = &sent {
                request = request.bearer_auth(sent);
            }
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 401, "{path} {sent:?}");
            let text = answer.text().await.unwrap();
            assert!(
                text.contains(detail) && !text.contains(token),
                "{path} {sent:?}: {text}"
            );
        }
    }
    let found = http
        .get(format!("{host}/.well-known/terraform.json"))
        .send()
        .await
        .unwrap();
    assert_eq!(found.headers()["content-type"], "application/json");
    assert_eq!(found.text().await.unwrap(), r#"{"iacp.v3":"/api/iacp/v3/"}"#);
}
