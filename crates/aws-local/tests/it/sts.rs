//! Who calls, from where, and keys of another account's role.

use aws_local::Config;
use serde_json::Value;

use crate::client::{CUSTOMER, Local, PARTNER};
use crate::query::{element, query};

const ROLE: &str = "arn%3Aaws%3Aiam%3A%3A444444444444%3Arole%2Fpath%2Fdeployer";

#[tokio::test]
async fn callers_are_identified_by_their_keys() {
    let local = Local::start(Config::default()).await;
    for (key, account) in [
        (CUSTOMER, CUSTOMER),
        (PARTNER, PARTNER),
        ("AKIAIOSFODNN7EXAMPLE", "123456789012"),
        ("1234567890123", "123456789012"),
        ("", "123456789012"),
    ] {
        let (status, xml) = query(&local, key, "Action=GetCallerIdentity&Version=2011-06-15").await;
        assert_eq!((status, element(&xml, "Account")), (200, account), "{key} {xml}");
        assert_eq!(element(&xml, "Arn"), format!("arn:aws:iam::{account}:root"));
    }
    // Other partitions, as in botocore 1.44.8, `data/partitions.json`.
    for (region, partition) in [("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn")] {
        let url = format!(
            "{}/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Credential={CUSTOMER}%2F20240101%2F{region}%2Fsts%2Faws4_request",
            local.url
        );
        let xml = local.http.get(url).send().await.unwrap().text().await.unwrap();
        assert_eq!(
            element(&xml, "Arn"),
            format!("arn:{partition}:iam::{CUSTOMER}:root")
        );
    }
    // As EKS does it: signed in the query, by GET.
    let url = format!(
        "{}/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Credential={CUSTOMER}%2F20240101%2Feu-west-1%2Fsts%2Faws4_request",
        local.url
    );
    let xml = local.http.get(url).send().await.unwrap().text().await.unwrap();
    assert_eq!(element(&xml, "Account"), CUSTOMER, "{xml}");
    local.stop().await;
}

#[tokio::test]
async fn assumed_keys_are_their_roles_account_over_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let config = || Config {
        data_dir: Some(dir.path().to_owned()),
        ..Config::default()
    };
    let local = Local::start(config()).await;
    let form = format!(
        "Action=AssumeRole&Version=2011-06-15&RoleArn={ROLE}&RoleSessionName=me&SourceIdentity=who&DurationSeconds=900"
    );
    let (status, xml) = query(&local, CUSTOMER, &form).await;
    assert_eq!(status, 200, "{xml}");
    let key = element(&xml, "AccessKeyId").to_owned();
    assert_eq!((key.len(), &key[..4]), (20, "ASIA"), "{xml}");
    assert_eq!(
        element(&xml, "Arn"),
        "arn:aws:sts::444444444444:assumed-role/deployer/me"
    );
    assert_eq!(element(&xml, "SourceIdentity"), "who");
    local
        .run(&[(&key, "logs.CreateLogGroup", r#"{"logGroupName":"theirs"}"#, "ok")])
        .await;
    local.stop().await;

    let local = Local::start(config()).await;
    let (_, xml) = query(&local, &key, "Action=GetCallerIdentity&Version=2011-06-15").await;
    assert_eq!(element(&xml, "Account"), "444444444444", "{xml}");
    assert!(element(&xml, "UserId").ends_with(":me"), "{xml}");
    for (caller, expected) in [(key.as_str(), 1), ("444444444444", 1), (CUSTOMER, 0)] {
        let (_, answer): (u16, Value) = local.ask(caller, "logs.DescribeLogGroups", "{}").await;
        assert_eq!(
            answer["logGroups"].as_array().unwrap().len(),
            expected,
            "{caller} {answer}"
        );
    }
    local.stop().await;
}

#[tokio::test]
async fn refusals_are_those_of_sts() {
    let local = Local::start(Config::default()).await;
    for (form, code, words) in [
        (
            "Action=AssumeRole&RoleSessionName=me&RoleArn=nothing-valid-in-here",
            "ValidationError",
            "nothing-valid-in-here is invalid",
        ),
        (
            "Action=AssumeRole&RoleSessionName=me&RoleArn=arn:a:a::aaaaaaaaaa:role",
            "ValidationError",
            "arn:a:a::aaaaaaaaaa:role is invalid",
        ),
        (
            "Action=AssumeRole&RoleSessionName=me&RoleArn=arn:aws:iam::44444444444x:role/r",
            "ValidationError",
            "is invalid",
        ),
        (
            "Action=AssumeRole&RoleSessionName=me&RoleArn=arn:aws:iam::444444444444:user/u",
            "ValidationError",
            "is invalid",
        ),
        (
            "Action=AssumeRole&RoleSessionName=Session1:2&RoleArn=arn:aws:iam::444444444444:role/r",
            "ValidationError",
            "1 validation error detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint",
        ),
        (
            "Action=AssumeRole&RoleArn=arn:aws:iam::444444444444:role/r",
            "ValidationError",
            "roleSessionName",
        ),
        (
            "Action=AssumeRole&DurationSeconds=1&RoleSessionName=me&RoleArn=arn:aws:iam::444444444444:role/r",
            "ValidationError",
            "durationSeconds",
        ),
        (
            "Action=GetSessionToken",
            "UnknownOperationException",
            "GetSessionToken",
        ),
        ("Action=ListUsers", "UnknownOperationException", "ListUsers"),
        (
            "Version=2011-06-15",
            "UnknownOperationException",
            "names no operation",
        ),
        ("%%%&&==", "UnknownOperationException", "names no operation"),
    ] {
        let (status, xml) = query(&local, CUSTOMER, form).await;
        assert_eq!((status, element(&xml, "Code")), (400, code), "{form} {xml}");
        assert!(element(&xml, "Message").contains(words), "{form} {xml}");
    }
    local.stop().await;
}
