//! The data sources that list, and that look at a connection's delivery.

use serde_json::{Value as Json, json};
use tfplugin::testing::Harness;

use super::aws::fake::{Fake, Trouble};
use super::aws::{SOURCE, beside};
use super::scalr::connection;
use super::scalr::fake::Fake as FakeScalr;
use super::snapshot::scenarios;
use super::{and, names};

scenarios![
    connections_are_filtered_and_sorted,
    sources_are_filtered_and_sorted,
    a_delivery_is_told_or_not,
    deliveries_are_listed_page_by_page,
    samples_are_of_every_type,
];

async fn stage() -> (Fake, FakeScalr, Harness) {
    let (aws, scalr) = (Fake::new(), FakeScalr::start().await);
    aws.state().sources.insert(SOURCE.to_owned(), "PENDING");
    let harness = beside(aws.config(), Some(&scalr.url()));
    (aws, scalr, harness)
}

/// One attribute of each element.
fn each(list: &Json, attribute: &str) -> Vec<String> {
    let text = |one: &Json| one[attribute].as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(text).collect()
}

#[tokio::test(start_paused = true)]
async fn connections_are_filtered_and_sorted() {
    const NAME: &str = "scalr_eventbridge_connections";
    let (_, scalr, harness) = stage().await;
    assert_eq!(
        harness.data_source(NAME, json!({})).await.unwrap()["connections"],
        json!([])
    );
    for (name, region) in [
        ("prod-b", "us-east-1"),
        ("test", "eu-west-1"),
        ("prod-a", "eu-north-1"),
    ] {
        let config = connection(json!({ "name": name, "region": region }));
        harness
            .resource("scalr_eventbridge_connection")
            .create(config)
            .await
            .unwrap();
    }
    scalr.set_status("disabled");
    for (filter, want) in [
        (json!({}), &["prod-a", "prod-b", "test"][..]),
        (json!({ "name_prefix": "prod-" }), &["prod-a", "prod-b"]),
        (json!({ "name_prefix": "" }), &["prod-a", "prod-b", "test"]),
        (json!({ "region": "eu-west-1" }), &["test"]),
        (json!({ "status": "disabled" }), &["prod-b"]),
        (
            json!({ "account_id": "acc-1", "aws_account_id": "123456789012", "status": "pending" }),
            &["prod-a", "test"],
        ),
        (json!({ "account_id": "acc-2" }), &[]),
        (json!({ "aws_account_id": "210987654321" }), &[]),
    ] {
        let found = harness.data_source(NAME, filter.clone()).await.unwrap();
        assert_eq!(each(&found["connections"], "name"), want, "{filter}");
    }
    let paused = harness
        .data_source(NAME, json!({ "status": "disabled" }))
        .await
        .unwrap();
    let one = &paused["connections"][0];
    assert_eq!(
        (&one["id"], &one["enabled"], &one["account_id"]),
        (&json!("in-1"), &json!(false), &json!("acc-1"))
    );
    harness
        .data_source(NAME, json!({ "status": "paused" }))
        .await
        .unwrap_err();
    scalr.state().refuses = vec![(
        "GET integrations",
        403,
        json!({ "errors": [{ "status": "403", "title": "No" }] }),
    )];
    harness.data_source(NAME, json!({})).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn sources_are_filtered_and_sorted() {
    const NAME: &str = "scalr_eventbridge_sources";
    let (aws, _, harness) = stage().await;
    for (name, state) in [
        ("aws.partner/scalr.com/acme/old", "DELETED"),
        ("aws.partner/scalr.com/beta/prod", "ACTIVE"),
        ("aws.partner/other.com/x/y", "ACTIVE"),
    ] {
        aws.state().sources.insert(name.to_owned(), state);
    }
    let (old, beta) = (
        "aws.partner/scalr.com/acme/old",
        "aws.partner/scalr.com/beta/prod",
    );
    for (filter, want) in [
        (json!({}), &[old, SOURCE, beta][..]),
        (
            json!({ "name_prefix": "aws.partner/scalr.com/acme/" }),
            &[old, SOURCE],
        ),
        (
            json!({ "name_prefix": "" }),
            &["aws.partner/other.com/x/y", old, SOURCE, beta],
        ),
        (json!({ "state": "PENDING" }), &[SOURCE]),
    ] {
        let found = harness.data_source(NAME, filter.clone()).await.unwrap();
        assert_eq!(each(&found["sources"], "name"), want, "{filter}");
        assert_eq!(found["region"], "us-east-1");
    }
    harness
        .data_source(NAME, json!({ "state": "pending" }))
        .await
        .unwrap_err();
    aws.state().trouble(
        "ListEventSources",
        Trouble::Says("AccessDeniedException", "You may not."),
    );
    harness.data_source(NAME, json!({})).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_delivery_is_told_or_not() {
    const NAME: &str = "scalr_eventbridge_connection_delivery";
    let (_, scalr, harness) = stage().await;
    let config = || json!({ "connection_id": "in-1" });
    let gone = harness.data_source(NAME, config()).await.unwrap_err();
    names(&gone, &["There is no connection", "`in-1`"]);
    harness
        .resource("scalr_eventbridge_connection")
        .create(connection(json!({})))
        .await
        .unwrap();
    let silent = harness.data_source(NAME, config()).await.unwrap_err();
    names(&silent, &["`prod` (`in-1`)", "scalr_eventbridge_delivery_check"]);
    scalr.state().delivery = Some(json!({
        "held": 2, "held-bytes": 900, "oldest-held-at": "2026-01-01T00:00:00Z", "delivered": 7, "last-delivered-at": null,
        "failures-in-a-row": 1, "last-error": "no answer",
        "clock": { "state": "confirmed", "moved-seconds": 0, "explanation": "…" },
        "failed": 4, "purged": 5, "unconfirmed": 8,
        "dropped": { "too-old": 1, "too-many-bytes": 2, "refused": 3 },
        "last-dropped": [{
            "event-id": "e-1", "detail-type": "RunExecuted", "reason": "too-old", "explanation": "It was held for 24 hours.",
            "at": "2026-01-02T00:00:00Z",
        }],
    }));
    let told = harness.data_source(NAME, config()).await.unwrap();
    assert_eq!(
        (&told["held"], &told["delivered"], &told["dropped"]),
        (&json!(2), &json!(7), &json!(6))
    );
    assert_eq!((&told["failed"], &told["purged"]), (&json!(4), &json!(5)));
    assert_eq!(told["unconfirmed"], 8);
    assert_eq!(told["last_delivered_at"], Json::Null);
    assert_eq!(told["last_dropped"][0]["reason"], "too-old");
    for (status, errors) in [
        (401, json!({ "errors": [{ "status": "401", "title": "No" }] })),
        (502, Json::Null),
    ] {
        scalr.state().refuses = vec![("GET /_companion", status, errors)];
        let failed = harness.data_source(NAME, config()).await.unwrap_err();
        assert!(!failed.to_string().contains("does not tell"), "{failed}");
    }
}

/// Deliveries of these numbers, as the companion lists them.
fn page(numbers: std::ops::Range<i64>, after: Option<i64>) -> (u16, Json) {
    let one = |number: i64| {
        json!({
            "state": "failed", "event-id": format!("run-{number}"), "detail-type": "RunExecuted", "bytes": 900,
            "accepted-at": "2026-01-01T00:00:00Z", "ended-at": "2026-01-01T00:00:01Z", "attempts": 3,
            "error": "MalformedDetail: no",
        })
    };
    (
        200,
        json!({ "deliveries": numbers.map(one).collect::<Vec<_>>(), "after": after }),
    )
}

#[tokio::test(start_paused = true)]
async fn deliveries_are_listed_page_by_page() {
    const NAME: &str = "scalr_eventbridge_deliveries";
    let (_, scalr, harness) = stage().await;
    let config = |more: Json| and(json!({ "connection_id": "in-1" }), more);
    let gone = harness.data_source(NAME, config(json!({}))).await.unwrap_err();
    names(&gone, &["There is no connection", "`in-1`"]);
    harness
        .resource("scalr_eventbridge_connection")
        .create(connection(json!({})))
        .await
        .unwrap();
    let lacking = harness.data_source(NAME, config(json!({}))).await.unwrap_err();
    names(
        &lacking,
        &["`prod` (`in-1`)", "Scalr's own API documents no such call"],
    );
    scalr.state().asked_of_deliveries.clear();
    for (limit, pages, want, more) in [
        (100, vec![page(0..100, None)], 100, false),
        (100, vec![page(0..100, Some(7)), page(100..110, None)], 100, true),
        (150, vec![page(0..100, Some(7)), page(100..110, None)], 110, false),
        (1, vec![page(0..2, Some(9))], 1, true),
        // A server that does not go on.
        (150, vec![page(0..100, Some(0)), page(0..3, Some(0))], 103, false),
        (1, vec![page(0..0, None)], 0, false),
    ] {
        scalr.state().deliveries = pages.into();
        let found = harness
            .data_source(NAME, config(json!({ "limit": limit })))
            .await
            .unwrap();
        let listed = found["deliveries"].as_array().unwrap();
        assert_eq!((listed.len(), &found["more"]), (want, &json!(more)), "{limit}");
        assert!(scalr.state().deliveries.is_empty(), "{limit}");
        if let Some(first) = listed.first() {
            assert_eq!(
                (&first["event_id"], &first["attempts"]),
                (&json!("run-0"), &json!(3))
            );
        }
    }
    let asked = std::mem::take(&mut scalr.state().asked_of_deliveries);
    assert_eq!(asked[1..3], ["state=failed", "state=failed&after=7"]);
    scalr.state().deliveries = vec![page(0..0, None)].into();
    let narrow = json!({
        "state": "delivered", "event_id": "run-1", "accepted_from": "2026-01-01T00:00:00Z",
        "accepted_before": "2026-01-02T01:00:00+01:00",
    });
    harness.data_source(NAME, config(narrow)).await.unwrap();
    let asked = scalr.state().asked_of_deliveries.join("");
    for part in [
        "state=delivered",
        "event=run-1",
        "from=2026-01-01",
        "to=2026-01-02T01%3A00%3A00%2B01%3A00",
    ] {
        assert!(asked.contains(part), "{asked}");
    }
    for wrong in [
        json!({ "state": "held" }),
        json!({ "limit": 0 }),
        json!({ "limit": 1001 }),
        json!({ "accepted_from": "noon" }),
        json!({ "accepted_before": "2026-01-01T00:00:00" }),
    ] {
        harness.data_source(NAME, config(wrong)).await.unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn samples_are_of_every_type() {
    const NAME: &str = "scalr_eventbridge_sample_events";
    let (_, _, harness) = stage().await;
    let plain = harness.data_source(NAME, json!({})).await.unwrap();
    let same = harness.call("sample_event", &[json!("AuditLog")]).await.unwrap();
    assert_eq!(plain["events"]["AuditLog"], same);
    let config =
        json!({ "event_source_name": SOURCE, "aws_account_id": "123456789012", "region": "eu-west-1" });
    let ours = harness.data_source(NAME, config).await.unwrap();
    for event_type in ["RunExecuted", "AuditLog"] {
        let event: Json = serde_json::from_str(ours["events"][event_type].as_str().unwrap()).unwrap();
        assert_eq!(event["detail-type"], event_type);
        assert_eq!(
            (&event["source"], &event["account"], &event["region"]),
            (&json!(SOURCE), &json!("123456789012"), &json!("eu-west-1"))
        );
    }
    harness
        .data_source(NAME, json!({ "event_source_name": "prod" }))
        .await
        .unwrap_err();
}
