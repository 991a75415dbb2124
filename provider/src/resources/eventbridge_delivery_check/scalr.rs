//! The run that the check starts.

use scalr_api::{Object, Run, RunInput, WorkspaceId};
use tfplugin::Result;

use super::DeliveryCheck;
use super::messages::{self, doing};
use crate::failure::Cause as _;
use crate::scalr::{Attributes, Scalr};

/// Where the server's errors point, and the attribute behind it.
const ATTRIBUTES: Attributes = &[("/data/relationships/workspace", || {
    DeliveryCheck::workspace_id().into()
})];

/// Starts a dry run.
pub(super) async fn start(scalr: &Scalr, workspace: &str) -> Result<Object<Run>> {
    let id = WorkspaceId::new(workspace).map_err(|e| messages::not_a_workspace(&e))?;
    let input = RunInput {
        is_dry: Some(true),
        message: Some(messages::RUN_MESSAGE.to_owned()),
        ..RunInput::default()
    };
    let answer = scalr.api.create_run(id, input).await;
    answer.map_err(|error| {
        scalr
            .failed(error)
            .attributes(ATTRIBUTES)
            .during_with(doing::start_run(workspace), &messages::after_starting())
    })
}
