//! `scalr_eventbridge_rule`

use acceptance::block_on;
use acceptance::tools::{Kind, Tool};
use acceptance::workdir::Workdir;
use anyhow::{Result, ensure};
use aws_sdk_eventbridge::types::RuleState;
use serde_json::{Value, json};

use super::hcl::{self, BUS, CONNECTION, RULE, TARGET};
use super::verify;
use crate::runner::Case;

const ADDRESS: &str = "scalr_eventbridge_rule.runs";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("rule::lifecycle", lifecycle),
        Case::new("rule::pattern_spelt_otherwise", pattern_spelt_otherwise),
        Case::new("rule::name_prefix_and_tags", name_prefix_and_tags),
        Case::new("rule::import", import),
        Case::new("rule::import_of_a_digest", import_of_a_digest),
        Case::new("rule::drift_changed", drift_changed),
        Case::new("rule::drift_deleted", drift_deleted),
        Case::new("rule::identical_is_adopted", identical_is_adopted),
        Case::new("rule::different_is_refused", different_is_refused),
        Case::new("rule::left_over_of_a_killed_apply", left_over),
        Case::new("rule::null_tag_and_empty_description", null_tag),
        Case::new("rule::pattern_that_matches_nothing", matches_nothing),
        Case::new("rule::bus_of_another_region", bus_of_another_region),
        Case::new("rule::names_that_do_not_exist", names_that_do_not_exist),
        Case::new("rule::warned_of_once", warned_of_once),
        Case::new("rule::ids_that_scalr_does_not_have", ids_that_scalr_does_not_have),
    ]
}

fn applied(tool: &Tool) -> Result<(Workdir, String)> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, BUS, RULE]))?;
    workdir.apply_counts(3, 0, 0)?;
    let bus = workdir.attribute("scalr_eventbridge_bus.scalr", "name")?;
    Ok((workdir, bus))
}

fn lifecycle(tool: &Tool) -> Result<()> {
    let (workdir, bus) = applied(tool)?;
    let rule = workdir.aws().rule(&bus, "runs")?;
    ensure!(rule.state() == Some(&RuleState::Enabled), "{rule:?}");
    let pattern: Value = serde_json::from_str(rule.event_pattern().unwrap_or_default())?;
    ensure!(
        pattern == json!({"source": [{"prefix": "aws.partner/scalr.com"}], "detail-type": ["RunExecuted"]})
    );
    workdir.plan_empty()?;

    let changed = hcl::with(RULE, "{})", "{ result = [\"errored\"] })");
    let changed = hcl::more(&changed, "description = \"Failures\"\n  enabled = false");
    workdir.config(&hcl::all(&[CONNECTION, BUS, &changed]))?;
    workdir.apply_counts(0, 1, 0)?;
    let rule = workdir.aws().rule(&bus, "runs")?;
    ensure!(
        rule.state() == Some(&RuleState::Disabled) && rule.description() == Some("Failures"),
        "{rule:?}"
    );
    workdir.plan_empty()?;

    workdir.config(&hcl::all(&[
        CONNECTION,
        BUS,
        &hcl::with(RULE, "\"runs\"\n", "\"all-runs\"\n"),
    ]))?;
    let shown = workdir.plan_shows(&["forces replacement"])?;
    ensure!(
        !shown
            .flat()
            .contains("region = \"us-east-1\" -> (known after apply)"),
        "a rename moves nothing:\n{}",
        shown.text
    );
    workdir.apply_counts(1, 0, 1)?;
    ensure!(workdir.aws().rules(&bus)? == ["all-runs"]);

    workdir.destroy()?;
    verify::nothing_left(&workdir, "us-east-1", &[])
}

/// Key order, blanks and escapes are no difference.
fn pattern_spelt_otherwise(tool: &Tool) -> Result<()> {
    let (workdir, _) = applied(tool)?;
    let text = r#""{ \"detail-type\": [\"Run\\u0045xecuted\"],\n \"source\": [{\"prefix\":\"aws.partner/scalr.com\"}] }""#;
    let spelt = hcl::with(RULE, "provider::scalr::event_pattern(\"RunExecuted\", {})", text);
    workdir.config(&hcl::all(&[CONNECTION, BUS, &spelt]))?;
    workdir.plan_empty()?;
    Ok(())
}

