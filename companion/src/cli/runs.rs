//! `runs`: lists runs, and starts one.

use anyhow::Context as _;
use scalr_api::{Client, FailingRun, Object, Run, RunInput, RunStatus, WorkspaceId};
use serde::Serialize;

use super::lookup;
use super::progress;
use super::readable;
use super::remote::{Remote, companion_only, is_refused_with};
use super::show::{self, Cell, Form, Look};

#[derive(clap::Subcommand)]
pub(super) enum What {
    /// List the latest runs, at most 100.
    #[command(
        after_help = "Examples:\n  scalr-eventbridge runs list\n  scalr-eventbridge runs list --workspace network"
    )]
    List(List),
    /// Start a run and do not wait; `run` waits.
    #[command(after_help = "Examples:\n  scalr-eventbridge runs start network --dry\n  \
                            scalr-eventbridge runs start network --fail")]
    Start(Start),
}

#[derive(clap::Args)]
pub(super) struct List {
    /// Those of this workspace, by name or id.
    #[arg(long, value_name = "WORKSPACE")]
    workspace: Option<String>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    remote: Remote,
}

#[derive(clap::Args)]
pub(super) struct Start {
    #[command(flatten)]
    wanted: Wanted,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    remote: Remote,
}

/// The run that is started.
#[derive(clap::Args)]
pub(super) struct Wanted {
    /// The workspace, by name or id.
    workspace: String,
    /// Plan only.
    #[arg(long)]
    dry: bool,
    /// Destroy.
    #[arg(long)]
    destroy: bool,
    /// The run ends as errored; only `scalr-eventbridge dev` has such runs.
    #[arg(long)]
    fail: bool,
    /// What to say about it.
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
}

impl Wanted {
    /// Starts it.
    pub(super) async fn start(&self, client: &Client) -> anyhow::Result<Object<Run>> {
        let workspace: WorkspaceId = match lookup::workspace(client, &self.workspace).await {
            Ok(found) => found.id,
            Err(error) => return Err(without_runs(client).await.unwrap_or(error)),
        };
        let input = RunInput {
            is_dry: Some(self.dry),
            is_destroy: Some(self.destroy),
            message: self.message.clone(),
        };
        if self.fail {
            let run = FailingRun { workspace, input };
            let started = client.create_failing_run(&run).await;
            return companion_only(
                client,
                started,
                "a run that fails on request is `scalr-eventbridge dev`'s; no run was started",
                "`run` and `runs start` without `--fail`",
            );
        }
        Ok(client.create_run(workspace, input).await?)
    }
}

/// Where a workspace was not found: that the server starts no runs at all, if that is so. Asked by a call that only a companion has, for a
/// workspace that none has.
async fn without_runs(client: &Client) -> Option<anyhow::Error> {
    let workspace = WorkspaceId::new("ws-none").ok()?;
    let input = RunInput {
        is_dry: Some(true),
        is_destroy: Some(false),
        message: None,
    };
    let refused = client
        .create_failing_run(&FailingRun { workspace, input })
        .await
        .err()?;
    is_refused_with(&refused, "no-simulated-runs").then(|| refused.into())
}

/// A run as it is shown.
#[derive(Serialize)]
struct Shown {
    id: String,
    status: String,
    workspace_id: Option<String>,
    is_dry: bool,
    is_destroy: bool,
    message: Option<String>,
    created_at: Option<String>,
}

impl From<&Object<Run>> for Shown {
    fn from(object: &Object<Run>) -> Self {
        let wire = object.attributes.clone();
        Self {
            id: object.id.to_string(),
            status: wire.status.to_string(),
            workspace_id: object.relationships.workspace.id().map(ToString::to_string),
            is_dry: wire.is_dry,
            is_destroy: wire.is_destroy,
            message: wire.message,
            created_at: wire.created_at,
        }
    }
}

/// How a status looks.
fn look(status: &RunStatus) -> Look {
    match status {
        status if status.is_success() => Look::Good,
        status if status.is_final() => Look::Bad,
        _ => Look::Doubtful,
    }
}

pub(super) async fn main(what: What) -> anyhow::Result<()> {
    match what {
        What::List(args) => list(&args).await,
        What::Start(args) => {
            let client = args.remote.client()?;
            let run = args.wanted.start(&client).await?;
            args.form.print(&Shown::from(&run), || {
                format!(
                    "{} {}",
                    run.id,
                    look(&run.attributes.status).paint(run.attributes.status.as_str())
                )
            })
        }
    }
}

async fn list(args: &List) -> anyhow::Result<()> {
    let client = args.remote.client()?;
    let workspace = match &args.workspace {
        Some(given) => Some(lookup::workspace(&client, given).await?.id),
        None => None,
    };
    let runs = progress::during("listing the runs", client.latest_runs(workspace.as_ref())).await;
    let runs = runs.context("the runs cannot be listed")?;
    let shown: Vec<Shown> = runs.iter().map(Shown::from).collect();
    args.form.print(&shown, || {
        if runs.is_empty() {
            return "There are no runs. `scalr-eventbridge run WORKSPACE` starts one.".to_owned();
        }
        let row = |run: &Object<Run>| -> [Cell; 5] {
            let wire = &run.attributes;
            let workspace = run.relationships.workspace.id();
            [
                run.id.as_str().into(),
                Cell::new(look(&wire.status), wire.status.as_str()),
                readable::kind(wire.is_dry, wire.is_destroy).into(),
                workspace.map_or("-", |id| id.as_str()).into(),
                wire.created_at.as_deref().unwrap_or("-").into(),
            ]
        };
        let rows: Vec<_> = runs.iter().map(row).collect();
        show::table(["RUN", "STATUS", "KIND", "WORKSPACE", "CREATED"], &rows)
    })
}
