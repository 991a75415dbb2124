//! `scalr_eventbridge_subscriber` with a role that it makes.

use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use acceptance::{block_on, paths};
use anyhow::{Context, Result, ensure};

use super::eventbridge_subscriber::SUBSCRIBER;
use super::hcl;
use super::verify;
use crate::runner::Case;

const ADDRESS: &str = "scalr_eventbridge_subscriber.runs";
const ROLE: &str = "runs-us-east-1";
const BUS: &str = r#"
resource "scalr_eventbridge_custom_bus" "scalr" {
  name = "scalr"
}
"#;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("subscriber::role", role),
        Case::new("subscriber::role_of_another", role_of_another),
        Case::new(
            "subscriber::quickstart_on_a_custom_bus",
            quickstart_on_a_custom_bus,
        ),
    ]
}

fn made() -> String {
    hcl::with(
        SUBSCRIBER,
        "role_arn        = \"arn:aws:iam::123456789012:role/deliver\"",
        "role            = { create = true }",
    )
}

fn nothing_left(workdir: &Workdir) -> Result<()> {
    let roles = workdir.aws().roles()?;
    ensure!(roles.is_empty(), "roles are left: {roles:?}");
    ensure!(workdir.aws().subscribers()?.is_empty());
    ensure!(workdir.aws().custom_buses()?.is_empty());
    verify::nothing_left(workdir, "us-east-1", &[])
}

/// What somebody changes of it is repaired, and a role that is made elsewhere takes its place.
fn role(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let made = made();
    workdir.config(&hcl::all(&[BUS, &made]))?;
    verify::without_warnings(&workdir.apply_counts(2, 0, 0)?)?;
    workdir.plan_empty()?;
    let arn = workdir.attribute(ADDRESS, "role_arn")?;
    ensure!(arn == format!("arn:aws:iam::123456789012:role/scalr-eventbridge/{ROLE}"));

    let iam = &workdir.aws().roles;
    let nobody = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"Service":"events.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let trust = iam.update_assume_role_policy().role_name(ROLE);
    block_on(trust.policy_document(nobody).send())?;
    workdir.plan_shows(&["trust policy differs", "0 to add, 1 to change, 0 to destroy"])?;
    workdir.apply_counts(0, 1, 0)?;
    workdir.plan_empty()?;
    let policy = iam.delete_role_policy().role_name(ROLE);
    block_on(policy.policy_name("deliver").send())?;
    workdir.plan_shows(&["policy differs", "0 to add, 1 to change, 0 to destroy"])?;
    workdir.apply_counts(0, 1, 0)?;
    workdir.plan_empty()?;

    // A permissions boundary is written, and one that somebody took off is repaired; left out, it goes.
    let bounded = hcl::with(
        &made,
        "{ create = true }",
        "{ create = true, permissions_boundary = \"arn:aws:iam::123456789012:policy/limit\" }",
    );
    workdir.config(&hcl::all(&[BUS, &bounded]))?;
    workdir.apply_counts(0, 1, 0)?;
    block_on(iam.delete_role_permissions_boundary().role_name(ROLE).send())?;
    workdir.plan_shows(&["permissions_boundary", "0 to add, 1 to change, 0 to destroy"])?;
    workdir.apply_counts(0, 1, 0)?;
    let held = block_on(iam.get_role().role_name(ROLE).send())?;
    ensure!(held.role.is_some_and(|role| role.permissions_boundary.is_some()));
    workdir.config(&hcl::all(&[BUS, &made]))?;
    workdir.apply_counts(0, 1, 0)?;

    // It has the default tags, and an import finds it.
    let provider = "provider \"scalr\" {\n  aws = { default_tags = { tags = { cost = \"a\" } } }\n}\n";
    workdir.config(&hcl::all(&[provider, BUS, &made]))?;
    workdir.apply_counts(0, 2, 0)?;
    workdir.plan_empty()?;
    let held = block_on(iam.get_role().role_name(ROLE).send())?;
    let held = held.role.context("no role")?;
    ensure!(held.tags().iter().any(|tag| tag.key() == "cost"), "{held:?}");
    let bus = ("scalr_eventbridge_custom_bus.scalr", "scalr".to_owned());
    verify::import(
        &workdir,
        &[bus, (ADDRESS, workdir.attribute(ADDRESS, "arn")?)],
        &[],
    )?;

    workdir.config(&hcl::all(&[provider, BUS, SUBSCRIBER]))?;
    workdir.apply_counts(0, 1, 0)?;
    workdir.plan_empty()?;
    ensure!(workdir.aws().roles()?.is_empty());
    workdir.config(&hcl::all(&[provider, BUS, &made]))?;
    workdir.apply_counts(0, 1, 0)?;
    workdir.plan_empty()?;

    // Named by its ARN it stays, and is no longer the subscriber's.
    let named = hcl::with(
        SUBSCRIBER,
        "role/deliver",
        &format!("role/scalr-eventbridge/{ROLE}"),
    );
    workdir.config(&hcl::all(&[provider, BUS, &named]))?;
    workdir.apply_counts(0, 1, 0)?;
    workdir.plan_empty()?;
    workdir.destroy()?;
    ensure!(workdir.aws().roles()? == [ROLE]);
    let policy = iam.delete_role_policy().role_name(ROLE);
    block_on(policy.policy_name("deliver").send())?;
    block_on(iam.delete_role().role_name(ROLE).send())?;
    nothing_left(&workdir)
}

/// A role of that name which somebody else made is named, and stays.
fn role_of_another(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let create = workdir.aws().roles.create_role().role_name(ROLE);
    block_on(create.assume_role_policy_document(trust).send())?;
    workdir.config(&hcl::all(&[BUS, &made()]))?;
    workdir.apply_fails(&[
        "The role `runs-us-east-1` exists already",
        "arn:aws:iam::123456789012:role/runs-us-east-1",
    ])?;
    ensure!(workdir.aws().subscribers()?.is_empty());
    workdir.destroy()?;
    ensure!(workdir.aws().roles()? == [ROLE]);
    block_on(workdir.aws().roles.delete_role().role_name(ROLE).send())?;
    nothing_left(&workdir)
}

/// The configuration of ARCHITECTURE.md, as it stands there: from Scalr's run to a log group, through a role that is made here.
fn quickstart_on_a_custom_bus(tool: &Tool) -> Result<()> {
    const GROUP: &str = "/aws/events/scalr/RunExecuted";
    let text = std::fs::read_to_string(paths::root().join("ARCHITECTURE.md"))?;
    let (_, text) = text
        .split_once("## A custom event bus, in HCL")
        .context("ARCHITECTURE.md has no such section")?;
    let (_, text) = text.split_once("```terraform\n").context("no configuration")?;
    let (twin, _) = text.split_once("```").context("it does not end")?;
    let workdir = Workdir::new(tool)?;
    workdir.config(twin)?;
    verify::without_warnings(&workdir.apply_counts(5, 0, 0)?)?;
    workdir.plan_empty()?;
    verify::start_run(&workdir)?;
    verify::arrives(&workdir, GROUP, "RunExecuted")?;
    workdir.destroy()?;
    let roles = workdir.aws().roles()?;
    ensure!(roles.is_empty(), "roles are left: {roles:?}");
    // Its events stay.
    verify::nothing_left(&workdir, "us-east-1", &[GROUP])
}
