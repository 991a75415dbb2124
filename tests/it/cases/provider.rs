//! The provider's own settings.

use acceptance::aws::Aws;
use acceptance::block_on;
use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Result, ensure};
use aws_sdk_eventbridge::types::Tag;

use super::hcl::{self, ACTIVATION, BUS, CONNECTION, RULE, TARGET};
use super::verify;
use crate::runner::Case;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("provider::settings_unknown_at_plan", settings_unknown_at_plan),
        Case::new("provider::settings_in_configuration", settings_in_configuration),
        Case::new("provider::assume_role", assume_role),
        Case::new("provider::allowed_account_ids", allowed_account_ids),
        Case::new(
            "provider::credentials_of_another_account",
            credentials_of_another_account,
        ),
        Case::new(
            "provider::default_tag_unknown_at_plan",
            default_tag_unknown_at_plan,
        ),
        Case::new("provider::ignore_tags", ignore_tags),
        Case::new("provider::profile", profile),
        Case::new(
            "provider::role_that_cannot_be_assumed",
            role_that_cannot_be_assumed,
        ),
        Case::new("provider::moved_from_another_type", moved_from_another_type),
        Case::new(
            "provider::client_without_a_certificate",
            client_without_a_certificate,
        ),
        Case::new("provider::long_tmpdir", long_tmpdir),
    ]
}

fn settings_unknown_at_plan(tool: &Tool) -> Result<()> {
    let mut workdir = Workdir::new(tool)?;
    let provider = r#"
variable "token" {}
resource "terraform_data" "token" {
  input = var.token
}
provider "scalr" {
  token = terraform_data.token.output
}
"#;
    let token = workdir.companion.line.token().to_owned();
    workdir.set("SCALR_TOKEN", "");
    workdir.set("TF_VAR_token", &token);
    workdir.config(&hcl::all(&[provider, CONNECTION, BUS]))?;
    workdir.apply_counts(3, 0, 0)?;
    workdir.plan_empty()?;
    Ok(())
}

/// Creating, planning, refreshing, changing and destroying need no default tag to be known at plan.
fn default_tag_unknown_at_plan(tool: &Tool) -> Result<()> {
    const PROVIDER: &str = r#"
provider "scalr" {
  aws = { default_tags = { tags = { team = "platform", applied = timestamp() } } }
}
data "scalr_eventbridge_source" "prod" {
  name       = scalr_eventbridge_connection.prod.event_source_name
  depends_on = [scalr_eventbridge_bus.scalr]
}
"#;
    let workdir = Workdir::new(tool)?;
    let config = hcl::all(&[PROVIDER, CONNECTION, BUS, RULE, TARGET]);
    workdir.config(&config)?;
    workdir.apply_counts(4, 0, 0)?;
    workdir.plan_shows(&[
        "tags_all",
        "(known after apply)",
        "0 to add, 2 to change, 0 to destroy",
    ])?;
    workdir.apply_counts(0, 2, 0)?;
    let tags = workdir.attributes("scalr_eventbridge_bus.scalr")?["tags_all"].clone();
    ensure!(
        tags["team"] == "platform" && tags["applied"].is_string(),
        "{tags}"
    );
    workdir.destroy()?;
    verify::nothing_left(&workdir, "us-east-1", &[hcl::GROUP])
}

/// Tags that somebody else sets are neither shown nor removed.
fn ignore_tags(tool: &Tool) -> Result<()> {
    const PROVIDER: &str = r#"
provider "scalr" {
  aws = { ignore_tags = { keys = ["owner"], key_prefixes = ["org:"] } }
}
"#;
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[PROVIDER, CONNECTION, BUS]))?;
    workdir.apply_counts(2, 0, 0)?;
    let arn = workdir.attribute("scalr_eventbridge_bus.scalr", "arn")?;
    let events = workdir.aws().events.clone();
    let tag = |key: &str| Tag::builder().key(key).value("theirs").build();
    let tagged = events
        .tag_resource()
        .resource_arn(&arn)
        .tags(tag("owner")?)
        .tags(tag("org:cost")?);
    block_on(tagged.send())?;
    workdir.plan_empty()?;
    let own = hcl::more(BUS, "tags = { team = \"platform\" }");
    workdir.config(&hcl::all(&[PROVIDER, CONNECTION, &own]))?;
    workdir.apply_counts(0, 1, 0)?;
    let held = block_on(events.list_tags_for_resource().resource_arn(&arn).send())?;
    ensure!(held.tags().len() == 3, "{held:?}");
    workdir.plan_empty()?;
    Ok(())
}

