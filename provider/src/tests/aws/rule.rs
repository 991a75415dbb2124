//! `scalr_eventbridge_rule`

use serde_json::{Value as Json, json};

use super::fake::{Fake, Trouble};
use super::{SOURCE, and, names, on, stage};
use crate::tests::snapshot::scenarios;

scenarios![
    a_lost_answer_says_that_the_rule_may_be_there_and_the_next_apply_adopts_it,
    a_refusal_says_that_nothing_was_changed,
    only_targets_that_are_there_are_waited_for,
    a_password_in_an_endpoint_is_not_shown,
    an_existing_rule_is_refused_where_it_differs,
    a_rule_of_no_bus_is_refused,
    what_aws_refuses_of_a_rule_is_reported,
];

const NAME: &str = "scalr_eventbridge_rule";

fn config(more: Json) -> Json {
    let pattern = json!({ "source": [{ "prefix": "aws.partner/scalr.com" }] }).to_string();
    and(
        json!({ "name": "runs", "event_bus_name": SOURCE, "event_pattern": pattern }),
        more,
    )
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_says_that_the_rule_may_be_there_and_the_next_apply_adopts_it() {
    let (fake, harness) = stage().await;
    fake.state()
        .trouble("PutRule", Trouble::Breaks { carried_out: true });
    let resource = harness.resource(NAME);
    let planned = resource.plan(None, config(json!({}))).await.unwrap();
    let applied = resource.apply(planned).await;
    assert!(applied.state.is_none() && applied.diags.has_errors());
    names(&applied.diags, &["`runs`", "events:PutRule"]);
    let state = resource.create(config(json!({}))).await.unwrap();
    resource.assert_stable(&state, config(json!({}))).await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_that_nothing_was_changed() {
    let (fake, harness) = stage().await;
    for call in ["DescribeRule", "PutRule"] {
        fake.state()
            .trouble(call, Trouble::Says("AccessDeniedException", "You may not."));
        let refused = harness
            .resource(NAME)
            .create(config(json!({})))
            .await
            .unwrap_err();
        names(&refused, &[&format!("`events:{call}`")]);
    }
}

#[tokio::test(start_paused = true)]
async fn only_targets_that_are_there_are_waited_for() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let state = resource
        .create(config(json!({ "timeouts": { "delete": "30s" } })))
        .await
        .unwrap();
    fake.state().trouble(
        "DeleteRule",
        Trouble::Says("LimitExceededException", "Too many targets asked about."),
    );
    names(
        &resource.destroy(&state).await.unwrap_err(),
        &["`runs`", "LimitExceededException"],
    );
    assert_eq!(fake.count("DeleteRule"), 1);

    let key = (SOURCE.to_owned(), "runs".to_owned());
    let theirs = json!({ "Id": "theirs", "Arn": "arn:aws:sqs:us-east-1:123456789012:q" });
    fake.state().targets.insert(key.clone(), vec![theirs]);
    names(&resource.destroy(&state).await.unwrap_err(), &["`theirs`"]);
    fake.state().targets.remove(&key);
    resource.destroy(&state).await.unwrap();
    assert!(fake.state().rules.is_empty());
}

/// `AWS_ENDPOINT_URL` is AWS's to read, whatever it holds.
#[tokio::test(start_paused = true)]
async fn a_password_in_an_endpoint_is_not_shown() {
    let fake = Fake::new();
    fake.state()
        .trouble("DescribeRule", Trouble::Breaks { carried_out: false });
    let url = "http://someone:letmein@127.0.0.1:9";
    let harness = on(fake.config().into_builder().endpoint_url(url).build());
    let refused = harness
        .resource(NAME)
        .create(config(json!({})))
        .await
        .unwrap_err();
    names(&refused, &["http://127.0.0.1:9"]);
    let text = refused.to_string();
    assert!(!text.contains("letmein") && !text.contains("someone"), "{text}");
}

const DENIED: Trouble = Trouble::Says("AccessDeniedException", "You may not.");

#[tokio::test(start_paused = true)]
async fn an_existing_rule_is_refused_where_it_differs() {
    let (_fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    resource.create(config(json!({}))).await.unwrap();
    let other = config(json!({ "enabled": false, "description": "x" }));
    resource.create(other).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_rule_of_no_bus_is_refused() {
    let (fake, harness) = stage().await;
    let none = Trouble::Says("ResourceNotFoundException", "Event bus is not there.");
    fake.state().trouble("PutRule", none);
    harness
        .resource(NAME)
        .create(config(json!({})))
        .await
        .unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn what_aws_refuses_of_a_rule_is_reported() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let pattern = Trouble::Says("InvalidEventPatternException", "Event pattern is not valid.");
    let prefixed = json!({ "name": null, "name_prefix": "runs-" });
    for (call, trouble, more) in [
        ("PutRule", pattern, json!({})),
        (
            "PutRule",
            Trouble::Breaks { carried_out: false },
            prefixed.clone(),
        ),
        ("ListRules", DENIED, prefixed),
        (
            "PutRule",
            Trouble::Says("LimitExceededException", "Too many rules."),
            json!({}),
        ),
    ] {
        fake.state().trouble(call, trouble);
        resource.create(config(more)).await.unwrap_err();
    }
    let state = resource.create(config(json!({}))).await.unwrap();
    for (call, trouble) in [
        ("PutRule", DENIED),
        ("PutRule", Trouble::Breaks { carried_out: true }),
        ("TagResource", DENIED),
    ] {
        fake.state().trouble(call, trouble);
        let more = json!({ "description": "x", "tags": { "a": "1" } });
        resource.update(&state, config(more)).await.unwrap_err();
    }
    for call in ["DescribeRule", "ListTagsForResource"] {
        fake.state().trouble(call, DENIED);
        resource.read(&state).await.unwrap_err();
    }
    fake.state()
        .trouble("DeleteRule", Trouble::Breaks { carried_out: false });
    resource.destroy(&state).await.unwrap_err();
    fake.state().rules.clear();
    fake.state().other_account = Some("210987654321");
    let elsewhere = on(fake.config());
    elsewhere.resource(NAME).read(&state).await.unwrap_err();
}
