//! `lifecycle { ignore_changes }` of attributes that only the provider sets: the habit of those who come from AWS's own
//! provider.

use acceptance::block_on;
use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Result, ensure};

use super::hcl::{self, BUS, CONNECTION, GROUP, RULE, TARGET};
use crate::runner::Case;

const TAGGED: &str = r#"
provider "scalr" {
  aws = { default_tags = { tags = { cost = "x" } } }
}
"#;

pub(crate) fn cases() -> Vec<Case> {
    vec![Case::new("ignore_changes::after_drift", after_drift)]
}

/// A part that ignores these.
fn ignoring(part: &str, attributes: &str) -> String {
    hcl::more(
        part,
        &format!("lifecycle {{\n    ignore_changes = [{attributes}]\n  }}"),
    )
}

/// What drifted and is ignored stays; what is not ignored is repaired; the next plan has nothing to do.
fn after_drift(tool: &Tool) -> Result<()> {
    let parts = |bus: &str| {
        hcl::all(&[
            TAGGED,
            &ignoring(CONNECTION, "status"),
            &ignoring(bus, "tags, tags_all, source_state"),
            &ignoring(RULE, "tags, tags_all"),
            &ignoring(TARGET, "log_group"),
        ])
    };
    let workdir = Workdir::new(tool)?;
    workdir.config(&parts(BUS))?;
    workdir.apply_counts(4, 0, 0)?;
    workdir.plan_empty()?;

    let (aws, name) = (
        workdir.aws(),
        workdir.attribute("scalr_eventbridge_bus.scalr", "name")?,
    );
    for address in ["scalr_eventbridge_bus.scalr", "scalr_eventbridge_rule.runs"] {
        let arn = workdir.attribute(address, "arn")?;
        block_on(
            aws.events
                .untag_resource()
                .resource_arn(arn)
                .tag_keys("cost")
                .send(),
        )?;
    }
    block_on(aws.events.deactivate_event_source().name(&name).send())?;
    aws.delete_group_policy(GROUP)?;
    workdir.plan_empty()?;

    // Only what is not ignored is a change; with it the rest stays as it is.
    let id = workdir.attribute("scalr_eventbridge_connection.prod", "id")?;
    workdir.companion.scalr().set_status(&id, "disabled")?;
    workdir.plan_shows(&["enabled = false -> true", "0 to add, 1 to change, 0 to destroy"])?;
    workdir.config(&parts(&hcl::more(BUS, "description = \"Scalr's events\"")))?;
    workdir.apply_counts(0, 2, 0)?;
    ensure!(workdir.companion.scalr().connection(&id)?["status"] != "disabled");
    ensure!(aws.source_state(&name)?.as_deref() == Some("PENDING"));
    ensure!(aws.group_policy(GROUP)?.is_none());
    workdir.plan_empty()?;
    Ok(())
}
