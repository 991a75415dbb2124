//! What Scalr's resources and AWS's learn of each other, on both sides' fakes.

use std::time::Duration;

use serde_json::{Value as Json, json};
use tfplugin::Diagnostics;
use tfplugin::testing::{Harness, State, UNKNOWN};
use tokio::time::Instant;

use super::aws::fake::{Fake, Trouble};
use super::aws::{self, SOURCE};
use super::snapshot::scenarios;
use super::{and, names, scalr};

scenarios![
    a_new_bus_has_the_status_read_again,
    a_bus_that_drops_the_events_is_warned_of,
    a_custom_bus_without_a_subscriber_is_warned_of,
    without_an_answer_of_aws_nothing_is_said,
    a_resumed_connection_waits_only_where_its_source_has_a_bus,
    an_activation_without_a_bus_waits_for_none_that_nobody_makes,
    a_bus_of_another_place_than_its_connections_is_refused_at_once,
    a_destroy_of_bus_and_connection_loses_nothing,
    plans_say_that_a_bus_is_elsewhere_than_its_connection,
    a_plan_warns_of_what_is_made_on_a_bus_of_another_place,
];

const ACTIVATION: &str = "scalr_eventbridge_activation";
const BUS: &str = "scalr_eventbridge_bus";
const CONNECTION: &str = "scalr_eventbridge_connection";
const EVENT_SOURCE: &str = "scalr_eventbridge_event_source";
const DENIED: Trouble = Trouble::Says("AccessDeniedException", "You may not.");

struct Stage {
    aws: Fake,
    scalr: scalr::fake::Fake,
    harness: Harness,
    connection: State,
}

/// A connection whose source waits for its bus.
async fn stage() -> Stage {
    let aws = Fake::new();
    aws.state().sources.insert(SOURCE.to_owned(), "PENDING");
    let scalr = scalr::fake::Fake::start().await;
    let harness = aws::beside(aws.config(), Some(&scalr.url()));
    let connection = harness
        .resource(CONNECTION)
        .create(scalr::connection(json!({})))
        .await;
    Stage {
        aws,
        scalr,
        connection: connection.unwrap(),
        harness,
    }
}

fn bus(more: Json) -> Json {
    and(json!({ "event_source_name": SOURCE }), more)
}

fn activation(more: Json) -> Json {
    and(json!({ "connection_id": "in-1" }), more)
}

/// A rule of the bus, as AWS holds it, with so many targets.
fn put_rule(fake: &Fake, name: &str, state: &str, targets: usize) {
    let mut held = fake.state();
    let key = (SOURCE.to_owned(), name.to_owned());
    held.rules
        .insert(key.clone(), json!({ "Name": name, "State": state }));
    let target = json!({ "Id": "t", "Arn": "arn:aws:sqs:us-east-1:123456789012:q" });
    held.targets.insert(key, vec![target; targets]);
}

/// The events of an active connection wait for a bus that is made again, and the connection has to be told of it.
#[tokio::test(start_paused = true)]
async fn a_new_bus_has_the_status_read_again() {
    let stage = stage().await;
    let (buses, resource) = (stage.harness.resource(BUS), stage.harness.resource(ACTIVATION));
    let connections = stage.harness.resource(CONNECTION);
    let held = buses.create(bus(json!({}))).await.unwrap();
    put_rule(&stage.aws, "runs", "ENABLED", 1);
    let activated = resource.create(activation(json!({}))).await.unwrap();
    connections
        .plan(Some(&stage.connection), scalr::connection(json!({})))
        .await
        .unwrap();
    buses.plan(None, bus(json!({}))).await.unwrap();
    let planned = resource
        .plan(Some(&activated), activation(json!({})))
        .await
        .unwrap();
    assert_eq!(planned.json()["status"], UNKNOWN);
    let refreshes = stage.scalr.count("PATCH");
    let activated = resource.apply(planned).await.state.unwrap();
    assert_eq!(
        (&activated.json()["status"], stage.scalr.count("PATCH")),
        (&json!("active"), refreshes + 1)
    );

    // In a walk that leaves the bus alone the status is as it was; one that associates it again changes it.
    for (source, changes) in [("ACTIVE", false), ("PENDING", true)] {
        let harness = aws::beside(stage.aws.config(), Some(&stage.scalr.url()));
        stage.aws.state().sources.insert(SOURCE.to_owned(), source);
        let (buses, resource) = (harness.resource(BUS), harness.resource(ACTIVATION));
        let connections = harness.resource(CONNECTION);
        connections
            .plan(Some(&stage.connection), scalr::connection(json!({})))
            .await
            .unwrap();
        let held = buses.read(&held).await.unwrap().unwrap();
        buses.plan(Some(&held), bus(json!({}))).await.unwrap();
        let planned = resource
            .plan(Some(&activated), activation(json!({})))
            .await
            .unwrap();
        assert_eq!(planned.json()["status"] == UNKNOWN, changes, "{source}");
    }
}

