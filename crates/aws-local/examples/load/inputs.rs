//! Requests that are legal and as costly as AWS's own limits let them be.

use serde_json::{Value, json};

/// Calls that belong together: what has to be there, and what is measured. An operation is `SERVICE.Operation`, or the
/// path of a local endpoint; `LAST` in a path stands for the id of the event that was put last.
pub(crate) struct Input {
    pub(crate) name: &'static str,
    pub(crate) before: Vec<Call>,
    pub(crate) costly: Vec<Call>,
    /// The error's code in the last answer, or what it has to contain.
    pub(crate) answer: &'static str,
}

pub(crate) type Call = (&'static str, Value);

/// The whole of it, each input on a bus and in a log group of its own.
pub(crate) fn all() -> Vec<Input> {
    vec![
        long_template(),
        too_many_combinations(),
        patterns_of_one_bus(),
        lists_and_rules(),
        search_of_long_messages(),
        unclosed_brackets(),
        story_of_many_rules(),
        replay_of_many_events(),
    ]
}

fn bus(name: &str) -> Call {
    ("events.CreateEventBus", json!({ "Name": name }))
}

fn rule(bus: &str, name: &str, pattern: &Value) -> Call {
    let rule = json!({ "Name": name, "EventBusName": bus, "EventPattern": pattern.to_string() });
    ("events.PutRule", rule)
}

fn event(bus: &str, detail: &Value) -> Call {
    let entry =
        json!({ "Source": "s", "DetailType": "t", "EventBusName": bus, "Detail": detail.to_string() });
    ("events.PutEvents", json!({ "Entries": [entry] }))
}

fn many<T>(count: usize, one: impl Fn(usize) -> T) -> Vec<T> {
    (0..count).map(one).collect()
}

/// A template of 8,102 characters that names a value of a megabyte 2,700 times, for five targets of each of ten rules.
fn long_template() -> Input {
    let name = "an input template of 2,700 placeholders, an event of 1 MB";
    let transformer = json!({
        "InputPathsMap": { "p": "$.detail.p" },
        "InputTemplate": format!("\"{}\"", "<p>".repeat(2_700)),
    });
    let group = "arn:aws:logs:us-east-1:123456789012:log-group:/hostile/none";
    let target = |id: usize| json!({ "Id": id.to_string(), "Arn": group, "InputTransformer": transformer });
    let mut before = vec![bus("template")];
    for number in 0..10 {
        let rule_name = format!("r{number}");
        before.push(rule("template", &rule_name, &json!({ "source": ["s"] })));
        let targets = json!({ "Rule": rule_name, "EventBusName": "template", "Targets": many(5, target) });
        before.push(("events.PutTargets", targets));
    }
    Input {
        name,
        before,
        costly: vec![
            event("template", &json!({ "p": "x".repeat(1_000_000) })),
            ("/_local/events/LAST", Value::Null),
        ],
        answer: "longer than 1048576 bytes",
    }
}

/// A pattern whose `$or` lists have ten members each.
fn combinations(lists: usize) -> Value {
    let mut pattern = json!({ "source": ["s"] });
    for list in 0..lists {
        let one = |n: usize| json!({ (format!("f{list}")): [n] });
        pattern[format!("o{list}")] = json!({ "$or": many(10, one) });
    }
    pattern
}

fn too_many_combinations() -> Input {
    Input {
        name: "a pattern of 10,000 combinations of $or",
        before: vec![bus("or")],
        costly: vec![rule("or", "r", &combinations(4))],
        answer: "InvalidEventPatternException",
    }
}

/// Patterns of many combinations, and such as keep an automaton, until their bus takes no more; then an event.
fn patterns_of_one_bus() -> Input {
    let long: String = many(950, |n| (n + 1_000).to_string()).concat();
    let automaton = |number: usize| json!({ "detail": { "a": [{ "wildcard": format!("*q{number}{long}") }, { "equals-ignore-case": "A" }] } });
    let mut costly = many(10, |number| {
        rule("automata", &format!("r{number}"), &combinations(3))
    });
    costly.extend(many(30, |number| {
        rule("automata", &format!("a{number}"), &automaton(number))
    }));
    costly.push(event(
        "automata",
        &json!({ "a": format!("q{}", "q0".repeat(50_000)) }),
    ));
    Input {
        name: "40 rules of 1,000 combinations of $or or of long wildcards on one bus, then an event of 100 kB",
        before: vec![bus("automata")],
        costly,
        answer: "\"FailedEntryCount\":0",
    }
}

/// Rules that try all ways through two lists of an event.
fn lists_and_rules() -> Input {
    let pattern =
        |n: usize| json!({ "detail": { "p": { "a": [1] }, "p.b": { "aa": [1], "zz": [1] }, "n": [n, 0] } });
    let mut p = many(20_000, |_| json!({ "a": 1 }));
    p.push(json!({ "b": { "zz": 1 } }));
    let mut pb = many(20_000, |_| json!({ "aa": 1 }));
    pb.push(json!({ "zz": 1 }));
    let mut before = vec![bus("lists")];
    before.extend(many(100, |n| rule("lists", &format!("r{n}"), &pattern(n))));
    Input {
        name: "100 rules that try all ways through two lists, an event with lists of 20,000 elements",
        before,
        costly: vec![event("lists", &json!({ "p": p, "p.b": pb, "n": 0 }))],
        answer: "\"FailedEntryCount\":0",
    }
}

fn messages(group: &str, message: &str, count: usize) -> Vec<Call> {
    let mut calls = vec![
        ("logs.CreateLogGroup", json!({ "logGroupName": group })),
        (
            "logs.CreateLogStream",
            json!({ "logGroupName": group, "logStreamName": "s" }),
        ),
    ];
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or_default());
    let put = json!({
        "logGroupName": group,
        "logStreamName": "s",
        "logEvents": [{ "timestamp": now, "message": message }],
    });
    calls.extend(many(count, |_| ("logs.PutLogEvents", put.clone())));
    calls
}

