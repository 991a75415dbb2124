//! Objects that change hands within one apply: an address that is renamed without `moved`, a replacement with
//! `create_before_destroy`. Nothing says whether the create or the destroy comes first, so the proxy forces each order, once
//! in a run; orders as they come are repeated by `cargo xtask test --step orders --repeat N`.
//!
//! What is forced is when a gate is made or destroyed, a rule that an operation depends on: an operation has its turn at an
//! object while its requests are under way, and the other one waits for it.

use std::sync::Arc;

use acceptance::companion::Companion;
use acceptance::proxy::{FaultSignal, Moment, Order, Pattern, Proxy, Script};
use acceptance::tools::Tool;
use acceptance::workdir::{APPLY, Workdir};
use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::hcl::{self, ACTIVATION, AUDIT_LOGS, BUS, CONNECTION, GROUP, RULE, TARGET};
use super::verify;
use crate::runner::Case;

/// How often the orders as they come are run: set by the step `orders`.
const REPEAT: &str = "ACCEPTANCE_ORDERS_REPEAT";
/// The exit code of a process that SIGKILL ended.
const KILLED: i32 = 137;
/// That of a tool which Ctrl-C ended.
const FAILED: i32 = 1;

/// Each forced order once, spread over the tools; the others as often as the environment says, on every tool.
pub(crate) fn cases(tools: &[Tool]) -> Vec<(Tool, Arc<Case>)> {
    let mut found = Vec::new();
    let mut next = tools.iter().cycle();
    for case in forced() {
        found.extend(next.next().map(|tool| (tool.clone(), Arc::new(case))));
    }
    let repeat = std::env::var(REPEAT).ok().and_then(|text| text.parse().ok());
    for round in 1..=repeat.unwrap_or(0_u32) {
        for tool in tools {
            let free = Chain::ALL.map(|chain| {
                let name = format!("orders::free::{chain:?}::{round:03}");
                Case::new(name, move |tool| renamed(tool, chain, &[], Gate::None))
            });
            found.extend(free.map(|case| (tool.clone(), Arc::new(case))));
        }
    }
    found
}

fn forced() -> Vec<Case> {
    let mut cases = Vec::new();
    for chain in Chain::ALL {
        let name = |order| format!("orders::{chain:?}::{order}");
        cases.push(Case::new(name("create_first"), move |tool| {
            renamed(tool, chain, &[chain.create_first()], Gate::GoesBeforeOld)
        }));
        cases.push(Case::new(name("destroy_first"), move |tool| {
            renamed(tool, chain, &[chain.destroy_first()], Gate::ComesBeforeNew)
        }));
    }
    cases.push(Case::new("orders::Target::between", between));
    cases.push(Case::new(
        "orders::create_before_destroy::each",
        create_before_destroy,
    ));
    for (name, signal) in [("stopped", FaultSignal::Interrupt), ("killed", FaultSignal::Kill)] {
        let name = format!("orders::create_before_destroy::{name}");
        cases.push(Case::new(name, move |tool| ended_between(tool, signal)));
    }
    cases.push(Case::new(
        "orders::create_before_destroy::renamed_rule",
        renamed_rule,
    ));
    cases.push(Case::new(
        "orders::create_before_destroy::renamed_both",
        renamed_both,
    ));
    cases.push(Case::new("orders::replace_triggered_by", replace_triggered_by));
    cases
}

/// What is renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chain {
    Setting,
    Rule,
    /// A rule with its target and its log group, which goes with the target.
    Target,
}

const DELETING: &str = r#"
resource "scalr_eventbridge_target" "logs" {
  rule           = scalr_eventbridge_rule.runs.name
  event_bus_name = scalr_eventbridge_rule.runs.event_bus_name
  log_group      = { name = "/scalr/runs", create = true, delete_on_destroy = true }
}
"#;

const GATE: &str = r#"
resource "scalr_eventbridge_rule" "gate" {
  name           = "gate"
  event_bus_name = scalr_eventbridge_bus.scalr.name
  event_pattern  = jsonencode({ source = ["gate"] })
}
"#;

/// A gate that the new objects wait for, beside the one that the old ones wait for.
const SECOND: &str = r#"
resource "scalr_eventbridge_rule" "second" {
  name           = "second"
  event_bus_name = scalr_eventbridge_bus.scalr.name
  event_pattern  = jsonencode({ source = ["second"] })
}
"#;

fn pattern(call: &'static str, body: &'static str) -> Pattern {
    Pattern { call, body }
}

