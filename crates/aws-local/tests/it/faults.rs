//! Faults on request: what a client meets, and what of its request was carried out.

use aws_local::Config;
use serde_json::{Value, json};

use crate::client::{CUSTOMER, Local};
use crate::query::{element, query};

/// What came of a request: the status and body, or why there is none.
#[derive(Debug, PartialEq, Eq)]
enum Met {
    Answer(u16, String),
    /// The head came, and the body broke off after so many bytes.
    Broken(u16, usize),
    Nothing,
}

async fn create_group(local: &Local, name: &str) -> Met {
    let scope =
        format!("AWS4-HMAC-SHA256 Credential={CUSTOMER}/20240101/eu-west-1/logs/aws4_request, Signature=x");
    let request = local
        .http
        .post(&local.url)
        .header("authorization", scope)
        .header("x-amz-target", "Logs_20140328.CreateLogGroup")
        .header("content-type", "application/x-amz-json-1.1")
        .body(json!({ "logGroupName": name }).to_string());
    let Ok(mut response) = request.send().await else {
        return Met::Nothing;
    };
    let (status, mut body) = (response.status().as_u16(), Vec::new());
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Met::Answer(status, String::from_utf8(body).unwrap()),
            Err(_) => return Met::Broken(status, body.len()),
        }
    }
}

/// Under a fault, what a call meets, and whether it was carried out.
async fn check(local: &Local, fault: &str, expected: Met, carried_out: bool) {
    local.tell("reset", "").await;
    let list = local.tell("faults", fault).await;
    assert_eq!(
        list["faults"][0]["id"].as_u64().map(|_| ()),
        Some(()),
        "{fault} {list}"
    );
    assert_eq!(create_group(local, "g").await, expected, "{fault}");
    let list = local.look("faults").await;
    assert_eq!(
        (&list["faults"][0]["seen"], &list["faults"][0]["hit"]),
        (&json!(1), &json!(1))
    );
    let (_, groups) = local.ask(CUSTOMER, "logs.DescribeLogGroups", "{}").await;
    let there = groups["logGroups"].as_array().unwrap().len() == 1;
    assert_eq!(there, carried_out, "{fault}");
}

fn answer(status: u16, body: &str) -> Met {
    Met::Answer(status, body.to_owned())
}

#[tokio::test]
async fn each_kind_of_fault_is_met() {
    let local = Local::start(Config::default()).await;
    let only = r#""operation":"logs:CreateLogGroup""#;
    let throttled = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;
    let failed = r#"{"__type":"InternalFailure","message":"This fault was asked for."}"#;
    let blanks = format!("{{}}{}", " ".repeat(199_998));
    for (fault, expected, carried_out) in [
        (
            r#""kind":"error","status":400,"code":"ThrottlingException","message":"Rate exceeded""#,
            answer(400, throttled),
            false,
        ),
        (r#""kind":"error""#, answer(500, failed), false),
        (r#""kind":"error","carried_out":true"#, answer(500, failed), true),
        (r#""kind":"cut""#, Met::Nothing, false),
        (r#""kind":"cut","carried_out":true"#, Met::Nothing, true),
        (r#""kind":"slow","delay_ms":1"#, answer(200, "{}"), true),
        (
            r#""kind":"oversized","size_bytes":200000"#,
            answer(200, &blanks),
            true,
        ),
        (r#""kind":"oversized","size_bytes":1"#, answer(200, "{}"), true),
        (r#""kind":"truncated""#, Met::Broken(200, 1), true),
        (r#""kind":"truncated","size_bytes":0"#, Met::Broken(200, 0), true),
        (r#""kind":"truncated","size_bytes":99"#, Met::Broken(200, 1), true),
        (r#""kind":"empty""#, answer(200, ""), true),
        (r#""kind":"wrong_json""#, answer(200, "{}"), true),
        (
            r#""kind":"wrong_json","body":"<html>""#,
            answer(200, "<html>"),
            true,
        ),
    ] {
        check(&local, &format!("{{{only},{fault}}}"), expected, carried_out).await;
    }
    local.stop().await;
}

#[tokio::test]
async fn faults_are_listed_removed_and_refused() {
    let local = Local::start(Config::default()).await;
    assert_eq!(local.look("faults").await, json!({ "faults": [] }));
    let refused = local.tell("faults", r#"{"kind":"cut","odd":1}"#).await;
    assert!(
        refused["message"].as_str().unwrap().contains("`odd`"),
        "{refused}"
    );
    let misspelt = r#"{"kind":"cut","operation":"events:PutRul"}"#;
    let refused = local.tell("faults", misspelt).await;
    let message = refused["message"].as_str().unwrap_or_default();
    assert!(message.contains("`events:PutRule`"), "{refused}");
    assert_eq!(local.look("faults").await, json!({ "faults": [] }));
    local.tell("faults", r#"{"kind":"empty"}"#).await;
    let url = format!("{}/_local/faults", local.url);
    let text = local
        .http
        .delete(&url)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&text).unwrap(),
        json!({ "faults": [] })
    );
    assert_eq!(create_group(&local, "g").await, answer(200, "{}"));
    local.tell("faults", r#"{"kind":"empty"}"#).await;
    local.tell("reset", "").await;
    assert_eq!(local.look("faults").await, json!({ "faults": [] }));
    local.stop().await;
}

#[tokio::test]
async fn an_error_has_the_form_of_its_service() {
    let local = Local::start(Config::default()).await;
    local
        .tell(
            "faults",
            r#"{"kind":"error","status":403,"code":"AccessDenied","message":"no"}"#,
        )
        .await;
    let (status, xml) = query(&local, CUSTOMER, "Action=GetCallerIdentity&Version=2011-06-15").await;
    assert_eq!(
        (status, element(&xml, "Code"), element(&xml, "Message")),
        (403, "AccessDenied", "no")
    );
    let (status, json) = local.ask(CUSTOMER, "sqs.ListQueues", "{}").await;
    assert_eq!(status, 403);
    assert_eq!(json["__type"], "com.amazon.coral.service#AccessDeniedException");
    local.stop().await;
}
