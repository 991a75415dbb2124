//! What the refresh of many objects asks, and what it never shows: a change that is none, an object that is not gone.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use tfplugin::testing::{Harness, State};

use super::aws::fake as aws_fake;
use super::aws::{self, SOURCE};
use super::scalr::fake::{Fake, Server};

const ACTIVATION: &str = "scalr_eventbridge_activation";
const CONNECTION: &str = "scalr_eventbridge_connection";
const LIST: &str = "GET integrations/aws-event-bridge";

fn connection(number: usize) -> Json {
    let source = format!("aws.partner/scalr.com/acme/c{number}");
    json!({
        "type": "aws-event-bridge-integrations", "id": format!("in-{number}"),
        "attributes": {
            "name": format!("c{number}"), "aws-account-id": format!("{number:012}"), "region": "us-east-1", "status": "active",
            "err-message": null, "event-source-arn": format!("arn:aws:events:us-east-1::event-source/{source}"), "event-source": source,
        },
        "relationships": { "account": { "data": { "type": "accounts", "id": "acc-1" } } },
    })
}

/// A provider that was just configured for a Scalr.
fn configured(scalr: &Fake) -> Harness {
    aws::beside(aws_fake::Fake::new().config(), Some(&scalr.url()))
}

/// So many connections and activations, and their states after an apply.
async fn connections(count: usize) -> (Fake, Vec<[State; 2]>) {
    let scalr = Fake::start().await;
    scalr.state().connections = (0..count).map(connection).collect();
    let harness = configured(&scalr);
    let mut states = Vec::new();
    for number in 0..count {
        let id = format!("in-{number}");
        let [connection, activation] = [CONNECTION, ACTIVATION].map(|name| harness.resource(name));
        states.push([
            connection.import(&id).await.unwrap(),
            activation.import(&id).await.unwrap(),
        ]);
    }
    (scalr, states)
}

/// Refreshes everything in a walk of its own; returns what is no longer as the state had it.
async fn refresh(harness: &Harness, states: &[[State; 2]]) -> Vec<(usize, Option<Json>)> {
    let mut changed = Vec::new();
    for (number, both) in states.iter().enumerate() {
        for (name, state) in [CONNECTION, ACTIVATION].into_iter().zip(both) {
            let found = harness.resource(name).read(state).await.unwrap();
            let found = found.map(|found| found.json());
            if found.as_ref() != Some(&state.json()) {
                changed.push((number, found));
            }
        }
    }
    changed
}

/// Pages that were listed, and connections that were asked for singly.
fn asked(scalr: &Fake) -> (usize, usize) {
    let calls = std::mem::take(&mut scalr.state().calls);
    let lists = calls.iter().filter(|call| *call == LIST).count();
    (lists, calls.len() - lists)
}

#[tokio::test]
async fn many_connections_are_refreshed_by_one_list() {
    let (scalr, states) = connections(120).await;
    asked(&scalr);
    let check = async |change: fn(&mut Server), want: (usize, usize), changed: &[usize]| {
        let before = scalr.state().connections.clone();
        change(&mut scalr.state());
        let found = refresh(&configured(&scalr), &states).await;
        assert_eq!(asked(&scalr), want, "{changed:?}");
        let of: Vec<usize> = found.iter().map(|(number, _)| *number).collect();
        assert_eq!(of, changed);
        scalr.state().connections = before;
        found
    };
    check(|_| (), (2, 1), &[]).await;
    // What is missing in the list is asked for before it is called gone: by the connection and its activation together.
    let gone = check(|scalr| drop(scalr.connections.remove(110)), (2, 2), &[110, 110]).await;
    assert!(gone.iter().all(|(_, found)| found.is_none()));
    // A pause is a change.
    let paused = |scalr: &mut Server| scalr.connections[7]["attributes"]["status"] = json!("disabled");
    check(paused, (2, 2), &[7, 7]).await;
    // A status that fell back is acted on by the activation, which asks.
    let fallen = |scalr: &mut Server| scalr.connections[9]["attributes"]["status"] = json!("pending");
    check(fallen, (2, 2), &[9, 9]).await;
    // A list that fails is no failure: each is asked for by itself, and both its resources share the answer.
    check(|scalr| scalr.refuses_lists = true, (1, 120), &[]).await;
}

