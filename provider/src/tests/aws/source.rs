//! `scalr_eventbridge_bus` and its event source: one that is late, gone or elsewhere.

use serde_json::{Value as Json, json};
use tfplugin::testing::{Harness, State};

use super::fake::{Fake, Trouble};
use super::{SOURCE, beside, names, on, stage};
use crate::tests::and;
use crate::tests::scalr;
use crate::tests::snapshot::scenarios;

scenarios![
    a_source_that_does_not_come_is_an_error,
    a_source_that_is_elsewhere_is_named_early,
    a_wait_for_the_source_can_be_interrupted,
    a_bus_that_is_not_associated_is_a_warning,
    a_source_that_lost_its_bus_is_associated_again,
    a_loss_of_events_is_warned_of,
    an_existing_bus_is_adopted_or_refused,
    what_aws_refuses_leaves_the_bus_as_it_was,
    credentials_of_another_account_keep_the_state,
    the_data_source_says_where_it_looked,
    a_plan_warns_of_a_source_that_is_not_there,
    the_source_of_a_planned_connection_is_awaited,
];

const NAME: &str = "scalr_eventbridge_bus";
const DENIED: Trouble = Trouble::Says("AccessDeniedException", "You may not.");

fn config(more: Json) -> Json {
    and(
        json!({ "event_source_name": SOURCE, "timeouts": { "create": "60s" } }),
        more,
    )
}

async fn made() -> (Fake, Harness, State) {
    let (fake, harness) = stage().await;
    let state = harness.resource(NAME).create(config(json!({}))).await.unwrap();
    (fake, harness, state)
}

