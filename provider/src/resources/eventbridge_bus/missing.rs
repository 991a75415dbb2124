//! An event source that AWS does not have when a bus for it is planned. AWS is asked in the bus's own account and region.

use aws_sdk_eventbridge::types::EventSourceState;
use tfplugin::Plan;

use super::{Bus, messages};
use crate::aws::look::{Look, Service};
use crate::defaults;
use crate::ownership::Object;
use crate::resources::{names, placement};

/// An event source that is not there.
pub(super) struct MissingSource {
    pub(super) name: String,
    /// Where this looked, in words.
    pub(super) place: String,
    /// AWS shows what is left of it.
    pub(super) is_deleted: bool,
    /// The sources of Scalr's that are there: the one that was probably meant, or else the first.
    pub(super) near: Option<String>,
    pub(super) others: Vec<String>,
    /// Whether Scalr has a connection of this source; none where it gives no answer.
    pub(super) is_of_connection: Option<bool>,
}

/// Warns of it. No error: what is no resource of this provider may make the connection before.
pub(super) async fn warn(plan: &mut Plan<'_, Bus>) {
    if let Some(missing) = find(plan).await {
        plan.warn(messages::no_source(&missing).at(Bus::event_source_name()));
    }
}

async fn find(plan: &Plan<'_, Bus>) -> Option<MissingSource> {
    if plan.is_within_apply() || !names::is_made(plan) {
        return None;
    }
    let name = plan.planned(Bus::event_source_name()).known()?;
    let look = defaults::look(plan, &Bus::region()).await?;
    if !look.asks(Service::Events) {
        return None;
    }
    let held = look.heard(Service::Events, look.of_this_walk().source(&name).await)?;
    let state = held.and_then(|source| source.state);
    if !matches!(state, None | Some(EventSourceState::Deleted)) || is_planned(plan, &look, &name).await {
        return None;
    }
    let sources = look.of_this_walk().scalrs_sources().await;
    let near = like(&name, &sources);
    let places = placement::of_connection(plan, &name).await;
    Some(MissingSource {
        place: format!("{}, region {}", look.account_in_words().await, look.name),
        is_deleted: state.is_some(),
        others: sources.iter().filter(|other| **other != name).cloned().collect(),
        near,
        is_of_connection: places.map(|places| places.iter().any(|place| place.source == name)),
        name,
    })
}

/// Whether a resource of this plan makes the connection of the source.
async fn is_planned(plan: &Plan<'_, Bus>, look: &Look, source: &str) -> bool {
    let (Some(client), Some((_, name))) = (plan.client(), source.rsplit_once('/')) else {
        return false;
    };
    let connection = Object::Connection {
        region: look.name.clone(),
        name: name.to_owned(),
    };
    client.walk().will_have(&connection, plan.cancelled()).await
}

/// The source that was probably meant. The beginning of their names is the same: what is compared are the names of the connection,
/// and then those of the account.
fn like(name: &str, sources: &[String]) -> Option<String> {
    let parts = |name: &'_ str| {
        let (rest, connection) = name.rsplit_once('/')?;
        let (_, account) = rest.rsplit_once('/')?;
        Some((account.to_owned(), connection.to_owned()))
    };
    let (account, connection) = parts(name)?;
    let others: Vec<(&String, (String, String))> = sources
        .iter()
        .filter(|other| *other != name)
        .filter_map(|other| Some((other, parts(other)?)))
        .collect();
    let of_account = || others.iter().filter(|(_, (of, _))| *of == account);
    let by_connection = scalr_events::nearest(&connection, of_account().map(|(_, (_, of))| of.as_str()));
    let by_connection = by_connection.map(str::to_owned);
    let meant = of_account().find(|(_, (_, of))| Some(of) == by_connection.as_ref());
    let elsewhere = || others.iter().find(|(_, (_, of))| *of == connection);
    meant.or_else(elsewhere).map(|(source, _)| (*source).clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_near_source_is_of_the_same_account_or_the_same_connection() {
        let source = |name: &str| format!("aws.partner/scalr.com/{name}");
        let all: Vec<String> = ["acme/prod", "acme/staging", "other/dev"].map(source).into();
        for (name, want) in [
            ("acme/prdo", Some("acme/prod")),
            ("acme/stagin", Some("acme/staging")),
            ("amce/prod", Some("acme/prod")),
            ("acme/dev", Some("other/dev")),
            ("acme/billing", None),
            ("acme/prod", None),
        ] {
            assert_eq!(like(&source(name), &all), want.map(source), "{name}");
        }
    }
}
