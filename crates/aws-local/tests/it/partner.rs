//! The partner's way, from a new source to an event in the customer's log group.

use aws_local::Config;
use aws_sdk_eventbridge::types::{EventSourceState, PutPartnerEventsRequestEntry, Target};

use crate::client::{CUSTOMER, Local, PARTNER, REGION};

const SOURCE: &str = "aws.partner/scalr.com/acme/prod";
const GROUP: &str = "/aws/events/scalr/RunExecuted";

async fn put_one(local: &Local) -> String {
    let entry = PutPartnerEventsRequestEntry::builder()
        .source(SOURCE)
        .detail_type("RunExecuted")
        .detail(r#"{"event": {"run-id": "run-1", "duration": 137000000000.0}}"#)
        .build();
    let put = local
        .events(PARTNER)
        .put_partner_events()
        .entries(entry)
        .send()
        .await
        .unwrap();
    assert_eq!(put.failed_entry_count(), 0);
    put.entries()[0].event_id().unwrap().to_owned()
}

async fn state(local: &Local) -> EventSourceState {
    local
        .events(CUSTOMER)
        .describe_event_source()
        .name(SOURCE)
        .send()
        .await
        .unwrap()
        .state()
        .unwrap()
        .clone()
}

async fn wire_up(local: &Local) {
    let customer = local.events(CUSTOMER);
    customer
        .create_event_bus()
        .name(SOURCE)
        .event_source_name(SOURCE)
        .send()
        .await
        .unwrap();
    let pattern = r#"{"source":[{"prefix":"aws.partner/scalr.com"}],"detail-type":["RunExecuted"]}"#;
    customer
        .put_rule()
        .name("runs")
        .event_bus_name(SOURCE)
        .event_pattern(pattern)
        .send()
        .await
        .unwrap();
    local
        .logs(CUSTOMER)
        .create_log_group()
        .log_group_name(GROUP)
        .send()
        .await
        .unwrap();
    let target = Target::builder()
        .id("logs")
        .arn(format!("arn:aws:logs:{REGION}:{CUSTOMER}:log-group:{GROUP}"))
        .build()
        .unwrap();
    let put = customer
        .put_targets()
        .rule("runs")
        .event_bus_name(SOURCE)
        .targets(target)
        .send()
        .await
        .unwrap();
    assert_eq!(put.failed_entry_count(), 0);
}

async fn allow_logs(local: &Local) {
    let arn = format!("arn:aws:logs:{REGION}:{CUSTOMER}:log-group:{GROUP}");
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":["events.amazonaws.com","delivery.logs.amazonaws.com"]}},"Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":"{arn}:*"}}]}}"#
    );
    local
        .logs(CUSTOMER)
        .put_resource_policy()
        .resource_arn(arn)
        .policy_document(policy)
        .send()
        .await
        .unwrap();
}

