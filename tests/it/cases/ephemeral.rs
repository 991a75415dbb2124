//! `scalr_access_token`: a token for as long as a plan or an apply takes, for another configuration of the provider. It is in no plan and
//! no state, and is revoked.

use acceptance::companion::Companion;
use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Result, ensure};

use super::hcl::{self, CONNECTION};
use crate::runner::Case;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("ephemeral::access_token", access_token),
        Case::new("ephemeral::access_token_refused", access_token_refused),
    ]
}

const NARROW: &str = r#"
ephemeral "scalr_access_token" "narrow" {
  description = "acceptance"
  expires_in  = 10
  scopes      = ["read"]
}
provider "scalr" {
  alias = "narrow"
  token = ephemeral.scalr_access_token.narrow.token
}
"#;

const READS: &str = r#"
data "scalr_eventbridge_connections" "all" {
  provider   = scalr.narrow
  depends_on = [scalr_eventbridge_connection.prod]
}
output "names" {
  value = data.scalr_eventbridge_connections.all.connections[*].name
}
"#;

/// What a token of an account begins with; the companion's own seed has another.
const BEGINS: &str = "seba_";

/// How often the log of a companion says this of a token.
fn noted(workdir: &Workdir, action: &str) -> usize {
    workdir.companion.log().matches(action).count()
}

fn access_token(tool: &Tool) -> Result<()> {
    let workdir = Workdir::with(tool, Companion::start_logging("info")?)?;
    workdir.config(&hcl::all(&[CONNECTION, NARROW, READS]))?;
    let applied = workdir.apply_counts(1, 0, 0)?;
    ensure!(
        workdir.output("names")? == serde_json::json!(["prod"]),
        "{}",
        applied.text
    );
    workdir.plan_empty()?;
    workdir.succeed(&["plan", "-no-color", "-input=false", "-out=saved.plan"])?;
    let shown = workdir.succeed(&["show", "-json", "saved.plan"])?;
    let state = workdir.state()?.to_string();
    for (what, text) in [
        ("state", &state),
        ("plan", &shown.text),
        ("output", &applied.text),
    ] {
        ensure!(!text.contains(BEGINS), "the {what} has the token:\n{text}");
    }
    let plan = std::fs::read(workdir.path().join("saved.plan"))?;
    ensure!(!plan.windows(BEGINS.len()).any(|part| part == BEGINS.as_bytes()));
    // Each that was made is revoked: one for a plan, one for its apply.
    let (made, revoked) = (
        noted(&workdir, "create-access-token"),
        noted(&workdir, "delete-access-token"),
    );
    ensure!(
        made >= 3 && made == revoked,
        "{made} made, {revoked} revoked:\n{}",
        workdir.companion.log()
    );
    Ok(())
}

/// A token that may only read changes nothing and makes no token; one that asks for too much time is not made.
fn access_token_refused(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let narrow = hcl::with(CONNECTION, "name ", "provider = scalr.narrow\n  name ");
    workdir.config(&hcl::all(&[NARROW, &narrow]))?;
    workdir.apply_fails(&["scope `admin`"])?;
    let wider = r#"
ephemeral "scalr_access_token" "wider" {
  provider = scalr.narrow
}
provider "scalr" {
  alias = "wider"
  token = ephemeral.scalr_access_token.wider.token
}
data "scalr_eventbridge_connections" "all" {
  provider = scalr.wider
}
"#;
    workdir.config(&hcl::all(&[NARROW, wider]))?;
    workdir.plan_fails(&["scope `admin`", "No token was made"])?;
    workdir.config(&hcl::with(NARROW, "= 10", "= 1441"))?;
    workdir.plan_fails(&["must be from 1 to 1440 minutes"])?;
    Ok(())
}
