//! `scalr_eventbridge_api_destination`

use acceptance::block_on;
use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Result, ensure};

use super::verify;
use crate::runner::Case;

const ADDRESS: &str = "scalr_eventbridge_api_destination.hook";
const SECRET: &str = "s3cret-of-the-hook";
/// A destination with a key of its own.
pub(super) const HOOK: &str = r#"
variable "secret" {
  type      = string
  ephemeral = true
  default   = "s3cret-of-the-hook"
}
resource "scalr_eventbridge_api_destination" "hook" {
  name                = "hook"
  invocation_endpoint = "https://hooks.example.com/scalr"
  api_key             = { name = "x-api-key" }
  secret_wo           = var.secret
  secret_wo_version   = 1
}
"#;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("api_destination::lifecycle", lifecycle),
        Case::new("api_destination::import", import),
    ]
}

fn applied(tool: &Tool) -> Result<Workdir> {
    let workdir = Workdir::new(tool)?;
    workdir.config(HOOK)?;
    let applied = workdir.apply_counts(1, 0, 0)?;
    verify::without_warnings(&applied)?;
    Ok(workdir)
}

fn lifecycle(tool: &Tool) -> Result<()> {
    let workdir = applied(tool)?;
    let stored = || -> Result<String> { Ok(std::fs::read_to_string(workdir.state_file())?) };
    ensure!(!stored()?.contains(SECRET), "the secret is in the state");
    workdir.plan_empty()?;
    workdir.config(&HOOK.replace("/scalr\"", "/other\"\n  invocation_rate_limit_per_second = 5"))?;
    workdir.apply_counts(0, 1, 0)?;
    let held = block_on(
        workdir
            .aws()
            .events
            .describe_api_destination()
            .name("hook")
            .send(),
    )?;
    ensure!(held.invocation_rate_limit_per_second() == Some(5), "{held:?}");

    // Somebody deletes the connection, and somebody the API destination.
    block_on(workdir.aws().events.delete_connection().name("hook").send())?;
    workdir.plan_shows(&["connection missing", "0 to add, 1 to change, 0 to destroy"])?;
    workdir.apply_counts(0, 1, 0)?;
    block_on(workdir.aws().events.delete_api_destination().name("hook").send())?;
    workdir.plan_shows(&["API destination missing", "0 to add, 1 to change, 0 to destroy"])?;
    workdir.apply_counts(0, 1, 0)?;
    workdir.plan_empty()?;
    ensure!(workdir.attribute(ADDRESS, "status")? == "ready");

    // OAuth in its place: a token is asked for, which the local AWS does after two seconds.
    let oauth = r#"oauth = {
    client_id              = "me"
    authorization_endpoint = "https://login.example.com/token"
    body_parameters        = { grant_type = "client_credentials" }
  }"#;
    let key = r#"api_key             = { name = "x-api-key" }"#;
    workdir.config(&HOOK.replace(key, oauth))?;
    workdir.apply_counts(0, 1, 0)?;
    workdir.plan_empty()?;
    ensure!(!stored()?.contains(SECRET), "the secret is in the state");
    workdir.destroy()?;
    let left = block_on(workdir.aws().events.list_connections().send())?;
    ensure!(left.connections().is_empty(), "{left:?}");
    Ok(())
}

/// The secret is nowhere but in the configuration, and an import does without.
fn import(tool: &Tool) -> Result<()> {
    let workdir = applied(tool)?;
    let arn = workdir.attribute(ADDRESS, "arn")?;
    let without = HOOK.replace(
        "  secret_wo           = var.secret\n  secret_wo_version   = 1\n",
        "",
    );
    ensure!(without != HOOK);
    workdir.config(&without)?;
    verify::import(&workdir, &[(ADDRESS, arn)], &["secret_wo_version"])
}
