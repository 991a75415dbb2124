//! The companion's identity at AWS, the wire as a client of Scalr's sees it, and secrets that no log contains.

use std::fs::File;

use serde_json::json;
use tokio::process::Command;

use crate::aws::Aws;
use crate::companion::{Companion, PROGRAM, connection, dev_at};
use crate::proxy::{Act, Call};
use crate::stage;

const CONNECTIONS: &str = "/api/iacp/v3/integrations/aws-event-bridge";

/// The access key that calls are signed with at this address of the proxy, and the partner account that is printed.
async fn check(host: &str, want: (&str, serde_json::Value)) {
    let (aws, dir) = (Aws::start().await, tempfile::tempdir().unwrap());
    let port = aws.proxy.endpoint.rsplit(':').next().unwrap().to_owned();
    let mut command = dev_at(dir.path(), &format!("http://{host}:{port}"));
    command
        .env("AWS_ACCESS_KEY_ID", "888800001111")
        .env("AWS_SECRET_ACCESS_KEY", "a-secret")
        .env_remove("AWS_SESSION_TOKEN");
    let c = Companion::spawn(command).await;
    c.connect("prod", "us-east-1").await;
    // The first request asks whether it is Scalr that answers, and is no call of AWS's.
    let calls = aws
        .proxy
        .calls()
        .into_iter()
        .filter(|call| !call.operation.is_empty());
    let keys: Vec<String> = calls.map(|call| call.key).collect();
    assert!(
        !keys.is_empty() && keys.iter().all(|key| key == want.0),
        "{host}: {keys:?}"
    );
    assert_eq!(c.line["aws"]["partner_account_id"], want.1, "{host}");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_the_operators_unless_aws_is_local() {
    check("127.0.0.1", ("999900001111", json!("999900001111"))).await;
    check("localhost", ("999900001111", json!("999900001111"))).await;
    // This is this machine too, but not a loopback address.
    check("0.0.0.0", ("888800001111", json!(null))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_have_the_media_type_and_errors_a_code() {
    let (_aws, c, _dir) = stage::empty().await;
    let (host, token) = (c.text("/scalr/hostname"), c.text("/scalr/token"));
    let http = reqwest::Client::new();
    let valid = connection("prod", "us-east-1").to_string();
    for (method, path, body, status, code) in [
        ("POST", CONNECTIONS, valid.as_str(), 201, None),
        ("POST", CONNECTIONS, valid.as_str(), 409, Some("conflict")),
        ("POST", CONNECTIONS, "{}", 422, Some("invalid")),
        ("POST", CONNECTIONS, "{", 400, Some("invalid-body")),
        ("GET", CONNECTIONS, "", 200, None),
        (
            "GET",
            "/api/iacp/v3/integrations/aws-event-bridge?filter%5Bname%5D=prod&page%5Bsize%5D=100&page%5Bnumber%5D=1",
            "",
            200,
            None,
        ),
        (
            "GET",
            "/api/iacp/v3/integrations/aws-event-bridge?filter%5Bnmae%5D=prod",
            "",
            400,
            Some("invalid-parameter"),
        ),
        (
            "GET",
            "/api/iacp/v3/accounts/acc-none",
            "",
            404,
            Some("not-found"),
        ),
    ] {
        let answer = http
            .request(method.parse().unwrap(), format!("{host}{path}"))
            .bearer_auth(token)
            .header("accept", "application/vnd.api+json")
            .header("content-type", "application/vnd.api+json")
            .body(body.to_owned())
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), status, "{method} {path} {body}");
        assert_eq!(
            answer.headers()["content-type"],
            "application/vnd.api+json",
            "{path}"
        );
        let answer: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(
            answer.pointer("/errors/0/code").and_then(|code| code.as_str()),
            code,
            "{answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_log_holds_the_token_or_a_key() {
    let (aws, dir) = (Aws::start().await, tempfile::tempdir().unwrap());
    let log = dir.path().join("log");
    let endpoint = aws.proxy.endpoint.replace("127.0.0.1", "0.0.0.0");
    let mut command = dev_at(&dir.path().join("state"), &endpoint);
    command
        .args(["--log", "trace"])
        .env("AWS_ACCESS_KEY_ID", "999900001111")
        .env("AWS_SECRET_ACCESS_KEY", "hidden-key")
        .env("AWS_SESSION_TOKEN", "hidden-session")
        .stderr(File::create(&log).unwrap());
    let c = Companion::spawn(command).await;
    let id = c.connect("prod", "us-east-1").await;
    aws.receive("us-east-1", "aws.partner/scalr.com/local/prod").await;
    c.set_status(&id, "active").await;
    c.audit(Some(&id)).await;
    c.drained(&id).await;
    let typed = Command::new(PROGRAM)
        .args(["--log", "trace", "run", c.text("/scalr/workspace_id")])
        .env("SCALR_HOSTNAME", c.text("/scalr/hostname"))
        .env("SCALR_TOKEN", c.text("/scalr/token"))
        .output()
        .await
        .unwrap();
    assert!(typed.status.success());
    // AWS may repeat what it was sent.
    aws.proxy.script(|_| Act::RepeatHeaders);
    assert_eq!(c.set_status(&id, "active").await, "failed");
    let refused = c.connection(&id).await["err-message"].to_string();
    assert!(refused.contains("SignatureDoesNotMatch"), "{refused}");
    let tailed = Command::new(PROGRAM)
        .args(["--log", "trace", "tail", "/g", "--aws-endpoint", &endpoint])
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "999900001111")
        .env("AWS_SECRET_ACCESS_KEY", "hidden-key")
        .env("AWS_SESSION_TOKEN", "hidden-session")
        .output()
        .await
        .unwrap();
    let shown = String::from_utf8_lossy(&tailed.stderr);
    assert!(
        !tailed.status.success() && shown.contains("SignatureDoesNotMatch"),
        "{shown}"
    );
    let token = c.text("/scalr/token").to_owned();
    assert!(c.stop().await);
    let logged =
        std::fs::read_to_string(&log).unwrap() + &String::from_utf8_lossy(&typed.stderr) + &shown + &refused;
    assert!(logged.len() > 10_000, "much is logged");
    for secret in [token.as_str(), "hidden-key", "hidden-session"] {
        let line = logged.lines().find(|line| line.contains(secret));
        assert_eq!(line, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_takes_a_few_seconds_even_if_aws_does_not_answer() {
    let (aws, c, dir) = stage::empty().await;
    let id = c.connect("prod", "us-east-1").await;
    aws.receive("us-east-1", "aws.partner/scalr.com/local/prod").await;
    assert_eq!(c.set_status(&id, "active").await, "active");
    aws.proxy.script(|_| Act::Hang);
    tokio::select! {
        answer = c.request("POST", CONNECTIONS, Some(connection("other", "us-west-2"))) => panic!("{answer:?}"),
        () = aws.proxy.until_called("CreatePartnerEventSource", 2) => {}
    }
    assert!(c.emit("run-1", "network").await);
    c.crash().await;
    let c = Companion::start(dir.path(), &aws.proxy.endpoint).await;
    // The source to be created and the event to be sent both wait for AWS.
    aws.proxy.until_called("CreatePartnerEventSource", 3).await;
    let looks = |calls: &[Call]| {
        calls
            .iter()
            .filter(|call| call.operation.starts_with("List"))
            .count()
    };
    let begin = std::time::Instant::now();
    aws.proxy.until(|calls| looks(calls) >= 2).await;
    assert!(c.stop().await, "it ends with success");
    assert!(begin.elapsed().as_secs() < 8, "{:?}", begin.elapsed());
}
