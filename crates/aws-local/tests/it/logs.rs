//! CloudWatch Logs as its readers meet it: groups, streams, pages, filters, policies, tags.

use aws_local::Config;
use serde_json::{Value, json};

use crate::client::{CUSTOMER, Local, REGION};

const C: &str = CUSTOMER;
const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/k";

/// A group `g` with a stream `s` and these messages, a second apart, the first of them now; and that time.
async fn group(local: &Local, messages: &[&str]) -> i64 {
    local
        .run(&[
            (C, "logs.CreateLogGroup", r#"{"logGroupName":"g"}"#, "ok"),
            (
                C,
                "logs.CreateLogStream",
                r#"{"logGroupName":"g","logStreamName":"s"}"#,
                "ok",
            ),
        ])
        .await;
    let now = local.look("clock").await["epoch_ms"].as_i64().unwrap();
    let events: Vec<Value> = messages
        .iter()
        .zip(0..)
        .map(|(message, n)| json!({ "timestamp": now + n * 1000, "message": message }))
        .collect();
    let put = json!({ "logGroupName": "g", "logStreamName": "s", "logEvents": events }).to_string();
    if !messages.is_empty() {
        local.run(&[(C, "logs.PutLogEvents", &put, "ok")]).await;
    }
    now
}

fn messages(answer: &Value) -> Vec<&str> {
    let rows = answer["events"].as_array().unwrap_or_else(|| panic!("{answer}"));
    rows.iter().map(|row| row["message"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn groups_and_streams_answer_as_aws_was_recorded() {
    let local = Local::start(Config::default()).await;
    group(&local, &[]).await;
    local
        .play(&format!(
            r#"
            {C} logs.DescribeLogGroups {{"logGroupNamePrefix":"g"}} => ok{{"logGroups":[{{"logGroupName":"g","arn":"arn:aws:logs:{REGION}:{C}:log-group:g:*","logGroupArn":"arn:aws:logs:{REGION}:{C}:log-group:g","logGroupClass":"STANDARD","metricFilterCount":0,"storedBytes":0,"deletionProtectionEnabled":false}}]}}
            {C} logs.DescribeLogGroups {{"logGroupNamePrefix":"g","logGroupNamePattern":"g"}} => InvalidParameterException
            {C} logs.DescribeLogGroups {{"logGroupIdentifiers":["g"],"logGroupNamePrefix":"g"}} => InvalidParameterException
            {C} logs.DescribeLogGroups {{"logGroupIdentifiers":["g"]}} => ok{{"logGroups":[{{"logGroupName":"g"}}]}}
            {C} logs.DescribeLogGroups {{"limit":51}} => InvalidParameterException
            {C} logs.DescribeLogGroups {{"nextToken":"bogus"}} => InvalidParameterException
            {C} logs.CreateLogGroup {{"logGroupName":"rare","logGroupClass":"INFREQUENT_ACCESS"}} => ok
            {C} logs.FilterLogEvents {{"logGroupName":"rare"}} => InvalidOperationException
            {C} logs.GetLogEvents {{"logGroupName":"rare","logStreamName":"s"}} => InvalidOperationException
            {C} logs.DescribeLogGroups {{"logGroupClass":"ESSENTIALS"}} => ok{{"logGroups":[{{"logGroupName":"rare"}}]}}
            {C} logs.DescribeLogGroups {{"logGroupClass":"STANDARD"}} => ok{{"logGroups":[{{"logGroupName":"g"}}]}}
            {C} logs.CreateLogGroup {{"logGroupName":"aws/x"}} => InvalidParameterException
            {C} logs.CreateLogGroup {{"logGroupName":"t","tags":{{}}}} => InvalidParameterException
            {C} logs.CreateLogStream {{"logGroupName":"g","logStreamName":"s"}} => ResourceAlreadyExistsException
            {C} logs.CreateLogStream {{"logGroupName":"g","logStreamName":"a:b"}} => InvalidParameterException
            {C} logs.CreateLogStream {{"logGroupName":"nope","logStreamName":"s"}} => ResourceNotFoundException
            {C} logs.DeleteLogStream {{"logGroupName":"g","logStreamName":"nope"}} => ResourceNotFoundException
            {C} logs.DescribeLogStreams {{"logGroupName":"g"}} => ok{{"logStreams":[{{"logStreamName":"s","storedBytes":0,"arn":"arn:aws:logs:{REGION}:{C}:log-group:g:log-stream:s"}}]}}
            {C} logs.DescribeLogStreams {{"logGroupIdentifier":"arn:aws:logs:{REGION}:{C}:log-group:g"}} => ok{{"logStreams":[{{"logStreamName":"s"}}]}}
            {C} logs.DescribeLogStreams {{"logGroupName":"g","logGroupIdentifier":"g"}} => ValidationException
            {C} logs.DescribeLogStreams {{}} => InvalidParameterException
            {C} logs.DescribeLogStreams {{"logGroupName":"g","orderBy":"LastEventTime","logStreamNamePrefix":"s"}} => InvalidParameterException
            {C} logs.PutRetentionPolicy {{"logGroupName":"g","retentionInDays":7}} => ok
            {C} logs.DescribeLogGroups {{"logGroupNamePrefix":"g"}} => ok{{"logGroups":[{{"retentionInDays":7}}]}}
            {C} logs.DeleteRetentionPolicy {{"logGroupName":"g"}} => ok
            {C} logs.AssociateKmsKey {{"logGroupName":"g","kmsKeyId":"{KEY}"}} => ok
            {C} logs.DescribeLogGroups {{"logGroupNamePrefix":"g"}} => ok{{"logGroups":[{{"kmsKeyId":"{KEY}"}}]}}
            {C} logs.AssociateKmsKey {{"kmsKeyId":"{KEY}"}} => InvalidParameterException
            {C} logs.AssociateKmsKey {{"logGroupName":"g","resourceIdentifier":"arn:aws:logs:{REGION}:{C}:log-group:g","kmsKeyId":"{KEY}"}} => InvalidParameterException
            {C} logs.AssociateKmsKey {{"resourceIdentifier":"arn:aws:logs:{REGION}:{C}:query-result:*","kmsKeyId":"{KEY}"}} => InvalidParameterException
            {C} logs.AssociateKmsKey {{"logGroupName":"nope","kmsKeyId":"{KEY}"}} => ResourceNotFoundException
            {C} logs.DisassociateKmsKey {{"resourceIdentifier":"arn:aws:logs:{REGION}:{C}:log-group:g"}} => ok
            {C} logs.DisassociateKmsKey {{"logGroupName":"g"}} => ok
            {C} logs.PutLogGroupDeletionProtection {{"logGroupIdentifier":"g","deletionProtectionEnabled":true}} => ok
            {C} logs.DeleteLogGroup {{"logGroupName":"g"}} => ValidationException
            {C} logs.PutLogGroupDeletionProtection {{"logGroupIdentifier":"arn:aws:logs:{REGION}:{C}:log-group:g","deletionProtectionEnabled":false}} => ok
            {C} logs.DeleteLogGroup {{"logGroupName":"g"}} => ok
            "#
        ))
        .await;
    let (_, by_pattern) = local
        .ask(C, "logs.DescribeLogGroups", r#"{"logGroupNamePattern":"rar"}"#)
        .await;
    let names: Vec<&String> = by_pattern["logGroups"][0].as_object().unwrap().keys().collect();
    let told = [
        "arn",
        "creationTime",
        "logGroupArn",
        "logGroupClass",
        "logGroupName",
        "metricFilterCount",
    ];
    assert_eq!(names, told, "{by_pattern}");
    local.stop().await;
}

#[tokio::test]
async fn events_that_are_too_old_or_too_new_are_rejected_alone() {
    let local = Local::start(Config::default()).await;
    let now = group(&local, &[]).await;
    let (hour, day) = (3_600_000, 86_400_000);
    let event = |age: i64| json!({ "timestamp": now - age, "message": "m" });
    for (ages, expected) in [
        (
            vec![15 * day],
            r#"ok{"rejectedLogEventsInfo":{"tooOldLogEventEndIndex":1}}"#,
        ),
        (
            vec![15 * day, hour],
            r#"ok{"rejectedLogEventsInfo":{"tooOldLogEventEndIndex":1}}"#,
        ),
        (
            vec![0, -3 * hour],
            r#"ok{"rejectedLogEventsInfo":{"tooNewLogEventStartIndex":1}}"#,
        ),
        (
            vec![9 * day],
            r#"ok{"rejectedLogEventsInfo":{"expiredLogEventEndIndex":1}}"#,
        ),
        (vec![0, hour], "InvalidParameterException"),
        (vec![25 * hour, 0], "InvalidParameterException"),
        (vec![], "InvalidParameterException"),
    ] {
        let retain = r#"{"logGroupName":"g","retentionInDays":7}"#;
        let (of_retention, operation) = if ages == [9 * day] {
            (retain, "logs.PutRetentionPolicy")
        } else {
            (r#"{"logGroupName":"g"}"#, "logs.DeleteRetentionPolicy")
        };
        let events: Vec<Value> = ages.iter().map(|age| event(*age)).collect();
        let put = json!({ "logGroupName": "g", "logStreamName": "s", "logEvents": events }).to_string();
        local
            .run(&[
                (C, operation, of_retention, "ok"),
                (C, "logs.PutLogEvents", &put, expected),
            ])
            .await;
    }
    let put = r#"{"logGroupName":"g","logStreamName":"no","logEvents":[{"timestamp":1,"message":"m"}]}"#;
    local
        .run(&[
            (C, "logs.PutLogEvents", put, "ResourceNotFoundException"),
            (
                C,
                "logs.PutLogEvents",
                &put.replace("\"m\"", "\"\""),
                "InvalidParameterException",
            ),
        ])
        .await;
    local.stop().await;
}

#[tokio::test]
async fn filtered_pages_hold_everything_once_in_either_direction() {
    let local = Local::start(Config::default()).await;
    let all = ["a1", "b2", "a3", "b4", "a5"];
    let now = group(&local, &all).await;
    for (head, pattern, expected) in [
        (true, "", vec!["a1", "b2", "a3", "b4", "a5"]),
        (false, "", vec!["a5", "b4", "a3", "b2", "a1"]),
        (true, "%^a%", vec!["a1", "a3", "a5"]),
        (false, "?a1 ?b4", vec!["b4", "a1"]),
    ] {
        let mut body = json!({ "logGroupName": "g", "limit": 2, "startFromHead": head, "filterPattern": pattern, "startTime": now });
        let mut seen = Vec::new();
        loop {
            let (_, answer) = local.ask(C, "logs.FilterLogEvents", &body.to_string()).await;
            seen.extend(messages(&answer).into_iter().map(str::to_owned));
            assert_eq!(answer["searchedLogStreams"], json!([]), "{answer}");
            if answer["nextToken"].is_null() {
                break;
            }
            body["nextToken"] = answer["nextToken"].clone();
            // The token knows its way better than the request.
            body["startFromHead"] = json!(true);
        }
        assert_eq!(seen, expected, "{head} {pattern}");
    }
    local
        .play(&format!(
            r#"
            {C} logs.FilterLogEvents {{"logGroupName":"g","startTime":{now},"endTime":{now}}} => ok{{"events":[{{"message":"a1","logStreamName":"s"}}]}}
            {C} logs.FilterLogEvents {{"logGroupName":"g","startFromHead":false,"startTime":1700000000000}} => InvalidParameterException
            {C} logs.FilterLogEvents {{"logGroupName":"g","logStreamNames":["s"],"logStreamNamePrefix":"s"}} => InvalidParameterException
            {C} logs.FilterLogEvents {{"logGroupName":"g","logStreamNames":["no"]}} => ResourceNotFoundException
            {C} logs.FilterLogEvents {{"logGroupName":"g","logStreamNamePrefix":"x"}} => ok{{"events":[]}}
            {C} logs.FilterLogEvents {{"logGroupName":"g","limit":10001}} => InvalidParameterException
            {C} logs.FilterLogEvents {{"logGroupName":"g","filterPattern":"run-1"}} => InvalidParameterException
            {C} logs.FilterLogEvents {{"logGroupName":"g","nextToken":"invalid-token"}} => InvalidParameterException
            {C} logs.FilterLogEvents {{"logGroupName":"no"}} => ResourceNotFoundException
            "#
        ))
        .await;
    local.stop().await;
}

#[tokio::test]
async fn a_page_may_be_empty_and_not_the_last() {
    let local = Local::start(Config::default()).await;
    let now = group(&local, &[]).await;
    for (count, message) in [(10_000, "x"), (10_000, "x"), (1, "needle")] {
        let event = json!({ "timestamp": now, "message": message });
        let put = json!({ "logGroupName": "g", "logStreamName": "s", "logEvents": vec![event; count] });
        local
            .run(&[(C, "logs.PutLogEvents", &put.to_string(), "ok")])
            .await;
    }
    let mut body = json!({ "logGroupName": "g", "filterPattern": "needle" });
    let (_, first) = local.ask(C, "logs.FilterLogEvents", &body.to_string()).await;
    assert_eq!(messages(&first), [""; 0]);
    body["nextToken"] = first["nextToken"].clone();
    let (_, rest) = local.ask(C, "logs.FilterLogEvents", &body.to_string()).await;
    assert_eq!(messages(&rest), ["needle"]);
    assert!(rest.get("nextToken").is_none(), "{rest}");
    local.stop().await;
}

#[tokio::test]
async fn streams_are_listed_by_name_or_time_either_way() {
    let local = Local::start(Config::default()).await;
    let now = group(&local, &[]).await;
    for (name, age) in [("a", 1000), ("b", 3000), ("c", 2000)] {
        let make = json!({ "logGroupName": "g", "logStreamName": name }).to_string();
        let event = json!({ "timestamp": now - age, "message": "m" });
        let put = json!({ "logGroupName": "g", "logStreamName": name, "logEvents": [event] }).to_string();
        local
            .run(&[
                (C, "logs.CreateLogStream", &make, "ok"),
                (C, "logs.PutLogEvents", &put, "ok"),
            ])
            .await;
    }
    for (order, descending, expected) in [
        ("LogStreamName", false, "abcs"),
        ("LogStreamName", true, "scba"),
        ("LastEventTime", false, "sbca"),
        ("LastEventTime", true, "acbs"),
    ] {
        let mut body = json!({ "logGroupName": "g", "orderBy": order, "descending": descending, "limit": 1 });
        let mut seen = String::new();
        loop {
            let (_, page) = local.ask(C, "logs.DescribeLogStreams", &body.to_string()).await;
            seen += page["logStreams"][0]["logStreamName"].as_str().unwrap_or("?");
            if page["nextToken"].is_null() {
                break;
            }
            body["nextToken"] = page["nextToken"].clone();
        }
        assert_eq!(seen, expected, "{order} {descending}");
    }
    local.stop().await;
}

#[tokio::test]
async fn streams_are_read_forward_and_back_until_the_token_stays() {
    let local = Local::start(Config::default()).await;
    group(&local, &["1", "2", "3", "4", "5"]).await;
    let read = async |token: &Value, head: bool| {
        let mut body =
            json!({ "logGroupName": "g", "logStreamName": "s", "limit": 2, "startFromHead": head });
        if !token.is_null() {
            body["nextToken"] = token.clone();
        }
        local.ask(C, "logs.GetLogEvents", &body.to_string()).await.1
    };
    let tail = read(&Value::Null, false).await;
    assert_eq!(messages(&tail), ["4", "5"]);
    let end = read(&tail["nextForwardToken"], true).await;
    assert_eq!(messages(&end), [""; 0]);
    assert_eq!(
        end["nextForwardToken"], tail["nextForwardToken"],
        "the end gives the same token"
    );
    let (mut token, mut seen) = (tail["nextBackwardToken"].clone(), Vec::new());
    loop {
        let page = read(&token, false).await;
        seen.push(messages(&page).join(""));
        if page["nextBackwardToken"] == token {
            break;
        }
        token = page["nextBackwardToken"].clone();
    }
    assert_eq!(seen, ["23", "1", ""]);
    local.tell("clock", r#"{"advance_seconds":86401}"#).await;
    for (token, expected) in [
        (token.as_str().unwrap(), "InvalidParameterException"),
        ("bogus", "InvalidParameterException"),
    ] {
        let body = json!({ "logGroupName": "g", "logStreamName": "s", "nextToken": token }).to_string();
        local.run(&[(C, "logs.GetLogEvents", &body, expected)]).await;
    }
    local
        .run(&[(
            C,
            "logs.GetLogEvents",
            r#"{"logGroupName":"g","logStreamName":"no"}"#,
            "ResourceNotFoundException",
        )])
        .await;
    local.stop().await;
}

fn document() -> String {
    json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" }, "Action": "logs:PutLogEvents", "Resource": "*",
    }] })
    .to_string()
}

/// Public reports show both answers: aws-cloudformation/cloudformation-coverage-roadmap issue 2557 (what is stored, and the
/// refusal), aws/aws-cdk issue 14578 (the refusal's words).
#[tokio::test]
async fn an_account_is_kept_as_its_root_arn_which_is_refused() {
    let local = Local::start(Config::default()).await;
    group(&local, &[]).await;
    let statement = |principal: &Value| json!({ "Effect": "Allow", "Principal": principal, "Action": "logs:PutLogEvents", "Resource": "*" });
    let root = json!("arn:aws:iam::210987654321:root");
    for (given, stored) in [
        (json!("210987654321"), root.clone()),
        (json!(["210987654321", "*"]), json!([root, "*"])),
        (json!("*"), json!("*")),
    ] {
        for (place, look) in [
            (json!({ "policyName": "p" }), r"{}".to_owned()),
            (
                json!({ "resourceArn": format!("arn:aws:logs:{REGION}:{C}:log-group:g") }),
                format!(r#"{{"resourceArn":"arn:aws:logs:{REGION}:{C}:log-group:g"}}"#),
            ),
        ] {
            let put = |statements: &Value| {
                let mut body = place.clone();
                body["policyDocument"] = json!(json!({ "Statement": statements }).to_string());
                body.to_string()
            };
            // One statement, and a list of them.
            for statements in [
                statement(&json!({ "AWS": given })),
                json!([statement(&json!({ "AWS": given }))]),
            ] {
                for call in ["logs.DeleteLogGroup", "logs.CreateLogGroup"] {
                    local.run(&[(C, call, r#"{"logGroupName":"g"}"#, "ok")]).await;
                }
                local
                    .run(&[(C, "logs.PutResourcePolicy", &put(&statements), "ok")])
                    .await;
                let (_, held) = local.ask(C, "logs.DescribeResourcePolicies", &look).await;
                let text = held["resourcePolicies"][0]["policyDocument"].as_str().unwrap();
                let kept: Value = serde_json::from_str(text).unwrap();
                let found = kept.pointer("/Statement/Principal/AWS");
                let found = found.or_else(|| kept.pointer("/Statement/0/Principal/AWS"));
                assert_eq!(found, Some(&stored), "{text}");
            }
            let refused = put(&json!([statement(&json!({ "AWS": [root] }))]));
            local
                .run(&[(
                    C,
                    "logs.PutResourcePolicy",
                    &refused,
                    "InvalidParameterException: Principal section of policy contains ARN instead of account ID: \
                     arn:aws:iam::210987654321:root",
                )])
                .await;
        }
    }
    local.stop().await;
}

#[tokio::test]
async fn the_accounts_policies_are_counted() {
    let local = Local::start(Config::default()).await;
    group(&local, &[]).await;
    let document = document();
    let named = |name: &str| json!({ "policyName": name, "policyDocument": document }).to_string();
    for n in 0..10 {
        local
            .run(&[(
                C,
                "logs.PutResourcePolicy",
                &named(&format!("p{n}")),
                r#"ok{"resourcePolicy":{"policyScope":"ACCOUNT"}}"#,
            )])
            .await;
    }
    local
        .run(&[
            (
                C,
                "logs.PutResourcePolicy",
                &named("p10"),
                "LimitExceededException",
            ),
            (C, "logs.PutResourcePolicy", &named("p1"), "ok"),
            (C, "logs.DeleteResourcePolicy", r#"{"policyName":"p1"}"#, "ok"),
            (
                C,
                "logs.DeleteResourcePolicy",
                r#"{"policyName":"p1"}"#,
                "ResourceNotFoundException",
            ),
            (
                C,
                "logs.PutResourcePolicy",
                r#"{"policyName":"p1","policyDocument":"{}"}"#,
                "InvalidParameterException",
            ),
            (
                C,
                "logs.PutResourcePolicy",
                r#"{"policyName":"p1"}"#,
                "InvalidParameterException",
            ),
        ])
        .await;
    local.stop().await;
}

#[tokio::test]
async fn a_groups_own_policy_is_guarded_by_its_revision() {
    let local = Local::start(Config::default()).await;
    group(&local, &[]).await;
    let document = document();
    let arn = format!("arn:aws:logs:{REGION}:{C}:log-group:g");
    let own = |revision: Option<&Value>| {
        json!({ "resourceArn": arn, "policyDocument": document, "expectedRevisionId": revision }).to_string()
    };
    let (_, first) = local.ask(C, "logs.PutResourcePolicy", &own(None)).await;
    let revision = first["revisionId"].clone();
    assert_eq!(
        first["resourcePolicy"]["policyScope"],
        json!("RESOURCE"),
        "{first}"
    );
    let delete = |revision: &Value| json!({ "resourceArn": arn, "expectedRevisionId": revision }).to_string();
    let told = json!({ "resourcePolicies": [{ "resourceArn": arn, "revisionId": revision, "policyScope": "RESOURCE" }] });
    let steps = [
        (
            C,
            "logs.PutResourcePolicy",
            own(None),
            "OperationAbortedException".to_owned(),
        ),
        (
            C,
            "logs.PutResourcePolicy",
            own(Some(&json!("other"))),
            "OperationAbortedException".to_owned(),
        ),
        (
            C,
            "logs.DescribeResourcePolicies",
            json!({ "resourceArn": arn }).to_string(),
            format!("ok{told}"),
        ),
        (
            C,
            "logs.DescribeResourcePolicies",
            r#"{"policyScope":"RESOURCE"}"#.to_owned(),
            format!("ok{told}"),
        ),
        (
            C,
            "logs.DeleteResourcePolicy",
            delete(&json!("other")),
            "OperationAbortedException".to_owned(),
        ),
        (C, "logs.DeleteResourcePolicy", delete(&revision), "ok".to_owned()),
        (
            C,
            "logs.DeleteResourcePolicy",
            delete(&revision),
            "ResourceNotFoundException".to_owned(),
        ),
    ];
    for (key, operation, body, expected) in &steps {
        local.run(&[(key, operation, body, expected)]).await;
    }
    local.stop().await;
}

#[tokio::test]
async fn tags_by_arn_and_by_name_are_the_same() {
    let local = Local::start(Config::default()).await;
    group(&local, &[]).await;
    let arn = format!("arn:aws:logs:{REGION}:{C}:log-group:g");
    local
        .play(&format!(
            r#"
            {C} logs.TagResource {{"resourceArn":"{arn}","tags":{{"a":"1","b":"2"}}}} => ok
            {C} logs.TagLogGroup {{"logGroupName":"g","tags":{{"c":"3"}}}} => ok
            {C} logs.UntagLogGroup {{"logGroupName":"g","tags":["a"]}} => ok
            {C} logs.UntagResource {{"resourceArn":"{arn}","tagKeys":["b","nope"]}} => ok
            {C} logs.ListTagsForResource {{"resourceArn":"{arn}"}} => ok{{"tags":{{"c":"3"}}}}
            {C} logs.ListTagsLogGroup {{"logGroupName":"g"}} => ok{{"tags":{{"c":"3"}}}}
            {C} logs.ListTagsForResource {{"resourceArn":"{arn}x"}} => ResourceNotFoundException
            {C} logs.TagLogGroup {{"logGroupName":"nope","tags":{{"c":"3"}}}} => ResourceNotFoundException
            {C} logs.TagLogGroup {{"logGroupName":"g","tags":{{}}}} => InvalidParameterException
            "#
        ))
        .await;
    let (_, left) = local
        .ask(C, "logs.ListTagsLogGroup", r#"{"logGroupName":"g"}"#)
        .await;
    assert_eq!(left, json!({ "tags": { "c": "3" } }), "nothing else is left");
    let many: serde_json::Map<String, Value> = (0..50).map(|n| (format!("t{n}"), json!("x"))).collect();
    let tag = json!({ "resourceArn": arn, "tags": many }).to_string();
    local
        .run(&[(C, "logs.TagResource", &tag, "TooManyTagsException")])
        .await;
    local.stop().await;
}
