//! Other partitions than `aws`: ARNs have the partition of their region, and events arrive there.

use aws_local::Config;
use serde_json::{Value, json};

use crate::client::{CUSTOMER, Local};

const C: &str = CUSTOMER;

/// A request in a region.
async fn ask(local: &Local, region: &str, target: &str, body: Value) -> Value {
    let service = if target.starts_with("AWSEvents") {
        "events"
    } else {
        "logs"
    };
    let scope =
        format!("AWS4-HMAC-SHA256 Credential={C}/20240101/{region}/{service}/aws4_request, Signature=x");
    let request = local
        .http
        .post(&local.url)
        .header("authorization", scope)
        .header("x-amz-target", target)
        .header("content-type", "application/x-amz-json-1.1")
        .body(body.to_string());
    serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
}

/// Regions and their partitions as in botocore 1.44.8, `data/partitions.json`.
#[tokio::test]
async fn events_arrive_in_log_groups_of_every_partition() {
    let local = Local::start(Config::default()).await;
    for (region, partition) in [
        ("us-gov-west-1", "aws-us-gov"),
        ("cn-north-1", "aws-cn"),
        ("eusc-de-east-1", "aws-eusc"),
        ("us-iso-east-1", "aws-iso"),
        ("eu-west-1", "aws"),
    ] {
        let arn =
            |service: &str, resource: &str| format!("arn:{partition}:{service}:{region}:{C}:{resource}");
        let (rule, group) = (arn("events", "rule/r"), arn("logs", "log-group:g"));
        let statement = json!({
            "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" },
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": format!("{group}:*"),
            "Condition": { "ArnEquals": { "aws:SourceArn": rule } },
        });
        let policy = json!({ "Statement": [statement] }).to_string();
        let put = json!({ "policyName": "p", "policyDocument": policy });
        ask(
            &local,
            region,
            "Logs_20140328.CreateLogGroup",
            json!({ "logGroupName": "g" }),
        )
        .await;
        ask(&local, region, "Logs_20140328.PutResourcePolicy", put).await;
        let put = json!({ "Name": "r", "EventPattern": "{\"source\":[\"s\"]}" });
        assert_eq!(
            ask(&local, region, "AWSEvents.PutRule", put).await["RuleArn"],
            json!(rule)
        );
        let target = |arn: &str| json!({ "Rule": "r", "Targets": [{ "Id": "1", "Arn": arn }] });
        let elsewhere = if partition == "aws" { "aws-cn" } else { "aws" };
        let foreign = group.replacen(partition, elsewhere, 1);
        let refused = ask(&local, region, "AWSEvents.PutTargets", target(&foreign)).await;
        assert_eq!(refused["__type"], "ValidationException", "{foreign}");
        let put = ask(&local, region, "AWSEvents.PutTargets", target(&group)).await;
        assert_eq!(put["FailedEntryCount"], 0, "{put}");
        let entry = json!({ "Source": "s", "DetailType": "t", "Detail": "{}" });
        ask(
            &local,
            region,
            "AWSEvents.PutEvents",
            json!({ "Entries": [entry] }),
        )
        .await;
        let found = ask(
            &local,
            region,
            "Logs_20140328.FilterLogEvents",
            json!({ "logGroupName": "g" }),
        )
        .await;
        assert_eq!(
            found["events"].as_array().map(Vec::len),
            Some(1),
            "{region} {found}"
        );
    }
    local.stop().await;
}
