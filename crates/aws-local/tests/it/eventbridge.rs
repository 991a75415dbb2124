//! EventBridge's operations, answer by answer: what AWS documents, in the words of answers recorded from it.

use aws_local::Config;

use crate::client::{CUSTOMER, Local, REGION};

/// Plays a script in which `A` is the account, `ARN:` the start of an ARN of the events service there, and `BUS` the
/// default bus's ARN.
async fn check(script: &str) {
    let local = Local::start(Config::default()).await;
    play(&local, script).await;
    local.stop().await;
}

async fn play(local: &Local, script: &str) {
    let filled = script
        .replace("BUS", "ARN:event-bus/default")
        .replace("ARN:", &format!("arn:aws:events:{REGION}:{CUSTOMER}:"))
        .replace("    A ", &format!("{CUSTOMER} "));
    local.play(&filled).await;
}

#[tokio::test]
async fn buses() {
    check(
        r#"
    A events.CreateEventBus {"Name":"b","Description":"d","KmsKeyIdentifier":"alias/k","DeadLetterConfig":{"Arn":"arn:aws:sqs:eu-west-1:222222222222:q"},"LogConfig":{"Level":"INFO","IncludeDetail":"FULL"},"Tags":[{"Key":"k","Value":"v"}]} => ok{"EventBusArn":"ARN:event-bus/b","Description":"d","KmsKeyIdentifier":"alias/k","DeadLetterConfig":{"Arn":"arn:aws:sqs:eu-west-1:222222222222:q"},"LogConfig":{"Level":"INFO","IncludeDetail":"FULL"}}
    A events.CreateEventBus {"Name":"c","DeadLetterConfig":{"Arn":"arn:aws:sns:eu-west-1:222222222222:t"}} => ValidationException
    A events.CreateEventBus {"Name":"b"} => ResourceAlreadyExistsException: Event bus b already exists.
    A events.CreateEventBus {"Name":"aws.partner/a/b"} => ValidationException: EventBus name starting with 'aws.' is not valid.
    A events.UpdateEventBus {"Name":"b"} => ok{"Arn":"ARN:event-bus/b","Name":"b","Description":"d","KmsKeyIdentifier":"alias/k"}
    A events.UpdateEventBus {"Name":"b","Description":"e","KmsKeyIdentifier":"","DeadLetterConfig":{}} => ok{"Description":"e","LogConfig":{"Level":"INFO"}}
    A events.UpdateEventBus {"Name":"b","DeadLetterConfig":{"Arn":"x"}} => ValidationException
    A events.UpdateEventBus {"Name":"none"} => ResourceNotFoundException: Event bus none does not exist.
    A events.DescribeEventBus {"Name":"ARN:event-bus/b"} => ok{"Name":"b","Arn":"ARN:event-bus/b"}
    A events.DescribeEventBus {"Name":"arn:aws:events:us-east-1:222222222222:event-bus/b"} => ResourceNotFoundException
    A events.DescribeEventBus {"Name":"arn:aws:events:eu-west-1:333333333333:event-bus/b"} => ResourceNotFoundException
    A events.ListTagsForResource {"ResourceARN":"ARN:event-bus/b"} => ok{"Tags":[{"Key":"k","Value":"v"}]}
    A events.PutRule {"Name":"r","EventBusName":"ARN:event-bus/b","EventPattern":"{\"source\":[\"s\"]}"} => ok{"RuleArn":"ARN:rule/b/r"}
    A events.PutRule {"Name":"r","EventBusName":"arn:aws:events:us-east-1:222222222222:event-bus/b","EventPattern":"{\"source\":[\"s\"]}"} => ResourceNotFoundException
    A events.DeleteEventBus {"Name":"b"} => ValidationException: EventBus can't be deleted since it has rules.
    A events.DeleteRule {"Name":"r","EventBusName":"ARN:event-bus/b"} => ok
    A events.DeleteEventBus {"Name":"b"} => ok
    A events.DeleteEventBus {"Name":"default"} => ValidationException: Cannot delete event bus default.
    "#,
    )
    .await;
    let local = Local::start(Config::default()).await;
    play(&local, r#"    A events.CreateEventBus {"Name":"b","Description":"d","KmsKeyIdentifier":"k","DeadLetterConfig":{"Arn":"arn:aws:sqs:r:1:q"}} => ok"#).await;
    let emptied = r#"{"Name":"b","Description":"","KmsKeyIdentifier":"","DeadLetterConfig":{}}"#;
    local.ask(CUSTOMER, "events.UpdateEventBus", emptied).await;
    let (_, bus) = local
        .ask(CUSTOMER, "events.DescribeEventBus", r#"{"Name":"b"}"#)
        .await;
    for member in ["Description", "KmsKeyIdentifier", "DeadLetterConfig"] {
        assert!(bus.get(member).is_none(), "{member} was given empty: {bus}");
    }
    local.stop().await;
}

#[tokio::test]
async fn targets() {
    check(
        r#"
    A events.PutTargets {"Rule":"r","Targets":[{"Id":"1","Arn":"bucket"}]} => ValidationException: Parameter bucket is not valid. Reason: Provided Arn is not in correct format.
    A events.PutTargets {"Rule":"r","Targets":[{"Id":"f","Arn":"arn:aws:sqs:r:1:q.fifo"}]} => ValidationException: Parameter(s) SqsParameters must be specified for target: f.
    A events.PutTargets {"Rule":"r","Targets":[{"Id":"1","Arn":"arn:aws:sqs:r:1:q"}]} => ResourceNotFoundException: Rule r does not exist on EventBus default.
    A events.PutRule {"Name":"r","EventPattern":"{\"source\":[\"s\"]}"} => ok
    A events.PutTargets {"Rule":"r","Targets":[{"Id":"f","Arn":"arn:aws:sqs:r:1:q.fifo","SqsParameters":{"MessageGroupId":"g"}}]} => ok{"FailedEntryCount":0,"FailedEntries":[]}
    A events.PutTargets {"Rule":"r","Targets":[{"Id":"!@#$@!#$","Arn":"arn:aws:sqs:r:1:q"}]} => ValidationException: 1 validation error detected: Value '!@#$@!#$' at 'targets.1.member.id' failed to satisfy constraint: Member must satisfy regular expression pattern: [\.\-_A-Za-z0-9]+
    A events.PutTargets {"Rule":"r","Targets":[{"Id":"1","Arn":"arn:aws:sqs:r:1:q","InputPath":"$.a","Input":"1"}]} => ValidationException: Only one of Input, InputPath, or InputTransformer must be provided for target 1.
    A events.PutTargets {"Rule":"r","Targets":[{"Id":"1","Arn":"arn:aws:sqs:r:1:q","InputPath":"detail"}]} => ValidationException
    A events.PutTargets {"Rule":"r","Targets":[{"Id":"1","Arn":"arn:aws:sqs:r:1:q","InputTransformer":{"InputPathsMap":{"a":"$['a']"},"InputTemplate":"<a>"}}]} => ValidationException: Invalid InputPath for target 1: $['a'] is not a JSON path.
    A events.PutTargets {"Rule":"r","Targets":[{"Id":"1","Arn":"arn:aws:sqs:r:1:q","Input":"{"}]} => ValidationException
    A events.PutTargets {"Rule":"r","Targets":[{"Id":"1","Arn":"arn:aws:sqs:r:1:q","InputTransformer":{"InputPathsMap":{"a":"$.a"},"InputTemplate":"\"<a> <notdefinedkey>\""}}]} => ValidationException: InputTemplate for target 1 contains invalid placeholder notdefinedkey.
    A events.PutTargets {"Rule":"r","Targets":[{"Id":"1","Arn":"arn:aws:sqs:r:1:q","InputTransformer":{"InputPathsMap":{"a":"$.a"},"InputTemplate":"\"1 < 2 <a> <aws.events.rule-name> <aws.events.event.ingestion-time>\""}}]} => ok
    A events.PutTargets {"Rule":"r","Targets":[{"Id":"1","Arn":"arn:aws:sqs:r:1:q","DeadLetterConfig":{"Arn":"arn:aws:sns:r:1:t"}}]} => ValidationException
    A events.PutTargets {"Rule":"r","Targets":[{"Id":"1","Arn":"arn:aws:sqs:r:1:q","RetryPolicy":{"MaximumRetryAttempts":186}}]} => ValidationException
    A events.PutTargets {"Rule":"r","Targets":[{"Id":"1","Arn":"arn:aws:sqs:r:1:q","RetryPolicy":{"MaximumEventAgeInSeconds":59}}]} => ValidationException
    A events.PutTargets {"Rule":"r","Targets":[{"Id":"1","Arn":"arn:aws:kinesis:r:1:stream/s"}]} => ValidationException: RoleArn is required for target arn:aws:kinesis:r:1:stream/s.
    A events.PutTargets {"Rule":"r","Targets":[{"Id":"1","Arn":"arn:aws:logs:r:1:log-group:g","RoleArn":"arn:aws:iam::1:role/x"}]} => ValidationException
    A events.PutTargets {"Rule":"r","Targets":[{"Id":"1","Arn":"arn:aws:events:r:333333333333:event-bus/default","Input":"1"}]} => ValidationException
    A events.PutTargets {"Rule":"r","Targets":[{"Id":"b","Arn":"arn:aws:events:r:333333333333:event-bus/default","RoleArn":"arn:aws:iam::1:role/x"}]} => ok
    A events.PutTargets {"Rule":"r","Targets":[{"Id":"b","Arn":"arn:aws:events:r:333333333333:event-bus/default"}]} => ok
    A events.RemoveTargets {"Rule":"r","Ids":["1","f"]} => ok{"FailedEntryCount":0}
    A events.ListTargetsByRule {"Rule":"r"} => ok{"Targets":[{"Id":"b","RoleArn":"arn:aws:iam::1:role/x"}]}
    A events.ListRuleNamesByTarget {"TargetArn":"arn:aws:events:r:333333333333:event-bus/default"} => ok{"RuleNames":["r"]}
    A events.ListRuleNamesByTarget {"TargetArn":"x"} => ok{"RuleNames":[]}
    A events.ListRuleNamesByTarget {"TargetArn":"x","EventBusName":"none"} => ResourceNotFoundException: Event bus none does not exist.
    A events.DeleteRule {"Name":"r"} => ValidationException: Rule can't be deleted since it has targets.
    A events.RemoveTargets {"Rule":"r","Ids":["b"]} => ok{"FailedEntryCount":0}
    A events.PutTargets {"Rule":"r","Targets":[{"Id":"z","Arn":"arn:aws:sqs:r:1:q"},{"Id":"m","Arn":"arn:aws:sqs:r:1:q"}]} => ok
    A events.PutTargets {"Rule":"r","Targets":[{"Id":"a","Arn":"arn:aws:sqs:r:1:q"},{"Id":"m","Arn":"arn:aws:sqs:r:1:p"}]} => ok
    A events.PutRule {"Name":"r","EventPattern":"{\"source\":[\"t\"]}"} => ok
    A events.ListTargetsByRule {"Rule":"r"} => ok{"Targets":[{"Id":"z"},{"Id":"m","Arn":"arn:aws:sqs:r:1:p"},{"Id":"a"}]}
    A events.RemoveTargets {"Rule":"r","Ids":["z"]} => ok
    A events.PutTargets {"Rule":"r","Targets":[{"Id":"z","Arn":"arn:aws:sqs:r:1:q"}]} => ok
    A events.ListTargetsByRule {"Rule":"r"} => ok{"Targets":[{"Id":"m"},{"Id":"a"},{"Id":"z"}]}
    A events.RemoveTargets {"Rule":"none","Ids":["1"]} => ResourceNotFoundException: Rule none does not exist on EventBus default.
    "#,
    )
    .await;
}

#[tokio::test]
async fn patterns_are_tested_without_resources() {
    check(
        r#"
    A events.TestEventPattern {"EventPattern":"{\"source\":[\"s\"]}","Event":"{\"id\":\"1\",\"account\":\"1\",\"source\":\"s\",\"time\":\"t\",\"region\":\"r\",\"detail-type\":\"d\"}"} => ok{"Result":true}
    A events.TestEventPattern {"EventPattern":"{\"source\":[\"x\"]}","Event":"{\"id\":\"1\",\"account\":\"1\",\"source\":\"s\",\"time\":\"t\",\"region\":\"r\",\"detail-type\":\"d\"}"} => ok{"Result":false}
    A events.TestEventPattern {"EventPattern":"{\"source\":[\"x\"]}","Event":"{\"id\":\"1\",\"source\":\"s\",\"time\":\"t\",\"region\":\"r\",\"detail-type\":\"d\"}"} => ValidationException: Parameter Event is not valid.
    A events.TestEventPattern {"EventPattern":"{\"source\":[\"s\"]}","Event":"{\"id\":\"1\",\"account\":\"1\",\"source\":\"s\",\"time\":\"t\",\"region\":\"r\",\"detail-type\":\"d\",\"detail\":{\"n\":1e999}}"} => ok{"Result":true}
    A events.TestEventPattern {"EventPattern":"{\"source\":[\"x\"]}","Event":"[]"} => ValidationException: Parameter Event is not valid.
    A events.TestEventPattern {"EventPattern":"{\"source\":[\"x\"]}","Event":"{"} => ValidationException: Parameter Event is not valid.
    A events.TestEventPattern {"EventPattern":"{\"source\":\"x\"}","Event":"{"} => InvalidEventPatternException
    "#,
    )
    .await;
}

#[tokio::test]
async fn policies_of_buses() {
    check(
        r#"
    A events.PutPermission {"EventBusName":"none","Action":"events:PutEvents","Principal":"333333333333","StatementId":"a"} => ResourceNotFoundException: Event bus none does not exist.
    A events.PutPermission {"Action":"events:PutPermission","Principal":"333333333333","StatementId":"a"} => ValidationException: Provided value in parameter 'action' is not supported.
    A events.PutPermission {"Action":"events:PutEvents","Principal":"x","StatementId":"a"} => ValidationException
    A events.PutPermission {"Action":"events:PutEvents","Principal":"*","StatementId":"a","Condition":{"Type":"StringLike","Key":"aws:PrincipalOrgID","Value":"o-1"}} => ValidationException
    A events.PutPermission {"Action":"events:PutEvents","Principal":"*","StatementId":"a","Condition":{"Type":"StringEquals","Key":"aws:PrincipalOrgID","Value":"o-1"}} => ok
    A events.RemovePermission {"StatementId":"b"} => ResourceNotFoundException: Statement with the provided id does not exist.
    A events.RemovePermission {"StatementId":"a"} => ok
    A events.RemovePermission {"StatementId":"a"} => ResourceNotFoundException: Statement with the provided id does not exist.
    A events.RemovePermission {"RemoveAllPermissions":true} => ok
    A events.PutPermission {} => ValidationException
    "#,
    )
    .await;
}

#[tokio::test]
async fn archives_have_a_managed_rule() {
    check(
        r#"
    A events.CreateArchive {"ArchiveName":"a","EventSourceArn":"ARN:event-bus/none"} => ResourceNotFoundException: Event bus none does not exist.
    A events.CreateArchive {"ArchiveName":"a","EventSourceArn":"arn:aws:events:eu-west-1:333333333333:event-bus/default"} => ResourceNotFoundException: Event bus default does not exist.
    A events.CreateArchive {"ArchiveName":"a","EventSourceArn":"ARN:rule/x"} => ValidationException: Parameter EventSourceArn is not valid. Reason: Must contain an event bus ARN.
    A events.CreateArchive {"ArchiveName":"a","EventSourceArn":"BUS","EventPattern":"{\"source\":1}"} => InvalidEventPatternException
    A events.CreateArchive {"ArchiveName":"a","EventSourceArn":"BUS","EventPattern":"{\"source\":[\"s\"]}","RetentionDays":1} => ok{"ArchiveArn":"ARN:archive/a","State":"ENABLED"}
    A events.CreateArchive {"ArchiveName":"a","EventSourceArn":"BUS"} => ResourceAlreadyExistsException: Archive a already exists.
    A events.DescribeRule {"Name":"Events-Archive-a"} => ok{"ManagedBy":"prod.vhs.events.aws.internal","State":"ENABLED","EventPattern":"{\"replay-name\":[{\"exists\":false}],\"source\":[\"s\"]}"}
    A events.ListTargetsByRule {"Rule":"Events-Archive-a"} => ok{"Targets":[{"Arn":"arn:aws:events:eu-west-1:::"}]}
    A events.DeleteRule {"Name":"Events-Archive-a"} => ManagedRuleException
    A events.DisableRule {"Name":"Events-Archive-a"} => ManagedRuleException
    A events.EnableRule {"Name":"Events-Archive-a"} => ManagedRuleException
    A events.PutRule {"Name":"Events-Archive-a","EventPattern":"{\"source\":[\"s\"]}"} => ManagedRuleException
    A events.PutTargets {"Rule":"Events-Archive-a","Targets":[{"Id":"1","Arn":"arn:aws:sqs:r:1:q"}]} => ManagedRuleException
    A events.RemoveTargets {"Rule":"Events-Archive-a","Ids":["Events-Archive-a"]} => ManagedRuleException
    A events.TagResource {"ResourceARN":"ARN:rule/Events-Archive-a","Tags":[]} => ManagedRuleException
    A events.UntagResource {"ResourceARN":"ARN:rule/Events-Archive-a","TagKeys":[]} => ManagedRuleException
    A events.PutEvents {"Entries":[{"Source":"s","DetailType":"t","Detail":"{}"},{"Source":"x","DetailType":"t","Detail":"{}"}]} => ok{"FailedEntryCount":0}
    A events.DescribeArchive {"ArchiveName":"a"} => ok{"EventCount":1,"RetentionDays":1,"EventSourceArn":"BUS"}
    A events.UpdateArchive {"ArchiveName":"a","EventPattern":"{\"source\":[\"x\"]}"} => ok{"ArchiveArn":"ARN:archive/a"}
    A events.DescribeRule {"Name":"Events-Archive-a"} => ok{"EventPattern":"{\"replay-name\":[{\"exists\":false}],\"source\":[\"x\"]}"}
    A events.ListArchives {"EventSourceArn":"ARN:event-bus/none"} => ResourceNotFoundException: Event bus none does not exist.
    A events.ListArchives {"EventSourceArn":"BUS"} => ok{"Archives":[{"ArchiveName":"a"}]}
    A events.ListArchives {"State":"DISABLED"} => ok{"Archives":[]}
    A events.ListArchives {"State":"ENABLED","NamePrefix":"a"} => ValidationException: At most one filter is allowed for ListArchives. Use either : State, EventSourceArn, or NamePrefix.
    A events.DeleteArchive {"ArchiveName":"a"} => ok
    A events.DeleteArchive {"ArchiveName":"a"} => ResourceNotFoundException: Archive a does not exist.
    A events.ListRules {} => ok{"Rules":[]}
    "#,
    )
    .await;
}

#[tokio::test]
async fn archives_keep_events_for_their_days() {
    let local = Local::start(Config::default()).await;
    let script = r#"
    A events.CreateArchive {"ArchiveName":"day","EventSourceArn":"BUS","RetentionDays":1} => ok
    A events.CreateArchive {"ArchiveName":"ever","EventSourceArn":"BUS"} => ok
    A events.CreateArchive {"ArchiveName":"long","EventSourceArn":"BUS","RetentionDays":2147483647} => ok
    A events.PutEvents {"Entries":[{"Source":"s","DetailType":"t","Detail":"{}"}]} => ok
    A events.ListArchives {} => ok{"Archives":[{"EventCount":1},{"EventCount":1},{"EventCount":1}]}
    "#;
    play(&local, script).await;
    local.tell("clock", r#"{"advance_seconds":86401}"#).await;
    let later = r#"
    A events.ListArchives {} => ok{"Archives":[{"EventCount":0,"SizeBytes":0},{"EventCount":1},{"EventCount":1}]}
    A events.DescribeArchive {"ArchiveName":"day"} => ok{"EventCount":0,"SizeBytes":0}
    "#;
    play(&local, later).await;
    local.stop().await;
}

const REPLAY: &str = r#"{"ReplayName":"NAME","EventSourceArn":"ARN:archive/a","EventStartTime":0,"EventEndTime":9999999999,"Destination":{"Arn":"BUS"}}"#;

#[tokio::test]
async fn replays_take_their_time() {
    let local = Local::start(Config::default()).await;
    let replay = |name: &str| REPLAY.replace("NAME", name);
    let with = |from: &str, to: &str| replay("r").replace(from, to);
    let script = format!(
        r#"
    A events.CreateEventBus {{"Name":"b"}} => ok
    A events.StartReplay {} => ValidationException: Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.
    A events.StartReplay {} => ValidationException: Parameter EventSourceArn is not valid. Reason: Archive a does not exist.
    A events.CreateArchive {{"ArchiveName":"a","EventSourceArn":"BUS"}} => ok
    A events.StartReplay {} => ResourceNotFoundException: Event bus none does not exist.
    A events.StartReplay {} => ValidationException: Parameter Destination.Arn is not valid. Reason: Must contain an event bus ARN.
    A events.StartReplay {} => ValidationException: Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.
    A events.StartReplay {} => ValidationException: Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.
    A events.StartReplay {} => ok{{"State":"STARTING","ReplayArn":"ARN:replay/r"}}
    A events.StartReplay {} => ResourceAlreadyExistsException: Replay r already exists.
    A events.CancelReplay {{"ReplayName":"r"}} => ok{{"State":"CANCELLING"}}
    A events.DescribeReplay {{"ReplayName":"r"}} => ok{{"State":"CANCELLING"}}
    A events.CancelReplay {{"ReplayName":"r"}} => IllegalStatusException
    A events.CancelReplay {{"ReplayName":"none"}} => ResourceNotFoundException: Replay none does not exist.
    "#,
        with("9999999999", "0").replace("BUS", "ARN:event-bus/none"),
        replay("r"),
        with("BUS", "ARN:event-bus/none"),
        with("BUS", "ARN:rule/x"),
        with("BUS", "ARN:event-bus/b"),
        with("9999999999", "0"),
        replay("r"),
        replay("r"),
    );
    play(&local, &script).await;
    local.tell("clock", r#"{"advance_seconds":2}"#).await;
    play(
        &local,
        r#"    A events.ListReplays {"State":"CANCELLED"} => ok{"Replays":[{"ReplayName":"r"}]}"#,
    )
    .await;
    for n in 0..10 {
        let start = format!("    A events.StartReplay {} => ok", replay(&format!("n{n}")));
        play(&local, &start).await;
    }
    let over = format!(
        "    A events.StartReplay {} => LimitExceededException: The requested resource exceeds the maximum number allowed.",
        replay("over")
    );
    play(&local, &over).await;
    local.tell("clock", r#"{"advance_seconds":2}"#).await;
    play(
        &local,
        &over.replace(
            "LimitExceededException: The requested resource exceeds the maximum number allowed.",
            "ok",
        ),
    )
    .await;
    local.stop().await;
}

#[tokio::test]
async fn connections_and_destinations() {
    let local = Local::start(Config::default()).await;
    let basic = r#"{"BasicAuthParameters":{"Username":"u","Password":"p"}}"#;
    let oauth = r#"{"OAuthParameters":{"ClientParameters":{"ClientID":"i","ClientSecret":"s"},"AuthorizationEndpoint":"https://example.com/oauth","HttpMethod":"POST"}}"#;
    let request = |kind: &str, auth: &str| {
        format!(r#"{{"Name":"{kind}","AuthorizationType":"{kind}","AuthParameters":{auth}}}"#)
    };
    let (_, made) = local
        .ask(CUSTOMER, "events.CreateConnection", &request("BASIC", basic))
        .await;
    assert_eq!(made["ConnectionState"], "AUTHORIZED", "{made}");
    assert!(made.get("LastAuthorizedTime").is_none(), "{made}");
    let oauth = request("OAUTH_CLIENT_CREDENTIALS", oauth);
    let (_, slow) = local.ask(CUSTOMER, "events.CreateConnection", &oauth).await;
    assert_eq!(slow["ConnectionState"], "AUTHORIZING", "{slow}");
    let (_, shown) = local
        .ask(CUSTOMER, "events.DescribeConnection", r#"{"Name":"BASIC"}"#)
        .await;
    let secret = shown["SecretArn"].as_str().unwrap();
    assert!(secret.contains(":secret:events!connection/BASIC/"), "{secret}");
    let script = r#"
    A events.CreateConnection {"Name":"p","AuthorizationType":"BASIC","AuthParameters":{"BasicAuthParameters":{"Username":"u","Password":"p"}},"InvocationConnectivityParameters":{"ResourceParameters":{"ResourceConfigurationArn":""}}} => ValidationException
    A events.CreateConnection {"Name":"p","AuthorizationType":"BASIC","AuthParameters":{"ApiKeyAuthParameters":{"ApiKeyName":"n","ApiKeyValue":"v"}}} => ValidationException
    A events.CreateConnection {"Name":"lower","AuthorizationType":"OAUTH_CLIENT_CREDENTIALS","AuthParameters":{"OAuthParameters":{"ClientParameters":{"ClientID":"i","ClientSecret":"s"},"AuthorizationEndpoint":"https://example.com/oauth","HttpMethod":"put"}}} => ok
    A events.DescribeConnection {"Name":"lower"} => ok{"AuthParameters":{"OAuthParameters":{"HttpMethod":"PUT"}}}
    A events.UpdateConnection {"Name":"lower","AuthParameters":{"OAuthParameters":{"HttpMethod":"get"}}} => ok
    A events.DescribeConnection {"Name":"lower"} => ok{"AuthParameters":{"OAuthParameters":{"HttpMethod":"GET"}}}
    A events.UpdateConnection {"Name":"lower","AuthParameters":{"OAuthParameters":{"HttpMethod":"patch"}}} => ValidationException
    A events.DescribeConnection {"Name":"none"} => ResourceNotFoundException: Failed to describe the connection(s). Connection 'none' does not exist.
    A events.UpdateConnection {"Name":"none"} => ResourceNotFoundException: Connection 'none' does not exist.
    A events.DeleteConnection {"Name":"none"} => ResourceNotFoundException: Connection 'none' does not exist.
    A events.CreateApiDestination {"Name":"d","ConnectionArn":"SLOW","InvocationEndpoint":"https://example.com/api","HttpMethod":"POST"} => ok{"ApiDestinationState":"INACTIVE"}
    A events.UpdateApiDestination {"Name":"d","ConnectionArn":"BASIC","HttpMethod":"PUT"} => ok{"ApiDestinationState":"ACTIVE"}
    A events.DescribeApiDestination {"Name":"d"} => ok{"HttpMethod":"PUT","InvocationRateLimitPerSecond":300,"ApiDestinationState":"ACTIVE"}
    A events.DeauthorizeConnection {"Name":"BASIC"} => ok{"ConnectionState":"DEAUTHORIZING"}
    A events.UpdateConnection {"Name":"BASIC","Description":"d"} => ok{"ConnectionState":"DEAUTHORIZED"}
    A events.DescribeConnection {"Name":"BASIC"} => ok{"ConnectionState":"DEAUTHORIZED","Description":"d","AuthParameters":{}}
    A events.ListApiDestinations {"ConnectionArn":"BASIC"} => ok{"ApiDestinations":[{"Name":"d","ApiDestinationState":"INACTIVE"}]}
    A events.UpdateConnection {"Name":"BASIC","AuthParameters":{"BasicAuthParameters":{"Username":"u","Password":"p"}}} => ok{"ConnectionState":"AUTHORIZED"}
    A events.DeleteApiDestination {"Name":"d"} => ok
    A events.DeleteApiDestination {"Name":"d"} => ResourceNotFoundException: An api-destination 'd' does not exist.
    A events.DescribeApiDestination {"Name":"d"} => ResourceNotFoundException: Failed to describe the api-destination(s). An api-destination 'd' does not exist.
    "#;
    let arn = |made: &serde_json::Value| made["ConnectionArn"].as_str().unwrap().to_owned();
    let script = script
        .replace(r#""SLOW""#, &format!(r#""{}""#, arn(&slow)))
        .replace(
            r#""ConnectionArn":"BASIC""#,
            &format!(r#""ConnectionArn":"{}""#, arn(&made)),
        );
    play(&local, &script).await;
    local.tell("clock", r#"{"advance_seconds":2}"#).await;
    play(&local, r#"    A events.ListConnections {"NamePrefix":"OAUTH"} => ok{"Connections":[{"ConnectionState":"AUTHORIZED"}]}"#).await;
    local.stop().await;
}

#[tokio::test]
async fn missing_resources_are_reported() {
    check(
        r#"
    A events.CreateEndpoint {"Name":"e","RoutingConfig":{},"EventBuses":[]} => UnknownOperationException
    A events.ListEndpoints {} => UnknownOperationException
    A events.PutEvents {"Entries":[{"Source":"s","DetailType":"t","Detail":"{}"}],"EndpointId":"abcde.veo"} => ValidationException
    A events.PutRule {"Name":"r","EventPattern":"{\"source\":[\"s\"]}","State":"ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"} => ok
    A events.DescribeRule {"Name":"r"} => ok{"State":"ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"}
    "#,
    )
    .await;
}
