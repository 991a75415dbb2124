//! Legal configurations of each resource: what identifies an object, and the rest, which may change in place.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::ground::{ACCOUNT, OTHER_REGION, REGION, There};
use super::patterns::pattern;
use super::values::{
    Values, account, always, description, flag, merged, name, number, object, of, one_of, perhaps, some_of,
    tags, text, texts,
};

const ROLE: &str = "arn:aws:iam::123456789012:role/[a-z]{1,6}(/[a-z]{1,6})?";
const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const LAMBDA: &str = "lambda:us-east-1:123456789012:function:x";
const STREAM: &str = "kinesis:us-east-1:123456789012:stream/x";
const CALL: &str = "events:::aws-sdk:cloudwatchlogs:putLogEvents";
const MACHINE: &str = "states:us-east-1:123456789012:stateMachine:x";
/// Looked at by nobody: it is another account's.
const THEIR_QUEUE: &str = "arn:aws:sqs:us-east-1:210987654321:dead";
/// What a header, a user or a member of a body may be.
const WORD: &str = "[A-Za-z][A-Za-z0-9 _-]{0,10}[A-Za-z]";
const URL: &str = "https://[a-z]{1,10}\\.example\\.com(/[a-zA-Z0-9_.~-]{0,8}){0,2}(\\?[a-z]{1,3}=([a-z0-9+]|%2[0-9A-F]){0,4})?";

fn region() -> Values {
    one_of(&[REGION])
}

fn regions() -> Values {
    one_of(&[REGION, OTHER_REGION])
}

fn kms_key() -> Values {
    one_of(&[KEY, "alias/events", "1234abcd-12ab-34cd-56ef-1234567890ab"])
}

pub(super) fn nothing(_: &There, _: &Json) -> Values {
    Just(json!({})).boxed()
}

pub(super) fn connection(_: &There) -> Values {
    object(vec![
        always("name", name("[A-Za-z0-9._-]{1,12}")),
        always("aws_account_id", account()),
        always(
            "region",
            one_of(&["us-east-1", "eu-west-1", "ap-southeast-2", "us-gov-west-1"]),
        ),
    ])
}

pub(super) fn connection_rest(_: &There, _: &Json) -> Values {
    object(vec![perhaps("enabled", flag())])
}

pub(super) fn of_connection(there: &There) -> Values {
    object(vec![always("connection_id", of(&there.connections))])
}

pub(super) fn bus(there: &There) -> Values {
    let source = Just(json!(there.source)).boxed();
    object(vec![
        always("event_source_name", source),
        perhaps("region", region()),
    ])
}

pub(super) fn bus_rest(_: &There, _: &Json) -> Values {
    let log = object(vec![
        always("level", one_of(&["OFF", "ERROR", "INFO", "TRACE"])),
        perhaps("include_detail", one_of(&["NONE", "FULL"])),
    ]);
    object(vec![
        perhaps("adopt_existing", flag()),
        perhaps("managed_with_others", flag()),
        perhaps("description", description()),
        perhaps("kms_key_identifier", kms_key()),
        perhaps(
            "dead_letter_config",
            object(vec![always("arn", one_of(&[THEIR_QUEUE]))]),
        ),
        perhaps("log_config", log),
        perhaps("tags", tags()),
    ])
}

pub(super) fn rule(there: &There) -> Values {
    let named = object(vec![always("name", name("[A-Za-z0-9._-]{1,20}"))]);
    let prefixed = object(vec![always("name_prefix", name("[A-Za-z0-9._-]{1,20}"))]);
    let at = object(vec![
        always("event_bus_name", Just(json!(there.source)).boxed()),
        perhaps("region", region()),
    ]);
    both(prop_oneof![3 => named, 1 => prefixed].boxed(), at)
}

pub(super) fn rule_rest(_: &There, _: &Json) -> Values {
    object(vec![
        always("event_pattern", pattern()),
        perhaps("description", description()),
        perhaps("enabled", flag()),
        perhaps("role_arn", text(ROLE)),
        perhaps("tags", tags()),
    ])
}

pub(super) fn queue(_: &There) -> Values {
    object(vec![
        always("name", name("[A-Za-z0-9_-]{1,20}")),
        perhaps("region", regions()),
    ])
}

pub(super) fn queue_rest(there: &There, _: &Json) -> Values {
    let elsewhere = format!("arn:aws:events:{OTHER_REGION}:{ACCOUNT}:rule/x/y");
    let rules: Vec<String> = there.rule_arns.iter().cloned().chain([elsewhere]).collect();
    object(vec![
        always("rule_arns", some_of(&rules)),
        perhaps("message_retention_seconds", number(60, 1_209_600)),
        perhaps("visibility_timeout_seconds", number(0, 43_200)),
        perhaps("kms_master_key_id", kms_key()),
        perhaps("force_destroy", flag()),
        perhaps("tags", tags()),
    ])
}

