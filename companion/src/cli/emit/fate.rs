//! What became of an event that was accepted: held, acknowledged by AWS, dropped, and, in a local AWS, what its rules and targets
//! made of it.

use std::time::Duration;

use anyhow::Context as _;
use scalr_api::{
    Client, Connection, ConnectionId, DeliveriesWanted, Delivery, DeliveryState, Emitted, Object,
    PastDelivery, Status,
};
use serde::Serialize;
use tokio::time::Instant;

use super::super::aws::Endpoint;
use super::super::events;
use super::super::exit::Failure;
use super::super::local_aws::{EVENTS, LocalAws, Outcome, Rule, Story};
use super::super::out;
use super::super::progress;
use super::super::show::{self, Cell, Form, Look};

/// How often the companion and the local AWS are asked.
const POLL: Duration = Duration::from_millis(200);
/// How long AWS may take to acknowledge an event, and the local AWS to deliver it.
const WITHIN: Duration = Duration::from_mins(1);
/// Rules that are named in the table.
const RULES_SHOWN_MAX: usize = 10;
/// Events among which this one is looked for.
const AMONG: usize = 100;

/// What became of the event on one connection.
#[derive(Serialize)]
pub(super) struct Fate {
    event_id: String,
    connection_id: String,
    connection_name: String,
    /// `held`, `acknowledged`, `refused` or `dropped`; in a local AWS also `delivered`, `waiting`, `failed`, `no-target`, `no-rule` and
    /// `no-subscriber`.
    outcome: &'static str,
    explanation: Option<String>,
    /// In a local AWS, the event's id there; `events show` takes it.
    aws_event_id: Option<String>,
    /// In a local AWS, the rules and subscribers that the event was matched against.
    rules: Vec<RuleFate>,
    #[serde(skip)]
    text: String,
    #[serde(skip)]
    look: Look,
}

impl Fate {
    /// Whether it went as far as can be seen from here.
    pub(super) fn is_right(&self) -> bool {
        self.look == Look::Good
    }
}

/// What a rule made of the event.
#[derive(Serialize)]
struct RuleFate {
    name: String,
    matched: bool,
}

/// Where an event stands that the companion has accepted.
enum Standing {
    Held(String),
    Acknowledged,
    Failed(String),
    Dropped(String),
}