/// What was read before a write of this process is no answer after it.
#[tokio::test]
async fn after_a_write_each_connection_is_asked_for_by_itself() {
    let (scalr, states) = connections(20).await;
    asked(&scalr);
    let harness = configured(&scalr);
    refresh(&harness, &states[..10]).await;
    assert_eq!(asked(&scalr), (1, 1));
    let resource = harness.resource(CONNECTION);
    let config =
        json!({ "name": "c3", "aws_account_id": "000000000003", "region": "us-east-1", "enabled": false });
    let planned = resource.plan(Some(&states[3][0]), config).await.unwrap();
    resource.apply(planned).await.state.unwrap();
    asked(&scalr);
    let changed = refresh(&harness, &states[..10]).await;
    assert_eq!(asked(&scalr), (0, 20), "each read asks again");
    assert_eq!(changed.len(), 2);
    assert!(changed.iter().all(|(number, _)| *number == 3), "{changed:?}");
}

const RULES: usize = 12;
const RULE: &str = "scalr_eventbridge_rule";
const TARGET: &str = "scalr_eventbridge_target";

/// Rules of one bus with a target each, which is a log group of its own.
async fn rules() -> (aws_fake::Fake, Vec<(&'static str, State)>) {
    let (aws, harness) = aws::stage().await;
    let bus = harness
        .resource("scalr_eventbridge_bus")
        .create(json!({ "event_source_name": SOURCE }))
        .await;
    let mut states = vec![("scalr_eventbridge_bus", bus.unwrap())];
    for number in 0..RULES {
        let name = format!("r{number}");
        let pattern = json!({ "source": [{ "prefix": "aws.partner/scalr.com" }] }).to_string();
        let rule = json!({ "name": name, "event_bus_name": SOURCE, "event_pattern": pattern });
        states.push((RULE, harness.resource(RULE).create(rule).await.unwrap()));
        let group = json!({ "name": format!("/g/{number}"), "create": true });
        let target = json!({ "rule": name, "event_bus_name": SOURCE, "log_group": group });
        states.push((TARGET, harness.resource(TARGET).create(target).await.unwrap()));
    }
    (aws, states)
}

/// Refreshes in a walk of its own; returns what is no longer as the state had it, and how often each operation was called.
async fn refresh_aws(aws: &aws_fake::Fake, states: &[(&str, State)]) -> (Vec<Json>, BTreeMap<String, usize>) {
    let harness = aws::beside(aws.config(), None);
    aws.state().calls.clear();
    let mut changed = Vec::new();
    for (name, state) in states {
        let found = harness.resource(name).read(state).await.unwrap();
        let found = found.map_or(Json::Null, |found| found.json());
        if found != state.json() {
            changed.push(found);
        }
    }
    let mut calls = BTreeMap::new();
    for call in &aws.state().calls {
        *calls.entry(call.clone()).or_default() += 1;
    }
    (changed, calls)
}

#[tokio::test(start_paused = true)]
async fn rules_of_a_bus_and_their_targets_share_what_they_ask() {
    let (aws, states) = rules().await;
    let (changed, calls) = refresh_aws(&aws, &states).await;
    assert_eq!(changed, Vec::<Json>::new());
    let want = [
        ("DescribeEventBus", 1),
        ("DescribeEventSource", 1),
        ("DescribeLogGroups", RULES),
        // The account's, the first log group's, and all others'.
        ("DescribeResourcePolicies", 3),
        ("DescribeRule", 1),
        ("ListRules", 1),
        // The bus's, the rules', and the log groups'.
        ("ListTagsForResource", 1 + 2 * RULES),
        ("ListTargetsByRule", RULES),
    ];
    let want = want.map(|(name, count)| (name.to_owned(), count));
    assert_eq!(calls, BTreeMap::from(want));
}

/// What a list says is no news: a rule that differs, or is missing, and a permission that is missing, are asked for singly.
#[tokio::test(start_paused = true)]
async fn what_differs_in_a_list_of_aws_is_asked_for_singly() {
    let (aws, states) = rules().await;
    let of = |number: usize| (SOURCE.to_owned(), format!("r{number}"));
    aws.state().rules.get_mut(&of(5)).unwrap()["Description"] = json!("by hand");
    aws.state().rules.remove(&of(6));
    aws.state().policies.remove(&aws_fake::group_arn("/g/7"));
    let (changed, calls) = refresh_aws(&aws, &states).await;
    let [described, gone, policy] = &changed[..] else {
        panic!("{changed:?}")
    };
    assert_eq!(described["description"], "by hand");
    assert_eq!(gone, &Json::Null);
    assert_eq!(policy["log_group"]["status"], "policy missing");
    assert_eq!((calls["DescribeRule"], calls["DescribeResourcePolicies"]), (3, 4));
}
