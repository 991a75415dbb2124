//! API destinations, and targets that the operator gave a URL for, as targets of subscribers.

use std::collections::HashMap;

use aws_local::{Config, UnknownRoles};
use aws_sdk_eventbridgev2::types::{
    HttpParameters, InvokeConfiguration, JsonataConfiguration, OnFailureConfiguration, RetryPolicy,
    Transformer, TransformerType,
};
use serde_json::{Value, json};

use super::{Bus, ROLE, batch, bus, bus_on, make_queue, numbers, received};
use crate::client::{CUSTOMER, Local};
use crate::outside::endpoint;
use crate::sqs;

/// An API destination with a connection, and its ARN.
async fn destination(bus: &Bus, url: &str) -> String {
    let auth = json!({ "BasicAuthParameters": { "Username": "u", "Password": "p" } });
    let connection = json!({ "Name": "c", "AuthorizationType": "BASIC", "AuthParameters": auth }).to_string();
    let (_, made) = bus
        .local
        .ask(CUSTOMER, "events.CreateConnection", &connection)
        .await;
    let wanted = json!({
        "Name": "d",
        "ConnectionArn": made["ConnectionArn"],
        "InvocationEndpoint": format!("{url}/hook/*"),
        "HttpMethod": "POST",
    });
    let wanted = wanted.to_string();
    let (_, made) = bus
        .local
        .ask(CUSTOMER, "events.CreateApiDestination", &wanted)
        .await;
    made["ApiDestinationArn"].as_str().unwrap().to_owned()
}

/// A subscriber of a target over HTTP, with a dead-letter queue `dead` and so many retries; its ARN.
async fn subscribe(bus: &Bus, target: &str, size: Option<i32>, path: &str, retries: i32) -> String {
    make_queue(&bus.local, "dead").await;
    let query = HashMap::from([("q".to_owned(), "$.detail".to_owned())]);
    let parameters = HttpParameters::builder()
        .path_parameter_values(path)
        .set_query_string_parameters(Some(query));
    let invoke = InvokeConfiguration::builder().target_arn(target).role_arn(ROLE);
    let invoke = if target.contains("api-destination") {
        invoke.http_parameters(parameters.build())
    } else {
        invoke
    };
    let dead = OnFailureConfiguration::builder().arn(sqs::arn("dead")).build();
    let retry = RetryPolicy::builder().max_retry_attempts(retries).build();
    let create = bus.client.create_subscriber().name("s").event_bus_arn(&bus.arn);
    let create = create
        .invoke_configuration(invoke.build().unwrap())
        .retry_policy(retry);
    let create = create
        .on_failure_configuration(dead)
        .set_batch_configuration(size.map(|size| batch(size, 0)));
    create.send().await.unwrap().subscriber_arn.unwrap()
}

