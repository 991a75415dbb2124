//! `scalr_eventbridge_activation`

use acceptance::stage::Stage;
use acceptance::tools::Tool;
use anyhow::{Result, ensure};

use super::hcl::{self, ACTIVATION, BUS, CONNECTION};
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
    ]
}

fn applied(tool: &Tool) -> Result<Stage> {
    let stage = Stage::new(tool)?;
    stage.config(&hcl::all(&[CONNECTION, BUS, ACTIVATION]))?;
    stage.apply_counts(3, 0, 0)?;
    Ok(stage)
}

fn lifecycle(tool: &Tool) -> Result<()> {
    let stage = applied(tool)?;
    ensure!(stage.attribute(ADDRESS, "status")? == "active");
    let id = stage.attribute(PROD, "id")?;
    ensure!(stage.world.scalr().connection(&id)?["status"] == "active");
    stage.plan_empty()?;
    // Its destruction changes nothing remote.
    stage.config(&hcl::all(&[CONNECTION, BUS]))?;
    stage.apply_counts(0, 0, 1)?;
    ensure!(stage.world.scalr().connection(&id)?["status"] == "active");
    stage.destroy()?;
    verify::nothing_left(&stage, "us-east-1", &[])
}

fn import(tool: &Tool) -> Result<()> {
    let stage = applied(tool)?;
    let id = stage.attribute(PROD, "id")?;
    let bus = stage.attribute("scalr_eventbridge_bus.scalr", "name")?;
    // The connection's status in the state is that of its create; import reads the one that holds now.
    verify::import(
        &stage,
        &[
            (PROD, id.clone()),
            ("scalr_eventbridge_bus.scalr", bus),
            (ADDRESS, id),
        ],
        &["status"],
    )
}

fn drift_pending(tool: &Tool) -> Result<()> {
    let stage = applied(tool)?;
    let bus = stage.attribute("scalr_eventbridge_bus.scalr", "name")?;
    stage.aws().delete_bus(&bus)?;
    stage
        .world
        .scalr()
        .set_status(&stage.attribute(PROD, "id")?, "active")?;
    stage.plan_shows(&["\"pending\" -> \"active\"", "1 to add, 1 to change, 0 to destroy"])?;
    stage.apply_counts(1, 1, 0)?;
    ensure!(stage.attribute(ADDRESS, "status")? == "active");
    stage.plan_empty()?;
    Ok(())
}

fn connection_gone(tool: &Tool) -> Result<()> {
    let stage = applied(tool)?;
    stage.world.scalr().disconnect(&stage.attribute(PROD, "id")?)?;
    let ended = stage.plan_shows(&["to add"])?;
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
    let stage = applied(tool)?;
    stage.config(&hcl::all(&[
        &hcl::more(CONNECTION, "enabled = false"),
        BUS,
        ACTIVATION,
    ]))?;
    stage.apply_counts(0, 1, 0)?;
    stage.plan_empty()?;
    let id = stage.attribute(PROD, "id")?;
    ensure!(stage.world.scalr().connection(&id)?["status"] == "disabled");
    Ok(())
}

fn paused_at_create(tool: &Tool) -> Result<()> {
    let stage = Stage::new(tool)?;
    stage.config(&hcl::all(&[
        &hcl::more(CONNECTION, "enabled = false"),
        BUS,
        ACTIVATION,
    ]))?;
    stage.apply_fails(&["is paused", "`enabled = true`"])?;
    let id = stage.attribute(PROD, "id")?;
    ensure!(stage.world.scalr().connection(&id)?["status"] == "disabled");
    Ok(())
}

fn no_bus(tool: &Tool) -> Result<()> {
    let stage = Stage::new(tool)?;
    let activation = hcl::with(ACTIVATION, "depends_on    = [scalr_eventbridge_bus.scalr]", "");
    stage.config(&hcl::all(&[
        CONNECTION,
        &hcl::more(&activation, "timeouts {\n    create = \"2s\"\n  }"),
    ]))?;
    stage.apply_fails(&["pending", "bus"])?;
    ensure!(
        stage.attributes(ADDRESS).is_err(),
        "an activation that failed is in the state"
    );
    stage.plan_shows(&["1 to add"])?;
    Ok(())
}
