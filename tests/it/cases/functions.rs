//! `event_pattern`, `sample_event`, `event_pattern_matches`, `explain_event_pattern`, `event_source_name`, `parse_event_source_arn`

use acceptance::paths;
use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::runner::{Case, Feature};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("functions::values", values),
        Case::new("functions::null_filters", null_filters).needs(Feature::BareNullArgument),
        Case::new("functions::errors", errors),
        Case::new("functions::explain_event_pattern", explain),
        Case::new("functions::event_pattern_examples", pattern_examples),
    ]
}

const VALUES: &str = r#"
output "pattern" {
  value = jsondecode(provider::scalr::event_pattern("RunExecuted", {}))
}
output "filtered" {
  value = jsondecode(provider::scalr::event_pattern("RunExecuted", { result = ["errored", "canceled"], is_dry = false, source = null }))
}
output "sample" {
  value = jsondecode(provider::scalr::sample_event("AuditLog"))["detail-type"]
}
output "of_fields" {
  value = [
    for fields in [{ workspace = "network", result = "errored", source = null }, { workspace_id = "ws-1" }] :
    jsondecode(provider::scalr::sample_event("RunExecuted", fields)).detail
  ]
}
output "matches" {
  value = [
    provider::scalr::event_pattern_matches({ detail-type = ["AuditLog"] }, provider::scalr::sample_event("AuditLog")),
    provider::scalr::event_pattern_matches(jsonencode({ detail-type = ["AuditLog"] }), provider::scalr::sample_event("RunExecuted")),
    provider::scalr::event_pattern_matches({ a = [{ prefix = "x" }] }, { a = "xy" }),
  ]
}
output "name" {
  value = provider::scalr::event_source_name("acme", "prod")
}
output "arn" {
  value = provider::scalr::parse_event_source_arn("arn:aws:events:eu-west-1::event-source/aws.partner/scalr.com/acme/prod")
}
"#;

fn values(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(VALUES)?;
    workdir.apply()?;
    let pattern = json!({"source": [{"prefix": "aws.partner/scalr.com"}], "detail-type": ["RunExecuted"]});
    ensure!(
        workdir.output("pattern")? == pattern,
        "{}",
        workdir.output("pattern")?
    );
    let mut filtered = pattern;
    filtered["detail"] = json!({"event": {"result": ["errored", "canceled"], "is-dry": [false]}});
    ensure!(
        workdir.output("filtered")? == filtered,
        "{}",
        workdir.output("filtered")?
    );
    ensure!(workdir.output("sample")? == "AuditLog");
    let of_fields = workdir.output("of_fields")?;
    for (pointer, want) in [
        ("/0/event/workspace", "network"),
        ("/0/event/result", "errored"),
        ("/0/event/source", "vcs"),
        ("/0/event_type", "error"),
        ("/0/tags/3", "scalr-workspace-name:network"),
        ("/1/tags/1", "scalr-workspace:ws-1"),
    ] {
        let found = of_fields.pointer(pointer);
        ensure!(
            found.and_then(Value::as_str) == Some(want),
            "{pointer}: {of_fields:#}"
        );
    }
    ensure!(
        workdir.output("matches")? == json!([true, false, true]),
        "{}",
        workdir.output("matches")?
    );
    ensure!(workdir.output("name")? == "aws.partner/scalr.com/acme/prod");
    let parts = workdir.output("arn")?;
    let texts: Vec<_> = parts
        .as_object()
        .context("an object")?
        .values()
        .filter_map(Value::as_str)
        .collect();
    for wanted in ["eu-west-1", "acme", "prod"] {
        ensure!(texts.contains(&wanted), "{parts}");
    }
    Ok(())
}

fn null_filters(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(
        r#"
output "same" {
  value = provider::scalr::event_pattern("RunExecuted", null) == provider::scalr::event_pattern("RunExecuted", {})
}
"#,
    )?;
    workdir.apply()?;
    ensure!(workdir.output("same")? == true);
    Ok(())
}

