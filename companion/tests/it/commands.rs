//! One session with every command that asks or changes something, as a person types it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Output;

use serde_json::Value;

use crate::aws::Aws;
use crate::companion::{Companion, dev};
use crate::proxy::Act;
use crate::stage::{self, REGION};
use crate::transcript::Transcript;

/// The event source of the connection `prod`.
const SOURCE: &str = "aws.partner/scalr.com/local/prod";

/// What `dev` prints, as the commands see it.
fn session(c: &Companion) -> Transcript {
    Transcript::with(&[
        ("SCALR_HOSTNAME", c.text("/scalr/hostname")),
        ("SCALR_TOKEN", c.text("/scalr/token")),
        ("AWS_ENDPOINT_URL", c.text("/aws/endpoint")),
        ("AWS_ACCESS_KEY_ID", c.text("/aws/account_id")),
        ("AWS_SECRET_ACCESS_KEY", "none"),
        ("AWS_REGION", "us-east-1"),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_from_its_making_to_its_end() {
    let c = Companion::spawn(dev()).await;
    let aws = Aws::at(c.text("/aws/endpoint")).await;
    let mut t = session(&c);
    t.run(&["status", "--table"]).await;
    let create = [
        "--aws-account-id",
        "123456789012",
        "--region",
        "us-east-1",
        "--table",
    ];
    t.run(&[&["connections", "create", "prod"], &create[..]].concat())
        .await;
    t.run(&["connections", "refresh", "prod", "--once", "--table"])
        .await;
    t.run(&["connections", "refresh", "prod"]).await;
    t.run(&["connections", "refresh", "prod", "--timeout", "1s"])
        .await;
    t.run(&["status", "--table"]).await;
    t.run(&["emit", "run-executed", "--set", "run_id=run-held", "--table"])
        .await;
    t.run(&["deliveries", "list", "--table"]).await;
    t.run(&["deliveries", "show", "run-held", "--table"]).await;

    aws.receive("us-east-1", SOURCE).await;
    t.run(&["status", "--table"]).await;
    t.run(&["connections", "refresh", "prod", "--table"]).await;
    let listed = t.run(&["connections", "list"]).await.stdout;
    let listed: Value = serde_json::from_slice(&listed).unwrap();
    let id = listed[0]["id"].as_str().unwrap();
    c.drained(id).await;
    t.run(&["connections", "list", "--table"]).await;
    t.run(&["connections", "show", "prod", "--table"]).await;
    t.run(&["status", "--table"]).await;
    t.run(&["status"]).await;

    t.run(&["audit-log", "get", "--table"]).await;
    t.run(&["audit-log", "set", "prod", "--table"]).await;
    t.run(&["audit-log", "set", "--off"]).await;

    c.drained(id).await;
    t.run(&["connections", "pause", "prod", "--table"]).await;
    t.run(&["connections", "refresh", "prod"]).await;
    t.run(&["status", "--table"]).await;
    t.run(&["connections", "resume", "prod", "--table"]).await;
    t.run(&["connections", "resume", "prod"]).await;
    t.run(&["connections", "delete", "prod"]).await;
    t.run(&["connections", "delete", "prod", "--yes", "--table"])
        .await;
    t.run(&["connections", "list", "--table"]).await;
    t.check("connections.txt");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_from_their_run_to_their_target() {
    let c = Companion::spawn(dev()).await;
    let aws = Aws::at(c.text("/aws/endpoint")).await;
    let id = c.connect("prod", "us-east-1").await;
    aws.receive("us-east-1", SOURCE).await;
    assert_eq!(c.set_status(&id, "active").await, "active");
    let mut t = session(&c);
    t.run(&["events", "list", "--table"]).await;
    t.run(&["runs", "list", "--table"]).await;
    t.run(&["run", "network", "--fail"]).await;
    c.drained(&id).await;
    t.run(&["runs", "list", "--table"]).await;
    t.run(&["events", "list", "--table"]).await;
    t.run(&["emit", "run-executed", "--set", "run_id=run-mine", "--table"])
        .await;
    t.run(&["emit", "run-executed", "--set", "run_id=run-json"]).await;
    t.run(&["events", "show", "run-mine", "--table"]).await;
    aws.only_runs_of("us-east-1", SOURCE, "elsewhere").await;
    t.run(&["emit", "run-executed", "--set", "run_id=run-missed", "--table"])
        .await;
    t.run(&["events", "show", "run-missed", "--table"]).await;
    t.run(&["events", "show", "run-none", "--table"]).await;
    t.run(&["tail", "/aws/events/scalr"]).await;
    t.run(&["tail", "/aws/event/scalr"]).await;
    t.run(&[
        "tail",
        "/aws/events/scalr",
        "--jq",
        ".detail.event | .result, .workspace",
    ])
    .await;
    t.run(&["tail", "/aws/events/scalr", "--jq", ".detail |"]).await;
    t.run(&["tail", "/aws/events/scalr", "--jq", ".detail.event.reslt"])
        .await;
    t.run(&["deliveries", "list", "--table"]).await;
    t.run(&["deliveries", "show", "run-mine", "--table"]).await;
    t.run(&["doctor", "--table"]).await;
    t.run(&["clock", "show", "--table"]).await;
    t.run(&["clock", "advance", "14d", "--table"]).await;
    t.run(&["clock", "advance", "36601d"]).await;
    t.run(&["clock", "advance", "soon"]).await;
    t.run(&["clock", "advance", "-5d"]).await;
    t.run(&["clock", "advance", "-5"]).await;
    t.run(&["clock", "advance", "--tabel", "5d"]).await;
    t.run(&["tail", "/aws/events/scalr", "--since", "-1h"]).await;
    t.run(&["connections", "refresh", "prod", "--timeout", "-90s"])
        .await;
    t.run(&["events", "list", "--limit", "-5"]).await;
    t.run(&["run", "network", "--wait", "-5"]).await;
    t.run(&["connections", "show"]).await;
    t.run(&["run", "network", "--lgo-group", "/g"]).await;
    t.check("events.txt");
}

/// What AWS does not take is listed, sent again and purged; what was delivered is sent again.
#[tokio::test(flavor = "multi_thread")]
async fn deliveries_that_are_over() {
    let (aws, c, _dir, id) = stage::active().await;
    let mut t = Transcript::with(&[
        ("SCALR_HOSTNAME", c.text("/scalr/hostname")),
        ("SCALR_TOKEN", c.text("/scalr/token")),
    ]);
    stage::one_arrives_and_two_fail(&aws, &c, &id).await;
    t.run(&["deliveries", "list", "--table"]).await;
    t.run(&["deliveries", "list", "--state", "failed"]).await;
    t.run(&["deliveries", "list", "--state", "delivered", "--table"])
        .await;
    t.run(&["deliveries", "show", "run-bad-1", "--table"]).await;
    t.run(&["status", "--scalr-only", "--table"]).await;
    t.run(&["deliveries", "purge"]).await;
    t.run(&["deliveries", "purge", "run-good"]).await;
    t.run(&["deliveries", "purge", "run-bad-1", "--table"]).await;
    aws.proxy.script(|_| Act::Pass);
    t.run(&["deliveries", "redeliver"]).await;
    t.run(&["deliveries", "redeliver", "--delivered"]).await;
    t.run(&["deliveries", "redeliver", "--delivered", "--from", "noon"])
        .await;
    t.run(&["deliveries", "redeliver", "run-none"]).await;
    t.run(&[
        "deliveries",
        "redeliver",
        "--failed",
        "--connection",
        "prod",
        "--table",
    ])
    .await;
    aws.run_arrives(REGION, "run-bad-2").await;
    c.drained(&id).await;
    t.run(&["deliveries", "redeliver", "--failed", "--table"]).await;
    t.run(&["deliveries", "redeliver", "run-good", "--table"]).await;
    c.drained(&id).await;
    t.run(&[
        "deliveries",
        "redeliver",
        "--delivered",
        "--connection",
        "prod",
        "--from",
        "2026-01-01T00:00:00Z",
    ])
    .await;
    c.drained(&id).await;
    assert_eq!(
        aws.runs(REGION).await,
        BTreeMap::from([("run-bad-2".to_owned(), 2), ("run-good".to_owned(), 3)])
    );
    t.run(&["connections", "show", id.as_str(), "--table"]).await;
    t.check("deliveries.txt");
}

/// One connection's AWS has not taken it, the other's has: it is sent again on the first alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_event_is_sent_again_where_it_has_failed() {
    let (aws, c, _dir, id) = stage::active().await;
    let second = c.connect("second", "us-west-2").await;
    aws.associate("us-west-2", "aws.partner/scalr.com/local/second")
        .await;
    assert_eq!(c.set_status(&second, "active").await, "active");
    aws.proxy.script(|call| {
        if call.operation == "PutPartnerEvents" && call.region == REGION {
            Act::FailEntries(vec![0], "MalformedDetail")
        } else {
            Act::Pass
        }
    });
    assert!(c.emit("run-1", "network").await);
    c.drained(&id).await;
    c.drained(&second).await;
    aws.proxy.script(|_| Act::Pass);
    let mut t = Transcript::with(&[
        ("SCALR_HOSTNAME", c.text("/scalr/hostname")),
        ("SCALR_TOKEN", c.text("/scalr/token")),
    ]);
    t.run(&["deliveries", "redeliver", "run-1"]).await;
    c.drained(&id).await;
    c.drained(&second).await;
    let puts = aws.proxy.puts();
    let regions: Vec<&str> = puts.iter().map(|put| put.region.as_str()).collect();
    assert_eq!(
        regions.iter().filter(|region| **region == REGION).count(),
        2,
        "{regions:?}"
    );
    assert_eq!(
        regions.iter().filter(|region| **region == "us-west-2").count(),
        1,
        "{regions:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_feeds_a_custom_event_bus() {
    let c = Companion::spawn(dev()).await;
    let aws = Aws::at(c.text("/aws/endpoint")).await;
    let id = c.connect("prod", "us-east-1").await;
    let source = aws.feed("us-east-1", SOURCE, "platform").await;
    assert_eq!(c.set_status(&id, "active").await, "active");
    aws.log_group("us-east-1", "/scalr/runs").await;
    let mut t = session(&c);
    let status = ["status", "--table"];
    t.run(&status).await;
    t.run(&["run", "network", "--log-group", "/scalr/runs"]).await;
    t.run(&["export", "--no-terraform-block"]).await;
    aws.end_feed("us-east-1", SOURCE, false).await;
    t.run(&status).await;
    t.run(&["run", "network", "--log-group", "/scalr/runs"]).await;
    t.run(&["export", "--no-terraform-block"]).await;
    aws.feed_again("us-east-1", SOURCE, &source).await;
    aws.subscribe("us-east-1", "/scalr/custom").await;
    t.run(&status).await;
    aws.end_feed("us-east-1", SOURCE, true).await;
    t.run(&status).await;
    aws.feed_again("us-east-1", SOURCE, &source).await;
    t.check("custom_event_bus.txt");
}

/// Each link behind a managed bus that breaks is named, and the chain works once it is repaired.
#[tokio::test(flavor = "multi_thread")]
async fn what_follows_a_custom_event_bus() {
    let c = Companion::spawn(dev()).await;
    let aws = Aws::at(c.text("/aws/endpoint")).await;
    let id = c.connect("prod", "us-east-1").await;
    aws.feed("us-east-1", SOURCE, "platform").await;
    assert_eq!(c.set_status(&id, "active").await, "active");
    aws.subscribe("us-east-1", "/scalr/runs").await;
    let mut t = session(&c);
    let status = ["status", "--table"];
    t.run(&status).await;
    let shown = t.run(&["status"]).await.stdout;
    let shown: Value = serde_json::from_slice(&shown).unwrap();
    let custom = &shown["connections"][0]["aws"]["custom_event_bus"];
    assert_eq!(custom["state"], "ACTIVE", "{shown}");
    assert_eq!(custom["subscribers"][1]["name"], "runs", "{shown}");
    let mut t = session(&c);
    t.run(&status).await;
    aws.delete_log_stream("us-east-1", "/scalr/runs", "events").await;
    t.run(&status).await;
    aws.delete_log_group("us-east-1", "/scalr/runs").await;
    t.run(&status).await;
    for name in ["audit", "runs"] {
        aws.stop_subscriber("us-east-1", name).await;
    }
    t.run(&status).await;
    t.check("behind_a_custom_event_bus.txt");
}

/// What takes the events of a custom event bus are subscribers, and nothing is delivered by the bus alone.
#[tokio::test(flavor = "multi_thread")]
async fn events_on_a_custom_event_bus_reach_subscribers() {
    let c = Companion::spawn(dev()).await;
    let aws = Aws::at(c.text("/aws/endpoint")).await;
    let id = c.connect("prod", "us-east-1").await;
    aws.feed("us-east-1", SOURCE, "platform").await;
    assert_eq!(c.set_status(&id, "active").await, "active");
    let mut t = session(&c);
    let emit = |id| ["emit", "run-executed", "--set", id, "--table"];
    t.run(&emit("run_id=run-alone")).await;
    t.run(&["events", "show", "run-alone", "--table"]).await;
    aws.subscribe("us-east-1", "/scalr/runs").await;
    t.run(&emit("run_id=run-taken")).await;
    t.run(&["events", "show", "run-taken", "--table"]).await;
    t.run(&["events", "list", "--table"]).await;
    t.check("subscribers.txt");
}

/// A region chooses events by the option alone: the variable names the region of other calls.
#[tokio::test(flavor = "multi_thread")]
async fn events_are_listed_by_region() {
    let c = Companion::spawn(dev()).await;
    let aws = Aws::at(c.text("/aws/endpoint")).await;
    for region in ["us-east-1", "eu-west-1"] {
        let id = c.connect(region, region).await;
        let source = format!("aws.partner/scalr.com/local/{region}");
        aws.receive(region, &source).await;
        assert_eq!(c.set_status(&id, "active").await, "active");
    }
    let mut t = session(&c);
    let emit = ["emit", "run-executed", "--set", "run_id=run-both", "--table"];
    t.run(&emit).await;
    let count = |ended: Output| {
        let rows: Value = serde_json::from_slice(&ended.stdout).unwrap();
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| row["region"].as_str().unwrap().to_owned())
            .collect::<BTreeSet<_>>()
    };
    let all = count(t.run(&["events", "list"]).await);
    assert_eq!(all, BTreeSet::from(["eu-west-1", "us-east-1"].map(str::to_owned)));
    let one = count(
        t.run(&["events", "list", "--region", "eu-west-1", "--limit", "1"])
            .await,
    );
    assert_eq!(one, BTreeSet::from(["eu-west-1".to_owned()]));
    let mut t = session(&c);
    t.run(&["events", "list", "--region", "ap-south-1", "--table"])
        .await;
    t.run(&["events", "list", "--region", "us_east_1"]).await;
    t.run(&["events", "show", "run-both", "--region", "eu-west-1"])
        .await;
    t.run(&["clock", "show", "--region", "eu-west-1"]).await;
    t.check("regions.txt");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_of_one_name_are_told_apart_and_what_ends_with_one_is_said() {
    let c = Companion::spawn(dev()).await;
    let mut t = session(&c);
    let create = |region| {
        [
            "connections",
            "create",
            "prod",
            "--aws-account-id",
            "123456789012",
            "--region",
            region,
            "--table",
        ]
    };
    t.run(&create("us-east-1")).await;
    t.run(&["audit-log", "set", "prod", "--table"]).await;
    t.run(&["emit", "run-executed", "--set", "run_id=run-held", "--table"])
        .await;
    t.run(&["connections", "delete", "prod"]).await;
    t.run(&create("eu-west-1")).await;
    t.run(&["connections", "pause", "prod"]).await;
    let listed = t.run(&["connections", "list"]).await.stdout;
    let listed: Value = serde_json::from_slice(&listed).unwrap();
    let of = |region: &str| {
        let mut all = listed.as_array().unwrap().iter();
        let found = all.find(|one| one["region"] == region).unwrap();
        found["id"].as_str().unwrap().to_owned()
    };
    t.run(&["connections", "delete", &of("us-east-1"), "--yes", "--table"])
        .await;
    t.run(&["connections", "delete", &of("eu-west-1"), "--yes"]).await;
    t.check("namesakes.txt");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_cut_says_so() {
    let c = Companion::spawn(dev()).await;
    c.connect("prod", "us-east-1").await;
    for at in 0..101 {
        assert!(c.emit(&format!("run-{at}"), "network").await);
    }
    let mut t = session(&c);
    let list = ["deliveries", "list"];
    let listed: Value = serde_json::from_slice(&t.run(&list).await.stdout).unwrap();
    assert_eq!(listed["events"].as_array().unwrap().len(), 100);
    let more = &listed["more_held_by"];
    assert_eq!(
        (&more[0]["connection_name"], &more[0]["held_listed"]),
        (&"prod".into(), &100.into())
    );
    let table = t.run(&[&list[..], &["--table"]].concat()).await.stdout;
    let table = String::from_utf8_lossy(&table).into_owned();
    assert!(
        table.contains("holds more than the 100 events that are listed"),
        "{table}"
    );
}
