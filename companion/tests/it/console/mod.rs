//! The console over HTTP: the steps of the integration by forms, and what is shown of hostile texts.

mod deliveries;
mod doors;
mod visitor;

use reqwest::header::LOCATION;
use serde_json::json;

use self::visitor::{AWS, BUS, GROUP, Visitor, read, shows};
use crate::companion::{Companion, dev};
use crate::until;

#[tokio::test(flavor = "multi_thread")]
async fn the_steps_of_the_integration_end_with_an_event_in_the_log_group() {
    let c = Companion::spawn(dev()).await;
    let v = Visitor::of(&c).await;
    shows(
        &v.page("/console/integrations").await,
        &["What to do next", "Create connection"],
    );
    let connection = v.connect().await;
    let link = format!("{AWS}/source?name={BUS}");
    shows(
        &v.page(&connection).await,
        &[
            "this connection is pending",
            &link,
            "Refresh status",
            "import {",
            "Show as Terraform",
        ],
    );
    shows(&v.page(&link).await, &["PENDING", "Associate with event bus"]);
    let source = "aws.partner/scalr.com/local/prod";
    let page = v
        .step(&format!("{AWS}/sources/associate"), &[("name", source)])
        .await;
    shows(
        &page,
        &[
            "ACTIVE",
            "is associated with its event bus",
            "scalr_eventbridge_bus",
        ],
    );
    shows(
        &v.page(&connection).await,
        &["create a rule on the event bus", "Create rule"],
    );
    let chain = v.page(&format!("{connection}/chain")).await;
    shows(&chain, &["Rule: broken", "has no rule", "Target: waits"]);
    let made = v.create_rule(&[("tags", "team=platform")]).await;
    assert_eq!(made.status(), 303);
    let rule = made.headers()[LOCATION].to_str().unwrap();
    shows(
        &v.page(rule).await,
        &[
            "The rule was created",
            "scalr_eventbridge_target",
            "platform",
            "Choose Refresh status",
        ],
    );
    let page = v.step(&format!("{connection}/refresh"), &[]).await;
    shows(&page, &["badge active", "scalr_eventbridge_activation"]);
    let chain = v.page(&format!("{connection}/chain")).await;
    assert!(!chain.contains(": broken"), "{chain}");
    let workspace = c.text("/scalr/workspace_id");
    v.step(&format!("{connection}/run"), &[("workspace", workspace)])
        .await;
    let group = format!("{AWS}/log-group?name=%2Faws%2Fevents%2Fscalr");
    until("the event", || async {
        let page = v.page(&group).await;
        page.contains("RunExecuted, network, applied").then_some(())
    })
    .await;
    shows(&v.page(&format!("{AWS}/log-groups")).await, &[GROUP]);
    shows(&v.page("/console/aws").await, &["123456789012, us-east-1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_logs_are_selected_and_say_that_a_session_did_it() {
    let c = Companion::spawn(dev()).await;
    let v = Visitor::of(&c).await;
    shows(
        &v.page("/console/settings/audit-logs").await,
        &["there is no connection yet"],
    );
    let connection = v.connect().await;
    let id = connection.rsplit('/').next().unwrap();
    let page = v
        .step("/console/settings/audit-logs", &[("connection", id)])
        .await;
    shows(&page, &["The setting was saved", "scalr_audit_log_setting"]);
    let refused = v
        .send("/console/settings/audit-logs", &[("connection", "in-none")])
        .await;
    assert_eq!(refused.status(), 422);
    v.step(&format!("{connection}/pause"), &[]).await;
    // Three changes were made while it was selected or became so; the last two are held.
    let page = v.page(&connection).await;
    shows(
        &page,
        &[
            "badge paused",
            "Held events",
            "AuditLog",
            "The connection is paused",
            "Resume",
        ],
    );
    let page = v
        .step("/console/settings/audit-logs", &[("connection", "")])
        .await;
    shows(&page, &["select a connection and save"]);
    let page = v.step(&format!("{connection}/delete"), &[]).await;
    shows(&page, &["The connection was deleted"]);
    assert_eq!(v.get(&connection).await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_connection_is_checked_field_by_field() {
    let c = Companion::spawn(dev()).await;
    let v = Visitor::of(&c).await;
    v.connect().await;
    for (field, name, account, region, says) in [
        ("name", "other", "123456789012", "eu-west-1", ""),
        (
            "name",
            "a b",
            "123456789012",
            "us-east-1",
            "holds letters, digits",
        ),
        (
            "name",
            "prod",
            "000000000000",
            "us-east-1",
            "has a connection named `prod`",
        ),
        ("account", "x", "12345", "us-east-1", "12 digits"),
        ("region", "x", "123456789012", "mars", "no AWS region"),
        ("region", "x", "123456789012", "us-east-1", "in us-east-1 already"),
    ] {
        let query = [
            ("field", field),
            ("name", name),
            ("account", account),
            ("region", region),
        ];
        let query = serde_urlencoded::to_string(query).unwrap();
        let said = v.page(&format!("/console/integrations/new/check?{query}")).await;
        assert!(
            said.contains(says) && said.is_empty() == says.is_empty(),
            "{query}: {said}"
        );
        if !says.is_empty() {
            let fields = [("name", name), ("account", account), ("region", region)];
            let (status, page) = read(v.send("/console/integrations/new", &fields).await).await;
            assert_eq!(status, 422, "{query}");
            shows(&page, &["aria-invalid"]);
        }
    }
    let preview = v.send(
        "/console/integrations/new/terraform",
        &[("name", "${x}"), ("account", "1"), ("region", "r")],
    );
    let (_, hcl) = read(preview.await).await;
    assert!(
        hcl.contains(r#"name           = "$${x}""#) && !hcl.contains("import {"),
        "{hcl}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pattern_is_tested_and_a_miss_is_explained() {
    let c = Companion::spawn(dev()).await;
    let v = Visitor::of(&c).await;
    v.connect().await;
    let source = "aws.partner/scalr.com/local/prod";
    v.step(&format!("{AWS}/sources/associate"), &[("name", source)])
        .await;
    let form = format!("{AWS}/rules/new?bus={BUS}");
    shows(
        &v.page(&form).await,
        &["Define rule detail", "Rule with an event pattern"],
    );
    let press = async |step: &str, go: &str, more: &[(&str, &str)]| {
        let mut fields = vec![("step", step), ("go", go), ("name", "runs")];
        fields.extend_from_slice(more);
        read(v.send(&form, &fields).await).await.1
    };
    shows(
        &press("1", "next", &[]).await,
        &["Sample event", "Test pattern", "RunExecuted", "run-1234567890"],
    );
    shows(
        &press("2", "test", &[]).await,
        &["The sample event matched the pattern."],
    );
    shows(
        &press("2", "audit", &[]).await,
        &["create-workspace", "&#34;AuditLog&#34;"],
    );
    let missing = r#"{"detail-type":["RunExecuted"],"detail":{"event":{"result":["errored"]}}}"#;
    shows(
        &press("2", "test", &[("pattern", missing)]).await,
        &[
            "did not match",
            "does not match: `detail.event.result` wants",
            "applied",
        ],
    );
    let never = r#"{"detail-type":["Other"]}"#;
    shows(
        &press("2", "test", &[("pattern", never)]).await,
        &["matches none of Scalr"],
    );
    shows(
        &press("2", "next", &[("pattern", "{")]).await,
        &["AWS would refuse this pattern"],
    );
    shows(&press("2", "next", &[]).await, &["CloudWatch log group"]);
    shows(&press("3", "next", &[]).await, &["key=value"]);
    shows(&press("4", "next", &[("tags", "x")]).await, &["is no tag"]);
    let review = press("4", "next", &[("description", "a <b> \u{202e}x")]).await;
    shows(
        &review,
        &[
            "Review",
            "a &#60;b&#62; \\u{202e}x",
            "scalr_eventbridge_rule",
            "create            = true",
        ],
    );
    shows(&press("5", "back", &[]).await, &["key=value"]);
    assert_eq!(v.create_rule(&[]).await.status(), 303);
    let (_, again) = read(v.create_rule(&[]).await).await;
    shows(&again, &["has a rule named runs"]);
}

/// Has the local AWS refuse the next call of an operation.
async fn fail_once(c: &Companion, operation: &str) {
    let fault = json!({ "operation": operation, "kind": "error", "status": 400, "code": "LimitExceededException", "times": 1 });
    let url = format!("{}/_local/faults", c.text("/aws/endpoint"));
    let answer = reqwest::Client::new().post(url).body(fault.to_string());
    let answer = answer.send().await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_whose_making_failed_is_made_by_the_next_press() {
    let c = Companion::spawn(dev()).await;
    let v = Visitor::of(&c).await;
    v.connect().await;
    let source = "aws.partner/scalr.com/local/prod";
    v.step(&format!("{AWS}/sources/associate"), &[("name", source)])
        .await;
    for operation in [
        "logs:CreateLogGroup",
        "logs:PutRetentionPolicy",
        "logs:PutResourcePolicy",
        "events:PutRule",
        "events:PutTargets",
    ] {
        let name = operation.replace(':', "-");
        let group = format!("/{name}");
        let fields = [("name", name.as_str()), ("group", &group)];
        fail_once(&c, operation).await;
        let (status, page) = read(v.create_rule(&fields).await).await;
        assert_eq!(status, 502, "{operation}: {page}");
        // A draft that differs is another's rule.
        if operation == "events:PutTargets" {
            let other = [&fields[..], &[("description", "other")]].concat();
            let (_, refused) = read(v.create_rule(&other).await).await;
            shows(&refused, &["has a rule named"]);
        }
        let made = v.create_rule(&fields).await;
        assert_eq!(made.status(), 303, "{operation}");
        // The page has a retention where the rule's own log group has one.
        let page = v.page(made.headers()[LOCATION].to_str().unwrap()).await;
        shows(&page, &["scalr_eventbridge_target", "retention_in_days = 30"]);
        // Now it is complete.
        let (_, again) = read(v.create_rule(&fields).await).await;
        shows(&again, &["has a rule named"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_disabled_enabled_and_deleted_and_its_configuration_says_so() {
    let c = Companion::spawn(dev()).await;
    let v = Visitor::of(&c).await;
    let connection = v.connect().await;
    let source = "aws.partner/scalr.com/local/prod";
    v.step(&format!("{AWS}/sources/associate"), &[("name", source)])
        .await;
    assert_eq!(v.create_rule(&[]).await.status(), 303);
    let change = |what: &str| format!("{AWS}/rule/{what}?bus={BUS}&name=runs");
    let lacks = |page: &str, parts: &[&str]| {
        for part in parts {
            assert!(!page.contains(part), "`{part}` is in\n{page}");
        }
    };
    let page = v.step(&change("disable"), &[]).await;
    shows(
        &page,
        &[
            "The rule is disabled",
            "State: disabled",
            "Enable</button>",
            "enabled = false",
        ],
    );
    let chain = v.page(&format!("{connection}/chain")).await;
    shows(&chain, &["Rule: broken", "The rule runs is disabled."]);
    // As a deletion that failed half-way leaves it.
    let of_group = json!({ "policyScope": "RESOURCE", "resourceArn": GROUP_ARN });
    let policy = async || {
        let policies = logs_call(&c, "DescribeResourcePolicies", &of_group).await;
        policies["resourcePolicies"][0].clone()
    };
    let given = policy().await;
    let deletion = json!({ "resourceArn": GROUP_ARN, "expectedRevisionId": given["revisionId"] });
    logs_call(&c, "DeleteResourcePolicy", &deletion).await;
    assert!(given.is_object() && policy().await.is_null(), "{given}");
    let page = v.step(&change("enable"), &[]).await;
    shows(
        &page,
        &["The rule is enabled", "State: enabled", "Disable</button>"],
    );
    lacks(&page, &["enabled = false"]);
    assert_eq!(policy().await["policyDocument"], given["policyDocument"]);
    let page = v.step(&change("delete"), &[]).await;
    shows(
        &page,
        &[
            "The rule was deleted",
            "the bus has no rule",
            "scalr_eventbridge_bus",
        ],
    );
    lacks(
        &page,
        &[
            "scalr_eventbridge_rule",
            "scalr_eventbridge_target",
            "scalr_eventbridge_activation",
        ],
    );
    let chain = v.page(&format!("{connection}/chain")).await;
    shows(&chain, &["Rule: broken", "has no rule"]);
    // The log group stays, without a permission for what is gone.
    shows(&v.page(&format!("{AWS}/log-groups")).await, &[GROUP]);
    let policies = logs_call(&c, "DescribeResourcePolicies", &of_group).await;
    assert_eq!(policies["resourcePolicies"], json!([]));
    for what in ["enable", "disable", "delete"] {
        assert_eq!(v.send(&change(what), &[]).await.status(), 404, "{what}");
    }
}

const GROUP_ARN: &str = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/events/scalr";

/// Asks the local AWS's CloudWatch Logs.
async fn logs_call(c: &Companion, operation: &str, input: &serde_json::Value) -> serde_json::Value {
    let date = "20260101";
    let call = reqwest::Client::new()
        .post(c.text("/aws/endpoint"))
        .header("x-amz-target", format!("Logs_20140328.{operation}"))
        .header("content-type", "application/x-amz-json-1.1")
        .header(
            "authorization",
            format!("AWS4-HMAC-SHA256 Credential=123456789012/{date}/us-east-1/logs/aws4_request, SignedHeaders=host, Signature=0"),
        )
        .body(input.to_string());
    let answer = call.send().await.unwrap().text().await.unwrap();
    serde_json::from_str(&answer).unwrap()
}

/// Text that means something to HTML, to a shell, to HCL, or to the eye.
const HOSTILE: [&str; 5] = [
    "<script>alert(1)</script>",
    "\"; rm -rf /",
    "${path.module} %{if}",
    "a\nresource \"x\" \"y\" {}",
    "a\u{202e}b\u{200b}",
];

/// Whether a page has such a text as it was entered.
fn is_raw(page: &str) -> bool {
    page.contains("<script>alert") || page.contains('\u{202e}') || page.contains('\u{200b}')
}

/// The text in HCL.
fn hcl(text: &str) -> String {
    let escaped = text
        .replace('"', "\\\"")
        .replace("${", "$${")
        .replace("%{", "%%{")
        .replace('\n', "\\n")
        .replace('\u{202e}', "\\u202e")
        .replace('\u{200b}', "\\u200b");
    format!("\"{escaped}\"")
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_texts_are_text() {
    let c = Companion::spawn(dev()).await;
    let v = Visitor::of(&c).await;
    v.connect().await;
    let source = "aws.partner/scalr.com/local/prod";
    v.step(&format!("{AWS}/sources/associate"), &[("name", source)])
        .await;
    let long = "x".repeat(256);
    for (at, text) in HOSTILE.into_iter().chain([long.as_str()]).enumerate() {
        let name = format!("r{at}");
        // A name is refused, and shown as it was entered.
        let fields = [
            ("name", text),
            ("account", "123456789012"),
            ("region", "us-east-1"),
        ];
        let (status, refused) = read(v.send("/console/integrations/new", &fields).await).await;
        assert_eq!(status, 422, "{text:?}");
        // But for the field, which has what was entered.
        let around = refused.replace(&format!("value=\"{text}\""), "");
        assert!(!is_raw(&around), "{refused}");
        let (_, preview) = read(v.send("/console/integrations/new/terraform", &fields).await).await;
        assert!(!is_raw(&preview) || text.contains("<script>"), "{preview}");
        let name_line = preview.lines().find(|line| line.starts_with("  name "));
        assert_eq!(
            name_line,
            Some(format!("  name           = {}", hcl(text)).as_str())
        );
        // A description and a tag are anybody's.
        let made = v.create_rule(&[("name", &name), ("description", text)]).await;
        assert_eq!(made.status(), 303, "{text:?}");
        let page = v.page(made.headers()[LOCATION].to_str().unwrap()).await;
        assert!(!is_raw(&page), "{page}");
        if text.contains("${") {
            shows(&page, &["$${path.module} %%{if}"]);
        }
        if text.contains('\n') {
            shows(&page, &["a\\u{a}resource", "a\\nresource"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_stream_tells_of_each_event() {
    let c = Companion::spawn(dev()).await;
    let v = Visitor::of(&c).await;
    let connection = v.connect().await;
    let mut stream = v.get(&format!("{connection}/stream")).await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    assert!(c.emit("run-1", "<b>").await);
    let mut seen = String::new();
    while !seen.contains("RunExecuted run-1") {
        let chunk = tokio::time::timeout(crate::PATIENCE, stream.chunk()).await;
        let chunk = chunk.expect("in time").unwrap().expect("it goes on");
        seen.push_str(&String::from_utf8_lossy(&chunk));
    }
    shows(
        &seen,
        &["event: change\ndata: now", "event: happening", "accepted"],
    );
    // The stream ends with the program, which does not wait for it.
    assert!(c.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_local_aws_its_pages_are_absent() {
    let (_aws, c, _dir) = crate::stage::empty().await;
    let v = Visitor::of(&c).await;
    let connection = v.connect().await;
    let page = v.page(&connection).await;
    assert!(!page.contains("/console/aws"), "{page}");
    assert_eq!(v.get(&format!("{AWS}/sources")).await.status(), 404);
    let chain = v.page(&format!("{connection}/chain")).await;
    shows(
        &chain,
        &[
            "Partner event source: broken",
            "Event bus: not visible from here",
            "AWS console",
        ],
    );
}