#[tokio::test]
async fn a_destination_gets_an_array_unless_a_batch_is_one_event() {
    // A value that looks like a path is one: only `{% … %}` is read.
    for (size, path, is_array, expected) in [
        (None, "a b", true, "/hook/a%20b?q=%24.detail"),
        (Some(5), "a b", true, "/hook/a%20b?q=%24.detail"),
        (Some(1), "a b", false, "/hook/a%20b?q=%24.detail"),
        (
            Some(5),
            "{% $events.Data.detail.n %}",
            true,
            "/hook/1?q=%24.detail",
        ),
    ] {
        let (url, mut told) = endpoint(vec![]).await;
        let bus = bus().await;
        let target = destination(&bus, &url).await;
        subscribe(&bus, &target, size, path, 0).await;
        let (id, _) = bus.put(r#"{"n":1}"#, "g").await;
        let (to, auth, body) = told.recv().await.unwrap();
        assert_eq!((to.as_str(), auth.as_str()), (expected, "Basic dTpw"), "{size:?}");
        let body: Value = serde_json::from_str(&body).unwrap();
        let event = if is_array { &body[0] } else { &body };
        assert_eq!(event["detail"], json!({ "n": 1 }), "{size:?} {body}");
        assert_eq!(bus.tried(&id, 1).await["outcome"], "delivered", "{size:?}");
        bus.local.stop().await;
    }
}

#[tokio::test]
async fn a_failed_request_is_tried_again_with_all_its_events_and_recorded_once() {
    let (url, mut told) = endpoint(vec![503, 400, 200]).await;
    let bus = bus().await;
    let target = destination(&bus, &url).await;
    let arn = subscribe(&bus, &target, None, "p", 1).await;
    let put = bus.put_all(&[(r#"{"n":1}"#, "a"), (r#"{"n":2}"#, "b")]).await;
    bus.tried(&put[0].0, 1).await;
    bus.pass(1).await;
    let delivery = bus.tried(&put[1].0, 2).await;
    for _ in 0..2 {
        let (_, _, body) = told.recv().await.unwrap();
        let body: Vec<Value> = serde_json::from_str(&body).unwrap();
        assert_eq!(numbers(&body), [1, 2]);
    }
    let codes = delivery["attempts"].as_array().unwrap().iter();
    let codes: Vec<_> = codes
        .map(|attempt| attempt["error_code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["COMPUTE_EXECUTION_ERROR", "CUSTOMER_VALIDATION"]);
    let records = received(&bus.local, "dead").await;
    assert_eq!(records.len(), 1, "{records:?}");
    let record = &records[0];
    assert_eq!(
        [
            &record["subscriberArn"],
            &record["errorCode"],
            &record["retryAttempts"]
        ],
        [&json!(arn), &json!("CUSTOMER_VALIDATION"), &json!(1)]
    );
    let failed = record["failedMessages"].as_array().unwrap().iter();
    let failed: Vec<_> = failed.map(|message| message["eventId"].clone()).collect();
    assert_eq!(failed, [json!(put[0].0), json!(put[1].0)]);
    bus.local.stop().await;
}

/// A role that does not exist allows nothing if the operator says so, and then nothing is sent.
#[tokio::test]
async fn the_role_is_checked_before_a_request() {
    let (url, mut told) = endpoint(vec![]).await;
    let config = Config {
        unknown_roles: UnknownRoles::Deny,
        ..Config::default()
    };
    let bus = bus_on(Local::start(config).await).await;
    let target = destination(&bus, &url).await;
    subscribe(&bus, &target, None, "p", 0).await;
    let (id, _) = bus.put("{}", "g").await;
    let delivery = bus.tried(&id, 1).await;
    assert_eq!(
        delivery["attempts"][0]["error_code"], "ACCESS_DENIED",
        "{delivery}"
    );
    assert!(told.try_recv().is_err());
    bus.local.stop().await;
}

/// What is made of one event fails by itself; the others of its batch are sent.
#[tokio::test]
async fn an_expression_that_fails_does_not_hold_up_the_rest_of_its_batch() {
    let (url, mut told) = endpoint(vec![]).await;
    let bus = bus().await;
    let target = destination(&bus, &url).await;
    let arn = subscribe(&bus, &target, None, "p", 0).await;
    let expression = JsonataConfiguration::builder().expression("{% $events.Data.detail.x %}");
    let transformer = Transformer::builder()
        .r#type(TransformerType::Jsonata)
        .jsonata_configuration(expression.build().unwrap());
    let update = bus.client.update_subscriber().subscriber_arn(&arn);
    update.transformer(transformer.build()).send().await.unwrap();
    let entries = [(r#"{"x":"1"}"#, "g"), (r#"{"y":2}"#, "g"), (r#"{"x":3}"#, "g")];
    let put = bus.put_all(&entries).await;
    let (_, _, body) = told.recv().await.unwrap();
    assert_eq!(body, r#"["1",3]"#);
    let failed = bus.tried(&put[1].0, 1).await;
    assert_eq!(
        failed["attempts"][0]["error_code"],
        "INPUT_TRANSFORMATION_FAILURE"
    );
    let records = received(&bus.local, "dead").await;
    assert_eq!(
        records[0]["failedMessages"].as_array().unwrap().len(),
        1,
        "{records:?}"
    );
    bus.local.stop().await;
}

/// A URL stands in the place of a topic, not in that of the role.
#[tokio::test]
async fn the_role_is_checked_before_a_request_to_the_url_of_a_topic() {
    for (unknown_roles, code) in [
        (UnknownRoles::Deny, Some("ACCESS_DENIED")),
        (UnknownRoles::Allow, None),
    ] {
        let (url, mut told) = endpoint(vec![]).await;
        let topic = format!("arn:aws:sns:eu-west-1:{CUSTOMER}:t");
        let config = Config {
            unknown_roles,
            targets: vec![(topic.clone(), url)],
            ..Config::default()
        };
        let bus = bus_on(Local::start(config).await).await;
        subscribe(&bus, &topic, None, "", 0).await;
        let (id, _) = bus.put("{}", "g").await;
        let delivery = bus.tried(&id, 1).await;
        assert_eq!(delivery["attempts"][0]["error_code"].as_str(), code, "{delivery}");
        assert_eq!(told.try_recv().is_ok(), code.is_none());
        bus.local.stop().await;
    }
}

#[tokio::test]
async fn a_target_with_a_url_of_the_operators_is_called_there() {
    let (url, mut told) = endpoint(vec![]).await;
    let function = format!("arn:aws:lambda:eu-west-1:{CUSTOMER}:function:f");
    let config = Config {
        targets: vec![(function.clone(), format!("{url}/f"))],
        ..Config::default()
    };
    let bus = bus_on(Local::start(config).await).await;
    subscribe(&bus, &function, Some(1), "", 0).await;
    bus.put(r#"{"n":7}"#, "g").await;
    let (to, _, body) = told.recv().await.unwrap();
    assert_eq!(to, "/f");
    // A function gets an array even of one.
    assert_eq!(numbers(&serde_json::from_str::<Vec<Value>>(&body).unwrap()), [7]);
    bus.local.stop().await;
}