fn name_prefix_and_tags(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let provider = "provider \"scalr\" {\n  aws = { default_tags = { tags = { team = \"platform\", env = \"test\" } } }\n}\n";
    let rule = hcl::with(
        RULE,
        "name           = \"runs\"",
        "name_prefix = \"runs-\"\n  tags = { env = \"prod\" }",
    );
    workdir.config(&hcl::all(&[provider, CONNECTION, BUS, &rule]))?;
    workdir.apply_counts(3, 0, 0)?;
    let name = workdir.attribute(ADDRESS, "name")?;
    ensure!(name.starts_with("runs-") && name.len() > "runs-".len(), "{name}");
    let attributes = workdir.attributes(ADDRESS)?;
    ensure!(
        attributes["tags_all"] == json!({"env": "prod", "team": "platform"}),
        "{attributes}"
    );
    let arn = workdir.attribute(ADDRESS, "arn")?;
    let tags = block_on(
        workdir
            .aws()
            .events
            .list_tags_for_resource()
            .resource_arn(arn)
            .send(),
    )?;
    ensure!(tags.tags().len() == 2, "{tags:?}");
    workdir.plan_empty()?;
    Ok(())
}

fn import(tool: &Tool) -> Result<()> {
    let (workdir, bus) = applied(tool)?;
    let connection = workdir.attribute("scalr_eventbridge_connection.prod", "id")?;
    let ids = [
        ("scalr_eventbridge_connection.prod", connection),
        ("scalr_eventbridge_bus.scalr", bus.clone()),
        (ADDRESS, format!("{bus}/runs")),
    ];
    verify::import(&workdir, &ids, &[])
}

/// A name that looks generated, and is not: the import guesses a prefix that the configuration does not have.
fn import_of_a_digest(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let rule = hcl::with(RULE, "\"runs\"\n", "\"scalr-${md5(\"runs\")}\"\n");
    workdir.config(&hcl::all(&[CONNECTION, BUS, &rule]))?;
    workdir.apply_counts(3, 0, 0)?;
    workdir.plan_empty()?;
    let of = |address: &str, name: &str| workdir.attribute(address, name);
    let bus = of(ADDRESS, "event_bus_name")?;
    let ids = [
        (
            "scalr_eventbridge_connection.prod",
            of("scalr_eventbridge_connection.prod", "id")?,
        ),
        ("scalr_eventbridge_bus.scalr", bus.clone()),
        (ADDRESS, format!("{bus}/{}", of(ADDRESS, "name")?)),
    ];
    verify::import(&workdir, &ids, &["name_prefix"])
}

fn drift_changed(tool: &Tool) -> Result<()> {
    let (workdir, bus) = applied(tool)?;
    block_on(
        workdir
            .aws()
            .events
            .disable_rule()
            .event_bus_name(&bus)
            .name("runs")
            .send(),
    )?;
    workdir.plan_shows(&["enabled = false -> true", "0 to add, 1 to change, 0 to destroy"])?;
    workdir.apply_counts(0, 1, 0)?;
    workdir.plan_empty()?;
    Ok(())
}

fn drift_deleted(tool: &Tool) -> Result<()> {
    let (workdir, bus) = applied(tool)?;
    workdir.aws().delete_rule(&bus, "runs")?;
    workdir.plan_shows(&["1 to add, 0 to change, 0 to destroy"])?;
    workdir.apply_counts(1, 0, 0)?;
    workdir.plan_empty()?;
    Ok(())
}

fn put(workdir: &Workdir, pattern: &Value) -> Result<()> {
    workdir.config(&hcl::all(&[CONNECTION, BUS]))?;
    workdir.apply()?;
    let bus = workdir.attribute("scalr_eventbridge_bus.scalr", "name")?;
    let put = workdir
        .aws()
        .events
        .put_rule()
        .event_bus_name(bus)
        .name("runs")
        .event_pattern(pattern.to_string());
    block_on(put.send())?;
    workdir.config(&hcl::all(&[CONNECTION, BUS, RULE]))
}

fn identical_is_adopted(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    put(
        &workdir,
        &json!({"detail-type": ["RunExecuted"], "source": [{"prefix": "aws.partner/scalr.com"}]}),
    )?;
    workdir.apply_counts(1, 0, 0)?;
    workdir.plan_empty()?;
    Ok(())
}

fn different_is_refused(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let mine = json!({"detail-type": ["AuditLog"]});
    put(&workdir, &mine)?;
    workdir.apply_fails(&["import {", "/runs"])?;
    let bus = workdir.attribute("scalr_eventbridge_bus.scalr", "name")?;
    let rule = workdir.aws().rule(&bus, "runs")?;
    let pattern: Value = serde_json::from_str(rule.event_pattern().unwrap_or_default())?;
    ensure!(pattern == mine, "the rule was overwritten: {pattern}");

    // The block is pasted as it is, where the resource has the name that the block gives it.
    let named = hcl::with(RULE, "\"runs\" {", "\"prod_runs\" {");
    workdir.config(&hcl::all(&[CONNECTION, BUS, &named]))?;
    let refused = workdir.apply_fails(&["to = scalr_eventbridge_rule.prod_runs"])?;
    workdir.config(&hcl::all(&[
        CONNECTION,
        BUS,
        &named,
        &import_block(&refused.text),
    ]))?;
    workdir.plan_shows(&["1 to import, 0 to add, 1 to change, 0 to destroy"])?;
    Ok(())
}

