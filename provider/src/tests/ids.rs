//! Ids of workspaces, environments and connections in configurations: what plans say of those that Scalr does not have, and how
//! few requests and how little time that takes.

use std::time::Duration;

use serde_json::{Value as Json, json};
use tfplugin::testing::{Harness, UNKNOWN};
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::aws::fake::Fake;
use super::aws::{self, GROUP, SOURCE};
use super::snapshot::scenarios;
use super::{and, names, scalr};

scenarios![
    ids_that_scalr_does_not_have_are_warned_of,
    ids_of_another_source_are_not_asked_for,
    a_pattern_that_stays_is_not_asked_for_again,
    many_rules_ask_for_few_lists,
    delivery_checks_share_the_answer,
    where_scalr_does_not_answer_it_is_asked_once,
    a_silent_scalr_is_waited_for_once_in_a_walk,
];

const RULE: &str = "scalr_eventbridge_rule";
const CHECK: &str = "scalr_eventbridge_delivery_check";
const ACTIVATION: &str = "scalr_eventbridge_activation";
const SETTING: &str = "scalr_audit_log_setting";

/// The provider on an account with the bus, and beside a Scalr.
fn beside(aws: &Fake, scalr: &scalr::fake::Fake) -> Harness {
    aws::beside(aws.config(), Some(&scalr.url()))
}

async fn stage() -> (Fake, scalr::fake::Fake) {
    let aws = Fake::new();
    aws::hold(&aws, &[]);
    (aws, scalr::fake::Fake::start().await)
}

fn rule(tags: &Json) -> Json {
    let pattern = json!({ "detail-type": ["RunExecuted"], "detail": { "tags": tags } });
    json!({ "name": "runs", "event_bus_name": SOURCE, "event_pattern": pattern.to_string() })
}

fn check(workspace: &str) -> Json {
    json!({ "workspace_id": workspace, "log_group": GROUP })
}

/// How often Scalr was asked for workspaces and environments.
fn asked(scalr: &scalr::fake::Fake) -> usize {
    scalr.count("GET workspaces") + scalr.count("GET environments")
}