/// A call that is refused, under a name of its own, and what the refusal says.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "type",
        r#"provider::scalr::event_pattern("RunExecutd", {})"#,
        "RunExecuted",
    ),
    (
        "filter",
        r#"provider::scalr::event_pattern("RunExecuted", { resutl = "x" })"#,
        "`result`",
    ),
    (
        "kind",
        r#"provider::scalr::event_pattern("RunExecuted", { is_dry = "yes" })"#,
        "`is_dry`",
    ),
    (
        "list",
        r#"provider::scalr::event_pattern("RunExecuted", ["x"])"#,
        "filters",
    ),
    (
        "pattern",
        "provider::scalr::event_pattern_matches({ a = 1 }, {})",
        "Event pattern is not valid",
    ),
    (
        "sample",
        r#"provider::scalr::sample_event("AuditLogs")"#,
        "`AuditLog`",
    ),
    (
        "arn",
        r#"provider::scalr::parse_event_source_arn("arn:aws:s3:::bucket")"#,
        "arn:aws:s3:::bucket",
    ),
    (
        "outside",
        r#"provider::scalr::event_pattern("RunExecuted", { result = "cancelled" })"#,
        "perhaps `canceled` is meant",
    ),
    (
        "star",
        r#"provider::scalr::event_pattern("RunExecuted", { run_id = "run-*" })"#,
        "EventBridge compares the `*` of `run-*` as it is written",
    ),
    (
        "id",
        r#"provider::scalr::event_pattern("RunExecuted", { workspace_id = "network" })"#,
        "names have the filter `workspace`",
    ),
    (
        "alternatives",
        r#"provider::scalr::event_pattern("RunExecuted", { any_of = [{ result = "errored" }, { resutl = "canceled" }] })"#,
        "`any_of[1].resutl`",
    ),
    (
        "field",
        r#"provider::scalr::sample_event("RunExecuted", { workspce = "network" })"#,
        "the nearest is `workspace`",
    ),
    (
        "value",
        r#"provider::scalr::sample_event("RunExecuted", { result = "erorred" })"#,
        "perhaps `errored` is meant",
    ),
    (
        "objects",
        r#"provider::scalr::sample_event("RunExecuted", { is_dry = true }, { is_dry = true })"#,
        "one object with all fields",
    ),
    (
        "explain",
        r#"provider::scalr::explain_event_pattern({ a = ["x"] }, "nonsense")"#,
        "The event is not valid",
    ),
    (
        "twice",
        r#"provider::scalr::event_pattern("RunExecuted", { "is-dry" = true, is_dry = false })"#,
        "`is-dry` and `is_dry`",
    ),
    (
        "host",
        r#"provider::scalr::event_source_name("acme.scalr.io", "c")"#,
        "write `acme`",
    ),
    (
        "segment",
        r#"provider::scalr::event_source_name("a b", "c")"#,
        "a b",
    ),
];

/// Each is refused by itself, on its argument, with the nearest right name where there is one.
fn errors(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let output =
        |(name, call, _): &(&str, &str, &str)| format!("output \"{name}\" {{\n  value = {call}\n}}\n");
    workdir.config(&REFUSED.iter().map(output).collect::<String>())?;
    let needles: Vec<_> = REFUSED.iter().map(|(_, _, needle)| *needle).collect();
    let ended = workdir.plan_fails(&needles)?;
    let count = ended.text.matches("Error: ").count();
    ensure!(
        count == REFUSED.len(),
        "{count} errors for {} bad calls:\n{}",
        REFUSED.len(),
        ended.text
    );
    // Terraform ends the sentence itself.
    for end in ["..", "?."] {
        ensure!(!ended.flat().contains(end), "`{end}`:\n{}", ended.text);
    }
    Ok(())
}

const EXPLAINED: &str = r#"
locals {
  pattern = provider::scalr::event_pattern("RunExecuted", { result = ["errored"], is_dry = false })
}
output "explained" {
  value = provider::scalr::explain_event_pattern(local.pattern, provider::scalr::sample_event("RunExecuted"))
}
output "hints" {
  value = [
    for leaf in provider::scalr::explain_event_pattern(
      { detail = { event = { result = ["erorred"], is-dry = ["false"], workspace = ["Workspace-Name", "web"] } } },
      provider::scalr::sample_event("RunExecuted")
    ).leaves : leaf.hint
  ]
}
output "typo" {
  value = [
    for leaf in provider::scalr::explain_event_pattern({ detail = { workspce = ["web"] } }, { detail = { workspace = "web" } }).leaves :
    "${leaf.path}: ${leaf.nearest}" if !leaf.matched && length(leaf.found) == 0
  ]
}
"#;

/// What a pattern misses is the assertion's message. The module calls the function: OpenTofu 1.12 crashes on a test file that does.
const TESTED: &str = r#"
run "as_it_is" {
  command = plan
  assert {
    condition     = !output.explained.matched && length(output.explained.leaves) == 4
    error_message = output.explained.message
  }
}
run "as_it_should_be" {
  command = plan
  assert {
    condition     = output.explained.matched
    error_message = output.explained.message
  }
}
"#;