pub(super) fn topic_permission(there: &There) -> Values {
    let rule = format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/[a-z]{{1,5}}/[a-z]{{1,8}}");
    object(vec![
        always("topic_arn", of(&there.topics)),
        always("rule_arn", text(&rule)),
    ])
}

pub(super) fn api_destination(_: &There) -> Values {
    object(vec![
        always("name", name("[A-Za-z0-9._-]{1,20}")),
        perhaps("region", regions()),
    ])
}

pub(super) fn api_destination_rest(_: &There, _: &Json) -> Values {
    let api_key = object(vec![always("name", text(WORD))]);
    let basic = object(vec![always("username", text(WORD))]);
    let oauth = object(vec![
        always("client_id", text(WORD)),
        always("authorization_endpoint", text(URL)),
        perhaps("http_method", one_of(&["POST", "GET", "PUT"])),
        perhaps("body_parameters", texts(WORD, "[ -9;-~]{0,9}")),
    ]);
    // The local AWS asks for a token for two seconds.
    let kind = prop_oneof![
        6 => object(vec![always("api_key", api_key)]),
        6 => object(vec![always("basic", basic)]),
        1 => object(vec![always("oauth", oauth)]),
    ];
    let others = object(vec![
        always("invocation_endpoint", text(URL)),
        always("secret_wo", text("[ -9;-~]{1,20}")),
        perhaps(
            "http_method",
            one_of(&["POST", "PUT", "PATCH", "GET", "DELETE", "HEAD", "OPTIONS"]),
        ),
        perhaps("invocation_rate_limit_per_second", number(1, 300)),
        perhaps("secret_wo_version", number(1, 3)),
        perhaps(
            "header_parameters",
            texts("[A-Za-z0-9!#$%&'*+.^_`|~-]{1,10}", "[ -~]{1,9}"),
        ),
    ]);
    both(kind.boxed(), others)
}

pub(super) fn custom_bus(_: &There) -> Values {
    object(vec![
        always("name", name("[A-Za-z0-9][A-Za-z0-9._-]{0,20}")),
        perhaps("region", regions()),
    ])
}

/// AWS takes no outer blanks in the tags of custom event buses.
fn trimmed(tags: Values) -> Values {
    let trim = |value: Json| value.as_str().map_or(value.clone(), |text| json!(text.trim()));
    let all = move |tags: Json| match tags {
        Json::Object(tags) => tags.into_iter().map(|(key, value)| (key, trim(value))).collect(),
        tags => tags,
    };
    tags.prop_map(all).boxed()
}

pub(super) fn custom_bus_rest(_: &There, _: &Json) -> Values {
    object(vec![
        perhaps("retention_in_days", number(1, 365)),
        perhaps("description", text("[^\\pC\\p{Zl}\\p{Zp}]{0,40}")),
        perhaps("kms_key_identifier", kms_key()),
        perhaps("tags", trimmed(tags())),
    ])
}

pub(super) fn event_source(there: &There) -> Values {
    object(vec![
        always("name", name("[A-Za-z0-9][A-Za-z0-9_-]{0,20}")),
        always("event_bus_arn", of(&there.custom_buses)),
        always("partner_event_source_arn", Just(json!(there.source_arn)).boxed()),
    ])
}

pub(super) fn event_source_rest(_: &There, _: &Json) -> Values {
    object(vec![
        perhaps(
            "event_pattern",
            one_of(&[
                r#"{"detail-type": ["RunExecuted"]}"#,
                r#"{"detail": {"a": [1, null]}}"#,
            ]),
        ),
        perhaps("description", text("[^\\pC\\p{Zl}\\p{Zp}]{0,40}")),
        perhaps("kms_key_identifier", kms_key()),
        perhaps(
            "dead_letter_arn",
            one_of(&["arn:aws:sqs:us-east-1:123456789012:dead"]),
        ),
        perhaps("tags", trimmed(tags())),
    ])
}

