//! The client against a real HTTP server on loopback that follows a script.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::{Id, Status};

/// What the server does with one call.
#[derive(Clone)]
enum Act {
    Answer(u16, &'static str, String),
    /// Receives the call and closes the connection.
    HangUp,
    /// Receives the call and never answers.
    Silence,
}

struct Server {
    seen: Arc<Mutex<Vec<String>>>,
    host: Host,
}

impl Server {
    /// A server that does the acts in order, one a call, and repeats the last one.
    async fn start(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = format!("http://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            let mut silent = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read_request(&mut stream).await;
                let number = {
                    let mut log = log.lock().unwrap();
                    log.push(request);
                    log.len() - 1
                };
                match acts[number.min(acts.len() - 1)].clone() {
                    Act::HangUp => drop(stream),
                    Act::Silence => silent.push(stream),
                    Act::Answer(status, header, body) => {
                        let head = format!("HTTP/1.1 {status} X\r\n{header}Connection: close\r\n");
                        let text = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
                        // The client may have disconnected.
                        let _ = stream.write_all(text.as_bytes()).await;
                    }
                }
            }
        });
        Self { seen, host }
    }

    fn client(&self) -> Client {
        self.client_with(Duration::from_secs(20))
    }

    fn client_with(&self, timeout: Duration) -> Client {
        let retry = Retry {
            delay_ms_first: 0,
            throttled_calls_max: 6,
            ..Retry::default()
        };
        let token = Token::new("s3cret").unwrap();
        Client::new(Settings {
            timeout,
            retry,
            ..Settings::new(self.host.clone(), token, "tests/1")
        })
    }

    fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    fn first_lines(&self) -> Vec<String> {
        self.requests()
            .iter()
            .map(|text| text.lines().next().unwrap().replace(" HTTP/1.1", ""))
            .collect()
    }
}

async fn read_request(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).await.unwrap_or(0);
        text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            assert!(count > 0, "the request ends early: {text}");
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return text;
        }
    }
}

fn ok(body: &serde_json::Value) -> Act {
    Act::Answer(200, "", body.to_string())
}

fn status(status: u16) -> Act {
    Act::Answer(
        status,
        "",
        json!({"errors": [{"status": status.to_string(), "title": "t"}]}).to_string(),
    )
}

fn connection(id: &str) -> serde_json::Value {
    json!({
        "type": "aws-event-bridge-integrations", "id": id,
        "attributes": {"name": "prod", "aws-account-id": "123456789012", "region": "us-east-1", "status": "pending"},
    })
}

fn one(id: &str) -> Act {
    ok(&json!({"data": connection(id)}))
}

fn id<K>(text: &str) -> Id<K> {
    Id::new(text).unwrap()
}

#[tokio::test]
async fn a_call_has_the_headers_and_the_body_that_the_api_requires() {
    let server = Server::start(vec![one("in-1")]).await;
    let input = ConnectionInput {
        name: Some("prod".into()),
        ..ConnectionInput::default()
    };
    let made = server.client().create_connection(input).await.unwrap();
    assert_eq!(made.id.as_str(), "in-1");
    let request = server.requests().remove(0);
    for part in [
        "POST /api/iacp/v3/integrations/aws-event-bridge HTTP/1.1\r\n",
        "authorization: Bearer s3cret\r\n",
        "accept: application/vnd.api+json\r\n",
        "content-type: application/vnd.api+json\r\n",
        "user-agent: tests/1\r\n",
        r#""type":"aws-event-bridge-integrations""#,
        r#""attributes":{"name":"prod"}"#,
    ] {
        assert!(request.contains(part), "{part:?} is not in\n{request}");
    }
}

#[tokio::test]
async fn a_list_is_read_page_by_page() {
    let page = |id, current, next: Option<u32>| {
        ok(
            &json!({"data": [connection(id)], "meta": {"pagination": {"current-page": current, "next-page": next}}}),
        )
    };
    let server = Server::start(vec![page("in-1", 1, Some(2)), page("in-2", 2, None)]).await;
    let all = server.client().connections(Some("a b")).await.unwrap();
    assert_eq!(
        all.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(),
        ["in-1", "in-2"]
    );
    let path = "GET /api/iacp/v3/integrations/aws-event-bridge";
    assert_eq!(
        server.first_lines(),
        [1, 2].map(|n| format!("{path}?page%5Bnumber%5D={n}&page%5Bsize%5D=100&filter%5Bname%5D=a+b"))
    );
}

