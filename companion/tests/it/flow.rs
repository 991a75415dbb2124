//! The whole flow, from a pending connection to events in the log group, and back.

use scalr_events::{EventType, catalogue};
use serde_json::{Value, json};

use crate::aws::Aws;
use crate::stage::{self, SOURCE};
use crate::until;

const REGION: &str = "eu-central-1";

#[tokio::test(flavor = "multi_thread")]
async fn events_are_held_until_the_stream_is_active() {
    let (aws, c, _dir) = stage::empty().await;
    let id = c.connect("prod", REGION).await;
    assert_eq!(c.connection(&id).await["status"], "pending");
    assert_eq!(aws.source_state(REGION, SOURCE).await.as_deref(), Some("PENDING"));
    let early = c.run().await;
    c.holds(&id, 1).await;
    assert_eq!(
        c.set_status(&id, "active").await,
        "pending",
        "there is no bus yet"
    );

    aws.receive(REGION, SOURCE).await;
    assert_eq!(
        c.connection(&id).await["status"],
        "pending",
        "nobody has refreshed yet"
    );
    assert_eq!(c.set_status(&id, "active").await, "active");
    aws.run_arrives(REGION, &early).await;

    assert_eq!(c.set_status(&id, "disabled").await, "disabled");
    let paused = c.run().await;
    c.holds(&id, 1).await;
    assert!(!aws.runs(REGION).await.contains_key(&paused));
    assert_eq!(c.set_status(&id, "active").await, "active");
    aws.run_arrives(REGION, &paused).await;
    assert_eq!(
        aws.runs(REGION).await.into_values().collect::<Vec<_>>(),
        [1, 1],
        "each arrived once"
    );

    let event = aws.arrived(REGION).await.remove(0);
    assert_eq!(event["source"], SOURCE);
    assert_eq!(event["detail-type"], "RunExecuted");
    assert_eq!(event["detail"]["event"]["result"], "planned_and_finished");
    assert_eq!(event["detail"]["event"]["workspace"], "network");
    is_like_its_sample(&event, EventType::RunExecuted);
}

/// The sample is what patterns are tested with: an event that was delivered has the same fields, with values of the same types, and the
/// same envelope.
fn is_like_its_sample(event: &Value, event_type: EventType) {
    let sample = scalr_events::sample(event_type);
    for field in catalogue::fields(event_type) {
        let (found, wanted) = (event.pointer(&field.pointer()), sample.pointer(&field.pointer()));
        let kind = |value: Option<&Value>| {
            value.map(|value| (value.is_string(), value.is_number(), value.is_boolean()))
        };
        // A session has no token id.
        if wanted != Some(&Value::Null) {
            assert_eq!(kind(found), kind(wanted), "{}: {found:?}", field.path);
        }
    }
    let keys = |event: &Value| event.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(event), keys(&sample));
    let form = |event: &Value, key: &str| -> String {
        let text = event[key].as_str().unwrap().chars();
        let of = |c: char| if c.is_ascii_digit() { '0' } else { c };
        text.map(of).collect()
    };
    for envelope in [event, &sample] {
        assert_eq!(envelope["version"], "0");
        assert_eq!(envelope["resources"], json!([]));
        assert_eq!(form(envelope, "account"), "000000000000");
        assert_eq!(form(envelope, "time"), "0000-00-00T00:00:00Z");
        let id = envelope["id"].as_str().unwrap();
        let parts: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12], "{id}");
    }
}

/// The audit logs that arrived, once there are `n`, with their actions in order of spelling.
async fn audit_logs(aws: &Aws, n: usize) -> (Vec<Value>, Vec<String>) {
    let logs = until("audit logs", || async {
        let mut events = aws.arrived(REGION).await;
        events.retain(|event| event["detail-type"] == "AuditLog");
        (events.len() >= n).then_some(events)
    })
    .await;
    let action = |log: &Value| log["detail"]["request"]["action"].as_str().unwrap().to_owned();
    let mut actions: Vec<_> = logs.iter().map(action).collect();
    actions.sort_unstable();
    (logs, actions)
}