pub(super) fn subscriber(there: &There) -> Values {
    let at = |service: &str| format!("arn:aws:{service}");
    let queue = "sqs:us-east-1:123456789012:runs";
    let bus = "events:us-east-1:123456789012:event-bus/default";
    let targets = [queue, bus, CALL, LAMBDA, STREAM, MACHINE].map(at);
    let arn = object(vec![always("target_arn", of(&targets))]);
    let group = object(vec![always("name", name("/[a-zA-Z0-9_/.-]{1,20}"))]);
    let group = object(vec![always("log_group", group)]);
    let at = object(vec![
        always("name", name("[A-Za-z0-9][A-Za-z0-9._-]{0,20}")),
        always("event_bus_arn", of(&there.custom_buses)),
        perhaps("type", one_of(&["UNORDERED", "FIFO"])),
    ]);
    let horizon = object(vec![always("type", one_of(&["HORIZON"]))]);
    // It has to be within the time for which the bus keeps events: checked by unit tests.
    let ends = json!({ "type": "HORIZON", "end_point": "2126-01-01T00:00:00Z" });
    let point = prop_oneof![horizon, Just(ends)].boxed();
    let at_a_point = object(vec![
        always("starting_position", one_of(&["POINT_IN_TIME"])),
        always("point_in_time", point),
    ]);
    let latest = object(vec![perhaps("starting_position", one_of(&["LATEST"]))]);
    let at = both(at, prop_oneof![at_a_point, latest].boxed());
    both(at, prop_oneof![arn, group].boxed())
}

pub(super) fn subscriber_rest(_: &There, identity: &Json) -> Values {
    let target = identity["target_arn"].as_str().unwrap_or_default();
    let retry = object(vec![
        perhaps("maximum_event_age_in_seconds", number(60, 86_400)),
        perhaps("maximum_retry_attempts", number(0, 185)),
    ]);
    let batch = object(vec![
        perhaps("maximum_batch_size", number(1, batch_max(target))),
        perhaps("maximum_batch_window_in_seconds", number(0, 300)),
    ]);
    let common = object(vec![
        perhaps("filter", filters()),
        perhaps("batch", batch),
        perhaps("resume_position", one_of(&["LAST_PROCESSED", "LATEST"])),
        perhaps("retry", retry),
        perhaps(
            "dead_letter_arn",
            one_of(&["arn:aws:sqs:us-east-1:123456789012:dead"]),
        ),
        perhaps("enabled", flag()),
        perhaps("description", text("[^\\pC\\p{Zl}\\p{Zp}]{0,40}")),
        perhaps("tags", trimmed(tags())),
    ]);
    let group = &identity["log_group"];
    // What a call to AWS needs is known of that to a log group only.
    let theirs = object(vec![always("role_arn", text(ROLE))]);
    let role = object(vec![
        always("create", Just(json!(true)).boxed()),
        perhaps(
            "permissions_boundary",
            text("arn:aws:iam::123456789012:policy/[a-z]{1,6}"),
        ),
    ]);
    let made = object(vec![always("role", role)]);
    let is_call = target.ends_with(CALL) && group.is_null();
    let role = if is_call {
        theirs
    } else {
        prop_oneof![theirs, made].boxed()
    };
    let common = both(common, role);
    if !group.is_null() {
        let name = group["name"].clone();
        let stream = object(vec![perhaps("log_stream", text("[a-z/]{1,8}"))]);
        let group = both(log_group(), stream).prop_map(move |mut group| {
            // A subscriber takes no key.
            group.as_object_mut().map(|group| group.remove("kms_key_id"));
            json!({ "log_group": merged(&json!({ "name": name }), &group) })
        });
        return both(common, group.boxed());
    }
    if target.ends_with(CALL) {
        let input = r#"{"LogGroupName": "/a", "LogStreamName": "a", "LogEvents": "{% [$events.{'Timestamp': 1, 'Message': 'a'}] %}"}"#;
        return both(common, object(vec![always("input", one_of(&[input]))]));
    }
    if target.contains(":event-bus/") {
        return common;
    }
    let jsonata = object(vec![
        always("type", one_of(&["JSONATA"])),
        always(
            "expression",
            one_of(&["{% $events.Data.detail %}", "{% 'run' %}"]),
        ),
    ]);
    let whole = object(vec![always("type", one_of(&["RAW", "WITH_METADATA"]))]);
    let transformer = prop_oneof![jsonata, whole].boxed();
    both(common, object(vec![perhaps("transformer", transformer)]))
}

/// As many events as a delivery to a target takes; for a log group, whose target is not written, as many as any.
fn batch_max(target: &str) -> i64 {
    match target {
        _ if target.contains(":sqs:") || target.contains(":event-bus/") => 10,
        _ if target.contains(":lambda:") || target.contains(":states:") => 100,
        _ => 500,
    }
}