impl Chain {
    const ALL: [Self; 3] = [Self::Setting, Self::Rule, Self::Target];

    /// The resources that are renamed, the last one first to go.
    fn resources(self) -> &'static [&'static str] {
        match self {
            Self::Setting => &[AUDIT_LOGS],
            Self::Rule => &[RULE],
            Self::Target => &[RULE, DELETING],
        }
    }

    fn base(self) -> &'static [&'static str] {
        match self {
            Self::Setting => &[CONNECTION, BUS, ACTIVATION],
            Self::Rule | Self::Target => &[CONNECTION, BUS],
        }
    }

    /// The addresses of the resources.
    fn addresses(self) -> &'static str {
        match self {
            Self::Setting => "scalr_audit_log_setting.account",
            Self::Rule => "scalr_eventbridge_rule.runs",
            Self::Target => "scalr_eventbridge_rule.runs, scalr_eventbridge_target.logs",
        }
    }

    /// The old one is destroyed after the new one is made.
    fn create_first(self) -> Order {
        let first = match self {
            // It is adopted: it was on.
            Self::Setting => pattern("GET …/audit-log-setting", ""),
            Self::Rule => pattern("PutRule", "\"runs\""),
            Self::Target => pattern("PutTargets", "\"runs\""),
        };
        Order {
            first,
            then: pattern("DeleteRule", "\"gate\""),
        }
    }

    /// The new one is made after the old one is destroyed.
    fn destroy_first(self) -> Order {
        let first = match self {
            Self::Setting => pattern("PATCH …/audit-log-setting", "false"),
            Self::Rule | Self::Target => pattern("DeleteRule", "\"runs\""),
        };
        Order {
            first,
            then: pattern("PutRule", "\"gate\""),
        }
    }

    fn is_whole(self, workdir: &Workdir) -> Result<()> {
        if self == Self::Setting {
            let account = workdir.companion.line.scalr_account();
            ensure!(
                workdir.companion.scalr().audit_logs_to(account)?.is_some(),
                "the stream is off"
            );
            return Ok(());
        }
        let bus = workdir.attribute("scalr_eventbridge_bus.scalr", "name")?;
        let rules = workdir.aws().rules(&bus)?;
        ensure!(rules.iter().any(|rule| rule == "runs"), "{rules:?}");
        if self == Self::Target {
            ensure!(workdir.aws().targets(&bus, "runs")?.len() == 1);
            ensure!(
                workdir.aws().group_policy(GROUP)?.is_some(),
                "{GROUP} has no policy"
            );
        }
        Ok(())
    }
}

/// What is renamed waits for a gate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gate {
    None,
    /// The old objects are destroyed after a gate that depends on them.
    GoesBeforeOld,
    /// The new objects are made after a gate that they depend on.
    ComesBeforeNew,
}

/// The resources under other addresses.
fn under_other_names(chain: Chain, depends_on: Option<&str>) -> String {
    let [first, rest @ ..] = chain.resources() else {
        return String::new();
    };
    let first = depends_on.map_or_else(
        || (*first).to_owned(),
        |gate| hcl::more(first, &format!("depends_on = [{gate}]")),
    );
    let all = hcl::all(&[&first, &hcl::all(rest)]);
    all.replace("\"account\" {", "\"renamed\" {")
        .replace("\"runs\" {", "\"renamed\" {")
        .replace("\"logs\" {", "\"renamed\" {")
        .replace("rule.runs.", "rule.renamed.")
}

fn behind(workdir: &mut Workdir, script: Script) -> Result<Proxy> {
    let line = &workdir.companion.line;
    let proxy = Proxy::start(&[line.hostname(), line.endpoint()], script)?;
    workdir.through(&proxy)?;
    Ok(proxy)
}

/// Applies a plan that is made without the proxy: what it refreshes is of no order.
fn apply_in_order(workdir: &mut Workdir, orders: &[Order], arguments: &[&str]) -> Result<()> {
    let plan = [&["plan", "-input=false", "-no-color", "-out=tfplan"], arguments].concat();
    let ended = workdir.run(&plan)?;
    ensure!(ended.code() == 0, "{}", ended.text);
    let proxy = behind(workdir, Script::Orders(orders.to_vec()))?;
    let ended = workdir.run(&["apply", "-input=false", "-no-color", "tfplan"])?;
    ensure!(ended.code() == 0, "{}\n{}", ended.text, proxy.log().join("\n"));
    workdir.direct();
    Ok(())
}