#[tokio::test(start_paused = true)]
async fn a_source_that_does_not_come_is_an_error() {
    for state in [None, Some("DELETED")] {
        let (fake, harness) = stage().await;
        fake.state().sources.clear();
        fake.state()
            .sources
            .extend(state.map(|state| (SOURCE.to_owned(), state)));
        harness
            .resource(NAME)
            .create(config(json!({})))
            .await
            .unwrap_err();
        assert_eq!(fake.count("CreateEventBus"), 0);
    }
    let (fake, harness) = stage().await;
    // The plan's look.
    fake.state().let_through("DescribeEventSource", 1);
    fake.state().trouble("DescribeEventSource", DENIED);
    harness
        .resource(NAME)
        .create(config(json!({})))
        .await
        .unwrap_err();
    // A passing trouble is waited out, and named where it does not pass.
    for _ in 0..100 {
        let busy = Trouble::Says("ThrottlingException", "Slow down.");
        fake.state().trouble("DescribeEventSource", busy);
    }
    harness
        .resource(NAME)
        .create(config(json!({})))
        .await
        .unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_elsewhere_is_named_early() {
    let (fake, _) = stage().await;
    fake.state().sources.clear();
    let scalr = scalr::fake::Fake::start().await;
    let harness = beside(fake.config(), Some(&scalr.url()));
    harness
        .resource("scalr_eventbridge_connection")
        .create(scalr::connection(json!({ "region": "eu-west-1" })))
        .await
        .unwrap();
    let resource = harness.resource(NAME);
    // In real time: the paused clock moves on while an answer is on its way.
    tokio::time::resume();
    let planned = resource.plan(None, config(json!({}))).await.unwrap();
    tokio::time::pause();
    names(&planned.warnings, &["eu-west-1"]);
    assert!(resource.apply(planned).await.diags.has_errors());
    assert!(fake.count("DescribeEventSource") < 10);
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_the_source_can_be_interrupted() {
    let (fake, harness) = stage().await;
    fake.state().sources.clear();
    let resource = harness.resource(NAME);
    let planned = resource.plan(None, config(json!({}))).await.unwrap();
    let interrupt = async {
        fake.until("DescribeEventSource", 2).await;
        harness.stop().await;
    };
    let (applied, ()) = tokio::join!(resource.apply(planned), interrupt);
    assert!(applied.state.is_none() && applied.diags.has_errors());
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_is_not_associated_is_a_warning() {
    for (state, trouble) in [
        ("PENDING", None),
        ("DELETED", None),
        ("", None),
        (
            "PENDING",
            Some(Trouble::Says("ThrottlingException", "Slow down.")),
        ),
    ] {
        let (fake, harness) = stage().await;
        fake.state().stuck = Some(state);
        // The plan's look, and that of the apply before it makes the bus.
        fake.state().let_through("DescribeEventSource", 2);
        for _ in 0..100 {
            let mut held = fake.state();
            trouble
                .clone()
                .into_iter()
                .for_each(|trouble| held.trouble("DescribeEventSource", trouble));
        }
        let resource = harness.resource(NAME);
        let planned = resource.plan(None, config(json!({}))).await.unwrap();
        let applied = resource.apply(planned).await;
        assert!(applied.state.is_some() && !applied.diags.has_errors());
    }
    let (fake, harness) = stage().await;
    fake.state().stuck = Some("PENDING");
    let resource = harness.resource(NAME);
    let planned = resource.plan(None, config(json!({}))).await.unwrap();
    let interrupt = async {
        fake.until("DescribeEventSource", 3).await;
        harness.stop().await;
    };
    let (applied, ()) = tokio::join!(resource.apply(planned), interrupt);
    assert!(applied.state.is_some() && !applied.diags.has_errors());
}

#[tokio::test(start_paused = true)]
async fn a_source_that_lost_its_bus_is_associated_again() {
    let (fake, harness, state) = made().await;
    let resource = harness.resource(NAME);
    fake.state().sources.insert(SOURCE.to_owned(), "PENDING");
    let lost = resource.read(&state).await.unwrap().unwrap();
    let again = resource.update(&lost, config(json!({}))).await.unwrap();
    resource.assert_stable(&again, config(json!({}))).await;

    fake.state().trouble("ActivateEventSource", DENIED);
    resource.update(&lost, config(json!({}))).await.unwrap_err();
    for stuck in ["PENDING", "DELETED", ""] {
        fake.state().stuck = Some(stuck);
        let config = config(json!({ "timeouts": { "create": "60s", "update": "20s" } }));
        let planned = resource.plan(Some(&lost), config).await.unwrap();
        assert!(resource.apply(planned).await.diags.has_errors());
    }
    fake.state().stuck = None;
    fake.state().trouble("DescribeEventSource", DENIED);
    resource.update(&lost, config(json!({}))).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_loss_of_events_is_warned_of() {
    let (fake, harness, state) = made().await;
    let resource = harness.resource(NAME);
    let destroyed = resource.plan_destroy(&state).await.unwrap();
    let other = json!({ "event_source_name": "aws.partner/scalr.com/acme/other" });
    let replaced = resource.plan(Some(&state), other).await.unwrap();
    assert!(!destroyed.warnings.is_empty() && !replaced.warnings.is_empty());
    for gone in [Some("DELETED"), None] {
        fake.state().sources = gone.map(|state| (SOURCE.to_owned(), state)).into_iter().collect();
        let read = resource.read(&state).await.unwrap().unwrap();
        let planned = resource.plan(Some(&read), config(json!({}))).await.unwrap();
        assert!(!planned.warnings.is_empty());
        assert!(resource.plan_destroy(&read).await.unwrap().warnings.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn an_existing_bus_is_adopted_or_refused() {
    let (fake, harness, state) = made().await;
    let resource = harness.resource(NAME);
    resource.create(config(json!({}))).await.unwrap_err();
    fake.state().sources.insert(SOURCE.to_owned(), "PENDING");
    resource.create(config(json!({}))).await.unwrap_err();
    let adopted = config(json!({ "adopt_existing": true, "description": "Scalr's events" }));
    let adopted = resource.create(adopted).await.unwrap();
    assert_eq!(adopted.json()["arn"], state.json()["arn"]);
    // It shows between the look and the call: an earlier attempt of that very call made it, or somebody else did.
    for (description, is_ours) in [(None, true), (Some("theirs"), false)] {
        let (fake, harness, _) = made().await;
        fake.state().buses.get_mut(SOURCE).unwrap()["Description"] = json!(description);
        let resource = harness.resource(NAME);
        let planned = resource.plan(None, config(json!({}))).await.unwrap();
        fake.state().hidden_once = true;
        fake.state().trouble(
            "CreateEventBus",
            Trouble::Says("ResourceAlreadyExistsException", "There is one."),
        );
        let again = resource.apply(planned).await;
        assert_eq!(!again.diags.has_errors(), is_ours);
    }
}

#[tokio::test(start_paused = true)]
async fn what_aws_refuses_leaves_the_bus_as_it_was() {
    // The account's default bus is looked at first.
    for (call, earlier) in [("DescribeEventBus", 1), ("CreateEventBus", 0)] {
        let (fake, harness) = stage().await;
        fake.state().let_through(call, earlier);
        fake.state().trouble(call, DENIED);
        harness
            .resource(NAME)
            .create(config(json!({})))
            .await
            .unwrap_err();
    }
    let (fake, harness) = stage().await;
    fake.state().trouble(
        "CreateEventBus",
        Trouble::Says("ResourceAlreadyExistsException", "There is one."),
    );
    harness
        .resource(NAME)
        .create(config(json!({})))
        .await
        .unwrap_err();
    {
        let mut held = fake.state();
        held.let_through("DescribeEventBus", 1);
        held.trouble("DescribeEventBus", DENIED);
        held.trouble(
            "CreateEventBus",
            Trouble::Says("ResourceAlreadyExistsException", "There is one."),
        );
    }
    harness
        .resource(NAME)
        .create(config(json!({})))
        .await
        .unwrap_err();

    let (fake, harness, state) = made().await;
    let resource = harness.resource(NAME);
    for (call, more) in [
        ("UpdateEventBus", json!({ "description": "x" })),
        ("TagResource", json!({ "tags": { "a": "1" } })),
    ] {
        fake.state().trouble(call, DENIED);
        resource.update(&state, config(more)).await.unwrap_err();
    }
    for call in ["DescribeEventBus", "DescribeEventSource", "ListTagsForResource"] {
        fake.state().trouble(call, DENIED);
        resource.read(&state).await.unwrap_err();
    }
    for trouble in [DENIED, Trouble::Breaks { carried_out: true }] {
        fake.state().trouble("DeleteEventBus", trouble);
        resource.destroy(&state).await.unwrap_err();
    }
    let region = json!({ "event_source_name": SOURCE, "region": "mars" });
    harness.resource(NAME).validate(region).await.unwrap_err();
}

/// With credentials of another account, everything would seem deleted.
#[tokio::test(start_paused = true)]
async fn credentials_of_another_account_keep_the_state() {
    let (fake, _, state) = made().await;
    fake.state().buses.clear();
    fake.state().other_account = Some("210987654321");
    on(fake.config()).resource(NAME).read(&state).await.unwrap_err();
    fake.state().trouble(
        "DescribeEventBus",
        Trouble::Says("ResourceNotFoundException", "There is none."),
    );
    fake.state().trouble("DescribeEventBus", DENIED);
    on(fake.config()).resource(NAME).read(&state).await.unwrap_err();
    fake.state().other_account = None;
    assert!(
        on(fake.config())
            .resource(NAME)
            .read(&state)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test(start_paused = true)]
async fn the_data_source_says_where_it_looked() {
    let (fake, harness) = stage().await;
    let source = "scalr_eventbridge_source";
    assert_eq!(
        harness
            .data_source(source, json!({ "name": SOURCE }))
            .await
            .unwrap()["state"],
        "PENDING"
    );
    harness
        .data_source(source, json!({ "name": "aws.partner/scalr.com/a/b" }))
        .await
        .unwrap_err();
    fake.state().trouble("DescribeEventSource", DENIED);
    harness
        .data_source(source, json!({ "name": SOURCE }))
        .await
        .unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_plan_warns_of_a_source_that_is_not_there() {
    let source = |name: &str| format!("aws.partner/scalr.com/acme/{name}");
    for (held, state, said) in [
        (SOURCE.to_owned(), "PENDING", &[][..]),
        (
            source("prdo"),
            "PENDING",
            &[
                "event_source_name",
                "`aws.partner/scalr.com/acme/prdo`?",
                "region us-east-1",
            ],
        ),
        (
            source("billing"),
            "ACTIVE",
            &["event sources there are `aws.partner/scalr.com/acme/billing`"],
        ),
        (SOURCE.to_owned(), "DELETED", &["(DELETED)"]),
    ] {
        let fake = Fake::new();
        fake.state().sources.insert(held.clone(), state);
        let planned = on(fake.config())
            .resource(NAME)
            .plan(None, config(json!({})))
            .await
            .unwrap();
        assert_eq!(
            planned.warnings.is_empty(),
            said.is_empty(),
            "{held}: {}",
            planned.warnings
        );
        if !said.is_empty() {
            names(&planned.warnings, said);
        }
    }
    // What may not be asked for is not judged.
    let fake = Fake::new();
    fake.state().trouble("DescribeEventSource", DENIED);
    let planned = on(fake.config())
        .resource(NAME)
        .plan(None, config(json!({})))
        .await
        .unwrap();
    assert!(planned.warnings.is_empty(), "{}", planned.warnings);
}

/// The bus names the source in words, so that its plan may come first.
#[tokio::test(start_paused = true)]
async fn the_source_of_a_planned_connection_is_awaited() {
    for (connection, warned) in [(None, true), (Some("other"), true), (Some("prod"), false)] {
        let (fake, scalr) = (Fake::new(), scalr::fake::Fake::start().await);
        let harness = beside(fake.config(), Some(&scalr.url()));
        let bus = harness.resource(NAME);
        let bus = bus.plan(None, config(json!({})));
        let planned = match connection {
            None => bus.await,
            Some(name) => {
                let connections = harness.resource("scalr_eventbridge_connection");
                let connection = connections.plan(None, scalr::connection(json!({ "name": name })));
                let (planned, made) = tokio::join!(bus, connection);
                made.unwrap();
                planned
            }
        };
        let planned = planned.unwrap();
        assert_eq!(
            !planned.warnings.is_empty(),
            warned,
            "{connection:?}: {}",
            planned.warnings
        );
    }
}