/// What each leaf finds, as a value, and as the message of a failed assertion.
fn explain(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(EXPLAINED)?;
    workdir.apply()?;
    let explained = workdir.output("explained")?;
    let leaf = |path: &str, matched: bool, expected: &str, found: &str| json!({ "alternative": 0, "path": path, "matched": matched, "expected": expected, "found": [found], "nearest": null, "hint": null });
    let leaves = json!([
        leaf("detail-type", true, "[\"RunExecuted\"]", "\"RunExecuted\""),
        leaf("detail.event.is-dry", true, "[false]", "false"),
        leaf("detail.event.result", false, "[\"errored\"]", "\"applied\""),
        leaf(
            "source",
            true,
            "[{\"prefix\":\"aws.partner/scalr.com\"}]",
            "\"aws.partner/scalr.com/account-name/integration-name\""
        ),
    ]);
    ensure!(
        explained["matched"] == false && explained["leaves"] == leaves,
        "{explained:#}"
    );
    let hints = workdir.output("hints")?.to_string();
    for said in [
        "perhaps `errored` is meant",
        "is a text and `false` is a boolean",
        "differ only in case",
    ] {
        ensure!(hints.contains(said), "{said}: {hints}");
    }
    ensure!(workdir.output("typo")? == json!(["detail.workspce: detail.workspace"]));
    std::fs::create_dir_all(workdir.path().join("tests"))?;
    workdir.write("tests/pattern.tftest.hcl", TESTED)?;
    let ended = workdir.run(&["test", "-no-color"])?;
    ensure!(
        ended.code() != 0 && ended.flat().contains("1 passed, 1 failed"),
        "{}",
        ended.text
    );
    let said = "`detail.event.result` wants [\"errored\"]: the event has \"applied\"";
    ensure!(ended.flat().contains(said), "{}", ended.text);
    Ok(())
}

/// A pattern of the function's page, an event that it matches and one that it does not, as a type and the fields of its sample.
const EXAMPLES: &[(&str, [(&str, &str); 2])] = &[
    ("runs", [("RunExecuted", "{}"), ("AuditLog", "{}")]),
    (
        "failed",
        [
            (
                "RunExecuted",
                r#"{ result = "canceled", environment = "production" }"#,
            ),
            (
                "RunExecuted",
                r#"{ result = "canceled", environment = "sandbox" }"#,
            ),
        ],
    ),
    (
        "workspace",
        [
            ("RunExecuted", r#"{ workspace = "renamed" }"#),
            ("RunExecuted", r#"{ workspace_id = "ws-1" }"#),
        ],
    ),
    (
        "prefixed",
        [
            (
                "RunExecuted",
                r#"{ workspace = "network-hub", environment = "production" }"#,
            ),
            (
                "RunExecuted",
                r#"{ workspace = "network-hub", environment = "sandbox" }"#,
            ),
        ],
    ),
    (
        "tagged",
        [
            ("AuditLog", r#"{ action = "delete-workspace" }"#),
            ("AuditLog", "{}"),
        ],
    ),
    (
        "refused",
        [
            ("AuditLog", "{ status_code = 422 }"),
            ("AuditLog", "{ status_code = 201 }"),
        ],
    ),
    (
        "deletions",
        [
            ("AuditLog", r#"{ action = "delete-run" }"#),
            ("AuditLog", r#"{ action = "create-run" }"#),
        ],
    ),
    (
        "alerts",
        [
            (
                "RunExecuted",
                r#"{ is_destroy = true, environment = "production" }"#,
            ),
            ("RunExecuted", r#"{ is_destroy = true, environment = "sandbox" }"#),
        ],
    ),
];

/// Every pattern on the page of `event_pattern` matches what its comment says, and not everything.
fn pattern_examples(tool: &Tool) -> Result<()> {
    let page = std::fs::read_to_string(paths::example("functions/event_pattern").join("function.tf"))?;
    let patterns = page.matches("= provider::scalr::event_pattern(").count();
    ensure!(
        patterns == EXAMPLES.len(),
        "{patterns} patterns on the page, {} here",
        EXAMPLES.len()
    );
    let output = |(name, events): &(&str, [(&str, &str); 2])| {
        let matches = events.map(|(event_type, fields)| {
            format!(
                "provider::scalr::event_pattern_matches(local.{name}, provider::scalr::sample_event(\"{event_type}\", {fields}))"
            )
        });
        format!(
            "output \"of_{name}\" {{\n  value = [{}]\n}}\n",
            matches.join(", ")
        )
    };
    let workdir = Workdir::new(tool)?;
    let outputs: String = EXAMPLES.iter().map(output).collect();
    workdir.config(&format!("{page}\n{outputs}"))?;
    workdir.apply()?;
    for (name, _) in EXAMPLES {
        let found = workdir.output(&format!("of_{name}"))?;
        ensure!(found == json!([true, false]), "{name}: {found}");
    }
    Ok(())
}