fn settings_in_configuration(tool: &Tool) -> Result<()> {
    let mut workdir = Workdir::new(tool)?;
    let line = workdir.companion.line.clone();
    let provider = format!(
        r#"
provider "scalr" {{
  hostname = "{}"
  token    = "{}"
  aws      = {{ region = "us-east-1", endpoints = {{ events = "{2}", logs = "{2}", sts = "{2}" }} }}
}}
"#,
        line.hostname(),
        line.token(),
        line.endpoint()
    );
    for name in ["SCALR_HOSTNAME", "SCALR_TOKEN", "AWS_ENDPOINT_URL", "AWS_REGION"] {
        workdir.set(name, "");
    }
    workdir.config(&hcl::all(&[&provider, CONNECTION, BUS]))?;
    workdir.apply_counts(2, 0, 0)?;
    let record = std::fs::read_to_string(workdir.state_file())?;
    ensure!(!record.contains(line.token()), "the token is in the state");
    workdir.plan_empty()?;
    Ok(())
}

/// The role's account is another one than that of the credentials: it is where the bus is made.
fn assume_role(tool: &Tool) -> Result<()> {
    const THEIRS: &str = "222222222222";
    let workdir = Workdir::new(tool)?;
    let provider = format!(
        r#"
provider "scalr" {{
  aws = {{
    assume_role = {{ role_arn = "arn:aws:iam::{THEIRS}:role/platform", session_name = "acceptance", external_id = "scalr" }}
  }}
}}
"#
    );
    let connection = hcl::with(CONNECTION, "123456789012", THEIRS);
    workdir.config(&hcl::all(&[&provider, &connection, BUS, ACTIVATION]))?;
    workdir.apply_counts(3, 0, 0)?;
    let theirs = Aws::new(workdir.companion.line.endpoint(), THEIRS, "us-east-1");
    ensure!(theirs.buses()?.len() == 1, "no bus in the role's account");
    ensure!(
        workdir.aws().buses()?.is_empty(),
        "a bus in the credentials' account"
    );
    workdir.plan_empty()?;
    workdir.destroy()?;
    ensure!(theirs.buses()?.is_empty());
    Ok(())
}

/// With credentials of another account everything would seem deleted: the plan fails instead, and the state is kept.
fn credentials_of_another_account(tool: &Tool) -> Result<()> {
    let mut workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, BUS, hcl::RULE, hcl::TARGET]))?;
    workdir.apply_counts(4, 0, 0)?;
    let (own, other) = ("123456789012", "999999999999");
    workdir.set("AWS_ACCESS_KEY_ID", other);
    workdir.plan_fails(&[
        &format!("credentials are of account {other}, not {own}"),
        "the state is kept",
    ])?;
    workdir.set("AWS_ACCESS_KEY_ID", own);
    workdir.plan_empty()?;
    workdir.config(&hcl::all(&[CONNECTION]))?;
    workdir.set("AWS_ACCESS_KEY_ID", other);
    workdir.apply_fails(&["credentials are of account"])?;
    Ok(())
}

/// Credentials of an account that is not listed are refused before anything is made.
fn allowed_account_ids(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let provider = "provider \"scalr\" {\n  aws = { allowed_account_ids = [\"222222222222\"] }\n}\n";
    workdir.config(&hcl::all(&[CONNECTION, BUS]))?;
    workdir.apply_counts(2, 0, 0)?;
    workdir.destroy()?;
    workdir.config(&hcl::all(&[provider, CONNECTION, BUS]))?;
    workdir.apply_fails(&["allowed_account_ids", "123456789012", "222222222222"])?;
    ensure!(workdir.aws().buses()?.is_empty(), "a bus was made all the same");
    workdir.config(&hcl::all(&[
        &hcl::with(provider, "222222222222", "123456789012"),
        CONNECTION,
        BUS,
    ]))?;
    workdir.apply()?;
    workdir.plan_empty()?;
    Ok(())
}