fn search_of_long_messages() -> Input {
    let fields = many(20_000, |n| json!({ "a": n, "b": [n, { "c": "x" }] }));
    let message = json!({ "list": fields }).to_string();
    let pattern = "{ ($.list[*].b[*].c = \"y\") || ($.list[*].a = \"*z\") || ($.*.*.* = \"q\") }";
    let find = json!({ "logGroupName": "/hostile/long", "filterPattern": pattern });
    Input {
        name: "a filter pattern with wildcards on 20 log events of 600 kB",
        before: messages("/hostile/long", &message, 20),
        costly: vec![("logs.FilterLogEvents", find)],
        answer: "nextToken",
    }
}

fn unclosed_brackets() -> Input {
    let find = json!({ "logGroupName": "/hostile/open", "filterPattern": "[a, b, ..., z = 1]" });
    Input {
        name: "a filter pattern of fields on a message of 400,000 brackets that are not closed",
        before: messages("/hostile/open", &"[ ".repeat(400_000), 1),
        costly: vec![("logs.FilterLogEvents", find)],
        answer: "\"events\":[]",
    }
}

fn story_of_many_rules() -> Input {
    let pattern = |n: usize| {
        let fields = many(20, |field| {
            (format!("f{field}-{n}"), json!([{ "wildcard": "*x" }]))
        });
        json!({ "detail": fields.into_iter().collect::<serde_json::Map<_, _>>() })
    };
    let fields = many(20_000, |n| (format!("g{n}"), json!(n)));
    let fields: serde_json::Map<_, _> = fields.into_iter().collect();
    let mut before = vec![bus("story")];
    before.extend(many(300, |n| rule("story", &format!("r{n:03}"), &pattern(n))));
    before.push(event("story", &json!(fields)));
    Input {
        name: "why 300 rules missed an event of 20,000 fields",
        before,
        costly: vec![("/_local/events/LAST", Value::Null)],
        answer: "nextToken",
    }
}

fn replay_of_many_events() -> Input {
    let archive = json!({
        "ArchiveName": "hostile",
        "EventSourceArn": "arn:aws:events:us-east-1:123456789012:event-bus/replay",
    });
    let entry = json!({ "Source": "s", "DetailType": "t", "EventBusName": "replay", "Detail": "{\"a\":1}" });
    let mut before = vec![bus("replay"), ("events.CreateArchive", archive)];
    before.extend(many(50, |n| {
        rule("replay", &format!("r{n}"), &json!({ "source": ["s"] }))
    }));
    before.extend(many(100, |_| {
        (
            "events.PutEvents",
            json!({ "Entries": many(10, |_| entry.clone()) }),
        )
    }));
    let start = json!({
        "ReplayName": "all",
        "EventSourceArn": "arn:aws:events:us-east-1:123456789012:archive/hostile",
        "EventStartTime": 0,
        "EventEndTime": 4_000_000_000_u64,
        "Destination": { "Arn": "arn:aws:events:us-east-1:123456789012:event-bus/replay" },
    });
    Input {
        name: "a replay of 1,000 events that 50 rules match",
        before,
        costly: vec![
            ("events.StartReplay", start),
            ("/_local/clock", json!({ "advance_seconds": 10 })),
            ("events.DescribeReplay", json!({ "ReplayName": "all" })),
        ],
        answer: "COMPLETED",
    }
}
