//! TestEventPattern: what counts as an event, and what AWS says of a pattern that it refuses.

use aws_local::Config;
use serde_json::json;

use crate::client::{CUSTOMER, Local};

const EVENT: &str = r#""id":"7","source":"shop","detail-type":"Sale","account":"1","region":"r","time":"t""#;

/// The answer: `true`, `false`, or the error's name and message.
async fn check(local: &Local, pattern: &str, event: &str, wanted: &str) {
    let body = json!({ "EventPattern": pattern, "Event": event }).to_string();
    let (_, answer) = local.ask(CUSTOMER, "events.TestEventPattern", &body).await;
    let given = match answer["__type"].as_str() {
        Some(name) => {
            let name = name.rsplit('#').next().unwrap();
            format!("{name}: {}", answer["message"].as_str().unwrap_or_default())
        }
        None => answer["Result"].to_string(),
    };
    assert_eq!(given, wanted, "{pattern} {event}");
}

#[tokio::test]
async fn an_event_needs_six_members_and_no_more() {
    const REFUSED: &str = "ValidationException: Parameter Event is not valid.";
    let local = Local::start(Config::default()).await;
    let (sale, detail) = (r#"{"source":["shop"]}"#, r#"{"detail":{"n":[{"exists":true}]}}"#);
    let nested = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    for (pattern, event, wanted) in [
        (sale, format!("{{{EVENT}}}"), "true"),
        (r#"{"source":["mall"]}"#, format!("{{{EVENT}}}"), "false"),
        (sale, format!(r#"{{{EVENT},"resources":[]}}"#), "true"),
        (sale, format!(r#"{{{EVENT},"detail":"text"}}"#), "true"),
        (sale, format!(r#"{{{EVENT},"detail":{nested}}}"#), "true"),
        (detail, format!(r#"{{{EVENT},"detail":{{"n":1e400}}}}"#), "true"),
        (
            detail,
            format!(r#"{{{EVENT},"detail":{{"n":"\ud83d"}}}}"#),
            "true",
        ),
        (
            detail,
            format!(r#"{{{EVENT},"detail":{{}},"detail":{{"n":1}}}}"#),
            "true",
        ),
        (sale, format!("{{{}}}", EVENT.replace("region", "place")), REFUSED),
        (sale, "{}".to_owned(), REFUSED),
        (sale, "text".to_owned(), REFUSED),
        (sale, "\"text\"".to_owned(), REFUSED),
        (sale, format!("[{{{EVENT}}}]"), REFUSED),
        (sale, format!("{{{EVENT}"), REFUSED),
    ] {
        check(&local, pattern, &event, wanted).await;
    }
}

#[tokio::test]
async fn a_refused_pattern_gets_the_reason_of_aws() {
    let local = Local::start(Config::default()).await;
    let event = format!("{{{EVENT}}}");
    for (pattern, reason, column) in [
        (r#"{"n": 5}"#, r#""n" must be an object or an array"#, Some(8)),
        (r#"["shop"]"#, "Filter is not an object", Some(2)),
        (
            r#"{"n": [{"cidr": "10.0.0.0"}]}"#,
            "Malformed CIDR, one '/' required",
            None,
        ),
        (
            r#"{"n": [{"wildcard": "*-*-*-*-*-shop/*"}]}"#,
            "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a \
             wildcard character",
            None,
        ),
    ] {
        let place = column.map_or_else(String::new, |column| {
            format!("\n at [Source: (String)\"{pattern}\"; line: 1, column: {column}]")
        });
        let wanted =
            format!("InvalidEventPatternException: Event pattern is not valid. Reason: {reason}{place}");
        check(&local, pattern, &event, &wanted).await;
    }
}
