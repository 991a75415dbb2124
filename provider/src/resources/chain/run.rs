//! The run that is started.

use scalr_api::{Object, Run, RunInput, WorkspaceId};
use tfplugin::Result;

use super::Probe;
use super::messages::{self, doing};
use crate::failure::Cause as _;
use crate::scalr::Scalr;

/// The workspace.
pub(super) fn workspace(probe: &Probe<'_>) -> Result<WorkspaceId> {
    let id = WorkspaceId::new(probe.workspace_id);
    Ok(id.map_err(|e| messages::not_a_workspace(&e, &probe.at))?)
}

/// Starts a dry run.
pub(super) async fn start(scalr: &Scalr, probe: &Probe<'_>) -> Result<Object<Run>> {
    let workspace = probe.workspace_id;
    let id = self::workspace(probe)?;
    let input = RunInput {
        is_dry: Some(true),
        message: Some(messages::RUN_MESSAGE.to_owned()),
        ..RunInput::default()
    };
    let answer = scalr.api.create_run(id, input).await;
    answer.map_err(|error| {
        scalr
            .failed(error)
            .attributes(probe.at.in_requests)
            .during_with(doing::start_run(workspace), &messages::after_starting())
    })
}
