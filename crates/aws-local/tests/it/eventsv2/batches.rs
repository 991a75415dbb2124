//! Batches of subscribers: when one is closed, what a target gets of it, and what becomes of it where a part fails.

use aws_local::{Assumptions, Config};
use aws_sdk_eventbridgev2::types::builders::InvokeConfigurationBuilder;
use aws_sdk_eventbridgev2::types::{
    InvokeConfiguration, OnFailureConfiguration, OrderingType, RetryPolicy, SqsParameters,
    UniversalTargetParameters,
};
use serde_json::{Value, json};

use super::{Bus, QUEUE, ROLE, batch, bus, bus_on, delete_queue, make_queue, numbers, received};
use crate::client::{CUSTOMER, Local};
use crate::sqs;

const FUNCTION: &str = "arn:aws:lambda:eu-west-1:222222222222:function:f";
const LOGS: &str = "arn:aws:events:::aws-sdk:cloudwatchlogs:putLogEvents";

fn invoke(target: &str) -> InvokeConfigurationBuilder {
    InvokeConfiguration::builder().target_arn(target).role_arn(ROLE)
}

/// A subscriber with a batch configuration, if one is given; the message of the refusal where there is one.
async fn subscribe(
    bus: &Bus,
    invoke: InvokeConfigurationBuilder,
    kind: OrderingType,
    batching: Option<(i32, i32)>,
) -> Result<String, String> {
    let create = bus.client.create_subscriber().name("s").event_bus_arn(&bus.arn);
    let create = create.invoke_configuration(invoke.build().unwrap()).r#type(kind);
    let create = create.set_batch_configuration(batching.map(|(size, window)| batch(size, window)));
    match create.send().await {
        Ok(made) => Ok(made.subscriber_arn.unwrap()),
        Err(refused) => Err(format!("{:?}", refused.into_service_error())),
    }
}

/// The numbers in the arrays that a function got.
async fn arrays(bus: &Bus) -> Vec<Vec<i64>> {
    let all = bus.invocations().await;
    all.iter()
        .map(|array| numbers(array.as_array().unwrap()))
        .collect()
}

#[tokio::test]
async fn a_batch_is_closed_by_its_size_or_by_its_window() {
    let bus = bus().await;
    subscribe(&bus, invoke(FUNCTION), OrderingType::Unordered, Some((3, 10)))
        .await
        .unwrap();
    for n in 1..=4 {
        bus.put(&json!({ "n": n }).to_string(), "g").await;
    }
    assert_eq!(arrays(&bus).await, [[1, 2, 3]]);
    bus.pass(9).await;
    assert_eq!(arrays(&bus).await.len(), 1);
    bus.pass(1).await;
    assert_eq!(arrays(&bus).await, [vec![1, 2, 3], vec![4]]);
    bus.local.stop().await;
}

