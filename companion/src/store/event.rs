//! An event to be accepted, in the form that is stored and sent.

use scalr_api::AccountId;
use scalr_events::{AuditLog, EventType, RunExecuted};

use super::error::Result;
use crate::clock::Moment;

/// Version of the stored form of an event's detail.
pub(super) const VERSION: i64 = 1;
/// The lane of what belongs to no workspace.
const ACCOUNT_LANE: &str = "account";

/// An event to be accepted.
#[derive(Clone, Debug)]
pub(crate) struct NewEvent {
    /// The account whose connections receive it.
    pub(crate) account_id: AccountId,
    pub(crate) event_type: EventType,
    /// The stable id by which consumers recognise a duplicate; the detail holds it too.
    pub(crate) event_id: String,
    /// Order is kept within a lane.
    pub(crate) lane: String,
    pub(crate) detail: String,
    /// When it happens, which is when it is accepted.
    pub(crate) at: Moment,
}

impl NewEvent {
    /// The event of a run that has ended. Its lane is the workspace, by id where a tag has it.
    pub(crate) fn run_executed(account_id: AccountId, detail: &RunExecuted, at: Moment) -> Result<Self> {
        let mut tags = detail.tags.iter();
        let workspace_id = tags.find_map(|tag| tag.strip_prefix("scalr-workspace:"));
        Ok(Self {
            account_id,
            event_type: EventType::RunExecuted,
            event_id: detail.event.run_id.clone(),
            lane: workspace_id.unwrap_or(&detail.event.workspace).to_owned(),
            detail: serde_json::to_string(detail)?,
            at,
        })
    }

    /// The event of a changing call. Its lane is the workspace around the object that was changed.
    pub(crate) fn audit_log(account_id: AccountId, detail: &AuditLog, at: Moment) -> Result<Self> {
        let workspace = detail.target.context.workspace.as_ref();
        Ok(Self {
            account_id,
            event_type: EventType::AuditLog,
            event_id: detail.request.id.clone(),
            lane: workspace
                .map_or(ACCOUNT_LANE, |workspace| &workspace.id)
                .to_owned(),
            detail: serde_json::to_string(detail)?,
            at,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;

    const AT: Moment = Moment {
        wall_ms: 0,
        now_ms: 0,
    };

    /// The sample's detail with the value at this pointer replaced.
    fn detail<T: DeserializeOwned>(event_type: EventType, pointer: &str, value: Value) -> T {
        let mut detail = scalr_events::sample(event_type)["detail"].take();
        *detail.pointer_mut(pointer).unwrap() = value;
        serde_json::from_value(detail).unwrap()
    }

    fn check(event: Result<NewEvent>, want: &str) {
        assert_eq!(event.unwrap().lane, want);
    }

    #[test]
    fn a_lane_is_a_workspace_or_the_account() {
        let account = || AccountId::new("acc-1").unwrap();
        let run = |tags: Value| detail(EventType::RunExecuted, "/tags", tags);
        let tags = json!(["scalr-workspace-name:web", "scalr-workspace:ws-7"]);
        check(NewEvent::run_executed(account(), &run(tags), AT), "ws-7");
        let named = scalr_events::sample(EventType::RunExecuted)["detail"]["event"]["workspace"].take();
        check(
            NewEvent::run_executed(account(), &run(json!([])), AT),
            named.as_str().unwrap(),
        );
        let log = |context: Value| detail(EventType::AuditLog, "/target/context", context);
        let workspace = json!({ "workspace": { "id": "ws-7", "display-name": "web" } });
        check(NewEvent::audit_log(account(), &log(workspace), AT), "ws-7");
        check(NewEvent::audit_log(account(), &log(json!({})), AT), "account");
    }
}