/// Warns of a rule's absence, or not: as the bus is, right before the events that are held are delivered.
#[tokio::test(start_paused = true)]
async fn a_bus_that_drops_the_events_is_warned_of() {
    type Rules = &'static [(&'static str, &'static str, usize)];
    let cases: [(Rules, bool); 5] = [
        (&[], true),
        (&[("runs", "ENABLED", 0)], true),
        (&[("runs", "DISABLED", 1)], true),
        (&[("audit", "DISABLED", 1), ("runs", "ENABLED", 1)], false),
        (&[("runs", "ENABLED", 1)], false),
    ];
    for (rules, warns) in cases {
        let stage = stage().await;
        stage.harness.resource(BUS).create(bus(json!({}))).await.unwrap();
        for (name, state, targets) in rules {
            put_rule(&stage.aws, name, state, *targets);
        }
        let resource = stage.harness.resource(ACTIVATION);
        stage.scalr.state().refreshes_until = 2;
        let planned = resource.plan(None, activation(json!({}))).await.unwrap();
        let applied = resource.apply(planned).await;
        assert_eq!(applied.state.unwrap().json()["status"], "active");
        assert_eq!(
            applied.diags.iter().count(),
            usize::from(warns),
            "{rules:?} {}",
            applied.diags
        );
        if warns {
            names(&applied.diags, &[SOURCE, "depends_on"]);
        }

        // A resumed connection delivers what was held, too.
        let connections = stage.harness.resource(CONNECTION);
        let paused = scalr::connection(json!({ "enabled": false }));
        let paused = connections.update(&stage.connection, paused).await.unwrap();
        let planned = connections
            .plan(Some(&paused), scalr::connection(json!({})))
            .await
            .unwrap();
        let applied = connections.apply(planned).await;
        assert_eq!(
            applied.diags.iter().count(),
            usize::from(warns),
            "{rules:?} {}",
            applied.diags
        );
    }
}

/// The source leads to a custom event bus.
async fn lead(stage: &Stage) {
    let bus = stage.harness.resource("scalr_eventbridge_custom_bus");
    let bus = bus.create(json!({ "name": "scalr" })).await.unwrap();
    let source = stage.harness.resource(EVENT_SOURCE);
    let config = event_source(&bus.json()["arn"]);
    source.create(config).await.unwrap();
}

fn event_source(bus: &Json) -> Json {
    let partner = format!("arn:aws:events:us-east-1::event-source/{SOURCE}");
    json!({ "name": "prod", "event_bus_arn": bus, "partner_event_source_arn": partner })
}

