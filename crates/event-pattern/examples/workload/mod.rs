//! Events like those that Scalr streams, and rules on them.

use serde_json::json;

/// Which operators the rules use.
#[derive(Clone, Copy)]
pub(crate) enum Mix {
    Exact,
    NoWildcard,
    Everything,
}

impl Mix {
    pub(crate) const ALL: [Self; 3] = [Self::Exact, Self::NoWildcard, Self::Everything];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::NoWildcard => "no-wildcard",
            Self::Everything => "everything",
        }
    }
}

/// Rules that share source and detail type and differ in one leaf.
pub(crate) fn rules(mix: Mix, count: usize) -> Vec<String> {
    (0..count).map(|n| rule(mix, n)).collect()
}

fn rule(mix: Mix, n: usize) -> String {
    let leaf = match mix {
        Mix::Exact => json!({"event": {"workspace": [format!("workspace-{n}")]}}),
        Mix::NoWildcard => leaf(n, n % 8),
        Mix::Everything => leaf(n, n % 10),
    };
    json!({
        "source": ["aws.partner/scalr.com/acme/prod"],
        "detail-type": ["RunExecuted"],
        "detail": leaf,
    })
    .to_string()
}

fn leaf(n: usize, kind: usize) -> serde_json::Value {
    match kind {
        0 => json!({"event": {"workspace": [format!("workspace-{n}")]}}),
        1 => json!({"event": {"user-email": [{"prefix": format!("user-{n}@")}]}}),
        2 => json!({"event": {"run-id": [{"suffix": format!("{n:05}")}]}}),
        3 => json!({"event": {"environment": [{"equals-ignore-case": format!("Environment-{n}")}]}}),
        4 => json!({"event": {"duration": [{"numeric": [">", n * 100_000, "<=", (n + 3) * 100_000]}]}}),
        5 => json!({"event": {"client-ip": [{"cidr": format!("10.{}.{}.0/24", n / 250 % 250, n % 250)}]}}),
        6 => json!({"event": {
            "result": [{"anything-but": ["errored", format!("r-{n}")]}],
            "workspace": [format!("workspace-{n}")],
        }}),
        7 => json!({"$or": [
            {"tags": [format!("scalr-workspace:ws-{n}")]},
            {"event": {"is-dry": [true], "run-id": [format!("run-{n}")]}},
        ]}),
        8 => json!({"title": [{"wildcard": format!("*'workspace-{n}'*")}]}),
        _ => json!({"event": {"user-email": [{"wildcard": format!("user-{n}*@*.com")}]}}),
    }
}

/// Runs of many workspaces, and every fourth an audit log.
pub(crate) fn events(count: usize) -> Vec<String> {
    (0..count)
        .map(|n| {
            if n % 4 == 3 {
                audit(n * 7919 % 12_007)
            } else {
                run(n * 7919 % 12_007)
            }
        })
        .collect()
}

const RESULTS: [&str; 3] = ["applied", "errored", "planned_and_finished"];

fn run(n: usize) -> String {
    let run = format!("run-v0o{n:011}");
    json!({
        "version": "0",
        "id": format!("6a7e8feb-b491-4cf7-a9f1-{n:012}"),
        "detail-type": "RunExecuted",
        "source": "aws.partner/scalr.com/acme/prod",
        "account": "123456789012",
        "time": "2024-04-19T13:44:02Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {
            "title": format!("Scalr run execution completed on workspace 'workspace-{n}' (environment-{}). Run ID: {run}.", n % 90),
            "event": {
                "run-id": run,
                "source": "vcs",
                "is-dry": n.is_multiple_of(5),
                "is-destroy": false,
                "is-agent": false,
                "is-postponed": false,
                "result": RESULTS[n % 3],
                "duration": n * 99_991,
                "client-ip": format!("10.{}.{}.17", n / 250 % 250, n % 250),
                "account": "acme",
                "workspace": format!("workspace-{n}"),
                "environment": format!("environment-{}", n % 9_000),
                "user-email": format!("user-{n}@example.com"),
            },
            "tags": [
                format!("scalr-environment:env-{}", n % 90),
                format!("scalr-workspace:ws-{n}"),
                format!("scalr-environment-name:environment-{}", n % 90),
                format!("scalr-workspace-name:workspace-{n}"),
            ],
            "event_type": "success",
        },
    })
    .to_string()
}

fn audit(n: usize) -> String {
    json!({
        "version": "0",
        "id": format!("6a7e8feb-b491-4cf7-a9f1-{n:012}"),
        "detail-type": "AuditLog",
        "source": "aws.partner/scalr.com/acme/prod",
        "account": "123456789012",
        "time": "2024-04-19T13:44:02Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {
            "target": {
                "id": format!("ws-{n}"),
                "type": "workspaces",
                "display-name": format!("workspace-{n}"),
                "context": {"environment": {"id": format!("env-{}", n % 90), "display-name": "environment"}},
            },
            "timestamp": "2024-04-19T13:44:02.335490",
            "request": {
                "id": format!("{n:032x}"),
                "action": "create-workspace",
                "ip-address": "10.21.0.30",
                "source": "ui",
                "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
            },
            "actor": {"id": "user-1234567890", "email": format!("user-{n}@example.com"), "type": "user"},
            "outcome": {"result": "SUCCESS", "status-code": 201},
            "tags": ["scalr-action:create-workspace", format!("scalr-workspace:ws-{n}")],
        },
    })
    .to_string()
}