#[tokio::test(flavor = "multi_thread")]
async fn changing_calls_are_audited() {
    let (aws, c, _dir) = stage::empty().await;
    let id = c.connect("prod", REGION).await;
    aws.receive(REGION, SOURCE).await;
    c.set_status(&id, "active").await;
    assert_eq!(c.audit(Some("in-none")).await.0, 422);
    assert_eq!(c.audit(Some(&id)).await.0, 200);
    assert_eq!(c.audit(Some(&id)).await.0, 200, "nothing changes");
    c.run().await;
    let other = c.connect("other", "us-west-2").await;
    assert_eq!(c.disconnect(&other).await, 204);
    let refreshed = c.set_status(&id, "active").await;
    assert_eq!(refreshed, "active", "a refresh that changes nothing");
    assert_eq!(c.audit(None).await.0, 200);
    c.connect("third", "us-west-1").await;
    let (_, actions) = audit_logs(&aws, 5).await;
    c.drained(&id).await;
    let want = [
        "create-aws-event-bridge-integration",
        "create-run",
        "delete-aws-event-bridge-integration",
        "update-audit-log-settings",
        "update-audit-log-settings",
    ];
    assert_eq!(actions, want);
    assert_eq!(audit_logs(&aws, 5).await.1, want, "and nothing after that");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_log_has_actor_and_action_without_the_token() {
    let (aws, c, _dir) = stage::empty().await;
    let id = c.connect("prod", REGION).await;
    aws.receive(REGION, SOURCE).await;
    c.set_status(&id, "active").await;
    c.audit(Some(&id)).await;
    let run = c.run().await;
    let (logs, _) = audit_logs(&aws, 2).await;
    let of_run = logs
        .iter()
        .find(|log| log["detail"]["request"]["action"] == "create-run");
    is_like_its_sample(of_run.unwrap(), EventType::AuditLog);
    let detail = &of_run.unwrap()["detail"];
    let token = c.text("/scalr/token");
    let end = format!("...{}", &token[token.len() - 6..]);
    for (pointer, want) in [
        ("/target/id", json!(run)),
        ("/target/type", json!("runs")),
        ("/target/context/workspace/display-name", json!("network")),
        ("/outcome", json!({ "result": "SUCCESS", "status-code": 201 })),
        ("/request/ip-address", json!("127.0.0.1")),
        ("/actor/access-token/token", json!(end)),
    ] {
        assert_eq!(detail.pointer(pointer), Some(&want), "{pointer}");
    }
    let leaked = logs.iter().any(|log| log.to_string().contains(token));
    assert!(!leaked, "the token is in an event");
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_a_connection_deletes_its_source_and_turns_the_setting_off() {
    let (aws, c, _dir) = stage::empty().await;
    let id = c.connect("prod", REGION).await;
    c.audit(Some(&id)).await;
    assert_eq!(c.disconnect(&id).await, 204);
    assert_eq!(c.disconnect(&id).await, 404);
    assert_eq!(aws.source_state(REGION, SOURCE).await, None);
    let setting = format!("/accounts/{}/audit-log-setting", c.text("/scalr/account_id"));
    let (_, setting) = c.call("GET", &setting, None).await;
    assert_eq!(setting["data"]["attributes"]["enabled"], false);
    assert_eq!(
        setting["data"]["relationships"]["integration"]["data"],
        json!(null)
    );
    let again = c.connect("prod", REGION).await;
    assert_ne!(again, id);
    assert_eq!(aws.source_state(REGION, SOURCE).await.as_deref(), Some("PENDING"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_source_fails_the_connection_and_a_refresh_retries() {
    let (aws, c, _dir) = stage::empty().await;
    aws.proxy.script(|call| match call.operation.as_str() {
        "CreatePartnerEventSource" => crate::proxy::Act::Refuse("LimitExceededException"),
        _ => crate::proxy::Act::Pass,
    });
    let id = c.connect("prod", REGION).await;
    let failed = c.connection(&id).await;
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["event-source"], json!(null));
    assert!(
        failed["err-message"]
            .as_str()
            .unwrap()
            .contains("AWS refuses the event source"),
        "{failed}"
    );
    aws.proxy.script(|_| crate::proxy::Act::Pass);
    assert_eq!(c.set_status(&id, "active").await, "pending");
    assert_eq!(c.connection(&id).await["event-source"], SOURCE);
    assert_eq!(c.connection(&id).await["err-message"], json!(null));
}