/// The addresses are renamed without `moved`; afterwards all is there, and a destroy leaves nothing.
fn renamed(tool: &Tool, chain: Chain, orders: &[Order], gate: Gate) -> Result<()> {
    let mut workdir = Workdir::new(tool)?;
    let base = hcl::all(chain.base());
    let after_old = hcl::more(GATE, &format!("depends_on = [{}]", chain.addresses()));
    let (before, gate_before, gate_after) = match gate {
        Gate::None => (None, "", ""),
        Gate::GoesBeforeOld => (None, &*after_old, ""),
        Gate::ComesBeforeNew => (Some("scalr_eventbridge_rule.gate"), "", GATE),
    };
    workdir.config(&hcl::all(&[&base, &hcl::all(chain.resources()), gate_before]))?;
    workdir.apply()?;
    workdir.config(&hcl::all(&[&base, &under_other_names(chain, before), gate_after]))?;
    apply_in_order(&mut workdir, orders, &[])?;
    ends_well(&workdir, chain)
}

fn ends_well(workdir: &Workdir, chain: Chain) -> Result<()> {
    chain.is_whole(workdir)?;
    workdir.plan_empty()?;
    workdir.destroy()?;
    verify::nothing_left(workdir, "us-east-1", &[])
}

/// The rule is adopted, then the old target and the old rule are destroyed, then the new target is made.
fn between(tool: &Tool) -> Result<()> {
    let mut workdir = Workdir::new(tool)?;
    let chain = Chain::Target;
    let after_old = hcl::more(GATE, &format!("depends_on = [{}]", chain.addresses()));
    workdir.config(&hcl::all(&[CONNECTION, BUS, RULE, DELETING, &after_old]))?;
    workdir.apply()?;
    let target = hcl::more(DELETING, "depends_on = [scalr_eventbridge_rule.second]");
    let names = |text: &str| {
        text.replace("\"runs\" {", "\"renamed\" {")
            .replace("\"logs\" {", "\"renamed\" {")
            .replace("rule.runs.", "rule.renamed.")
    };
    workdir.config(&hcl::all(&[
        CONNECTION,
        BUS,
        &names(RULE),
        &names(&target),
        SECOND,
    ]))?;
    let orders = [
        chain_order("PutRule", "\"runs\"", "DeleteRule", "\"gate\""),
        chain_order("RemoveTargets", "\"runs\"", "PutRule", "\"second\""),
    ];
    apply_in_order(&mut workdir, &orders, &[])?;
    ends_well(&workdir, chain)
}

fn chain_order(first: &'static str, of: &'static str, then: &'static str, gate: &'static str) -> Order {
    Order {
        first: pattern(first, of),
        then: pattern(then, gate),
    }
}

const FIRST: &str = "lifecycle { create_before_destroy = true }";

/// The audit-log setting has `create_before_destroy`, and everything that it depends on gets it: each resource is replaced.
fn create_before_destroy(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let activation = hcl::with(
        ACTIVATION,
        "[scalr_eventbridge_bus.scalr]",
        "[scalr_eventbridge_target.logs]",
    );
    let setting = hcl::more(AUDIT_LOGS, FIRST);
    workdir.config(&hcl::all(&[
        CONNECTION,
        BUS,
        RULE,
        DELETING,
        &activation,
        &setting,
    ]))?;
    workdir.apply_counts(6, 0, 0)?;
    for (address, refused) in [
        ("scalr_eventbridge_connection.prod", Some("create_before_destroy")),
        ("scalr_eventbridge_bus.scalr", Some("create_before_destroy")),
        ("scalr_eventbridge_rule.runs", None),
        ("scalr_eventbridge_target.logs", None),
        ("scalr_eventbridge_activation.prod", None),
        ("scalr_audit_log_setting.account", None),
    ] {
        let replace = format!("-replace={address}");
        let ended = workdir.run(&[&APPLY[..], &[&replace]].concat())?;
        let flat = ended.flat();
        match refused {
            None => ensure!(ended.code() == 0, "{address}: {}", ended.text),
            Some(why) => ensure!(
                ended.code() == 1 && flat.contains(why),
                "{address}: {}",
                ended.text
            ),
        }
        Chain::Target.is_whole(&workdir).context(address)?;
        Chain::Setting.is_whole(&workdir).context(address)?;
        ensure!(deposed(&workdir)? == 0, "{address}: {}", ended.text);
        workdir.plan_empty().context(address)?;
    }
    verify::start_run(&workdir)?;
    verify::arrives(&workdir, GROUP, "RunExecuted")?;
    workdir.destroy()?;
    verify::nothing_left(&workdir, "us-east-1", &[])
}