/// The local AWS, where that is the one.
pub(super) async fn local_aws(endpoint: &Endpoint) -> anyhow::Result<Option<LocalAws>> {
    match LocalAws::at(endpoint, EVENTS).await {
        Ok(local) => Ok(Some(local)),
        Err(error) if matches!(error.downcast_ref(), Some(Failure::Unsupported { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Follows the event on each of its connections.
pub(super) async fn follow(
    client: &Client,
    local: Option<&LocalAws>,
    accepted: &Emitted,
) -> anyhow::Result<Vec<Fate>> {
    let mut fates = Vec::new();
    for id in &accepted.connections {
        let what = format!("waiting for what becomes of `{}`", accepted.event_id);
        fates.push(progress::during(&what, one(client, local, id, &accepted.event_id)).await?);
    }
    Ok(fates)
}

async fn one(
    client: &Client,
    local: Option<&LocalAws>,
    id: &ConnectionId,
    event: &str,
) -> anyhow::Result<Fate> {
    let (connection, standing) = settled(client, id, event).await?;
    let fate = |outcome, text: String, look, explanation| Fate {
        event_id: event.to_owned(),
        connection_id: id.to_string(),
        connection_name: connection.attributes.name.clone(),
        outcome,
        explanation,
        aws_event_id: None,
        rules: Vec::new(),
        text,
        look,
    };
    Ok(match standing {
        Standing::Held(why) => fate("held", "held".to_owned(), Look::Doubtful, Some(why)),
        Standing::Failed(why) => fate("refused", "refused by AWS".to_owned(), Look::Bad, Some(why)),
        Standing::Dropped(why) => fate("dropped", "dropped".to_owned(), Look::Bad, Some(why)),
        Standing::Acknowledged => {
            let source = connection.attributes.event_source.as_deref().unwrap_or_default();
            match story(local, source, event).await? {
                None => fate("acknowledged", "acknowledged by AWS".to_owned(), Look::Good, None),
                Some(story) => {
                    let outcome = story.outcome();
                    let text = outcome.text().to_owned();
                    Fate {
                        rules: rules(&story),
                        aws_event_id: Some(story.id),
                        ..fate(word(outcome), text, outcome.look(), story.reason)
                    }
                }
            }
        }
    })
}

/// The connection and where the event stands on it, once that does not change by itself.
async fn settled(
    client: &Client,
    id: &ConnectionId,
    event: &str,
) -> anyhow::Result<(Object<Connection>, Standing)> {
    let until = Instant::now() + WITHIN;
    loop {
        let connection = client.connection(id).await?;
        let connection = connection.with_context(|| format!("the connection `{id}` is gone"))?;
        let held = client.held(Some(id), Some(event)).await?;
        let last_error = if let Some(held) = held.events.into_iter().next() {
            held.last_error
        } else {
            let figures = client.delivery(id).await?;
            let unconfirmed = (DeliveryState::Unconfirmed, figures.unconfirmed);
            let Some(unconfirmed) = past(client, id, event, unconfirmed).await? else {
                return Ok((connection, ended(client, id, event, figures).await?));
            };
            unconfirmed.error
        };
        let status = &connection.attributes.status;
        if *status != Status::Active {
            let why = connection.attributes.err_message.clone();
            let why = why.unwrap_or_else(|| format!("the connection is {}", status.in_words()));
            return Ok((connection, Standing::Held(why)));
        }
        if Instant::now() >= until {
            let why = last_error
                .unwrap_or_else(|| format!("AWS has not taken it within {} seconds", WITHIN.as_secs()));
            return Ok((connection, Standing::Held(why)));
        }
        tokio::time::sleep(POLL).await;
    }
}

/// The newest delivery of an event in this state, of which the connection has so many.
async fn past(
    client: &Client,
    id: &ConnectionId,
    event: &str,
    (state, count): (DeliveryState, i64),
) -> anyhow::Result<Option<PastDelivery>> {
    // A server that counts none may not know the state.
    if count == 0 {
        return Ok(None);
    }
    let wanted = DeliveriesWanted {
        event: Some(event.to_owned()),
        ..DeliveriesWanted::all(state)
    };
    let found = client.deliveries(id, &wanted).await?.deliveries;
    Ok(found.into_iter().next_back())
}

/// Where an event stands that is neither held nor unconfirmed.
async fn ended(
    client: &Client,
    id: &ConnectionId,
    event: &str,
    figures: Delivery,
) -> anyhow::Result<Standing> {
    if let Some(failed) = past(client, id, event, (DeliveryState::Failed, figures.failed)).await? {
        return Ok(Standing::Failed(failed.error.unwrap_or_default()));
    }
    let dropped = figures.last_dropped;
    let dropped = dropped.into_iter().find(|dropped| dropped.event_id == event);
    Ok(dropped.map_or(Standing::Acknowledged, |dropped| {
        Standing::Dropped(dropped.explanation.unwrap_or(dropped.reason))
    }))
}

/// What the local AWS knows of the event, once no delivery is on its way.
async fn story(local: Option<&LocalAws>, source: &str, event: &str) -> anyhow::Result<Option<Story>> {
    let Some(local) = local else { return Ok(None) };
    let until = Instant::now() + WITHIN;
    loop {
        let found = events::find(local, AMONG, |story| {
            story.subject() == event && story.text("/source") == source
        });
        let found = match found.await {
            // The AWS of the companion is another one.
            Err(error) if matches!(error.downcast_ref(), Some(Failure::Unsupported { .. })) => {
                return Ok(None);
            }
            found => found?,
        };
        let is_over = found
            .as_ref()
            .is_none_or(|story| story.outcome() != Outcome::Waiting);
        if is_over || Instant::now() >= until {
            return Ok(found);
        }
        tokio::time::sleep(POLL).await;
    }
}

fn rules(story: &Story) -> Vec<RuleFate> {
    let rules = story.buses.iter().flat_map(|bus| &bus.rules);
    let fate = |rule: &Rule| RuleFate {
        name: rule.name.clone(),
        matched: rule.matched,
    };
    rules.map(fate).collect()
}

/// Which rules matched, and which missed.
fn rules_in_words(rules: &[RuleFate]) -> String {
    let named = |matched: bool, title: &str| {
        let all: Vec<&str> = rules
            .iter()
            .filter(|rule| rule.matched == matched)
            .map(|rule| rule.name.as_str())
            .collect();
        let more = all.len().saturating_sub(RULES_SHOWN_MAX);
        let mut text = all
            .into_iter()
            .take(RULES_SHOWN_MAX)
            .collect::<Vec<_>>()
            .join(", ");
        if more > 0 {
            text.extend([" and ", &more.to_string(), " more"]);
        }
        (!text.is_empty()).then(|| format!("{title} {text}"))
    };
    let parts = [named(true, "matched:"), named(false, "missed:")];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered => "delivered",
        Outcome::Waiting => "waiting",
        Outcome::Failed => "failed",
        Outcome::NoTarget => "no-target",
        Outcome::NoRule => "no-rule",
        Outcome::NoSubscriber => "no-subscriber",
        Outcome::Dropped => "dropped",
    }
}

/// Prints what became of the event.
pub(super) fn print(form: &Form, fates: &[Fate]) -> anyhow::Result<()> {
    form.print(&fates, || {
        let row = |fate: &Fate| -> [Cell; 4] {
            let why = fate
                .explanation
                .clone()
                .unwrap_or_else(|| rules_in_words(&fate.rules));
            [
                fate.event_id.as_str().into(),
                fate.connection_name.as_str().into(),
                Cell::new(fate.look, fate.text.as_str()),
                why.into(),
            ]
        };
        let rows: Vec<_> = fates.iter().map(row).collect();
        show::table(["EVENT", "CONNECTION", "OUTCOME", ""], &rows)
    })?;
    let shown = fates.iter().filter_map(|fate| fate.aws_event_id.as_deref());
    let commands: Vec<String> = shown
        .map(|id| format!("scalr-eventbridge events show {}", show::quoted(id)))
        .collect();
    if !commands.is_empty() {
        out::hint(&commands.join("\n      "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing;
    use crate::testing::Bench;

    /// AWS acknowledged it, and the look that followed found its source PENDING.
    #[tokio::test]
    async fn an_unconfirmed_event_is_held() {
        let bench = Bench::new().await;
        let id = bench.connect("a", "us-east-1", &Status::Pending).await;
        bench.app.store.hold(&id, [1, 2], true).await;
        bench.app.store.deliver(&id, [2, 2]).await;
        let client = testing::client(&bench).await;
        for (event, held) in [("e-1", true), ("e-2", false)] {
            let (_, standing) = settled(&client, &id, event).await.unwrap();
            match standing {
                Standing::Held(why) => assert!(held && why.contains("pending"), "{event}: {why}"),
                Standing::Acknowledged => assert!(!held, "{event}"),
                Standing::Failed(why) | Standing::Dropped(why) => panic!("{event}: {why}"),
            }
        }
    }
}
