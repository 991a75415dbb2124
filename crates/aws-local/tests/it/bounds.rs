//! What is kept is bounded, the oldest goes first, and what is listed has pages.

use aws_local::Config;
use serde_json::{Value, json};

use crate::client::{CUSTOMER, Local, REGION};

const C: &str = CUSTOMER;

impl Local {
    /// Makes a call that has to succeed.
    async fn must(&self, operation: &str, body: Value) -> Value {
        let (status, answer) = self.ask(C, operation, &body.to_string()).await;
        assert_eq!(status, 200, "{operation}: {answer}");
        answer
    }

    async fn log_group(&self, name: &str) {
        self.must("logs.CreateLogGroup", json!({ "logGroupName": name }))
            .await;
        let stream = json!({ "logGroupName": name, "logStreamName": "s" });
        self.must("logs.CreateLogStream", stream).await;
    }

    /// Puts an event of a kilobyte, numbered and so many milliseconds after the first.
    async fn log(&self, group: &str, now: i64, number: i64) {
        let message = format!("{number:04} {}", "x".repeat(1_000));
        let event = json!({ "timestamp": now + number, "message": message });
        let put = json!({ "logGroupName": group, "logStreamName": "s", "logEvents": [event] });
        self.must("logs.PutLogEvents", put).await;
    }

    /// The numbers of the events that a group has.
    async fn logged(&self, group: &str) -> Vec<i64> {
        let found = self
            .must("logs.FilterLogEvents", json!({ "logGroupName": group }))
            .await;
        let number = |event: &Value| event["message"].as_str().unwrap()[..4].parse().unwrap();
        found["events"].as_array().unwrap().iter().map(number).collect()
    }
}

#[tokio::test]
async fn log_events_beyond_the_limit_are_dropped_oldest_first_and_counted() {
    let limit = 100_000;
    let local = Local::start(Config {
        log_bytes_max: limit,
        ..Config::default()
    })
    .await;
    let now = local.look("clock").await["epoch_ms"].as_i64().unwrap();
    for group in ["a", "b"] {
        local.log_group(group).await;
    }
    for number in 0..200 {
        let group = if number % 2 == 0 { "a" } else { "b" };
        local.log(group, now, number).await;
    }
    let (a, b) = (local.logged("a").await, local.logged("b").await);
    let mut kept = [a, b].concat();
    kept.sort_unstable();
    let first = kept[0];
    assert_eq!(
        kept,
        (first..200).collect::<Vec<_>>(),
        "the newest are kept, whatever their group"
    );
    let logs = &local.look("metrics").await["logs"];
    assert_eq!(logs["dropped_events"], json!(first));
    let bytes = logs["bytes"].as_u64().unwrap();
    // It is looked at after a sixteenth of the limit.
    assert!((limit / 2..limit + limit / 15).contains(&bytes), "{bytes}");
    local.stop().await;
}

#[tokio::test]
async fn the_limit_holds_over_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let config = |log_bytes_max| Config {
        data_dir: Some(dir.path().to_owned()),
        log_bytes_max,
        ..Config::default()
    };
    let local = Local::start(config(1 << 20)).await;
    let now = local.look("clock").await["epoch_ms"].as_i64().unwrap();
    local.log_group("a").await;
    for number in 0..100 {
        local.log("a", now, number).await;
    }
    assert_eq!(local.logged("a").await.len(), 100);
    local.stop().await;
    let local = Local::start(config(50_000)).await;
    let kept = local.logged("a").await;
    assert!(!kept.is_empty() && kept.len() < 50, "{kept:?}");
    assert_eq!(kept.last(), Some(&99));
    local.stop().await;
}

/// The items of all pages under a path, and how many pages there are.
async fn pages(local: &Local, path: &str, items: &str) -> (Vec<Value>, usize) {
    let (mut all, mut count, mut token) = (Vec::new(), 0, None::<String>);
    loop {
        let query = token.map_or_else(String::new, |token| format!("?nextToken={token}"));
        let page = local.look(&format!("{path}{query}")).await;
        all.extend(page[items].as_array().unwrap().iter().cloned());
        count += 1;
        token = page["nextToken"].as_str().map(str::to_owned);
        if token.is_none() {
            return (all, count);
        }
    }
}