/// At most one a scope, and at least one.
fn filters() -> Values {
    let filter = |scope: &str, pattern: &str| json!({ "scope": scope, "pattern": pattern });
    let all = vec![
        filter("DATA", r#"{"detail-type": ["RunExecuted"]}"#),
        filter("METADATA", r#"{"a": ["b", "c"]}"#),
        filter("SYSTEM_METADATA", r#"{"aws:DeliveryType": [{"prefix": "LI"}]}"#),
    ];
    prop::sample::subsequence(all, 1..=3).prop_map(Json::from).boxed()
}

pub(super) fn delivery_check(there: &There) -> Values {
    object(vec![
        always("workspace_id", Just(json!(there.workspace)).boxed()),
        always("log_group", Just(json!(there.log_group)).boxed()),
        perhaps("region", region()),
        perhaps("triggers", texts("[a-z]{1,5}", "\\PC{0,5}")),
    ])
}

pub(super) fn target(there: &There) -> Values {
    let at = object(vec![
        always("rule", of(&there.rules)),
        always("event_bus_name", Just(json!(there.source)).boxed()),
        perhaps("region", region()),
        perhaps("target_id", name("[A-Za-z0-9._-]{1,20}")),
    ]);
    let group = object(vec![always("name", name("/[a-zA-Z0-9_/.-]{1,20}"))]);
    let group = object(vec![always("log_group", group)]);
    let arn = object(vec![always("arn", destination(there))]);
    both(at, prop_oneof![group, arn].boxed())
}

fn destination(there: &There) -> Values {
    let mut all = there.topics.clone();
    all.push(there.queue.clone());
    let services = [LAMBDA, STREAM, MACHINE];
    all.extend(services.map(|service| format!("arn:aws:{service}")));
    of(&all)
}

pub(super) fn target_rest(there: &There, identity: &Json) -> Values {
    let retry = object(vec![
        perhaps("maximum_event_age_in_seconds", number(60, 86_400)),
        perhaps("maximum_retry_attempts", number(0, 185)),
    ]);
    let dead = object(vec![always("arn", of(std::slice::from_ref(&there.queue)))]);
    let common = object(vec![
        perhaps("retry_policy", retry),
        perhaps("dead_letter_config", dead),
    ]);
    let group = &identity["log_group"];
    if group.is_null() {
        let arn = identity["arn"].as_str().unwrap_or_default();
        let needs_role = arn.ends_with(STREAM) || arn.ends_with(MACHINE);
        let role = if needs_role { always } else { perhaps };
        let role = object(vec![role("role_arn", text(ROLE))]);
        let template = one_of(&[
            "\"run <a> of <b-1>\"",
            "{\"a\": <a>, \"b\": [<b-1>, \"<aws.events.rule-name>\"]}",
        ]);
        return both(both(common, role), input(template));
    }
    let template = one_of(&[
        "{\"timestamp\": <b-1>, \"message\": <a>}",
        "{\"message\": \"run <a>\", \"timestamp\": <aws.events.event.ingestion-time>}",
    ]);
    let name = group["name"].clone();
    let group = log_group().prop_map(move |group| {
        let name = json!({ "name": name });
        json!({ "log_group": merged(&name, &group) })
    });
    both(both(common, group.boxed()), input(template))
}

/// Made here: the other settings are for such a one.
fn log_group() -> Values {
    object(vec![
        always("create", Just(json!(true)).boxed()),
        perhaps(
            "retention_in_days",
            prop_oneof![Just(1), Just(30), Just(3_653)]
                .prop_map(Json::from)
                .boxed(),
        ),
        perhaps("kms_key_id", one_of(&[KEY])),
        perhaps("delete_on_destroy", flag()),
    ])
}

/// At most one way of changing what is sent.
fn input(template: Values) -> Values {
    let constant = one_of(&["{\"a\": 1.50}", "{ \"a\" : [true, null, \"<é>\"] }", "\"text\""]);
    let path = one_of(&["$", "$.detail", "$.resources[0]", "$.detail.tags[*].name"]);
    let paths = Just(json!({ "a": "$.detail.event.run-id", "b-1": "$.time" })).boxed();
    let transformer = object(vec![
        always("input_paths", paths),
        always("input_template", template),
    ]);
    prop_oneof![
        Just(json!({})),
        constant.prop_map(|constant| json!({ "input": constant })),
        path.prop_map(|path| json!({ "input_path": path })),
        transformer.prop_map(|transformer| json!({ "input_transformer": transformer })),
    ]
    .boxed()
}

fn both(one: Values, other: Values) -> Values {
    (one, other).prop_map(|(one, other)| merged(&one, &other)).boxed()
}
