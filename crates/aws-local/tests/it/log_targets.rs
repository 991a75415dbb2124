//! Log groups as targets: which policies they need, and what a transformer has to make for them.

use aws_local::Config;
use serde_json::{Value, json};

use crate::client::{CUSTOMER, Local};
use crate::script::has;
use crate::targets::{OTHER, arn, policy, queue, send, take, target};

const C: &str = CUSTOMER;

/// Policies of the account (`*`) and of the group (`g`), each but a change of one that allows both actions on the group; and
/// whether events arrive.
const POLICIES: &[(&[(&str, &str)], bool)] = &[
    (&[], false),
    (&[("*", "{}")], true),
    (&[("*", r#"{"Principal":"*","Resource":"*"}"#)], true),
    (
        &[(
            "*",
            r#"{"Principal":{"Service":["delivery.logs.amazonaws.com","events.amazonaws.com"]},"Action":"logs:*"}"#,
        )],
        true,
    ),
    (&[("*", r#"{"Action":"logs:PutLogEvents"}"#)], false),
    (&[("*", r#"{"Action":"logs:CreateLogStream"}"#)], false),
    (&[("*", r#"{"Resource":"GROUPS/h:*"}"#)], false),
    (
        &[("*", r#"{"Principal":{"Service":"sns.amazonaws.com"}}"#)],
        false,
    ),
    (&[("*", r#"{"Principal":{"AWS":"ME"}}"#)], false),
    (
        &[(
            "*",
            r#"{"Condition":{"ArnEquals":{"aws:SourceArn":"RULES/r"},"StringEquals":{"aws:SourceAccount":"ME"}}}"#,
        )],
        true,
    ),
    (
        &[(
            "*",
            r#"{"Condition":{"ArnEquals":{"aws:SourceArn":"RULES/other"}}}"#,
        )],
        false,
    ),
    (
        &[(
            "*",
            r#"{"Condition":{"StringEquals":{"aws:SourceAccount":"OTHER"}}}"#,
        )],
        false,
    ),
    (&[("g", "{}")], true),
    (
        &[
            ("g", r#"{"Action":"logs:PutLogEvents"}"#),
            ("*", r#"{"Action":"logs:CreateLogStream"}"#),
        ],
        true,
    ),
    (
        &[
            ("g", "{}"),
            (
                "*",
                r#"{"Effect":"Deny","Action":"logs:PutLogEvents","Resource":"*"}"#,
            ),
        ],
        false,
    ),
    (&[("g", r#"{"Effect":"Deny"}"#), ("*", "{}")], false),
];

#[tokio::test]
async fn log_groups_take_events_when_a_policy_allows_it() {
    let local = Local::start(Config::default()).await;
    let group = arn("logs", "log-group:/aws/events/g");
    for (policies, arrives) in POLICIES {
        local.tell("reset", "").await;
        queue(&local, "dead", json!({})).await;
        let make = r#"{"logGroupName":"/aws/events/g"}"#;
        local.run(&[(C, "logs.CreateLogGroup", make, "ok")]).await;
        for (scope, changes) in *policies {
            let changes = changes
                .replace("GROUPS", &arn("logs", "log-group:/aws/events"))
                .replace("RULES", &arn("events", "rule"))
                .replace("OTHER", OTHER)
                .replace("ME", C);
            let changes = serde_json::from_str(&changes).unwrap();
            let both = json!(["logs:CreateLogStream", "logs:PutLogEvents"]);
            let document = policy(&both, &format!("{group}:*"), &changes);
            let put = if *scope == "g" {
                json!({ "resourceArn": group, "policyDocument": document })
            } else {
                json!({ "policyName": "p", "policyDocument": document })
            };
            local
                .run(&[(C, "logs.PutResourcePolicy", &put.to_string(), "ok")])
                .await;
        }
        target(&local, &json!({ "Arn": group })).await;
        let id = send(&local, "{}").await;
        let (_, found) = local.ask(C, "logs.FilterLogEvents", make).await;
        let count = found["events"].as_array().unwrap().len();
        assert_eq!(count, usize::from(*arrives), "{policies:?}");
        let dead = take(&local, "dead").await;
        assert_eq!(dead.len(), usize::from(!arrives), "{policies:?}");
        if !arrives {
            check_refusal(&local, &id, &dead[0]).await;
        }
    }
    local.stop().await;
}

/// One attempt, no retry, and a dead letter that says why.
async fn check_refusal(local: &Local, id: &str, dead: &Value) {
    let attributes = &dead["MessageAttributes"];
    let wanted = json!({ "ERROR_CODE": { "StringValue": "NO_PERMISSIONS" }, "RETRY_ATTEMPTS": { "StringValue": "0" } });
    assert!(has(attributes, &wanted), "{dead}");
    assert!(attributes.get("EXHAUSTED_RETRY_CONDITION").is_none(), "{dead}");
    let story = local.look(&format!("events/{id}")).await;
    let delivery = &story["buses"][0]["deliveries"][0];
    assert_eq!(
        delivery["attempts"].as_array().unwrap().len(),
        1,
        "no retry: {story}"
    );
    let sent = format!("sent to {}", arn("sqs", "dead"));
    assert_eq!(delivery["dead_letter"], json!(sent), "{story}");
}

#[tokio::test]
async fn log_groups_take_what_a_transformer_makes_of_time_and_message() {
    let local = Local::start(Config::default()).await;
    queue(&local, "dead", json!({})).await;
    let all = policy(&json!("logs:*"), "*", &json!({}));
    let put = json!({ "policyName": "p", "policyDocument": all }).to_string();
    local
        .run(&[
            (C, "logs.CreateLogGroup", r#"{"logGroupName":"g"}"#, "ok"),
            (C, "logs.PutResourcePolicy", &put, "ok"),
        ])
        .await;
    let now = local.look("clock").await["epoch_ms"].as_i64().unwrap() / 1000 * 1000;
    let time = local.look("clock").await["now"].as_str().unwrap().to_owned();
    for (template, expected) in [
        (
            r#"{"timestamp": <at>, "message": "it is \"<k>\""}"#,
            Some(r#"it is "v""#),
        ),
        (r#"{"message": <o>, "timestamp": <at>}"#, Some(r#"{"k":"v"}"#)),
        (r#"{"timestamp": <ms>, "message": <k>}"#, Some("v")),
        (r#"{"timestamp": <at>, "message": <k>, "more": 1}"#, None),
        (r#"{"message": <k>}"#, None),
        (r#""<k>""#, None),
    ] {
        let paths =
            json!({ "at": "$.detail.at", "ms": "$.detail.ms", "o": "$.detail.o", "k": "$.detail.o.k" });
        let transformer = json!({ "InputPathsMap": paths, "InputTemplate": template });
        target(
            &local,
            &json!({ "Arn": arn("logs", "log-group:g:*"), "InputTransformer": transformer }),
        )
        .await;
        let detail = json!({ "at": time, "ms": now, "o": { "k": "v" } }).to_string();
        send(&local, &detail).await;
        let body = json!({ "logGroupName": "g", "startTime": now - 1000, "filterPattern": "" }).to_string();
        let (_, found) = local.ask(C, "logs.FilterLogEvents", &body).await;
        let last = found["events"]
            .as_array()
            .unwrap()
            .last()
            .cloned()
            .unwrap_or_default();
        let dead = take(&local, "dead").await;
        match expected {
            Some(message) => assert_eq!(last["message"], json!(message), "{template} {dead:?}"),
            None => assert_eq!(
                dead[0]["MessageAttributes"]["ERROR_CODE"]["StringValue"],
                json!("INVALID_JSON"),
                "{template}"
            ),
        }
    }
    local.stop().await;
}