#[tokio::test]
async fn a_list_that_points_back_at_itself_ends() {
    let page =
        json!({"data": [connection("in-1")], "meta": {"pagination": {"current-page": 1, "next-page": 1}}});
    let server = Server::start(vec![ok(&page)]).await;
    assert_eq!(server.client().connections(None).await.unwrap().len(), 1);
}

/// Whether the server says how many pages there are, or not.
#[tokio::test]
async fn a_list_of_more_pages_than_are_wanted_is_left() {
    for (total, pages_max, requests, found) in [
        (Some(3), 3, 3, Some(3)),
        (Some(3), 2, 1, None),
        (None, 3, 3, Some(3)),
        (None, 2, 2, None),
    ] {
        let page = |id, next: Option<u32>| {
            let pagination = json!({"next-page": next, "total-pages": total.unwrap_or(0)});
            ok(&json!({"data": [connection(id)], "meta": {"pagination": pagination}}))
        };
        let pages = vec![page("in-1", Some(2)), page("in-2", Some(3)), page("in-3", None)];
        let server = Server::start(pages).await;
        let listed = server.client().connections_within(pages_max).await.unwrap();
        let got = (server.requests().len(), listed.map(|all| all.len()));
        assert_eq!(got, (requests, found), "{total:?} {pages_max}");
    }
}

#[tokio::test]
async fn what_may_change_something_is_noted_before_it_is_sent() {
    let server = Server::start(vec![one("in-1")]).await;
    let client = server.client();
    let written = || {
        client
            .exchange
            .settings()
            .written
            .load(std::sync::atomic::Ordering::SeqCst)
    };
    client.connection(&id("in-1")).await.unwrap();
    assert!(!written());
    client.refresh_connection(&id("in-1")).await.unwrap();
    assert!(written());
}

#[tokio::test]
async fn gone_is_none_only_when_the_api_says_so() {
    let server = Server::start(vec![status(404), Act::Answer(404, "", "<html>".into())]).await;
    assert_eq!(server.client().connection(&id("in-1")).await.unwrap(), None);
    let error = server.client().connection(&id("in-1")).await.unwrap_err();
    assert_eq!(
        error
            .refusal()
            .map(|refusal| (refusal.status, refusal.errors.len())),
        Some((404, 0))
    );
}

