//! What a plan refuses, warns of and keeps as it is.

use serde_json::{Value as Json, json};
use tfplugin::testing::{Harness, UNKNOWN};
use tfplugin::{Diagnostics, Result};

use super::{SOURCE, and, names, on, stage};
use crate::tests::snapshot::scenarios;

scenarios![
    what_is_unknown_may_turn_out_to_be_null,
    null_is_no_value_for_what_is_required,
    inputs_that_aws_refuses_are_refused_first,
    a_null_tag_is_as_good_as_none,
    tags_that_aws_refuses_are_refused_first,
    an_empty_description_stays_as_it_is_written,
    a_rule_that_a_killed_apply_left_is_refused_with_its_import_block,
    what_is_legal_but_odd_is_warned_of,
    an_import_of_something_else_says_what_it_is,
    targets_that_cannot_work_are_refused,
    targets_that_may_not_work_are_warned_of,
    patterns_that_may_not_work_are_warned_of,
    a_rule_for_scalr_on_the_default_bus_is_warned_of,
    values_of_another_form_are_refused,
];

const RULE: &str = "scalr_eventbridge_rule";
const TARGET: &str = "scalr_eventbridge_target";
const HOOK: &str = "scalr_eventbridge_api_destination";

fn hook(more: Json) -> Json {
    super::api_destination::config(more)
}

fn rule(more: Json) -> Json {
    let pattern = json!({ "source": [{ "prefix": "aws.partner/scalr.com" }] }).to_string();
    and(
        json!({ "event_bus_name": SOURCE, "event_pattern": pattern }),
        more,
    )
}

fn target(more: Json) -> Json {
    and(json!({ "rule": "runs", "event_bus_name": SOURCE }), more)
}

async fn validated(name: &str, config: Json) -> Result<Diagnostics> {
    let (_, harness) = stage().await;
    harness.resource(name).validate(config).await
}

/// Variables are unknown while a module is validated, and may turn out to be null.
#[tokio::test(start_paused = true)]
async fn what_is_unknown_may_turn_out_to_be_null() {
    let arn = "arn:aws:sqs:us-east-1:123456789012:q";
    let group = json!({ "name": "/scalr/runs" });
    for (name, config) in [
        (RULE, rule(json!({ "name": UNKNOWN, "name_prefix": UNKNOWN }))),
        (RULE, rule(json!({ "name": "runs", "name_prefix": UNKNOWN }))),
        (TARGET, target(json!({ "arn": UNKNOWN, "log_group": UNKNOWN }))),
        (TARGET, target(json!({ "arn": arn, "log_group": UNKNOWN }))),
        (TARGET, target(json!({ "arn": UNKNOWN, "log_group": group }))),
        (TARGET, target(json!({ "log_group": group, "role_arn": UNKNOWN }))),
        (
            TARGET,
            target(json!({ "log_group": { "name": "/scalr/runs", "retention_in_days": UNKNOWN } })),
        ),
        (
            TARGET,
            target(
                json!({ "arn": arn, "input": UNKNOWN, "input_path": UNKNOWN, "input_transformer": UNKNOWN }),
            ),
        ),
        (
            TARGET,
            target(json!({ "arn": arn, "input": "{}", "input_path": UNKNOWN })),
        ),
    ] {
        let shown = config.to_string();
        validated(name, config)
            .await
            .unwrap_or_else(|diags| panic!("{shown}: {diags}"));
    }
    for (name, config, at) in [
        (RULE, rule(json!({})), "name"),
        (
            RULE,
            rule(json!({ "name": "a", "name_prefix": "b" })),
            "name_prefix",
        ),
        (TARGET, target(json!({})), ""),
        (TARGET, target(json!({ "arn": arn, "log_group": group })), "arn"),
        (
            TARGET,
            target(json!({ "arn": arn, "input": "{}", "input_path": "$.detail" })),
            "input_path",
        ),
    ] {
        let refused = validated(name, config).await.unwrap_err();
        let paths: Vec<_> = refused.iter().map(|one| one.path.to_string()).collect();
        assert_eq!(paths, [at]);
    }
}