/// It keeps the events, and who reads them later has to ask for those.
#[tokio::test(start_paused = true)]
async fn a_custom_bus_without_a_subscriber_is_warned_of() {
    type Breaks = fn(&Fake);
    let cases: [(Breaks, Option<&str>); 5] = [
        (|aws| aws.state().custom.subscribers.push("runs"), None),
        (|_| {}, Some("POINT_IN_TIME")),
        (
            |aws| aws.state().targets.clear(),
            Some("reach no custom event bus"),
        ),
        (|aws| aws.state().rules.clear(), Some("reach no custom event bus")),
        // Without an answer nothing is said.
        (|aws| aws.state().trouble("v2:ListSubscribers", DENIED), None),
    ];
    for (breaks, warning) in cases {
        let stage = stage().await;
        lead(&stage).await;
        breaks(&stage.aws);
        let resource = stage.harness.resource(ACTIVATION);
        let planned = resource.plan(None, activation(json!({}))).await.unwrap();
        let applied = resource.apply(planned).await;
        assert_eq!(applied.state.unwrap().json()["status"], "active");
        assert_eq!(
            applied.diags.iter().count(),
            usize::from(warning.is_some()),
            "{}",
            applied.diags
        );
        if let Some(warning) = warning {
            names(&applied.diags, &[warning]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_an_answer_of_aws_nothing_is_said() {
    let breaks: [fn(&Fake); 5] = [
        |aws| aws.state().other_account = Some("210987654321"),
        // The default bus, by which the account is known, is asked for first.
        |aws| aws.state().trouble("DescribeEventBus", DENIED),
        |aws| aws.state().trouble("ListRules", DENIED),
        |aws| aws.state().trouble("ListRules", Trouble::Hangs),
        |aws| aws.state().lists_have_no_end = true,
    ];
    for breaks in breaks {
        let stage = stage().await;
        stage.harness.resource(BUS).create(bus(json!({}))).await.unwrap();
        let harness = aws::beside(stage.aws.config(), Some(&stage.scalr.url()));
        breaks(&stage.aws);
        let resource = harness.resource(ACTIVATION);
        let planned = resource.plan(None, activation(json!({}))).await.unwrap();
        let applied = resource.apply(planned).await;
        assert!(
            applied.state.is_some() && applied.diags.is_empty(),
            "{}",
            applied.diags
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_resumed_connection_waits_only_where_its_source_has_a_bus() {
    for (has_bus, status, refreshes) in [(true, "active", 3), (false, "pending", 1)] {
        let stage = stage().await;
        if has_bus {
            stage.harness.resource(BUS).create(bus(json!({}))).await.unwrap();
            put_rule(&stage.aws, "runs", "ENABLED", 1);
        }
        let resource = stage.harness.resource(CONNECTION);
        let paused = scalr::connection(json!({ "enabled": false }));
        let paused = resource.update(&stage.connection, paused).await.unwrap();
        let before = stage.scalr.count("PATCH");
        stage.scalr.state().refreshes_until = 2;
        let resumed = resource
            .update(&paused, scalr::connection(json!({})))
            .await
            .unwrap();
        assert_eq!(
            (&resumed.json()["status"], stage.scalr.count("PATCH") - before),
            (&json!(status), refreshes)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_activation_without_a_bus_waits_for_none_that_nobody_makes() {
    let custom = "arn:aws:events:us-east-1:123456789012:event-busv2/scalr/abcdefghij0123456789abcde";
    for making in [
        None,
        Some((BUS, bus(json!({})))),
        Some((EVENT_SOURCE, event_source(&json!(custom)))),
    ] {
        let stage = stage().await;
        stage.scalr.state().refreshed = "pending";
        let made_here = making.is_some();
        if let Some((kind, config)) = making {
            stage.harness.resource(kind).plan(None, config).await.unwrap();
        }
        let resource = stage.harness.resource(ACTIVATION);
        let started = Instant::now();
        let config = activation(json!({ "timeouts": { "create": "60s" } }));
        let refused = resource.create(config).await.unwrap_err();
        names(&refused, &["`prod`", SOURCE]);
        let waited = started.elapsed();
        assert_eq!(waited >= Duration::from_mins(1), made_here, "{waited:?}");
    }
    // Where AWS is not to be asked, the bus may be made by anybody: the wait stays.
    let stage = stage().await;
    stage.scalr.state().refreshed = "pending";
    stage.aws.state().other_account = Some("210987654321");
    let started = Instant::now();
    let config = activation(json!({ "timeouts": { "create": "60s" } }));
    stage
        .harness
        .resource(ACTIVATION)
        .create(config)
        .await
        .unwrap_err();
    assert!(started.elapsed() >= Duration::from_mins(1));
}

#[tokio::test(start_paused = true)]
async fn a_bus_of_another_place_than_its_connections_is_refused_at_once() {
    for (region, other_account, source, trouble) in [
        ("eu-west-1", None, None, None),
        ("us-east-1", Some("210987654321"), None, None),
        // What an earlier connection left there under the same name makes no difference, nor does an error that passes.
        ("eu-west-1", None, Some("DELETED"), None),
        (
            "eu-west-1",
            None,
            None,
            Some(Trouble::Says("ThrottlingException", "Slow down.")),
        ),
    ] {
        let stage = stage().await;
        {
            let mut held = stage.aws.state();
            held.other_account = other_account;
            held.sources = source
                .map(|state| (SOURCE.to_owned(), state))
                .into_iter()
                .collect();
            if let Some(trouble) = trouble {
                held.trouble("DescribeEventSource", trouble);
            }
        }
        // In real time: the paused clock moves on while an answer is on its way, and this one comes before a wait.
        tokio::time::resume();
        let refused = stage
            .harness
            .resource(BUS)
            .create(bus(json!({ "region": region })))
            .await;
        tokio::time::pause();
        names(&refused.unwrap_err(), &[SOURCE, "us-east-1", "123456789012"]);
        let asked = stage.aws.count("DescribeEventSource") + stage.aws.count("CreateEventBus");
        assert_eq!(asked, 1, "nothing is waited for");
    }
    // A connection that is made meanwhile is found by a later question.
    let stage = stage().await;
    let made = std::mem::take(&mut stage.scalr.state().connections);
    stage.aws.state().sources.clear();
    let resource = stage.harness.resource(BUS);
    let planned = resource
        .plan(None, bus(json!({ "region": "eu-west-1" })))
        .await
        .unwrap();
    let appears = async {
        stage.aws.until("DescribeEventSource", 3).await;
        stage.scalr.state().connections = made;
    };
    let (applied, ()) = tokio::join!(resource.apply(planned), appears);
    assert!(applied.diags.has_errors());
    // One of them is the plan's.
    assert_eq!(stage.aws.count("DescribeEventSource"), 7);
}

/// At every plan of a rule and of a bus; Scalr is asked once for a name.
#[tokio::test(start_paused = true)]
async fn plans_say_that_a_bus_is_elsewhere_than_its_connection() {
    let pattern = json!({ "source": [{ "prefix": "aws.partner/scalr.com" }] }).to_string();
    let rule = json!({ "name": "runs", "event_bus_name": SOURCE, "event_pattern": pattern });
    for (region, other_account, at) in [
        (Some("eu-west-1"), None, Some("region")),
        (None, Some("210987654321"), Some("event_bus_name")),
        (Some("us-east-1"), Some("210987654321"), Some("event_bus_name")),
        (None, None, None),
        (Some("us-east-1"), None, None),
    ] {
        let stage = stage().await;
        stage.aws.state().other_account = other_account;
        hold_bus(&stage.aws);
        // In real time: the paused clock moves on while an answer is on its way.
        tokio::time::resume();
        let asked = stage.scalr.count("GET");
        let resource = stage.harness.resource("scalr_eventbridge_rule");
        let config = and(rule.clone(), json!({ "region": region }));
        let planned = resource.plan(None, config.clone()).await.unwrap();
        let places_of = |warnings: &Diagnostics| {
            warnings
                .iter()
                .map(|one| one.path.to_string())
                .collect::<Vec<_>>()
        };
        let want: Vec<&str> = at.into_iter().collect();
        assert_eq!(places_of(&planned.warnings), want, "{region:?} {other_account:?}");
        let made = resource.apply(planned).await.state.unwrap();
        let again = resource.plan(Some(&made), config).await.unwrap();
        assert_eq!(again.warnings.iter().count() > 0, region == Some("eu-west-1"));
        // The second question is for the connection that leads here.
        assert!(stage.scalr.count("GET") - asked <= 2);
        let bus = bus(json!({ "region": region }));
        let planned = stage.harness.resource(BUS).plan(None, bus).await.unwrap();
        assert_eq!(planned.warnings.iter().count(), want.len());
        tokio::time::pause();
    }
    // Scalr gives no answer, and is asked once; without its credentials it is not asked.
    let stage = stage().await;
    hold_bus(&stage.aws);
    let refusal = scalr::fake::error(403, "You may not.");
    let call = "GET integrations/aws-event-bridge";
    stage.scalr.state().refuses.push((call, refusal.0, refusal.1));
    let asked = stage.scalr.count("GET");
    for harness in [&stage.harness, &aws::beside(stage.aws.config(), None)] {
        let resource = harness.resource("scalr_eventbridge_rule");
        for name in ["a", "b"] {
            let config = and(rule.clone(), json!({ "name": name, "region": "eu-west-1" }));
            assert!(resource.plan(None, config).await.unwrap().warnings.is_empty());
        }
    }
    assert!(stage.scalr.count("GET") - asked <= 1);
}

/// A bus of an earlier connection, which is in every region of the fake.
fn hold_bus(aws: &Fake) {
    let bus = json!({ "Name": SOURCE, "Arn": "arn:aws:events:eu-west-1:123456789012:event-bus/b" });
    aws.state().buses.insert(SOURCE.to_owned(), bus);
}

/// AWS has no such bus there, and Scalr says that it is elsewhere: an apply could only fail.
#[tokio::test(start_paused = true)]
async fn a_plan_warns_of_what_is_made_on_a_bus_of_another_place() {
    let pattern = json!({ "source": [{ "prefix": "aws.partner/scalr.com" }] }).to_string();
    let elsewhere = json!({ "event_bus_name": SOURCE, "region": "eu-west-1" });
    let function = "arn:aws:lambda:eu-west-1:123456789012:function:f";
    let resources = [
        (
            "scalr_eventbridge_rule",
            and(
                json!({ "name": "runs", "event_pattern": pattern }),
                elsewhere.clone(),
            ),
        ),
        (
            "scalr_eventbridge_target",
            and(json!({ "rule": "other", "arn": function }), elsewhere),
        ),
    ];
    let stage = stage().await;
    // The connection was made by an earlier apply.
    let harness = aws::beside(stage.aws.config(), Some(&stage.scalr.url()));
    for (name, config) in &resources {
        let planned = harness.resource(name).plan(None, config.clone()).await.unwrap();
        let next = "`region = \"us-east-1\"`, unless the same apply changes the connection";
        names(&planned.warnings, &["another region", next]);
        let at: Vec<_> = planned.warnings.iter().map(|one| one.path.to_string()).collect();
        assert_eq!(at, ["region"], "{name}");
    }
    // Without Scalr's word, the bus of this plan says where it is.
    let alone = aws::beside(stage.aws.config(), None);
    let here = bus(json!({ "region": "us-east-1" }));
    alone.resource(BUS).plan(None, here).await.unwrap();
    for (name, config) in resources {
        let planned = alone.resource(name).plan(None, config).await.unwrap();
        let found = "A resource of this plan has it in region us-east-1";
        names(&planned.warnings, &[found]);
    }
}

/// Nothing sends events any more: the warning that they are dropped from now on would be noise.
#[tokio::test(start_paused = true)]
async fn a_destroy_of_bus_and_connection_loses_nothing() {
    let stage = stage().await;
    let made = stage.harness.resource(BUS).create(bus(json!({}))).await.unwrap();
    let process = || aws::beside(stage.aws.config(), Some(&stage.scalr.url()));
    for (with_connection, is_destroy, warned) in
        [(true, true, false), (true, false, true), (false, true, true)]
    {
        let walk = process();
        if with_connection {
            walk.resource(CONNECTION).read(&stage.connection).await.unwrap();
        }
        let read = walk.resource(BUS).read(&made).await.unwrap().unwrap();
        // A destroy refreshes in a walk of its own.
        let walk = if is_destroy { process() } else { walk };
        let planned = walk.resource(BUS).plan_destroy(&read).await.unwrap();
        assert_eq!(!planned.warnings.is_empty(), warned, "{}", planned.warnings);
    }
}