/// A profile in the configuration takes precedence over keys in the environment; one that is missing is an error.
fn profile(tool: &Tool) -> Result<()> {
    const THEIRS: &str = "222222222222";
    let workdir = Workdir::new(tool)?;
    let provider = "provider \"scalr\" {\n  aws = { profile = \"other\" }\n}\n";
    let connection = hcl::with(CONNECTION, "123456789012", THEIRS);
    workdir.config(&hcl::all(&[provider, &connection, BUS]))?;
    workdir.apply_fails(&[
        "no such profile as `other`",
        ".aws/config` (not there)",
        ".aws/credentials` (not there)",
    ])?;
    std::fs::create_dir(workdir.path().join(".aws"))?;
    let keys = format!("[other]\naws_access_key_id = {THEIRS}\naws_secret_access_key = not-checked\n");
    workdir.write(".aws/credentials", &keys)?;
    workdir.apply_counts(1, 0, 0)?;
    let theirs = Aws::new(workdir.companion.line.endpoint(), THEIRS, "us-east-1");
    ensure!(theirs.buses()?.len() == 1, "no bus in the profile's account");
    ensure!(
        workdir.aws().buses()?.is_empty(),
        "a bus in the environment's account"
    );
    workdir.plan_empty()?;
    Ok(())
}

/// The credentials are good: it is the role that is to blame.
fn role_that_cannot_be_assumed(tool: &Tool) -> Result<()> {
    const ROLE: &str = "arn:aws:iam::222222222222:role/platform";
    let workdir = Workdir::new(tool)?;
    // The port of `discard`, where nothing listens.
    let free = "127.0.0.1:9";
    let provider = format!(
        "provider \"scalr\" {{\n  aws = {{ assume_role = {{ role_arn = \"{ROLE}\" }}, endpoints = {{ sts = \"http://{free}\" }} }}\n}}\n"
    );
    workdir.config(&hcl::all(&[&provider, CONNECTION, BUS]))?;
    let ended = workdir.apply_fails(&["could not be assumed", ROLE, "external_id"])?;
    ensure!(
        !ended.flat().contains("No usable AWS credentials"),
        "{}",
        ended.text
    );
    Ok(())
}

/// The answer says which blocks to write in place of `moved`.
fn moved_from_another_type(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config("resource \"terraform_data\" \"old\" {}\n")?;
    workdir.apply_counts(1, 0, 0)?;
    let moved = "moved {\n  from = terraform_data.old\n  to   = scalr_eventbridge_connection.prod\n}\n";
    workdir.config(&hcl::all(&[moved, CONNECTION]))?;
    workdir.plan_fails(&[
        "Cannot move `terraform_data` to `scalr_eventbridge_connection`",
        "`removed`",
        "destroy = false",
        "`import`",
        "Nothing was changed",
    ])?;
    Ok(())
}

/// What HashiCorp's test framework for providers sets always.
fn client_without_a_certificate(tool: &Tool) -> Result<()> {
    let mut workdir = Workdir::new(tool)?;
    workdir.set("TF_DISABLE_PLUGIN_TLS", "1");
    workdir.config(CONNECTION)?;
    workdir.apply_counts(1, 0, 0)?;
    workdir.plan_empty()?;
    Ok(())
}

/// The path of a socket has 107 bytes at most; `TMPDIR` may be longer.
fn long_tmpdir(tool: &Tool) -> Result<()> {
    let mut workdir = Workdir::new(tool)?;
    let long = workdir.path().join("x".repeat(110));
    std::fs::create_dir(&long)?;
    workdir.set("TMPDIR", &long.to_string_lossy());
    workdir.config(CONNECTION)?;
    workdir.plan_shows(&["1 to add"])?;
    // Where the client insists on a folder that cannot hold one, the tool shows why.
    workdir.set("TMPDIR", "");
    workdir.set("PLUGIN_UNIX_SOCKET_DIR", &long.to_string_lossy());
    workdir.plan_fails(&["cannot start", "too long a path"])?;
    Ok(())
}