#[tokio::test]
async fn without_a_window_a_batch_is_what_came_together() {
    let bus = bus().await;
    subscribe(&bus, invoke(FUNCTION), OrderingType::Unordered, None)
        .await
        .unwrap();
    let entries: Vec<String> = (1..=12).map(|n| json!({ "n": n }).to_string()).collect();
    let entries: Vec<(&str, &str)> = entries.iter().map(|detail| (detail.as_str(), "g")).collect();
    bus.put_all(&entries).await;
    bus.put(r#"{"n":13}"#, "g").await;
    let expected: [Vec<i64>; 3] = [(1..=10).collect(), vec![11, 12], vec![13]];
    assert_eq!(arrays(&bus).await, expected);
    bus.local.stop().await;
}

#[tokio::test]
async fn a_function_whose_batches_are_one_event_gets_an_array_or_what_is_assumed() {
    for (assumed, is_array) in [("array", true), ("object", false)] {
        let mut assumptions = Assumptions::default();
        assumptions
            .set(&format!("lambda-batch-of-one={assumed}"))
            .unwrap();
        let config = Config {
            assumptions,
            ..Config::default()
        };
        let bus = bus_on(Local::start(config).await).await;
        subscribe(&bus, invoke(FUNCTION), OrderingType::Unordered, Some((1, 0)))
            .await
            .unwrap();
        bus.put("{}", "g").await;
        assert_eq!(bus.invocations().await[0].is_array(), is_array, "{assumed}");
        bus.local.stop().await;
    }
}

#[tokio::test]
async fn a_universal_target_gets_the_whole_batch() {
    let bus = bus().await;
    let logs = bus.local.logs(CUSTOMER);
    logs.create_log_group().log_group_name("g").send().await.unwrap();
    let stream = logs.create_log_stream().log_group_name("g").log_stream_name("s");
    stream.send().await.unwrap();
    let events = "{% [$events.{ 'Timestamp': $millis(), 'Message': $string(Data.detail.n) & ' of ' & $count($events) }] %}";
    let input = json!({ "LogGroupName": "g", "LogStreamName": "s", "LogEvents": events }).to_string();
    let input = UniversalTargetParameters::builder().input(input).build().unwrap();
    let logs_target = || invoke(LOGS).universal_target_parameters(input.clone());
    let refused = subscribe(&bus, logs_target(), OrderingType::Unordered, None).await;
    assert!(
        refused
            .unwrap_err()
            .contains("is required when TargetArn is a USI target")
    );
    subscribe(&bus, logs_target(), OrderingType::Unordered, Some((2, 0)))
        .await
        .unwrap();
    let put = bus
        .put_all(&[(r#"{"n":1}"#, "a"), (r#"{"n":2}"#, "b"), (r#"{"n":3}"#, "c")])
        .await;
    for (id, _) in &put {
        bus.tried(id, 1).await;
    }
    let found = logs
        .get_log_events()
        .log_group_name("g")
        .log_stream_name("s")
        .send();
    let found = found.await.unwrap();
    let messages: Vec<_> = found
        .events()
        .iter()
        .map(|event| event.message().unwrap_or_default())
        .collect();
    // Batches are evaluated at the same time.
    let mut messages = messages;
    messages.sort_unstable();
    assert_eq!(messages, ["1 of 2", "2 of 2", "3 of 1"]);
    bus.local.stop().await;
}

/// A subscriber of a universal target with this input, for batches of one.
async fn subscribe_universal(bus: &Bus, api: &str, input: &Value) -> Result<String, String> {
    let input = UniversalTargetParameters::builder().input(input.to_string());
    let target = invoke(&format!("arn:aws:events:::aws-sdk:{api}"))
        .universal_target_parameters(input.build().unwrap());
    subscribe(bus, target, OrderingType::Unordered, Some((1, 0))).await
}

#[tokio::test]
async fn a_universal_target_sends_a_message_to_a_queue() {
    let bus = bus().await;
    let input = json!({
        "QueueUrl": format!("{}/{CUSTOMER}/q", bus.local.url),
        "MessageBody": "{% 'run ' & $events[0].Data.detail.n %}",
        "MessageAttributes": { "n": { "DataType": "Number", "StringValue": "{% $string($events[0].Data.detail.n) %}" } },
    });
    subscribe_universal(&bus, "sqs:sendMessage", &input)
        .await
        .unwrap();
    let (id, _) = bus.put(r#"{"n":7}"#, "g").await;
    assert_eq!(bus.tried(&id, 1).await["outcome"], "delivered");
    let messages = sqs::receive(&bus.local, "q").await;
    assert_eq!(messages[0]["Body"], "run 7", "{messages:?}");
    assert!(bus.invocations().await.is_empty());
    bus.local.stop().await;
}

/// What is missing is named, and looking for it makes nothing.
#[tokio::test]
async fn a_universal_call_that_cannot_be_made_fails() {
    let missing = format!("arn:aws:sns:eu-west-1:{CUSTOMER}:none");
    for (api, input, code, why) in [
        (
            "sqs:sendMessage",
            json!({ "QueueUrl": "http://h/999999999999/x", "MessageBody": "b" }),
            "RESOURCE_NOT_FOUND",
            "queue x does not exist",
        ),
        (
            "sqs:sendMessage",
            json!({ "MessageBody": "b" }),
            "CUSTOMER_VALIDATION",
            "QueueUrl is missing",
        ),
        (
            "sns:publish",
            json!({ "TopicArn": missing, "Message": "m" }),
            "RESOURCE_NOT_FOUND",
            "topic none does not exist",
        ),
    ] {
        let bus = bus().await;
        subscribe_universal(&bus, api, &input).await.unwrap();
        let (id, _) = bus.put("{}", "g").await;
        let attempt = &bus.tried(&id, 1).await["attempts"][0];
        assert_eq!(attempt["error_code"], code, "{attempt}");
        assert!(
            attempt["error_message"].as_str().unwrap().contains(why),
            "{attempt}"
        );
        bus.local.stop().await;
    }
}

/// An expression that calls itself without end fails its delivery, and nothing else.
#[tokio::test]
async fn an_expression_without_end_fails_its_delivery() {
    let bus = bus().await;
    let endless = "{% ($f := function($n) { 1 + $f($n + 1) }; $f(0)) %}";
    let input = json!({ "QueueUrl": endless, "MessageBody": "b" });
    subscribe_universal(&bus, "sqs:sendMessage", &input)
        .await
        .unwrap();
    let (id, _) = bus.put("{}", "g").await;
    let delivery = bus.tried(&id, 1).await;
    let code = &delivery["attempts"][0]["error_code"];
    assert_eq!(*code, "INPUT_TRANSFORMATION_FAILURE", "{delivery}");
    bus.local.stop().await;
}

#[tokio::test]
async fn batch_sizes_are_those_of_the_target() {
    let topic = format!("arn:aws:sns:eu-west-1:{CUSTOMER}:t");
    for (target, given, expected) in [
        (QUEUE, None, Ok((10, 0))),
        (QUEUE, Some((3, 20)), Ok((3, 20))),
        (QUEUE, Some((11, 0)), Err("must not be greater than 10")),
        (&topic, Some((500, 0)), Err("must not be greater than 10")),
        (FUNCTION, Some((100, 0)), Ok((100, 0))),
        (FUNCTION, Some((101, 0)), Err("must not be greater than 100")),
    ] {
        let bus = bus().await;
        match subscribe(&bus, invoke(target), OrderingType::Unordered, given).await {
            Ok(arn) => {
                let described = bus.client.describe_subscriber().subscriber_arn(arn);
                let described = described.send().await.unwrap().batch_configuration.unwrap();
                let size = described.max_batch_size.unwrap();
                let window = described.max_batch_window_in_seconds.unwrap();
                assert_eq!(Ok((size, window)), expected, "{target} {given:?}");
            }
            Err(refused) => assert!(refused.contains(expected.unwrap_err()), "{target} {refused}"),
        }
        bus.local.stop().await;
    }
}

/// A queue judges each message of a batch: only what it refuses is tried again, and recorded.
#[tokio::test]
async fn only_the_events_that_failed_are_tried_again() {
    let bus = bus().await;
    make_queue(&bus.local, "dead").await;
    let delay = SqsParameters::builder().delay_seconds("{% $events.Data.detail.delay %}");
    let arn = subscribe(
        &bus,
        invoke(QUEUE).sqs_parameters(delay.build()),
        OrderingType::Unordered,
        None,
    );
    let update = bus.client.update_subscriber().subscriber_arn(arn.await.unwrap());
    let dead = OnFailureConfiguration::builder().arn(sqs::arn("dead")).build();
    let retry = RetryPolicy::builder().max_retry_attempts(1).build();
    update
        .on_failure_configuration(dead)
        .retry_policy(retry)
        .send()
        .await
        .unwrap();
    let entries = [
        (r#"{"n":1,"delay":0}"#, "g"),
        (r#"{"n":2,"delay":901}"#, "g"),
        (r#"{"n":3,"delay":0}"#, "g"),
    ];
    let put = bus.put_all(&entries).await;
    for id in [&put[0].0, &put[1].0, &put[2].0] {
        bus.tried(id, 1).await;
    }
    assert_eq!(numbers(&bus.messages().await), [1, 3]);
    bus.pass(2).await;
    bus.tried(&put[1].0, 2).await;
    let records = received(&bus.local, "dead").await;
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(records[0]["failedMessages"][0]["eventId"], json!(put[1].0));
    assert_eq!(records[0]["failedMessages"].as_array().unwrap().len(), 1);
    assert!(bus.messages().await.is_empty());
    bus.local.stop().await;
}

/// First in, first out: a batch that fails holds up the groups in it, and what is behind it comes in order.
#[tokio::test]
async fn a_failed_batch_holds_up_its_groups_alone() {
    let bus = bus().await;
    subscribe(&bus, invoke(QUEUE), OrderingType::Fifo, None)
        .await
        .unwrap();
    delete_queue(&bus.local, "q").await;
    bus.put_all(&[(r#"{"n":1}"#, "a"), (r#"{"n":2}"#, "b")]).await;
    make_queue(&bus.local, "q").await;
    let after: Vec<(String, &str)> = [(3, "a"), (4, "c"), (5, "b"), (6, "a")]
        .map(|(n, group)| (json!({ "n": n }).to_string(), group))
        .into();
    let after: Vec<(&str, &str)> = after
        .iter()
        .map(|(detail, group)| (detail.as_str(), *group))
        .collect();
    bus.put_all(&after).await;
    assert_eq!(numbers(&bus.messages().await), [4]);
    bus.pass(1).await;
    let mut rest: Vec<Value> = bus.messages().await;
    rest.retain(|event| event["detail"]["n"] != 4);
    let of = |numbers: &[i64], wanted: &[i64]| -> Vec<i64> {
        numbers.iter().copied().filter(|n| wanted.contains(n)).collect()
    };
    let rest = numbers(&rest);
    assert_eq!(of(&rest, &[1, 3, 6]), [1, 3, 6], "{rest:?}");
    assert_eq!(of(&rest, &[2, 5]), [2, 5], "{rest:?}");
    bus.local.stop().await;
}