/// The block that a message holds, without the border that the tools draw.
fn import_block(text: &str) -> String {
    let lines = text.lines().map(|line| line.trim_start_matches(['│', ' ']));
    let from = lines.skip_while(|line| *line != "import {");
    let block: Vec<&str> = from.take_while(|line| *line != "}").collect();
    format!("\n{}\n}}\n", block.join("\n"))
}

/// Killed between PutRule and the state: the generated name is lost, and the next apply finds the rule.
fn left_over(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, BUS]))?;
    workdir.apply()?;
    let bus = workdir.attribute("scalr_eventbridge_bus.scalr", "name")?;
    let name = "runs-0123456789abcdef0123456789";
    let pattern = json!({"detail-type": ["RunExecuted"], "source": [{"prefix": "aws.partner/scalr.com"}]});
    let put = workdir.aws().events.put_rule().event_bus_name(&bus).name(name);
    block_on(put.event_pattern(pattern.to_string()).send())?;
    let prefixed = hcl::with(RULE, "name           = \"runs\"", "name_prefix = \"runs-\"");
    workdir.config(&hcl::all(&[CONNECTION, BUS, &prefixed]))?;
    workdir.apply_fails(&["import {", &format!("{bus}/{name}@us-east-1"), "Nothing was made"])?;
    ensure!(workdir.aws().rules(&bus)? == [name]);

    // The way out that the message names, and then two at once, which are each other's.
    let import = format!("import {{\n  to = {ADDRESS}\n  id = \"{bus}/{name}\"\n}}\n");
    workdir.config(&hcl::all(&[CONNECTION, BUS, &prefixed, &import]))?;
    workdir.apply()?;
    workdir.plan_empty()?;
    let two = hcl::with(
        &prefixed,
        "\"runs\" {",
        "\"two\" {\n  count = 2\n  description = \"Two\"",
    );
    workdir.config(&hcl::all(&[CONNECTION, BUS, &prefixed, &two]))?;
    workdir.apply_counts(2, 0, 0)?;
    Ok(())
}

fn null_tag(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let owner = "variable \"owner\" {\n  type    = string\n  default = null\n}\n";
    let rule = hcl::more(
        RULE,
        "tags = { owner = var.owner, env = \"prod\" }\n  description = \"\"",
    );
    workdir.config(&hcl::all(&[owner, CONNECTION, BUS, &rule]))?;
    workdir.apply_counts(3, 0, 0)?;
    let attributes = workdir.attributes(ADDRESS)?;
    ensure!(attributes["tags_all"] == json!({"env": "prod"}), "{attributes}");
    workdir.plan_empty()?;
    Ok(())
}

fn matches_nothing(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let on_bus = hcl::with(
        RULE,
        "scalr_eventbridge_bus.scalr.name",
        "\"aws.partner/scalr.com/acme/prod\"",
    );
    let rule = hcl::with(
        &on_bus,
        "provider::scalr::event_pattern(\"RunExecuted\", {})",
        "jsonencode({ source = [\"aws.partner/scalr.com\"], detail = { result = [\"errored\"] } })",
    );
    workdir.config(&rule)?;
    workdir.plan_shows(&[
        "Warning: The event pattern of the rule `runs` matches none of Scalr's events",
        "`aws.partner/scalr.com/ACCOUNT/NAME`",
        "`detail.event.result`",
    ])?;
    let rule = hcl::with(
        &on_bus,
        "provider::scalr::event_pattern(\"RunExecuted\", {})",
        "jsonencode({ detail = { event = { result = [\"errored\", \"cancelled\"] } } })",
    );
    workdir.config(&rule)?;
    workdir.plan_shows(&[
        "Warning: Part of the event pattern of the rule `runs` matches none of Scalr's events",
        "never `cancelled`: perhaps `canceled` is meant",
    ])?;
    workdir.config(&on_bus)?;
    let quiet = workdir.plan_shows(&[])?;
    ensure!(
        !quiet.text.contains("Warning: The event pattern"),
        "{}",
        quiet.text
    );
    Ok(())
}