#[tokio::test]
async fn idempotent_calls_are_retried_after_failures() {
    let acts = vec![status(503), Act::HangUp, status(502), one("in-1")];
    let server = Server::start(acts).await;
    assert!(server.client().connection(&id("in-1")).await.unwrap().is_some());
    assert_eq!(server.requests().len(), 4);

    let server = Server::start(vec![Act::HangUp, Act::Answer(204, "", String::new())]).await;
    assert!(server.client().delete_connection(&id("in-1")).await.unwrap());
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_post_is_retried_after_429_only() {
    let server = Server::start(vec![
        Act::Answer(429, "Retry-After: 0\r\n", String::new()),
        one("in-1"),
    ])
    .await;
    server
        .client()
        .create_connection(ConnectionInput::default())
        .await
        .unwrap();
    assert_eq!(server.requests().len(), 2);

    for act in [Act::HangUp, status(503)] {
        let server = Server::start(vec![act, one("in-1")]).await;
        server
            .client()
            .create_connection(ConnectionInput::default())
            .await
            .unwrap_err();
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_failure_after_a_lost_answer_is_unsure() {
    let changes = ConnectionInput::status(Status::Disabled);
    for (acts, sure) in [
        (vec![status(429)], true),
        (vec![status(422)], true),
        (vec![Act::HangUp, status(422)], true),
        (vec![Act::HangUp], false),
        (vec![Act::HangUp, status(429)], false),
        (vec![status(502), status(429)], false),
    ] {
        let server = Server::start(acts).await;
        let error = server
            .client()
            .update_connection(&id("in-1"), changes.clone())
            .await
            .unwrap_err();
        assert_eq!(error.may_be_done(), !sure, "{error}");
    }
    let server = Server::start(vec![Act::HangUp]).await;
    let error = server.client().connection(&id("in-1")).await.unwrap_err();
    assert!(!error.may_be_done(), "a call that reads: {error}");
}

#[tokio::test]
async fn retries_end() {
    let server = Server::start(vec![status(429)]).await;
    let error = server.client().connection(&id("in-1")).await.unwrap_err();
    assert_eq!(
        (error.refusal().unwrap().status, server.requests().len()),
        (429, 6)
    );
}

#[tokio::test]
async fn a_refusal_keeps_the_pointer() {
    let body = json!({"errors": [{
        "status": "422", "title": "Invalid", "detail": "Name is taken.", "source": {"pointer": "/data/attributes/name"},
    }]});
    let server = Server::start(vec![Act::Answer(422, "", body.to_string())]).await;
    let input = ConnectionInput::status(Status::Active);
    let error = server
        .client()
        .update_connection(&id("in-1"), input)
        .await
        .unwrap_err();
    assert_eq!(
        error.refusal().unwrap().errors[0].pointer(),
        Some("/data/attributes/name")
    );
    let host = &server.host;
    assert_eq!(
        error.to_string(),
        format!("PATCH /integrations/aws-event-bridge/in-1: {host} answered 422: Name is taken.")
    );
}

#[tokio::test]
async fn answers_that_are_not_the_apis_are_errors() {
    for (act, part) in [
        (Act::Answer(200, "", "<html>".into()), "expected value"),
        (
            Act::Answer(302, "Location: https://other/\r\n", String::new()),
            "a redirect (302) to `https://other/`",
        ),
        (
            ok(&json!({"data": {"type": "runs", "attributes": connection("x")["attributes"]}})),
            "the object's type is \"runs\"",
        ),
        (
            Act::Answer(200, "", " ".repeat(4 * 1024 * 1024 + 1)),
            "a body of more than 4194304 bytes",
        ),
    ] {
        let server = Server::start(vec![act]).await;
        let error = server.client().connection(&id("in-1")).await.unwrap_err();
        assert!(matches!(error, ClientError::NotTheApi { .. }), "{error:?}");
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[tokio::test]
async fn an_answer_without_what_it_must_have_is_an_unknown_outcome_and_tried_again() {
    let mut without_status = connection("in-1");
    without_status["attributes"]
        .as_object_mut()
        .unwrap()
        .remove("status");
    for body in [
        String::new(),
        "{}".to_owned(),
        "[]".to_owned(),
        json!({"data": null}).to_string(),
        json!({"data": {}}).to_string(),
        json!({"data": without_status}).to_string(),
        json!({"data": connection("in-1")}).to_string().replace("}}", ""),
    ] {
        let answer = Act::Answer(200, "", body.clone());
        let server = Server::start(vec![answer.clone(), one("in-1")]).await;
        let found = server.client().connection(&id("in-1")).await;
        assert!(found.unwrap().is_some(), "{body}");
        assert_eq!(server.requests().len(), 2, "{body}");

        let server = Server::start(vec![answer.clone(), one("in-1")]).await;
        let changed = ConnectionInput::status(Status::Disabled);
        server
            .client()
            .update_connection(&id("in-1"), changed)
            .await
            .unwrap();
        assert_eq!(server.requests().len(), 2, "{body}");

        // A call that must not be repeated.
        let server = Server::start(vec![answer, one("in-1")]).await;
        let made = server
            .client()
            .create_connection(ConnectionInput::default())
            .await;
        let error = made.unwrap_err();
        assert!(
            matches!(error, ClientError::Incomplete { .. }),
            "{body}: {error:?}"
        );
        assert!(error.may_be_done() && error.is_passing(), "{body}: {error}");
        assert_eq!(server.requests().len(), 1, "{body}");
    }
    let server = Server::start(vec![Act::Answer(200, "", "{}".to_owned())]).await;
    let error = server.client().connections(None).await.unwrap_err();
    assert!(matches!(error, ClientError::Incomplete { .. }), "{error:?}");
}

#[tokio::test]
async fn nothing_long_and_no_token_comes_from_an_answer() {
    let long = "x".repeat(1 << 20);
    let error = json!({"title": "t", "code": long, "detail": format!("Bearer s3cret {long}"), "source": {"pointer": long}});
    let errors = json!({ "errors": vec![error; 3] }).to_string();
    let many = json!({ "errors": vec![json!({ "detail": "s3cret" }); 10_000] }).to_string();
    let other =
        json!({"data": {"type": format!("s3cret{long}"), "id": "in-1", "attributes": {}}}).to_string();
    for act in [
        Act::Answer(422, "", errors),
        Act::Answer(422, "", many),
        Act::Answer(200, "", other),
        Act::Answer(302, "Location: https://other/s3cret\r\n", String::new()),
    ] {
        let server = Server::start(vec![act]).await;
        let error = server.client().connection(&id("in-1")).await.unwrap_err();
        let (shown, debugged) = (error.to_string(), format!("{error:?}"));
        assert!(
            shown.len() < 30_000 && debugged.len() < 30_000,
            "{} {}",
            shown.len(),
            debugged.len()
        );
        assert!(
            !shown.contains("s3cret") && !debugged.contains("s3cret"),
            "{shown:.200}"
        );
    }
    let page = json!({"data": vec![connection("in-1"); 10_001]});
    let server = Server::start(vec![ok(&page)]).await;
    let error = server.client().connections(None).await.unwrap_err();
    assert!(error.to_string().contains("more than 10000 objects"), "{error}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_timed_out() {
    let server = Server::start(vec![Act::Silence]).await;
    let client = server.client_with(Duration::from_millis(50));
    let error = client
        .create_connection(ConnectionInput::default())
        .await
        .unwrap_err();
    assert!(matches!(error, ClientError::NoAnswer { .. }), "{error:?}");
    assert!(
        error.to_string().ends_with("did not answer: timed out"),
        "{error}"
    );
}

#[tokio::test]
async fn an_unreachable_host_is_an_error_of_its_own() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = format!("http://{}", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    drop(listener);
    let server = Server {
        seen: Arc::default(),
        host,
    };
    let error = server
        .client()
        .create_connection(ConnectionInput::default())
        .await
        .unwrap_err();
    assert!(matches!(error, ClientError::NotSent { .. }), "{error:?}");
    assert!(error.to_string().contains("Connection refused"), "{error}");
}

#[tokio::test]
async fn a_stop_ends_idempotent_calls_and_waits_for_a_post() {
    let server = Server::start(vec![Act::Silence]).await;
    let stop = CancellationToken::new();
    stop.cancel();
    let error = server
        .client()
        .stopping_with(stop)
        .connection(&id("in-1"))
        .await
        .unwrap_err();
    assert!(matches!(error, ClientError::Stopped { .. }), "{error:?}");

    // A POST in flight is waited for: its answer has the id.
    let server = Server::start(vec![one("in-1")]).await;
    let stop = CancellationToken::new();
    stop.cancel();
    server
        .client()
        .stopping_with(stop)
        .create_connection(ConnectionInput::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn the_audit_log_setting_is_turned_on_and_off() {
    let answer =
        ok(&json!({"data": {"type": "audit-log-settings", "id": "acc-1", "attributes": {"enabled": true}}}));
    let server = Server::start(vec![answer]).await;
    let client = server.client();
    client
        .set_audit_log_setting(&id("acc-1"), Some(&id("in-1")))
        .await
        .unwrap();
    client.set_audit_log_setting(&id("acc-1"), None).await.unwrap();
    let requests = server.requests();
    assert!(
        requests[0].starts_with("PATCH /api/iacp/v3/accounts/acc-1/audit-log-setting "),
        "{}",
        requests[0]
    );
    assert!(
        requests[0].contains(r#""enabled":true"#) && requests[0].contains(r#""id":"in-1""#),
        "{}",
        requests[0]
    );
    assert!(
        requests[1].contains(r#""integration":{"data":null}"#),
        "{}",
        requests[1]
    );
}

#[tokio::test]
async fn a_run_is_started() {
    let run = json!({"type": "runs", "id": "run-1", "attributes": {"status": "pending", "is-dry": true}});
    let server = Server::start(vec![ok(&json!({"data": run}))]).await;
    let input = RunInput {
        is_dry: Some(true),
        ..RunInput::default()
    };
    let made = server.client().create_run(id("ws-1"), input).await.unwrap();
    assert_eq!(
        server
            .client()
            .run(&made.id)
            .await
            .unwrap()
            .unwrap()
            .attributes
            .status,
        crate::RunStatus::Pending
    );
    assert_eq!(
        server.first_lines(),
        ["POST /api/iacp/v3/runs", "GET /api/iacp/v3/runs/run-1"]
    );
}
