//! `run`: starts a run in a workspace, and fails when the run does.

use std::time::Duration;

use anyhow::{Context as _, bail};
use scalr_api::{RunInput, WorkspaceId};

use super::out;
use super::remote::Remote;

const POLL: Duration = Duration::from_millis(100);
const WAIT: Duration = Duration::from_mins(1);

#[derive(clap::Args)]
pub(super) struct Args {
    /// The workspace, `ws-…`.
    workspace: WorkspaceId,
    /// Plan only.
    #[arg(long)]
    dry: bool,
    /// Destroy.
    #[arg(long)]
    destroy: bool,
    /// What to say about it.
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
    /// Do not wait until it is over.
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    remote: Remote,
}

pub(super) async fn main(args: Args) -> anyhow::Result<()> {
    let client = args.remote.client()?;
    let input = RunInput {
        is_dry: Some(args.dry),
        is_destroy: Some(args.destroy),
        message: args.message,
    };
    let run = client.create_run(args.workspace, input).await?;
    out::line(&format!("{} {}", run.id, run.attributes.status))?;
    if args.no_wait {
        return Ok(());
    }
    let over = async {
        loop {
            tokio::time::sleep(POLL).await;
            let Some(now) = client.run(&run.id).await? else {
                bail!("the run `{}` is gone", run.id)
            };
            let status = &now.attributes.status;
            if status.is_final() {
                out::line(&format!("{} {status}", now.id))?;
                if status.is_success() {
                    return Ok(());
                }
                bail!("the run `{}` ended as {status}", run.id);
            }
        }
    };
    tokio::time::timeout(WAIT, over)
        .await
        .with_context(|| {
            let (id, seconds) = (&run.id, WAIT.as_secs());
            format!("the run `{id}` has not ended within {seconds} seconds; it continues (`--no-wait` does not wait for it)")
        })?
}
