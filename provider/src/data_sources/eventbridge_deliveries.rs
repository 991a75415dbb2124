//! Data source `scalr_eventbridge_deliveries`: the deliveries of a connection that are over, without their events.

use scalr_api::{DeliveriesWanted, PastDelivery};
use tfplugin::{Attrs, DataSource, Operation, Result};

use super::messages;
use crate::check;
use crate::client::Client;
use crate::scalr::companion::{Lack, delivery_state, lack};
use crate::scalr::connection_id;

/// Lists deliveries of a connection: events that failed at AWS, that were delivered, or whose delivery is not confirmed. The oldest come first, as `scalr-eventbridge` lists them. The events themselves are not read.
///
/// `scalr-eventbridge` has these deliveries. Scalr's own API documents no such call, and there this data source fails. The action `scalr_eventbridge_replay` sends failed or delivered events again.
#[derive(Attrs, Clone, Debug)]
pub struct List {
    /// Connection, `in-…`.
    #[tf(required, check = check::connection_id)]
    connection_id: String,
    /// `failed`: AWS does not take the event, which is kept until it is sent again or purged. `unconfirmed`: AWS acknowledged it before its event source was found not to be active; it is sent again by itself. `delivered`: AWS acknowledged it; these are listed as far back as the server's history goes.
    #[tf(optional, default = "failed", check = check::delivery_state)]
    state: String,
    /// Only those of the event with this id: the id of its run or audited request.
    #[tf(optional)]
    event_id: Option<String>,
    /// Only those of events accepted at or after this time, in RFC 3339.
    #[tf(optional, check = check::time)]
    accepted_from: Option<String>,
    /// Only those of events accepted before this time, in RFC 3339.
    #[tf(optional, check = check::time)]
    accepted_before: Option<String>,
    /// How many are listed at most, from 1 to 1000.
    #[tf(optional, default = 100, check = check::listed_deliveries)]
    limit: i64,
    /// The deliveries, oldest first.
    #[tf(computed)]
    deliveries: Option<Vec<Past>>,
    /// Whether there are more than `limit`.
    #[tf(computed)]
    more: Option<bool>,
}

/// A delivery that is over: one event for the connection.
#[derive(Attrs, Clone, Debug)]
pub struct Past {
    /// Id of the event.
    #[tf(computed)]
    event_id: Option<String>,
    /// `RunExecuted` or `AuditLog`.
    #[tf(computed)]
    detail_type: Option<String>,
    /// `failed`, `unconfirmed` or `delivered`.
    #[tf(computed)]
    state: Option<String>,
    /// How often it was sent.
    #[tf(computed)]
    attempts: Option<i64>,
    /// Why it failed; null if it did not.
    #[tf(computed)]
    error: Option<String>,
    /// Size of the event, in bytes.
    #[tf(computed)]
    bytes: Option<i64>,
    /// When the event was accepted, in RFC 3339.
    #[tf(computed)]
    accepted_at: Option<String>,
    /// When it failed, was delivered, or became unconfirmed, in RFC 3339.
    #[tf(computed)]
    ended_at: Option<String>,
}

impl DataSource for List {
    const NAME: &'static str = "eventbridge_deliveries";
    type Client = Client;

    async fn read(config: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let scalr = operation.client().scalr()?.stopping_with(operation.cancelled());
        let id = connection_id(&config.connection_id, Self::connection_id())?;
        let limit = usize::try_from(config.limit).unwrap_or_default();
        let mut wanted = config.wanted();
        let mut found = Vec::new();
        while found.len() <= limit {
            let page = match scalr.api.deliveries(&id, &wanted).await {
                Ok(page) => page,
                Err(error) => {
                    let doing = messages::doing_list_deliveries(&id);
                    return Err(match lack(&scalr, &id, error, &doing).await? {
                        Lack::Failed(failed) => failed,
                        Lack::Connection => {
                            messages::no_connection(&format!("with the id `{id}`"), Self::connection_id())
                                .into()
                        }
                        Lack::Call(object) => {
                            messages::lists_no_deliveries(&object, scalr.api.host(), Self::connection_id())
                                .into()
                        }
                    });
                }
            };
            found.extend(page.deliveries);
            // A page that does not go on would be asked for without end.
            if page.after.is_none() || page.after <= wanted.after {
                break;
            }
            wanted.after = page.after;
        }
        let more = found.len() > limit;
        Ok(Self {
            deliveries: Some(found.into_iter().take(limit).map(Past::of).collect()),
            more: Some(more),
            ..config
        })
    }
}

impl List {
    fn wanted(&self) -> DeliveriesWanted {
        DeliveriesWanted {
            event: self.event_id.clone(),
            from: self.accepted_from.clone(),
            to: self.accepted_before.clone(),
            ..DeliveriesWanted::all(delivery_state(&self.state))
        }
    }
}

impl Past {
    fn of(wire: PastDelivery) -> Self {
        Self {
            event_id: Some(wire.event_id),
            detail_type: Some(wire.detail_type),
            state: Some(wire.state.as_str().to_owned()),
            attempts: Some(wire.attempts.into()),
            error: wire.error,
            bytes: Some(wire.bytes),
            accepted_at: Some(wire.accepted_at),
            ended_at: Some(wire.ended_at),
        }
    }
}