#[tokio::test(start_paused = true)]
async fn ids_that_scalr_does_not_have_are_warned_of() {
    let (aws, scalr) = stage().await;
    for (tags, said) in [
        (
            json!(["scalr-workspace:ws-1", "scalr-environment:env-1"]),
            &[][..],
        ),
        (
            json!(["scalr-workspace-name:nothing", { "prefix": "scalr-workspace:ws-" }]),
            &[],
        ),
        (
            json!(["scalr-workspace:ws-2"]),
            &["workspace `ws-2`", "`detail.tags`", "`ws-1` (`network`)"],
        ),
        (
            json!(["scalr-workspace:ws-networkk"]),
            &["`ws-networkk`", "`ws-1` (`network`)"],
        ),
        (
            json!([{ "anything-but": ["scalr-environment:env-77", "scalr-workspace:ws-1"] }]),
            &["environment `env-77`"],
        ),
    ] {
        let planned = beside(&aws, &scalr)
            .resource(RULE)
            .plan(None, rule(&tags))
            .await
            .unwrap();
        let at: Vec<_> = planned.warnings.iter().map(|one| one.path.to_string()).collect();
        if said.is_empty() {
            assert!(at.is_empty(), "{tags}: {}", planned.warnings);
            continue;
        }
        assert_eq!(at, ["event_pattern"], "{tags}");
        names(&planned.warnings, said);
        assert!(
            !planned.warnings.to_string().contains("workspace `ws-1`"),
            "{tags}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn ids_of_another_source_are_not_asked_for() {
    let (aws, scalr) = stage().await;
    let config = and(
        rule(&json!(["scalr-workspace:ws-9"])),
        json!({ "event_bus_name": "default" }),
    );
    beside(&aws, &scalr)
        .resource(RULE)
        .plan(None, config)
        .await
        .unwrap();
    assert_eq!(asked(&scalr), 0);
}

#[tokio::test(start_paused = true)]
async fn a_pattern_that_stays_is_not_asked_for_again() {
    let (aws, scalr) = stage().await;
    let unknown = rule(&json!(["scalr-workspace:ws-9"]));
    let made = beside(&aws, &scalr)
        .resource(RULE)
        .create(unknown.clone())
        .await
        .unwrap();
    let before = asked(&scalr);
    let other = and(unknown.clone(), json!({ "description": "Another one" }));
    for config in [unknown, other] {
        let planned = beside(&aws, &scalr)
            .resource(RULE)
            .plan(Some(&made), config)
            .await
            .unwrap();
        assert!(planned.warnings.is_empty(), "{}", planned.warnings);
    }
    assert_eq!(asked(&scalr), before);
    let changed = rule(&json!(["scalr-workspace:ws-8"]));
    let planned = beside(&aws, &scalr)
        .resource(RULE)
        .plan(Some(&made), changed)
        .await
        .unwrap();
    names(&planned.warnings, &["`ws-8`"]);
}

/// 200 rules, each for a workspace of its own, of which some are not there.
#[tokio::test(start_paused = true)]
async fn many_rules_ask_for_few_lists() {
    let (aws, scalr) = stage().await;
    scalr.state().workspaces = (0..150)
        .map(|at| (format!("ws-v0{at}"), format!("w{at}")))
        .collect();
    let harness = beside(&aws, &scalr);
    let resource = harness.resource(RULE);
    let mut warned = 0;
    for at in 0..200 {
        let of = rule(&json!([format!("scalr-workspace:ws-v0{at}")]));
        let config = and(of, json!({ "name": format!("rule-{at}") }));
        warned += resource.plan(None, config).await.unwrap().warnings.iter().count();
    }
    // One for the first workspace alone, and the two pages of the list.
    assert_eq!((warned, asked(&scalr)), (50, 3));
}

#[tokio::test(start_paused = true)]
async fn delivery_checks_share_the_answer() {
    let (aws, scalr) = stage().await;
    let harness = beside(&aws, &scalr);
    for _ in 0..3 {
        harness.resource(CHECK).plan(None, check("ws-1")).await.unwrap();
    }
    assert_eq!(asked(&scalr), 1);
    let refused = harness
        .resource(CHECK)
        .plan(None, check("ws-2"))
        .await
        .unwrap_err();
    names(
        &refused,
        &["workspace `ws-2`", "workspace_id", "`ws-1` (`network`)"],
    );
}

/// A Scalr that takes connections and is silent costs the time of one question, not of each.
#[tokio::test(start_paused = true)]
async fn where_scalr_does_not_answer_it_is_asked_once() {
    let (aws, _) = stage().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let harness = aws::beside(aws.config(), Some(&url));
    let started = Instant::now();
    for at in 0..5 {
        let config = and(
            rule(&json!([format!("scalr-workspace:ws-{at}")])),
            json!({ "name": format!("r{at}") }),
        );
        let planned = harness.resource(RULE).plan(None, config).await.unwrap();
        assert!(planned.warnings.is_empty(), "{}", planned.warnings);
    }
    // Where its connections lead is a question of its own, within the same limit.
    assert!(
        started.elapsed() <= Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
}

/// An object, one that comes just before the time limit, and 300 more: all share the limit, and nothing is asked after it.
#[tokio::test(start_paused = true)]
async fn a_silent_scalr_is_waited_for_once_in_a_walk() {
    let named = |at: usize| json!(format!("in-{at}"));
    let unknown = |_| json!(UNKNOWN);
    for (name, connection) in [
        // The first connection alone, and the list for all others.
        (ACTIVATION, named as fn(usize) -> Json),
        (SETTING, named),
        // Of each setting whose connection is not known, which connection has it now.
        (SETTING, unknown),
    ] {
        let scalr = scalr::fake::Fake::start().await;
        scalr.state().trouble = Some(scalr::fake::Trouble::IsSilent);
        let harness = super::unconfigured();
        let settings = and(scalr::settings(&scalr), json!({ "account_id": "acc-1" }));
        harness.configure(settings).await.unwrap();
        let started = Instant::now();
        let resource = &harness.resource(name);
        let plan = async |at| {
            let config = json!({ "connection_id": connection(at) });
            let planned = resource.plan(None, config).await.unwrap();
            assert!(planned.warnings.is_empty(), "{}", planned.warnings);
        };
        let late = async {
            scalr.until("GET", 1).await;
            tokio::time::advance(Duration::from_secs(9)).await;
            plan(1).await;
        };
        tokio::join!(plan(0), late);
        for at in 2..302 {
            plan(at).await;
        }
        harness.resource(CHECK).plan(None, check("ws-9")).await.unwrap();
        let cost = (started.elapsed().as_secs(), scalr.count("GET"));
        assert_eq!(cost, (10, 2), "{name}");
    }
}
