//! `scalr_eventbridge_replay`: sends failed or delivered events of a connection again, step by step, since a history is long.

use std::collections::BTreeSet;
use std::time::Duration;

use scalr_api::{ClientError, Connection, ConnectionId, DeliveriesChanged, DeliveriesWanted, Object, Status};
use tfplugin::rules::{Rules, any_of, is, requires};
use tfplugin::{Action, Attrs, Operation, Result, Timeouts, mins};
use tokio::time::Instant;

use super::messages::{self, Replayed};
use crate::check;
use crate::client::Client;
use crate::failure::Cause as _;
use crate::scalr::companion::{delivery_state, is_no_such_path};
use crate::scalr::{Scalr, connection_id};

/// How often a connection without room is asked again.
const POLL: Duration = Duration::from_secs(1);

/// Sends events of a connection again: those that failed at AWS, or a range of those that were delivered. They are sent after what the connection holds for their workspaces. Events that were delivered arrive once more, under the same ids, in the log groups and other targets of the rules that match them.
///
/// `scalr-eventbridge` can send events again. Scalr's own API documents no such call, and there the action fails and changes nothing. The data source `scalr_eventbridge_deliveries` lists what would be sent again.
///
/// OpenTofu, and Terraform before 1.14, have no actions; use `scalr-eventbridge deliveries redeliver` there.
#[derive(Attrs, Clone, Debug)]
pub struct Replay {
    /// Connection whose events are sent again, `in-…`. It has to be active.
    #[tf(required, check = check::connection_id)]
    connection_id: String,
    /// `failed`, or `delivered`, which needs `event_ids` or `accepted_from`.
    #[tf(optional, default = "failed", check = check::replayed_state)]
    state: String,
    /// Only these events: ids of their runs or audited requests. One of which there is no delivery in that state is an error.
    #[tf(optional)]
    event_ids: Option<BTreeSet<String>>,
    /// Only events accepted at or after this time, in RFC 3339.
    #[tf(optional, check = check::time)]
    accepted_from: Option<String>,
    /// Only events accepted before this time, in RFC 3339.
    #[tf(optional, check = check::time)]
    accepted_before: Option<String>,
}

impl Action for Replay {
    const NAME: &'static str = "eventbridge_replay";
    type Client = Client;
    const TIMEOUTS: Timeouts = Timeouts::none().invoke(mins(10));
    const RULES: Rules<Self> = || {
        let narrowed = any_of((Self::event_ids(), Self::accepted_from()));
        vec![requires(is(Self::state(), "delivered"), narrowed).message(|_| messages::which(Self::state()))]
    };

    async fn invoke(config: Self, operation: &mut Operation<'_, Self>) -> Result<()> {
        let scalr = operation.client().scalr()?.stopping_with(operation.cancelled());
        let id = connection_id(&config.connection_id, Self::connection_id())?;
        let object = scalr.connection(&id).await?;
        let object = object.ok_or_else(|| messages::no_connection(&id, Self::connection_id()))?;
        if object.attributes.status != Status::Active {
            return Err(messages::not_replayed(&object, Self::connection_id()).into());
        }
        let mut steps = Steps {
            operation,
            scalr: &scalr,
            object: &object,
            id: &id,
            total: Replayed {
                count: 0,
                state: delivery_state(&config.state),
            },
        };
        match &config.event_ids {
            None => steps.all(config.wanted(None)).await?,
            Some(events) => {
                for event in events {
                    let before = steps.total.count;
                    steps.all(config.wanted(Some(event))).await?;
                    if steps.total.count == before {
                        let total = steps.total;
                        return Err(messages::nothing_of(event, &object, total, Self::event_ids()).into());
                    }
                }
            }
        }
        let total = steps.total;
        operation.progress(messages::replayed(&object, total));
        Ok(())
    }
}

impl Replay {
    fn wanted(&self, event: Option<&String>) -> DeliveriesWanted {
        DeliveriesWanted {
            event: event.cloned(),
            from: self.accepted_from.clone(),
            to: self.accepted_before.clone(),
            ..DeliveriesWanted::all(delivery_state(&self.state))
        }
    }
}

/// What is done on one connection, and what was.
struct Steps<'a, 'o> {
    operation: &'a Operation<'o, Replay>,
    scalr: &'a Scalr,
    object: &'a Object<Connection>,
    id: &'a ConnectionId,
    total: Replayed,
}

impl Steps<'_, '_> {
    /// All steps with what is wanted.
    async fn all(&mut self, mut wanted: DeliveriesWanted) -> Result<()> {
        loop {
            let step = self.step(&wanted).await?;
            self.total.count += step.deliveries;
            if step.after.is_none() {
                return Ok(());
            }
            self.operation
                .progress(messages::replayed_so_far(self.object, self.total));
            if self.operation.cancelled().is_cancelled() || Instant::now() >= self.operation.deadline() {
                return Err(messages::replay_ended(self.object, self.total, Replay::connection_id()).into());
            }
            (wanted.after, wanted.until) = (step.after, Some(step.until));
        }
    }

    /// The next step, once the connection has room for it.
    async fn step(&self, wanted: &DeliveriesWanted) -> Result<DeliveriesChanged> {
        let mut attempts = self.operation.attempts(POLL);
        while attempts.next().await.is_some() {
            let error = match self.scalr.api.redeliver(self.id, wanted).await {
                Ok(step) => return Ok(step),
                Err(error) => error,
            };
            if !is_full(&error) {
                return Err(self.failed(error).await?);
            }
            attempts.awaiting(messages::no_room(self.object));
            let now = self.scalr.connection(self.id).await?;
            let now = now.ok_or_else(|| messages::no_connection(self.id, Replay::connection_id()))?;
            if now.attributes.status != Status::Active {
                return Err(messages::stopped_meanwhile(&now, self.total, Replay::connection_id()).into());
            }
        }
        Err(messages::replay_ended(self.object, self.total, Replay::connection_id()).into())
    }

    async fn failed(&self, error: ClientError) -> Result<tfplugin::Diagnostics> {
        // After a step that was done, such an answer says something else.
        if !is_no_such_path(&error) || self.total.count > 0 {
            let failed = self.scalr.failed(error);
            return Ok(failed.during_with(
                messages::doing_replay(self.object),
                &messages::replay_standing(self.total),
            ));
        }
        Ok(match self.scalr.connection(self.id).await? {
            Some(object) => {
                messages::replays_nothing(&object, self.scalr.api.host(), Replay::connection_id()).into()
            }
            None => messages::no_connection(self.id, Replay::connection_id()).into(),
        })
    }
}

/// Whether the connection has no room for what is sent again.
fn is_full(error: &ClientError) -> bool {
    error.refusal().is_some_and(|refusal| refusal.status == 409)
}
