//! Topics: the four operations, and what a rule delivers to them.
//!
//! The answers are those of AWS on record: in `localstack/localstack`, `tests/aws/services/sns/test_sns.snapshot.json`
//! (marked L), and in the tests of Ballerina's connector against AWS, `ballerina/tests/topics.bal` (marked B).

use aws_local::Config;
use serde_json::{Value, json};

use crate::client::{CUSTOMER, Local, PARTNER, REGION};
use crate::query::{element, encoded, query};

const NAMESPACE: &str = "xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"";

fn arn(name: &str) -> String {
    format!("arn:aws:sns:{REGION}:{CUSTOMER}:{name}")
}

/// A form of an operation with these members.
fn form(operation: &str, members: &[(&str, &str)]) -> String {
    let members = members
        .iter()
        .map(|(name, value)| format!("&{name}={}", encoded(value)));
    format!(
        "Action={operation}&Version=2010-03-31{}",
        members.collect::<String>()
    )
}

async fn sns(local: &Local, key: &str, operation: &str, members: &[(&str, &str)]) -> (u16, String) {
    let (status, xml) = query(local, key, &form(operation, members)).await;
    assert!(xml.contains(NAMESPACE), "{xml}");
    (status, xml)
}

/// The attributes that GetTopicAttributes gives, unescaped.
async fn attributes(local: &Local, name: &str) -> Vec<(String, String)> {
    let (status, xml) = sns(local, CUSTOMER, "GetTopicAttributes", &[("TopicArn", &arn(name))]).await;
    assert_eq!(status, 200, "{xml}");
    let text = |xml: &str, name| element(xml, name).replace("&quot;", "\"");
    xml.split("<entry>")
        .skip(1)
        .map(|entry| (text(entry, "key"), text(entry, "value")))
        .collect()
}

fn value(attributes: &[(String, String)], name: &str) -> Option<String> {
    let found = attributes.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.clone())
}

#[tokio::test]
async fn a_topic_shows_what_was_set_and_awss_defaults() {
    let local = Local::start(Config::default()).await;
    let (status, xml) = sns(&local, CUSTOMER, "CreateTopic", &[("Name", "t")]).await;
    assert_eq!((status, element(&xml, "TopicArn")), (200, arn("t").as_str()));
    let shown = attributes(&local, "t").await;
    // L, test_create_topic_test_arn: the whole set of attributes, and the policy.
    let names: Vec<&str> = shown.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "DisplayName",
        "EffectiveDeliveryPolicy",
        "Owner",
        "Policy",
        "SubscriptionsConfirmed",
        "SubscriptionsDeleted",
        "SubscriptionsPending",
        "TopicArn",
    ];
    assert_eq!(names, expected);
    let policy: Value = serde_json::from_str(&value(&shown, "Policy").unwrap()).unwrap();
    assert_eq!(policy["Version"], "2008-10-17");
    assert_eq!(policy["Id"], "__default_policy_ID");
    assert_eq!(policy["Statement"][0]["Sid"], "__default_statement_ID");
    assert_eq!(
        policy["Statement"][0]["Condition"],
        json!({ "StringEquals": { "AWS:SourceOwner": CUSTOMER } })
    );
    let delivery: Value = serde_json::from_str(&value(&shown, "EffectiveDeliveryPolicy").unwrap()).unwrap();
    assert_eq!(delivery["http"]["defaultHealthyRetryPolicy"]["numRetries"], 3);

    let policy =
        r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":["sns:Publish"],"Resource":""}]}"#;
    for (name, value_set, shown_as) in [
        ("Policy", policy, Some(policy)),
        ("DisplayName", "Alarms & more", Some("Alarms &amp; more")),
        ("KmsMasterKeyId", "alias/k", Some("alias/k")),
        ("SQSSuccessFeedbackSampleRate", "5", Some("5")),
        ("KmsMasterKeyId", "", None),
        ("DisplayName", "", Some("")),
    ] {
        let members = [
            ("TopicArn", &*arn("t")),
            ("AttributeName", name),
            ("AttributeValue", value_set),
        ];
        let (status, xml) = sns(&local, CUSTOMER, "SetTopicAttributes", &members).await;
        assert_eq!(status, 200, "{name} {xml}");
        assert!(!xml.contains("Result>"), "{xml}");
        let shown = value(&attributes(&local, "t").await, name);
        assert_eq!(shown.as_deref(), shown_as, "{name}");
    }
    // L, test_create_topic_with_attributes.
    let fifo = [
        ("Name", "t.fifo"),
        ("Attributes.entry.1.key", "FifoTopic"),
        ("Attributes.entry.1.value", "true"),
    ];
    assert_eq!(sns(&local, CUSTOMER, "CreateTopic", &fifo).await.0, 200);
    let shown = attributes(&local, "t.fifo").await;
    assert_eq!(value(&shown, "FifoTopic").as_deref(), Some("true"));
    assert_eq!(
        value(&shown, "ContentBasedDeduplication").as_deref(),
        Some("false")
    );
    local.stop().await;
}