#[tokio::test]
async fn events_and_invocations_are_listed_in_pages() {
    let local = Local::start(Config::default()).await;
    let rule = json!({ "Name": "r", "EventPattern": r#"{"source":["s"]}"# });
    local.must("events.PutRule", rule).await;
    let arn = format!("arn:aws:lambda:{REGION}:{C}:function:f");
    let targets = json!({ "Rule": "r", "Targets": [{ "Id": "1", "Arn": arn }] });
    local.must("events.PutTargets", targets).await;
    let mut put = Vec::new();
    for number in 0..25 {
        let detail = json!({ "n": number, "long": "x".repeat(100_000) }).to_string();
        let entry = json!({ "Source": "s", "DetailType": "t", "Detail": detail });
        let other = json!({ "Source": "other", "DetailType": "t", "Detail": "{}" });
        let entries = [&[entry][..], &vec![other; 9]].concat();
        let answer = local
            .must("events.PutEvents", json!({ "Entries": entries }))
            .await;
        let ids = answer["Entries"].as_array().unwrap().iter();
        put.extend(ids.map(|entry| entry["EventId"].clone()));
    }
    let (events, count) = pages(&local, "events", "events").await;
    let listed: Vec<Value> = events.iter().rev().map(|event| event["id"].clone()).collect();
    assert_eq!((listed, count), (put, 3), "newest first, 100 a page");

    let (invocations, count) = pages(&local, "invocations", "invocations").await;
    let numbers: Vec<i64> = invocations
        .iter()
        .map(|seen| {
            let payload: Value = serde_json::from_str(seen["payload"].as_str().unwrap()).unwrap();
            payload["detail"]["n"].as_i64().unwrap()
        })
        .collect();
    assert_eq!(numbers, (0..25).collect::<Vec<_>>());
    assert_eq!(count, 3, "a page has a megabyte of payloads");
    for path in ["events", "invocations", "events/x"] {
        let url = format!("{}/_local/{path}?nextToken=other", local.url);
        assert_eq!(local.http.get(url).send().await.unwrap().status(), 400, "{path}");
    }
    local.stop().await;
}

#[tokio::test]
async fn a_story_of_many_rules_has_pages() {
    let local = Local::start(Config::default()).await;
    for number in 0..300 {
        let pattern = json!({ "source": ["s"], "detail": { "n": [number] } }).to_string();
        let rule = json!({ "Name": format!("r{number:03}"), "EventPattern": pattern });
        local.must("events.PutRule", rule).await;
    }
    let detail = json!({ "n": 7, "long": "x".repeat(200_000) }).to_string();
    let entry = json!({ "Source": "s", "DetailType": "t", "Detail": detail });
    let answer = local
        .must("events.PutEvents", json!({ "Entries": [entry] }))
        .await;
    let id = answer["Entries"][0]["EventId"].as_str().unwrap();
    let (buses, count) = pages(&local, &format!("events/{id}"), "buses").await;
    let rules: Vec<&Value> = buses
        .iter()
        .flat_map(|bus| bus["rules"].as_array().unwrap())
        .collect();
    let names: Vec<String> = rules
        .iter()
        .map(|rule| rule["rule"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        names,
        (0..300).map(|number| format!("r{number:03}")).collect::<Vec<_>>()
    );
    let matched: Vec<&str> = rules
        .iter()
        .filter(|rule| rule["matched"] == true)
        .map(|rule| rule["rule"].as_str().unwrap())
        .collect();
    assert_eq!(matched, ["r007"]);
    assert!(count > 1, "each rule that missed reads the event");
    assert_eq!(rules[0]["missed"][0]["path"], "detail.n");
    local.stop().await;
}

/// AWS answers every quota of the events service so.
#[tokio::test]
async fn a_bus_takes_no_more_patterns_than_its_bytes() {
    let local = Local::start(Config::default()).await;
    let (mut taken, mut refused) = (0, 0);
    for number in 0..30 {
        // Beside what ignores case, each character of a wildcard is a state.
        let long: String = (1_000..1_950).map(|n| n.to_string()).collect();
        let pattern =
            json!({ "a": [{ "wildcard": format!("*q{number}{long}") }, { "equals-ignore-case": "A" }] });
        let rule = json!({ "Name": format!("r{number}"), "EventPattern": pattern.to_string() });
        let (status, answer) = local.ask(C, "events.PutRule", &rule.to_string()).await;
        if status == 200 {
            assert_eq!(refused, 0, "the bus is full");
            taken += 1;
        } else {
            assert_eq!(answer["__type"], "LimitExceededException", "{answer}");
            assert_eq!(
                answer["message"],
                "The requested resource exceeds the maximum number allowed."
            );
            refused += 1;
        }
    }
    assert!(taken > 0 && refused > 0, "{taken} taken, {refused} refused");
    // What is there still works, a small rule is taken, and so is a smaller pattern for a large one.
    let small = json!({ "Name": "r0", "EventPattern": r#"{"source":["s"]}"# });
    local.must("events.PutRule", small).await;
    local.stop().await;
}