#[tokio::test(start_paused = true)]
async fn null_is_no_value_for_what_is_required() {
    for (config, path) in [
        (json!({ "log_group": { "name": null } }), "`log_group.name`"),
        (
            json!({ "arn": "arn:aws:sqs:us-east-1:123456789012:q", "dead_letter_config": { "arn": null } }),
            "`dead_letter_config.arn`",
        ),
        (
            json!({ "log_group": { "name": "/g" }, "input_transformer": { "input_template": null } }),
            "`input_transformer.input_template`",
        ),
    ] {
        names(&validated(TARGET, target(config)).await.unwrap_err(), &[path]);
    }
}

#[tokio::test(start_paused = true)]
async fn inputs_that_aws_refuses_are_refused_first() {
    let arn = "arn:aws:sqs:us-east-1:123456789012:q";
    let transformed = |paths: Json, template: &str| json!({ "arn": arn, "input_transformer": { "input_paths": paths, "input_template": template } });
    for (config, why) in [
        (
            transformed(json!({ "id": "$.id" }), "\"<id> <nope>\""),
            "`<nope>`",
        ),
        (
            transformed(json!(null), "<aws.events.nope>"),
            "`<aws.events.nope>`",
        ),
        (transformed(json!({}), ""), "`input_transformer.input_template`"),
        (transformed(json!({ "b c": "$" }), "x"), "`b c`"),
        (transformed(json!({ "AWSid": "$" }), "x"), "`AWSid`"),
        (
            transformed(json!({ "id": "id" }), "<id>"),
            "`input_transformer.input_paths`",
        ),
        (json!({ "arn": arn, "input_path": "detail" }), "`input_path`"),
    ] {
        names(&validated(TARGET, target(config)).await.unwrap_err(), &[why]);
    }
    for config in [
        transformed(json!({ "id": "$.id" }), "\"<id> <aws.events.rule-name>\""),
        transformed(json!({ "id": UNKNOWN }), "<id>"),
        transformed(json!(UNKNOWN), "<id>"),
        json!({ "arn": arn, "input_path": "$.detail" }),
    ] {
        validated(TARGET, target(config)).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_null_tag_is_as_good_as_none() {
    for (name, config) in [
        (
            RULE,
            rule(json!({ "name": "runs", "tags": { "n": null, "a": "1" } })),
        ),
        (
            "scalr_eventbridge_bus",
            json!({ "event_source_name": SOURCE, "tags": { "n": null, "a": "1" } }),
        ),
    ] {
        let (fake, harness) = stage().await;
        let resource = harness.resource(name);
        let planned = resource.plan(None, config.clone()).await.unwrap();
        assert_eq!(planned.json()["tags_all"], json!({ "a": "1" }), "{name}");
        let state = resource.create(config.clone()).await.unwrap();
        assert_eq!(
            fake.state()
                .tags
                .values()
                .next()
                .map(std::collections::BTreeMap::len),
            Some(1),
            "{name}"
        );
        resource.assert_stable(&state, config.clone()).await;
        let filled = and(config, json!({ "tags": { "n": "x", "a": null } }));
        let state = resource.update(&state, filled.clone()).await.unwrap();
        assert_eq!(state.json()["tags_all"], json!({ "n": "x" }), "{name}");
        resource.assert_stable(&state, filled).await;
    }
}

#[tokio::test(start_paused = true)]
async fn tags_that_aws_refuses_are_refused_first() {
    for tags in [
        json!({ "aws:x": "1" }),
        json!({ "": "1" }),
        json!({ "k": "x".repeat(257) }),
    ] {
        let config = rule(json!({ "name": "runs", "tags": tags }));
        names(&validated(RULE, config).await.unwrap_err(), &["`tags`"]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_description_stays_as_it_is_written() {
    for (name, config) in [
        (RULE, rule(json!({ "name": "runs", "description": "" }))),
        (
            "scalr_eventbridge_bus",
            json!({ "event_source_name": SOURCE, "description": "" }),
        ),
    ] {
        let (_, harness) = stage().await;
        let resource = harness.resource(name);
        let state = resource.create(config.clone()).await.unwrap();
        resource.assert_stable(&state, config).await;
    }
}

/// A generated name is in no state when an apply is killed: the next one finds the rule.
#[tokio::test(start_paused = true)]
async fn a_rule_that_a_killed_apply_left_is_refused_with_its_import_block() {
    let (fake, killed) = stage().await;
    let config = |more: Json| rule(and(json!({ "name_prefix": "runs-" }), more));
    let made = |harness: Harness, config: Json| async move { harness.resource(RULE).create(config).await };
    let left = killed.resource(RULE).create(config(json!({}))).await.unwrap();
    let left = left.json()["name"].as_str().unwrap().to_owned();
    // Those that this same process made are nobody's leftovers.
    killed.resource(RULE).create(config(json!({}))).await.unwrap();

    let refused = made(on(fake.config()), config(json!({}))).await.unwrap_err();
    let (to, id) = (
        "to = scalr_eventbridge_rule.prod_runs-",
        format!("id = \"{SOURCE}/runs-"),
    );
    names(&refused, &["`runs-", "delete-rule", to, &id]);
    assert_eq!(fake.count("PutRule"), 2);
    made(on(fake.config()), config(json!({ "description": "Another one" })))
        .await
        .unwrap();
    let targets = |name: &str| {
        let theirs = json!({ "Id": "theirs", "Arn": "arn:aws:sqs:us-east-1:123456789012:q" });
        ((SOURCE.to_owned(), name.to_owned()), vec![theirs])
    };
    // One with targets is in use.
    let names: Vec<_> = fake.state().rules.keys().map(|(_, name)| name.clone()).collect();
    assert!(names.contains(&left));
    fake.state()
        .targets
        .extend(names.iter().map(|name| targets(name)));
    made(on(fake.config()), config(json!({}))).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_is_legal_but_odd_is_warned_of() {
    let (_, harness) = stage().await;
    let pattern = |pattern: Json| rule(json!({ "name": "runs", "event_pattern": pattern.to_string() }));
    let odd = pattern(json!({ "detail-type": ["RunExectued"] }));
    let planned = harness.resource(RULE).plan(None, odd).await.unwrap();
    names(&planned.warnings, &["`RunExecuted`"]);
    let long = pattern(json!({ "detail-type": ["x".repeat(4_096)] }));
    let refused = harness.resource(RULE).plan(None, long).await.unwrap_err();
    names(&refused, &["`event_pattern`"]);
    assert!(refused.to_string().len() < 500, "{refused}");
    let arn = "arn:aws:sqs:eu-west-1:123456789012:q.fifo";
    let config = target(json!({ "arn": arn, "region": "us-east-1" }));
    let planned = harness.resource(TARGET).plan(None, config).await.unwrap();
    names(&planned.warnings, &[arn]);
}

#[tokio::test(start_paused = true)]
async fn an_import_of_something_else_says_what_it_is() {
    let (fake, harness) = stage().await;
    fake.state()
        .buses
        .insert("ren".to_owned(), json!({ "Name": "ren" }));
    let refused = harness
        .resource("scalr_eventbridge_bus")
        .import("ren")
        .await
        .unwrap_err();
    names(&refused, &["`ren`"]);
}

#[tokio::test(start_paused = true)]
async fn targets_that_cannot_work_are_refused() {
    let group = |more: Json| and(json!({ "name": "/scalr/runs" }), more);
    let arn = "arn:aws:sqs:us-east-1:123456789012:q";
    for config in [
        json!({ "log_group": group(json!({})), "role_arn": "arn:aws:iam::123456789012:role/r" }),
        json!({ "log_group": { "name": "/scalr/#1", "create": true } }),
        json!({ "log_group": group(json!({})), "input_transformer": { "input_template": "\"run\"" } }),
        json!({ "log_group": group(json!({ "retention_in_days": 30 })) }),
        json!({ "log_group": group(json!({ "kms_key_id": "arn:aws:kms:us-east-1:123456789012:key/k" })) }),
        json!({ "log_group": group(json!({ "delete_on_destroy": true })) }),
        json!({ "arn": arn, "input": "not JSON" }),
        json!({ "arn": arn, "input_transformer": { "input_paths": { "id": "$.id" }, "input_template": "\\u003cid\\u003e" } }),
    ] {
        validated(TARGET, target(config)).await.unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn targets_that_may_not_work_are_warned_of() {
    let role = "arn:aws:iam::123456789012:role/r";
    let queue = "arn:aws:sqs:eu-west-1:123456789012:dead";
    for (service, more) in [
        ("sqs:us-east-1:123456789012:q", json!({ "role_arn": role })),
        ("sns:us-east-1:123456789012:t", json!({ "role_arn": role })),
        (
            "lambda:us-east-1:123456789012:function:f",
            json!({ "role_arn": role }),
        ),
        ("kinesis:us-east-1:123456789012:stream/s", json!({})),
        (
            "sqs:us-east-1:123456789012:q",
            json!({ "input_transformer": {
                "input_paths": { "run": "$.detail.event", "id": "$.id" },
                "input_template": "{\"text\": \"run <run>\", \"id\": \"<id>\"}",
            } }),
        ),
        (
            "logs:us-east-1:123456789012:log-group:g",
            json!({ "input_transformer": {
                "input_paths": { "time": "$.time", "detail": "$.detail" },
                "input_template": "{\"timestamp\": <time>, \"message\": <detail>}",
            } }),
        ),
        ("sqs:us-east-1:123456789012:q.fifo", json!({})),
        ("sqs:eu-west-1:123456789012:q", json!({})),
        ("logs:us-east-1:123456789012:log-group:g", json!({})),
        (
            "sqs:us-east-1:123456789012:q",
            json!({ "dead_letter_config": { "arn": queue } }),
        ),
    ] {
        let (_, harness) = stage().await;
        let config = json!({ "arn": format!("arn:aws:{service}"), "region": "us-east-1" });
        let planned = harness
            .resource(TARGET)
            .plan(None, target(and(config, more)))
            .await
            .unwrap();
        assert!(!planned.warnings.is_empty(), "{service}");
    }
}

#[tokio::test(start_paused = true)]
async fn patterns_that_may_not_work_are_warned_of() {
    for pattern in [
        json!({ "source": ["aws.partner/scalr.com/acme/test"] }),
        json!({ "detail": { "result": ["errored"] } }),
        json!({ "detail": { "event": { "result": ["cancelled"] } } }),
        json!({ "detail": { "event": { "result": ["errored", "cancelled"], "is-dry": ["false", false] } } }),
        json!({ "detail-type": ["RunExecuted", "AuditLog"], "detail": { "event": { "result": [{ "anything-but": "cancelled" }] } } }),
        json!({ "$or": [{ "detail-type": ["AuditLogs"] }, { "detail-type": ["RunExecuted"] }] }),
        json!({ "detail": { "event": { "workspace": ["prod-*"] }, "tags": ["scalr-worksapce:ws-1"] } }),
        json!({ "detail": { "event": { "run-id": ["run-*", "run-1"] }, "tags": ["scalr-workspace:network", "scalr-workspace:ws-1"] } }),
        json!({ "$or": [{ "detail": { "event": { "result": ["errored", "canceled"] } } }, { "detail": { "event": { "result": ["canceled", "discarded"] } } }] }),
        json!({ "detail": { "event": { "duration": [{ "numeric": [">", 137_000_000_000_i64] }] } } }),
        json!({ "source": [{ "prefix": "aws.partner" }], "detail": { "title": ["x".repeat(2_048)] } }),
    ] {
        let (_, harness) = stage().await;
        let config = rule(json!({ "name": "runs", "event_pattern": pattern.to_string() }));
        let resource = harness.resource(RULE);
        let planned = resource.plan(None, config.clone()).await.unwrap();
        assert!(!planned.warnings.is_empty(), "{pattern}");
        // Every plan says it again.
        let state = resource.apply(planned).await.state.unwrap();
        let again = resource.plan(Some(&state), config).await.unwrap();
        assert!(again.is_empty() && !again.warnings.is_empty(), "{pattern}");
    }
    // A bus that is new has no name yet.
    let (_, harness) = stage().await;
    for (pattern, warns) in [
        (json!({ "detail-type": ["RunExectued"] }), true),
        (json!({ "source": ["billing"] }), false),
    ] {
        let new = json!({ "name": "runs", "event_bus_name": UNKNOWN, "event_pattern": pattern.to_string() });
        let planned = harness.resource(RULE).plan(None, rule(new)).await.unwrap();
        assert_eq!(planned.warnings.is_empty(), !warns, "{pattern}");
    }
}

/// Scalr's events do not arrive there; those of others do.
#[tokio::test(start_paused = true)]
async fn a_rule_for_scalr_on_the_default_bus_is_warned_of() {
    let (_, harness) = stage().await;
    for (pattern, warns) in [
        (
            json!({ "source": [{ "prefix": "aws.partner/scalr.com" }], "detail-type": ["RunExecuted"] }),
            true,
        ),
        (json!({ "detail-type": ["AuditLog"] }), true),
        (json!({ "source": ["aws.ec2"] }), false),
    ] {
        let on_default =
            json!({ "name": "runs", "event_bus_name": "default", "event_pattern": pattern.to_string() });
        let planned = harness.resource(RULE).plan(None, rule(on_default)).await.unwrap();
        assert_eq!(!planned.warnings.is_empty(), warns, "{pattern}");
    }
}

/// One value for each check that an attribute has: the sentence is the check's, the rest the framework's.
#[tokio::test(start_paused = true)]
async fn values_of_another_form_are_refused() {
    let rules = rules_of_another_form().into_iter().map(|config| (RULE, config));
    let targets = targets_of_another_form()
        .into_iter()
        .map(|config| (TARGET, config));
    let others = others_of_another_form()
        .into_iter()
        .chain(places_of_another_form());
    for (name, config) in rules.chain(targets).chain(others) {
        let shown = config.to_string();
        assert!(validated(name, config).await.is_err(), "{name} {shown}");
    }
}

fn rules_of_another_form() -> Vec<Json> {
    vec![
        rule(json!({ "name": "a/b" })),
        rule(json!({ "name_prefix": "x".repeat(39) })),
        rule(json!({ "name": "r", "event_bus_name": "a b" })),
        rule(json!({ "name": "r", "event_bus_name": "arn:aws:events:r:1:event-bus/a/b" })),
        rule(json!({ "name": "r", "region": "us-east" })),
        rule(json!({ "name": "r", "region": "us-east-1a" })),
        rule(json!({ "name": "r", "description": "x".repeat(513) })),
        rule(json!({ "name": "r", "role_arn": "r" })),
        rule(json!({ "name": "r", "event_pattern": r#"{"a": "x"}"# })),
        rule(json!({ "name": "r", "tags": { "k": "x".repeat(257) } })),
        rule(json!({ "name": "r", "tags": { "k".repeat(129): "x" } })),
        rule(json!({ "name": "r", "tags": { "": "x" } })),
    ]
}

fn targets_of_another_form() -> Vec<Json> {
    let transformer =
        |paths: Json| json!({ "input_transformer": { "input_template": "x", "input_paths": paths } });
    vec![
        target(json!({ "arn": "q" })),
        target(json!({ "log_group": { "name": "a b" } })),
        target(json!({ "log_group": { "name": "arn:aws:logs:r:1:log-group:/x:*" } })),
        target(json!({ "log_group": { "name": "/g", "create": true, "retention_in_days": 31 } })),
        target(json!({ "log_group": { "name": "/g", "create": true, "kms_key_id": "alias/mine" } })),
        target(
            json!({ "log_group": { "name": "/g" }, "retry_policy": { "maximum_event_age_in_seconds": 59 } }),
        ),
        target(json!({ "log_group": { "name": "/g" }, "retry_policy": { "maximum_retry_attempts": 186 } })),
        target(
            json!({ "log_group": { "name": "/g" }, "dead_letter_config": { "arn": "arn:aws:sqs:r:1:q.fifo" } }),
        ),
        target(
            json!({ "log_group": { "name": "/g" }, "dead_letter_config": { "arn": "arn:aws:sns:r:1:t" } }),
        ),
        target(json!({ "log_group": { "name": "/g" }, "input": "x".repeat(8_193) })),
        target(and(
            json!({ "log_group": { "name": "/g" } }),
            transformer(json!({ "": "$" })),
        )),
        target(and(
            json!({ "log_group": { "name": "/g" } }),
            transformer((0..101).map(|at| (format!("n{at}"), json!("$"))).collect()),
        )),
    ]
}

fn places_of_another_form() -> Vec<(&'static str, Json)> {
    vec![
        (
            HOOK,
            hook(json!({ "invocation_endpoint": "http://hooks.example.com" })),
        ),
        (
            HOOK,
            hook(json!({ "invocation_endpoint": "https://me:letmein@h/x" })),
        ),
        (
            HOOK,
            hook(json!({ "invocation_endpoint": "https://h/*/x", "http_method": "post" })),
        ),
        (HOOK, hook(json!({ "invocation_rate_limit_per_second": 0 }))),
        (HOOK, hook(json!({ "header_parameters": { "a:b": "c" } }))),
        (HOOK, hook(json!({ "secret_wo": "a:b" }))),
        (HOOK, hook(json!({ "api_key": null }))),
        (HOOK, hook(json!({ "basic": { "username": "me" } }))),
        (
            "scalr_eventbridge_queue",
            super::queue::config(json!({ "name": "a.fifo" })),
        ),
        (
            "scalr_eventbridge_queue",
            super::queue::config(json!({ "rule_arns": ["r"] })),
        ),
        (
            "scalr_eventbridge_queue",
            super::queue::config(
                json!({ "message_retention_seconds": 1, "visibility_timeout_seconds": 43_201 }),
            ),
        ),
        (
            "scalr_eventbridge_queue",
            super::queue::config(json!({ "kms_master_key_id": "alias/aws/sqs" })),
        ),
    ]
}

fn others_of_another_form() -> Vec<(&'static str, Json)> {
    vec![
        (
            "scalr_eventbridge_bus",
            json!({ "event_source_name": "scalr.com/a" }),
        ),
        (
            "scalr_eventbridge_bus",
            json!({ "event_source_name": SOURCE, "log_config": { "level": "LOUD" } }),
        ),
        (
            "scalr_eventbridge_bus",
            json!({ "event_source_name": SOURCE, "log_config": { "level": "INFO", "include_detail": "SOME" } }),
        ),
        ("scalr_eventbridge_activation", json!({ "connection_id": "prod" })),
        (
            "scalr_eventbridge_delivery_check",
            json!({ "workspace_id": "in-1", "log_group": "/g" }),
        ),
        (
            "scalr_eventbridge_connection",
            json!({ "name": "a b", "aws_account_id": "1234-5678-9012", "region": "us-east-1" }),
        ),
        (
            "scalr_eventbridge_connection",
            json!({ "name": "x".repeat(233), "aws_account_id": "acc-1", "region": "Virginia" }),
        ),
        (
            "scalr_eventbridge_connection",
            json!({ "name": "", "aws_account_id": "12345678901", "region": "us-east-1" }),
        ),
    ]
}
