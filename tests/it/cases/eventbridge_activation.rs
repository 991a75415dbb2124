//! `scalr_eventbridge_activation`

use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Result, ensure};

use super::hcl::{self, ACTIVATION, BUS, CONNECTION, RULE, TARGET};
use super::verify;
use crate::runner::Case;

const ADDRESS: &str = "scalr_eventbridge_activation.prod";
const PROD: &str = "scalr_eventbridge_connection.prod";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("activation::lifecycle", lifecycle),
        Case::new("activation::import", import),
        Case::new("activation::drift_pending", drift_pending),
        Case::new("activation::connection_gone", connection_gone),
        Case::new("activation::paused_is_settled", paused_is_settled),
        Case::new("activation::paused_at_create", paused_at_create),
        Case::new("activation::no_bus", no_bus),
        Case::new("activation::no_rule_is_warned_of", no_rule_is_warned_of),
    ]
}

fn applied(tool: &Tool) -> Result<Workdir> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, BUS, ACTIVATION]))?;
    workdir.apply_counts(3, 0, 0)?;
    Ok(workdir)
}

fn lifecycle(tool: &Tool) -> Result<()> {
    let workdir = applied(tool)?;
    ensure!(workdir.attribute(ADDRESS, "status")? == "active");
    let id = workdir.attribute(PROD, "id")?;
    ensure!(workdir.companion.scalr().connection(&id)?["status"] == "active");
    workdir.plan_empty()?;
    // Its destruction changes nothing remote.
    workdir.config(&hcl::all(&[CONNECTION, BUS]))?;
    workdir.apply_counts(0, 0, 1)?;
    ensure!(workdir.companion.scalr().connection(&id)?["status"] == "active");
    workdir.destroy()?;
    verify::nothing_left(&workdir, "us-east-1", &[])
}

fn import(tool: &Tool) -> Result<()> {
    let workdir = applied(tool)?;
    let id = workdir.attribute(PROD, "id")?;
    let bus = workdir.attribute("scalr_eventbridge_bus.scalr", "name")?;
    // The connection's status in the state is that of its create; import reads the one that holds now.
    verify::import(
        &workdir,
        &[
            (PROD, id.clone()),
            ("scalr_eventbridge_bus.scalr", bus),
            (ADDRESS, id),
        ],
        &["status"],
    )
}

fn drift_pending(tool: &Tool) -> Result<()> {
    let workdir = applied(tool)?;
    let bus = workdir.attribute("scalr_eventbridge_bus.scalr", "name")?;
    workdir.aws().delete_bus(&bus)?;
    workdir
        .companion
        .scalr()
        .set_status(&workdir.attribute(PROD, "id")?, "active")?;
    workdir.plan_shows(&["\"pending\" -> \"active\"", "1 to add, 1 to change, 0 to destroy"])?;
    workdir.apply_counts(1, 1, 0)?;
    ensure!(workdir.attribute(ADDRESS, "status")? == "active");
    workdir.plan_empty()?;
    Ok(())
}

fn connection_gone(tool: &Tool) -> Result<()> {
    let workdir = applied(tool)?;
    workdir
        .companion
        .scalr()
        .disconnect(&workdir.attribute(PROD, "id")?)?;
    let ended = workdir.plan_shows(&["to add"])?;
    ensure!(
        ended
            .flat()
            .contains("# scalr_eventbridge_activation.prod will be created"),
        "{}",
        ended.text
    );
    Ok(())
}

/// No plan and no apply of an activation resumes a connection that was paused on purpose.
fn paused_is_settled(tool: &Tool) -> Result<()> {
    let workdir = applied(tool)?;
    workdir.config(&hcl::all(&[
        &hcl::more(CONNECTION, "enabled = false"),
        BUS,
        ACTIVATION,
    ]))?;
    workdir.apply_counts(0, 2, 0)?;
    let id = workdir.attribute(PROD, "id")?;
    statuses(&workdir, &id, "disabled")?;
    workdir.plan_empty()?;
    // Resumed, it is active when the apply ends.
    workdir.config(&hcl::all(&[CONNECTION, BUS, ACTIVATION]))?;
    workdir.apply_counts(0, 2, 0)?;
    statuses(&workdir, &id, "active")?;
    workdir.plan_empty()?;
    Ok(())
}

/// The state shows of connection and activation what Scalr says.
fn statuses(workdir: &Workdir, id: &str, status: &str) -> Result<()> {
    let shown = [PROD, ADDRESS].map(|address| workdir.attribute(address, "status"));
    let held = workdir.companion.scalr().connection(id)?["status"].clone();
    for shown in shown {
        let shown = shown?;
        ensure!(shown == status && held == status, "{shown}, {held}");
    }
    Ok(())
}

/// Events that Scalr holds are delivered when the connection becomes active, whether a rule is there or not.
fn no_rule_is_warned_of(tool: &Tool) -> Result<()> {
    const WARNING: &str = "No rule matches the events";
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, BUS, ACTIVATION]))?;
    let ended = workdir.apply_counts(3, 0, 0)?;
    ensure!(ended.flat().contains(WARNING), "{}", ended.text);
    workdir.destroy()?;
    let after = hcl::with(
        ACTIVATION,
        "scalr_eventbridge_bus.scalr",
        "scalr_eventbridge_target.logs",
    );
    workdir.config(&hcl::all(&[CONNECTION, BUS, RULE, TARGET, &after]))?;
    let ended = workdir.apply_counts(5, 0, 0)?;
    ensure!(!ended.flat().contains(WARNING), "{}", ended.text);
    Ok(())
}

fn paused_at_create(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[
        &hcl::more(CONNECTION, "enabled = false"),
        BUS,
        ACTIVATION,
    ]))?;
    workdir.apply_fails(&["is paused", "`enabled = true`"])?;
    let id = workdir.attribute(PROD, "id")?;
    ensure!(workdir.companion.scalr().connection(&id)?["status"] == "disabled");
    Ok(())
}

fn no_bus(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let activation = hcl::with(ACTIVATION, "depends_on    = [scalr_eventbridge_bus.scalr]", "");
    workdir.config(&hcl::all(&[
        CONNECTION,
        &hcl::more(&activation, "timeouts {\n    create = \"2s\"\n  }"),
    ]))?;
    workdir.apply_fails(&["pending", "bus"])?;
    ensure!(
        workdir.attributes(ADDRESS).is_err(),
        "an activation that failed is in the state"
    );
    workdir.plan_shows(&["1 to add"])?;
    Ok(())
}