/// Scalr says where the bus is, and where it is not AWS refuses the rule.
fn bus_of_another_region(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, BUS]))?;
    workdir.apply_counts(2, 0, 0)?;
    let bus = workdir.attribute("scalr_eventbridge_bus.scalr", "name")?;
    let named = hcl::with(RULE, "scalr_eventbridge_bus.scalr.name", &format!("{bus:?}"));
    let elsewhere = hcl::more(&named, "region = \"eu-west-1\"");
    workdir.config(&hcl::all(&[CONNECTION, BUS, &elsewhere]))?;
    workdir.plan_shows(&[
        "is in another region than the rule `runs`",
        "region = \"eu-west-1\"",
        "Set `region = \"us-east-1\"`",
    ])?;
    workdir.config(&hcl::all(&[CONNECTION, BUS, &named]))?;
    let quiet = workdir.plan_shows(&["1 to add, 0 to change, 0 to destroy"])?;
    ensure!(!quiet.text.contains("Warning: The event bus"), "{}", quiet.text);
    Ok(())
}

/// A misspelt name is said with the plan; one of a bus that the same plan makes is none, although nothing refers to the bus.
fn names_that_do_not_exist(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(CONNECTION)?;
    workdir.apply_counts(1, 0, 0)?;
    let bus = workdir.attribute("scalr_eventbridge_connection.prod", "event_source_name")?;
    let named = hcl::with(RULE, "scalr_eventbridge_bus.scalr.name", &format!("{bus:?}"));
    workdir.config(&hcl::all(&[CONNECTION, BUS, &named]))?;
    let quiet = workdir.plan_shows(&["2 to add, 0 to change, 0 to destroy"])?;
    verify::without_warnings(&quiet)?;

    workdir.config(&hcl::all(&[CONNECTION, BUS]))?;
    workdir.apply_counts(1, 0, 0)?;
    let misspelt = hcl::with(&named, "prod\"", "prd\"");
    let target = hcl::with(TARGET, "scalr_eventbridge_rule.runs.name", "\"rums\"");
    workdir.config(&hcl::all(&[CONNECTION, BUS, &misspelt, &target]))?;
    let planned = workdir.plan_shows(&[
        "There is no event bus `aws.partner/scalr.com/",
        "for the rule `runs`",
        &format!("Did you mean `{bus}`?"),
        "for the target of the rule `rums`",
    ])?;
    ensure!(
        planned.flat().matches("There is no").count() == 2,
        "{}",
        planned.text
    );
    Ok(())
}

/// Scalr is asked for the ids of a new pattern.
fn ids_that_scalr_does_not_have(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let pattern = |filters: &str| {
        let rule = hcl::with(RULE, "{})", &format!("{{ {filters} }})"));
        hcl::all(&["variable \"workspace_id\" {}\n", CONNECTION, BUS, &rule])
    };
    workdir.config(&pattern("workspace_id = var.workspace_id"))?;
    verify::without_warnings(&workdir.plan_shows(&["3 to add"])?)?;
    workdir.config(&pattern("environment_id = [\"env-nowhere\"]"))?;
    let said = workdir.plan_shows(&[
        "has ids that Scalr does not know",
        "the environment `env-nowhere`",
    ])?;
    ensure!(said.text.matches("Warning:").count() == 2, "{}", said.text);
    workdir.config(&pattern("workspace_id = [\"ws-network\", var.workspace_id]"))?;
    workdir.plan_shows(&["the workspace `ws-network`", "(`network`)?"])?;
    workdir.apply_counts(3, 0, 0)?;
    workdir.plan_empty()?;
    Ok(())
}

/// An apply plans each change once more, and does not repeat what its plan has said.
fn warned_of_once(tool: &Tool) -> Result<()> {
    const SAID: &str = "matches none of Scalr's events";
    let workdir = Workdir::new(tool)?;
    let nothing = "jsonencode({ detail-type = [\"RunExecutd\"] })";
    let odd = hcl::with(
        RULE,
        "provider::scalr::event_pattern(\"RunExecuted\", {})",
        nothing,
    );
    workdir.config(&hcl::all(&[CONNECTION, BUS, &odd]))?;
    let applied = workdir.apply_counts(3, 0, 0)?;
    let once = |text: &str| text.matches(SAID).count() == 1 && !text.contains("similar warning");
    ensure!(once(&applied.flat()), "{}", applied.text);
    // Nothing is applied before it: OpenTofu does not let the provider tell the two plans apart.
    if tool.kind != Kind::Tofu112 {
        let changed = hcl::more(&odd, "description = \"Runs\"");
        workdir.config(&hcl::all(&[CONNECTION, BUS, &changed]))?;
        let applied = workdir.apply_counts(0, 1, 0)?;
        ensure!(once(&applied.flat()), "{}", applied.text);
    }
    Ok(())
}