/// The members of CreateTopic for the topic `t` with these tags.
fn tagged(tags: &[&'static str]) -> Vec<(&'static str, &'static str)> {
    const NAMES: [(&str, &str); 2] = [
        ("Tags.member.1.Key", "Tags.member.1.Value"),
        ("Tags.member.2.Key", "Tags.member.2.Value"),
    ];
    let mut members = vec![("Name", "t")];
    for ((key, value), tag) in NAMES.into_iter().zip(tags) {
        members.extend([(key, *tag), (value, "v")]);
    }
    members
}

#[tokio::test]
async fn a_topic_is_created_once_and_deleted_twice() {
    let dir = tempfile::tempdir().unwrap();
    let config = || Config {
        data_dir: Some(dir.path().to_owned()),
        ..Config::default()
    };
    let local = Local::start(config()).await;
    // L, test_create_duplicate_topic_check_idempotency, test_create_duplicate_topic_with_more_tags, test_tags.
    let different = "Invalid parameter: Tags Reason: Topic already exists with different tags";
    for (tags, expected) in [
        (&["a"][..], ""),
        (&["a"], ""),
        (&[], ""),
        (&["a", "b"], different),
        (&["c", "c"], "Invalid parameter: Duplicated keys are not allowed."),
    ] {
        let (_, xml) = sns(&local, CUSTOMER, "CreateTopic", &tagged(tags)).await;
        assert_eq!(element(&xml, "Message"), expected, "{tags:?}");
    }
    local.stop().await;
    let local = Local::start(config()).await;
    assert_eq!(attributes(&local, "t").await.len(), 8);
    // B, deleteTopicWithArnThatDoesNotExistTest: deleting is idempotent.
    for _ in 0..2 {
        let (status, xml) = sns(&local, CUSTOMER, "DeleteTopic", &[("TopicArn", &arn("t"))]).await;
        assert_eq!(status, 200, "{xml}");
    }
    let (status, xml) = sns(&local, CUSTOMER, "GetTopicAttributes", &[("TopicArn", &arn("t"))]).await;
    assert_eq!((status, element(&xml, "Code")), (404, "NotFound"));
    local.stop().await;
}

/// A policy that allows an action.
fn policy(action: &str) -> String {
    format!(r#"{{"Statement":[{{"Effect":"Allow","Principal":"*","Action":"{action}","Resource":"*"}}]}}"#)
}

fn create(name: &str, value: &str) -> String {
    let members = [
        ("Name", "t"),
        ("Attributes.entry.1.key", name),
        ("Attributes.entry.1.value", value),
    ];
    form("CreateTopic", &members)
}

fn set(name: &str, value: &str) -> String {
    let members = [
        ("TopicArn", &*arn("t")),
        ("AttributeName", name),
        ("AttributeValue", value),
    ];
    form("SetTopicAttributes", &members)
}

fn get(arn: &str) -> String {
    form("GetTopicAttributes", &[("TopicArn", arn)])
}

/// With the topic `t` there, each form is refused with this message.
async fn check_refused(forms: &[(String, &str)]) {
    let local = Local::start(Config::default()).await;
    sns(&local, CUSTOMER, "CreateTopic", &[("Name", "t")]).await;
    for (form, message) in forms {
        let (status, xml) = query(&local, CUSTOMER, form).await;
        let code = if status == 404 {
            "NotFound"
        } else {
            "InvalidParameter"
        };
        assert_eq!(
            (element(&xml, "Code"), element(&xml, "Message")),
            (code, *message),
            "{form}"
        );
    }
    local.stop().await;
}

#[tokio::test]
async fn arns_and_names_are_refused_as_by_sns() {
    check_refused(&[
        // L, test_create_topic_with_attributes and test_publish_wrong_arn_format.
        (get(&arn("nope")), "Topic does not exist"),
        (
            get("x"),
            "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1",
        ),
        (
            get("a:b:c"),
            "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 3",
        ),
        (
            get(&arn("t").replace(REGION, "us-east-1")),
            "Invalid parameter: TopicArn",
        ),
        (
            get(&arn("t").replace("arn:aws:", "arn:aws-cn:")),
            "Invalid parameter: TopicArn",
        ),
        // B.
        (
            form("CreateTopic", &[("Name", "@x#")]),
            "Invalid parameter: Topic Name",
        ),
        (
            form("CreateTopic", &[("Name", "t.fifo")]),
            "Invalid parameter: Topic Name",
        ),
        (create("FifoTopic", "true"), "Invalid parameter: Topic Name"),
    ])
    .await;
}

#[tokio::test]
async fn attributes_are_refused_as_by_sns() {
    check_refused(&[
        // B.
        (
            create("SQSSuccessFeedbackSampleRate", "500"),
            "Invalid parameter: Attributes Reason: SQSSuccessFeedbackSampleRate: 500 value provided is not an integer between 0-100",
        ),
        (
            create("Policy", &policy("SNS:Publishx")),
            "Invalid parameter: Attributes Reason: Policy statement action out of service scope!",
        ),
        (
            create("DisplayName", "other"),
            "Invalid parameter: Attributes Reason: Topic already exists with different attributes",
        ),
        (
            set("DeliveryPolicy", r#"{"http":{"defaultHealthyRetryPolicy":{"numRetries":300}}}"#),
            "Invalid parameter: DeliveryPolicy: http.defaultHealthyRetryPolicy.numRetries must be less than or equal to 100",
        ),
        (
            set("Policy", &policy("sns:*")),
            "Invalid parameter: Policy statement action out of service scope!",
        ),
        (set("Odd", "x"), "Invalid parameter: AttributeName"),
        (set("FifoTopic", "true"), "Invalid parameter: AttributeName"),
    ])
    .await;
}

#[tokio::test]
async fn a_topic_is_its_owners() {
    let local = Local::start(Config::default()).await;
    sns(&local, CUSTOMER, "CreateTopic", &[("Name", "t")]).await;
    let (status, xml) = query(&local, PARTNER, &get(&arn("t"))).await;
    assert_eq!(
        (status, element(&xml, "Code")),
        (403, "AuthorizationError"),
        "{xml}"
    );
    let (_, xml) = query(&local, CUSTOMER, "Action=Publish&Version=2010-03-31").await;
    assert_eq!(element(&xml, "Code"), "UnknownOperationException");
    local.stop().await;
}

/// A rule with the topic `t` as its target gets an event; gives the error of the attempt, and the payloads that arrived.
async fn deliver(local: &Local) -> (Value, Vec<Value>) {
    let rule = r#"{"Name":"r","EventPattern":"{\"source\":[\"s\"]}"}"#;
    let targets =
        json!({ "Rule": "r", "Targets": [{ "Id": "1", "Arn": arn("t"), "InputPath": "$.detail" }] });
    local
        .run(&[
            (CUSTOMER, "events.PutRule", rule, "ok"),
            (CUSTOMER, "events.PutTargets", &targets.to_string(), "ok"),
        ])
        .await;
    let entry = r#"{"Entries":[{"Source":"s","DetailType":"t","Detail":"{\"n\":1}"}]}"#;
    let (_, answer) = local.ask(CUSTOMER, "events.PutEvents", entry).await;
    let id = answer["Entries"][0]["EventId"].as_str().unwrap().to_owned();
    let story = local.look(&format!("events/{id}")).await;
    let error = story["buses"][0]["deliveries"][0]["attempts"][0]["error_code"].clone();
    let invocations = local.look("invocations").await;
    let payloads = invocations["invocations"].as_array().unwrap();
    (error, payloads.iter().map(|one| one["payload"].clone()).collect())
}

#[tokio::test]
async fn what_a_rule_sends_to_a_topic_is_kept_where_its_policy_allows() {
    let local = Local::start(Config::default()).await;
    assert_eq!(deliver(&local).await, (json!("NO_RESOURCE"), vec![]));
    sns(&local, CUSTOMER, "CreateTopic", &[("Name", "t")]).await;
    // AWS's guide, eb-use-resource-based: the topic's policy has to name events.amazonaws.com; the first one does not.
    assert_eq!(deliver(&local).await, (json!("NO_PERMISSIONS"), vec![]));
    for (principal, condition, error) in [
        (
            json!({ "Service": "sqs.amazonaws.com" }),
            json!({}),
            json!("NO_PERMISSIONS"),
        ),
        (
            json!({ "Service": "events.amazonaws.com" }),
            json!({ "ArnEquals": { "aws:SourceArn": "arn:aws:events:eu-west-1:1:rule/other" } }),
            json!("NO_PERMISSIONS"),
        ),
        (
            json!({ "Service": "events.amazonaws.com" }),
            json!({}),
            Value::Null,
        ),
    ] {
        let policy = json!({ "Statement": [{
            "Effect": "Allow", "Principal": principal, "Action": "sns:Publish", "Resource": arn("t"), "Condition": condition,
        }] });
        let policy = policy.to_string();
        let members = [
            ("TopicArn", &*arn("t")),
            ("AttributeName", "Policy"),
            ("AttributeValue", &*policy),
        ];
        assert_eq!(sns(&local, CUSTOMER, "SetTopicAttributes", &members).await.0, 200);
        let payloads = if error.is_null() {
            vec![json!("{\"n\":1}")]
        } else {
            vec![]
        };
        assert_eq!(deliver(&local).await, (error, payloads), "{policy}");
    }
    local.stop().await;
}