async fn messages(local: &Local) -> Vec<String> {
    let found = local
        .logs(CUSTOMER)
        .filter_log_events()
        .log_group_name(GROUP)
        .send()
        .await
        .unwrap();
    found
        .events()
        .iter()
        .map(|event| event.message().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn events_arrive_only_where_everything_is_in_place() {
    let local = Local::start(Config::default()).await;
    local
        .events(PARTNER)
        .create_partner_event_source()
        .name(SOURCE)
        .account(CUSTOMER)
        .send()
        .await
        .unwrap();
    assert_eq!(state(&local).await, EventSourceState::Pending);
    put_one(&local).await;
    wire_up(&local).await;
    assert_eq!(state(&local).await, EventSourceState::Active);
    let seen = local
        .events(PARTNER)
        .list_partner_event_source_accounts()
        .event_source_name(SOURCE)
        .send()
        .await
        .unwrap();
    assert_eq!(
        seen.partner_event_source_accounts()[0].state(),
        Some(&EventSourceState::Active)
    );

    put_one(&local).await;
    assert!(
        messages(&local).await.is_empty(),
        "a log group without a policy receives nothing"
    );
    allow_logs(&local).await;
    let id = put_one(&local).await;
    let messages = messages(&local).await;
    assert_eq!(messages.len(), 1);
    let event: serde_json::Value = serde_json::from_str(&messages[0]).unwrap();
    assert_eq!(event["id"], serde_json::json!(id));
    assert_eq!(
        (&event["account"], &event["version"]),
        (&serde_json::json!(CUSTOMER), &serde_json::json!("0"))
    );
    assert!(messages[0].ends_with(r#""detail":{"event":{"run-id":"run-1","duration":137000000000.0}}}"#));
    local.stop().await;
}

#[tokio::test]
async fn the_wrong_account_sees_nothing() {
    let local = Local::start(Config::default()).await;
    local
        .events(PARTNER)
        .create_partner_event_source()
        .name(SOURCE)
        .account(CUSTOMER)
        .send()
        .await
        .unwrap();
    let other = local.events("333333333333");
    assert!(
        other
            .list_event_sources()
            .send()
            .await
            .unwrap()
            .event_sources()
            .is_empty()
    );
    let refused = other
        .create_event_bus()
        .name(SOURCE)
        .event_source_name(SOURCE)
        .send()
        .await
        .unwrap_err();
    assert!(refused.into_service_error().is_resource_not_found_exception());
    local.stop().await;
}

/// The whole life of a source; `P` is its partner, `C` its customer, `O` somebody else.
const LIFE: &str = r#"
    P events.PutPartnerEvents PUT => ok{"FailedEntryCount":1,"Entries":[{"ErrorCode":"NotAuthorizedForSourceException"}]}
    P events.DescribePartnerEventSource NAME => ResourceNotFoundException
    P events.CreatePartnerEventSource MADE => ok{"EventSourceArn":"arn:aws:events:eu-west-1::event-source/SOURCE"}
    P events.CreatePartnerEventSource MADE => ResourceAlreadyExistsException
    O events.CreatePartnerEventSource MADE => ResourceAlreadyExistsException
    C events.DescribeEventSource NAME => ok{"State":"PENDING","CreatedBy":"aws.partner/scalr.com"}
    O events.DescribeEventSource NAME => ResourceNotFoundException
    O events.PutPartnerEvents PUT => ok{"Entries":[{"ErrorCode":"NotAuthorizedForSourceException"}]}
    C events.ActivateEventSource NAME => ResourceNotFoundException: Event source SOURCE or event bus SOURCE does not exist.
    C events.DeactivateEventSource NAME => InvalidStateException
    C events.CreateEventBus NAME => ValidationException
    C events.CreateEventBus {"Name":"other","EventSourceName":"SOURCE"} => ValidationException
    O events.CreateEventBus BUS => ResourceNotFoundException
    C events.CreateEventBus BUS => ok
    C events.CreateEventBus BUS => ResourceAlreadyExistsException
    C events.ActivateEventSource NAME => InvalidStateException
    P events.ListPartnerEventSourceAccounts OF => ok{"PartnerEventSourceAccounts":[{"State":"ACTIVE"}]}
    C events.DeactivateEventSource NAME => ok
    C events.DeactivateEventSource NAME => InvalidStateException
    P events.ListPartnerEventSourceAccounts OF => ok{"PartnerEventSourceAccounts":[{"State":"PENDING"}]}
    P events.PutPartnerEvents PUT => ok{"FailedEntryCount":0}
    C events.ActivateEventSource NAME => ok
    C events.PutRule {"Name":"r","EventBusName":"SOURCE","EventPattern":"{\"source\":[\"x\"]}"} => ok
    C events.PutRule {"Name":"s","EventBusName":"SOURCE","ScheduleExpression":"rate(1 minute)"} => ValidationException: ScheduleExpression is supported only on the default event bus.
    C events.PutRule {"Name":"s","EventBusName":"SOURCE","EventPattern":"{\"a\":[1]}","State":"ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"} => ValidationException
    C events.PutPermission {"EventBusName":"SOURCE","Action":"events:PutEvents","Principal":"333333333333","StatementId":"s"} => ValidationException
    C events.PutEvents {"Entries":[{"Source":"s","DetailType":"t","Detail":"{}","EventBusName":"SOURCE"}]} => ValidationException
    C events.DeleteEventBus NAME => ValidationException: EventBus can't be deleted since it has rules.
    P events.DeletePartnerEventSource MADE => ok
    P events.DeletePartnerEventSource MADE => ok
    C events.DescribeEventSource NAME => ok{"State":"DELETED"}
    P events.ListPartnerEventSourceAccounts OF => ok{"PartnerEventSourceAccounts":[{"State":"DELETED"}]}
    P events.DescribePartnerEventSource NAME => ResourceNotFoundException
    P events.PutPartnerEvents PUT => ok{"Entries":[{"ErrorCode":"NotAuthorizedForSourceException"}]}
    C events.ActivateEventSource NAME => InvalidStateException
    C events.ListRules {"EventBusName":"SOURCE"} => ok{"Rules":[{"Name":"r"}]}
    P events.CreatePartnerEventSource MADE => ok
    C events.DescribeEventSource NAME => ok{"State":"PENDING"}
    C events.CreateEventBus BUS => ok
    C events.DescribeEventSource NAME => ok{"State":"ACTIVE"}
    C events.ListRules {"EventBusName":"SOURCE"} => ok{"Rules":[{"Name":"r"}]}
    C events.DeleteRule {"Name":"r","EventBusName":"SOURCE"} => ok
    C events.DeleteEventBus NAME => ok
    C events.DescribeEventSource NAME => ok{"State":"PENDING"}
"#;

#[tokio::test]
async fn the_life_of_a_source() {
    let local = Local::start(Config::default()).await;
    let fill = |script: &str| {
        script
            .replace(
                " PUT ",
                r#" {"Entries":[{"Source":"SOURCE","DetailType":"T","Detail":"{}"}]} "#,
            )
            .replace(
                " MADE ",
                &format!(r#" {{"Name":"SOURCE","Account":"{CUSTOMER}"}} "#),
            )
            .replace(" BUS ", r#" {"Name":"SOURCE","EventSourceName":"SOURCE"} "#)
            .replace(" NAME ", r#" {"Name":"SOURCE"} "#)
            .replace(" OF ", r#" {"EventSourceName":"SOURCE"} "#)
            .replace("SOURCE", SOURCE)
            .replace("    P ", &format!("{PARTNER} "))
            .replace("    C ", &format!("{CUSTOMER} "))
            .replace("    O ", "333333333333 ")
    };
    local.play(&fill(LIFE)).await;
    local.tell("clock", r#"{"advance_seconds":1209601}"#).await;
    local
        .play(&fill(
            "    C events.DescribeEventSource NAME => ResourceNotFoundException",
        ))
        .await;
    local.stop().await;
}