/// Objects of the state that a replacement has left to destroy.
fn deposed(workdir: &Workdir) -> Result<usize> {
    let state = workdir.state()?;
    let resources = state["resources"].as_array().into_iter().flatten();
    let instances = resources.flat_map(|resource| resource["instances"].as_array().into_iter().flatten());
    Ok(instances
        .filter(|instance| instance.get("deposed").is_some_and(Value::is_string))
        .count())
}

/// Ended between the creates and the destroys of a replacement. Ctrl-C leaves the old objects in the state as deposed, and
/// another process destroys them; after a kill the state may not know of the new ones at all.
fn ended_between(tool: &Tool, signal: FaultSignal) -> Result<()> {
    let mut workdir = Workdir::with(tool, Companion::start()?)?;
    let (rule, target) = (hcl::more(RULE, FIRST), hcl::more(DELETING, FIRST));
    let bus = hcl::more(BUS, &format!("adopt_existing = true\n  {FIRST}"));
    let after = |text: &str| {
        hcl::more(
            SECOND,
            &format!("description = \"{text}\"\n  depends_on = [scalr_eventbridge_target.logs]\n  {FIRST}"),
        )
    };
    workdir.config(&hcl::all(&[CONNECTION, &bus, &rule, &target, &after("one")]))?;
    workdir.apply_counts(5, 0, 0)?;
    workdir.config(&hcl::all(&[CONNECTION, &bus, &rule, &target, &after("two")]))?;
    let script = Script::SignalAt(pattern("PutRule", "\"second\""), Moment::BeforeForward, signal);
    let proxy = behind(&mut workdir, script)?;
    let replace = [
        "-replace=scalr_eventbridge_bus.scalr",
        "-replace=scalr_eventbridge_rule.runs",
        "-replace=scalr_eventbridge_target.logs",
    ];
    let group = workdir.start(&[&APPLY[..], &replace].concat())?;
    proxy.aim(group.pid()?);
    let ended = group.wait(std::time::Duration::from_mins(2))?;
    workdir.direct();
    let context = format!("{}\n{}", ended.text, proxy.log().join("\n"));
    if signal == FaultSignal::Kill {
        ensure!(ended.code() == KILLED, "{context}");
    } else {
        ensure!(ended.code() == FAILED && deposed(&workdir)? == 3, "{context}");
    }
    workdir.apply().context(context)?;
    ensure!(deposed(&workdir)? == 0);
    ends_well(&workdir, Chain::Target)
}

/// A rule with `create_before_destroy` is renamed; its target, which has it not, goes before the new one is made, and the
/// old rule goes last. The log group passes on.
fn renamed_rule(tool: &Tool) -> Result<()> {
    rule_renamed(tool, TARGET)
}

/// The target has it too: the new one is made while the old one has the log group.
fn renamed_both(tool: &Tool) -> Result<()> {
    rule_renamed(tool, &hcl::more(TARGET, FIRST))
}

fn rule_renamed(tool: &Tool, target: &str) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let rule = hcl::more(RULE, FIRST);
    workdir.config(&hcl::all(&[CONNECTION, BUS, &rule, target]))?;
    workdir.apply_counts(4, 0, 0)?;
    let other = hcl::with(&rule, "\"runs\"\n", "\"other\"\n");
    workdir.config(&hcl::all(&[CONNECTION, BUS, &other, target]))?;
    workdir.apply_counts(2, 0, 2)?;
    workdir.plan_empty()?;
    let bus = workdir.attribute("scalr_eventbridge_bus.scalr", "name")?;
    ensure!(workdir.aws().rules(&bus)? == ["other"]);
    ensure!(workdir.aws().group(GROUP)?.retention_in_days() == Some(30));
    workdir.destroy()?;
    verify::nothing_left(&workdir, "us-east-1", &[GROUP])
}

/// What the error about targets that stay says to do.
fn replace_triggered_by(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let with_rule = "lifecycle { replace_triggered_by = [scalr_eventbridge_rule.runs.arn] }";
    workdir.config(&hcl::all(&[
        CONNECTION,
        BUS,
        RULE,
        &hcl::more(DELETING, with_rule),
    ]))?;
    workdir.apply_counts(4, 0, 0)?;
    let ended = workdir.run(&[&APPLY[..], &["-replace=scalr_eventbridge_rule.runs"]].concat())?;
    ensure!(
        ended.code() == 0 && ended.flat().contains("2 added, 0 changed, 2 destroyed"),
        "{}",
        ended.text
    );
    ends_well(&workdir, Chain::Target)
}
