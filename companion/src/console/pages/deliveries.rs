//! Deliveries of a connection by their state, as the API lists them: which were tried how often, and why they failed. "Send again" and
//! "Purge", of one or of all that the list has.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use scalr_api::{DeliveriesChanged, DeliveriesWanted, DeliveryState, PastDelivery};
use serde::Deserialize;

use super::connection::{frame, held_why};
use crate::api::ApiError;
use crate::api::connections::missing;
use crate::api::deliveries::{listed, purge_failed, send_again};
use crate::clock::rfc3339_seconds;
use crate::console::answer::{Failure, Frame, html};
use crate::console::links;
use crate::console::reads::Signed;
use crate::console::state::Console;
use crate::console::text::Shown;
use crate::routes::Routes;
use crate::store::{Connection, HeldEvent};

/// Steps of the API that one press makes. A step changes up to 200 deliveries; what is left is another press.
const STEPS_MAX: usize = 25;

pub(super) fn routes() -> Routes<Console> {
    Routes::new()
        .get("/integrations/{id}/deliveries", open)
        .post(
            "/integrations/{id}/deliveries/redeliver",
            |console, signed, id, which| change(console, signed, id, which, Change::SendAgain),
        )
        .post(
            "/integrations/{id}/deliveries/purge",
            |console, signed, id, which| change(console, signed, id, which, Change::Purge),
        )
}

/// What is listed: deliveries that are over, or those that wait.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Listed {
    Over(DeliveryState),
    Held,
}

impl Listed {
    const ALL: [Self; 4] = [
        Self::Over(DeliveryState::Failed),
        Self::Over(DeliveryState::Unconfirmed),
        Self::Held,
        Self::Over(DeliveryState::Delivered),
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Over(state) => state.as_str(),
            Self::Held => "held",
        }
    }

    /// What a query or a form names; failed ones where it names nothing.
    fn of(word: &str) -> Result<Self, Failure> {
        if word.is_empty() {
            return Ok(Self::Over(DeliveryState::Failed));
        }
        let found = Self::ALL.into_iter().find(|one| one.word() == word);
        found.ok_or(Failure::NoPage)
    }

    /// What these are, and what becomes of them.
    const fn about(self, row: &Connection) -> &'static str {
        match self {
            Self::Over(DeliveryState::Failed) => {
                "AWS does not take these events. They are kept: correct what the error names and send them again, or purge them."
            }
            Self::Over(DeliveryState::Unconfirmed) => {
                "AWS acknowledged these events before their event source was found not to be ACTIVE. They are sent again by themselves \
                 once it is ACTIVE."
            }
            Self::Over(DeliveryState::Delivered) => {
                "AWS acknowledged these events. They are listed for as long as the history goes back. Sent again, they arrive once more, \
                 under the same ids."
            }
            Self::Held => held_why(&row.status),
        }
    }
}

/// Which deliveries are listed or changed, as a query; what is empty narrows nothing.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Asked {
    state: String,
    event: String,
    from: String,
    to: String,
    /// Where a page of the list, or the next step of a change, begins.
    after: Option<i64>,
    until: Option<i64>,
}

impl Asked {
    fn wanted(&self, state: DeliveryState) -> DeliveriesWanted {
        let given = |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        DeliveriesWanted {
            event: given(&self.event),
            from: given(&self.from),
            to: given(&self.to),
            after: self.after,
            until: self.until,
            ..DeliveriesWanted::all(state)
        }
    }

    /// The query of the list without its page.
    fn query(&self, state: Listed) -> Vec<(&'static str, &str)> {
        let all = [("event", &self.event), ("from", &self.from), ("to", &self.to)];
        let narrowed = all.into_iter().filter(|(_, text)| !text.is_empty());
        let narrowed = narrowed.map(|(name, text)| (name, text.as_str()));
        std::iter::once(("state", state.word())).chain(narrowed).collect()
    }
}

/// What the step before has done, and what it has left.
#[derive(Deserialize)]
struct Before {
    done: Option<Change>,
    count: Option<u64>,
    /// Where the rest of what was asked for begins, if there is a rest.
    rest: Option<i64>,
    rest_until: Option<i64>,
    /// Whether there is a rest for want of room.
    full: Option<bool>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Change {
    SendAgain,
    Purge,
}

impl Change {
    const fn word(self) -> &'static str {
        match self {
            Self::SendAgain => "send-again",
            Self::Purge => "purge",
        }
    }

    /// The address that makes it.
    fn link(self, id: &str) -> String {
        let end = match self {
            Self::SendAgain => "redeliver",
            Self::Purge => "purge",
        };
        format!("{}/{end}", link(id))
    }

    /// What a notice says that it did.
    const fn did(self) -> &'static str {
        match self {
            Self::SendAgain => "are to be sent again, after what is held for their workspaces",
            Self::Purge => "were purged",
        }
    }
}

#[derive(Template)]
#[template(path = "console/deliveries.html")]
struct Page {
    frame: Frame,
    name: Shown,
    /// The connection's page, and this one without a query.
    link: String,
    here: String,
    tabs: Vec<Tab>,
    state: &'static str,
    about: &'static str,
    done: Option<Done>,
    asked: Asked,
    is_narrowed: bool,
    rows: Vec<Row>,
    /// Whether each can be sent again.
    sends: bool,
    /// What sends all of them again, and what purges all.
    send_all: Option<String>,
    purge_all: Option<String>,
    first: Option<String>,
    following: Option<String>,
    more_held: bool,
}

struct Tab {
    link: String,
    word: &'static str,
    count: i64,
    is_open: bool,
}

struct Done {
    count: u64,
    did: &'static str,
    rest: Option<Rest>,
}

/// What one more press does.
struct Rest {
    action: String,
    is_full: bool,
}

struct Row {
    id: Shown,
    kind: Shown,
    accepted: String,
    ended: String,
    attempts: u32,
    bytes: i64,
    why: Shown,
    /// What sends it again, and what purges it.
    send: String,
    purge: Option<String>,
}

fn of_past(id: &str, past: PastDelivery) -> Row {
    let which = [("state", past.state.as_str()), ("event", past.event_id.as_str())];
    Row {
        send: links::with(&Change::SendAgain.link(id), &which),
        purge: (past.state == DeliveryState::Failed).then(|| links::with(&Change::Purge.link(id), &which)),
        id: Shown::new(past.event_id),
        kind: Shown::new(past.detail_type),
        accepted: past.accepted_at,
        ended: past.ended_at,
        attempts: past.attempts,
        bytes: past.bytes,
        why: Shown::new(past.error.unwrap_or_default()),
    }
}

fn of_held(held: HeldEvent) -> Row {
    Row {
        send: String::new(),
        purge: None,
        id: Shown::new(held.event_id),
        kind: Shown::new(held.detail_type),
        accepted: rfc3339_seconds(held.accepted_at_ms),
        ended: String::new(),
        attempts: held.attempts,
        bytes: held.bytes,
        why: Shown::new(held.last_error.unwrap_or_default()),
    }
}

/// The page of a connection's deliveries.
pub(super) fn link(id: &str) -> String {
    format!("{}/deliveries", links::connection(id))
}

/// The states, each with how many deliveries are in it.
async fn tabs(console: &Console, signed: &Signed, id: &str, open: Listed) -> Result<Vec<Tab>, Failure> {
    let store = &console.app().store;
    let found = store.delivery_figures(&signed.caller.account_id, id).await?;
    let (figures, _) = found.ok_or_else(|| missing(id))?;
    let tab = |one: Listed| Tab {
        link: links::with(&link(id), &[("state", one.word())]),
        word: one.word(),
        count: match one {
            Listed::Over(DeliveryState::Failed) => figures.failed,
            Listed::Over(DeliveryState::Unconfirmed) => figures.unconfirmed,
            Listed::Over(DeliveryState::Delivered) => figures.delivered,
            Listed::Held => figures.held,
        },
        is_open: one == open,
    };
    Ok(Listed::ALL.into_iter().map(tab).collect())
}

/// What is listed, where the next page of it begins, and whether there is more of it that no page lists.
async fn rows(
    console: &Console,
    signed: &Signed,
    id: &str,
    (state, asked): (Listed, &Asked),
) -> Result<(Vec<Row>, Option<i64>, bool), Failure> {
    match state {
        Listed::Over(state) => {
            let found = listed(console.app(), &signed.caller, id, &asked.wanted(state)).await?;
            let rows = found.deliveries.into_iter().map(|one| of_past(id, one)).collect();
            Ok((rows, found.after, false))
        }
        Listed::Held => {
            let event = Some(asked.event.trim()).filter(|event| !event.is_empty());
            let store = &console.app().store;
            let held = store.held_events(&signed.caller.account_id, [Some(id), event]);
            let (held, more) = held.await?;
            Ok((held.into_iter().map(of_held).collect(), None, more))
        }
    }
}

async fn open(
    State(console): State<Console>,
    signed: Signed,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    Query(before): Query<Before>,
) -> Result<Response, Failure> {
    let row = console.connection(&signed, &id).await?;
    let state = Listed::of(&asked.state)?;
    let id = row.id.as_str();
    let (rows, after, more_held) = rows(&console, &signed, id, (state, &asked)).await?;
    let query = asked.query(state);
    let following = after.map(|after| {
        let after = after.to_string();
        links::with(&link(id), &[&query[..], &[("after", after.as_str())]].concat())
    });
    let is_failed = state == Listed::Over(DeliveryState::Failed);
    let sends = is_failed || state == Listed::Over(DeliveryState::Delivered);
    // A whole history is sent again by nobody who has not said from when.
    let sends_all = is_failed || sends && !asked.from.is_empty();
    Ok(html(&Page {
        frame: frame(&console, &row),
        name: Shown::new(&row.name),
        link: links::connection(id),
        here: link(id),
        tabs: tabs(&console, &signed, id, state).await?,
        state: state.word(),
        about: state.about(&row),
        done: before.done(id, &query),
        is_narrowed: query.len() > 1,
        sends,
        send_all: sends_all.then(|| links::with(&Change::SendAgain.link(id), &query)),
        purge_all: is_failed.then(|| links::with(&Change::Purge.link(id), &query)),
        first: asked.after.map(|_| links::with(&link(id), &query)),
        following,
        more_held,
        rows,
        asked,
    }))
}

impl Before {
    /// What was done to the deliveries of this query.
    fn done(&self, id: &str, query: &[(&str, &str)]) -> Option<Done> {
        let change = self.done?;
        let rest = self.rest.zip(self.rest_until).map(|(after, until)| {
            let (after, until) = (after.to_string(), until.to_string());
            let from = [("after", after.as_str()), ("until", until.as_str())];
            Rest {
                action: links::with(&change.link(id), &[query, &from].concat()),
                is_full: self.full.unwrap_or_default(),
            }
        });
        Some(Done {
            count: self.count.unwrap_or_default(),
            did: change.did(),
            rest,
        })
    }
}

/// What the steps of a press did together.
#[derive(Default)]
struct Total {
    count: u64,
    rest: Option<[i64; 2]>,
    is_full: bool,
}

async fn step(
    console: &Console,
    signed: &Signed,
    id: &str,
    (change, wanted): (Change, &DeliveriesWanted),
) -> Result<DeliveriesChanged, Failure> {
    let (app, caller) = (console.app(), signed.may()?);
    Ok(match change {
        Change::SendAgain => send_again(app, &caller, id, wanted).await?,
        Change::Purge => purge_failed(app, &caller, id, wanted).await?,
    })
}

/// Changes what is wanted, step by step, as the command line does.
async fn steps(
    console: &Console,
    signed: &Signed,
    id: &str,
    (change, mut wanted): (Change, DeliveriesWanted),
) -> Result<Total, Failure> {
    let mut total = Total::default();
    for _ in 0..STEPS_MAX {
        let did = match step(console, signed, id, (change, &wanted)).await {
            Ok(did) => did,
            // The connection has no room for more: what was done so far is shown all the same.
            Err(Failure::Refused(ApiError::Conflict { .. })) if total.count > 0 => {
                total.is_full = true;
                break;
            }
            Err(why) => return Err(why),
        };
        total.count += did.deliveries;
        total.rest = did.after.map(|after| [after, did.until]);
        if did.after.is_none() {
            break;
        }
        (wanted.after, wanted.until) = (did.after, Some(did.until));
    }
    Ok(total)
}

async fn change(
    State(console): State<Console>,
    signed: Signed,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    change: Change,
) -> Result<Response, Failure> {
    console.connection(&signed, &id).await?;
    let Listed::Over(state) = Listed::of(&asked.state)? else {
        return Err(Failure::NoPage);
    };
    let total = steps(&console, &signed, &id, (change, asked.wanted(state))).await?;
    let mut query: Vec<(&str, String)> = vec![
        ("state", state.as_str().to_owned()),
        ("done", change.word().to_owned()),
        ("count", total.count.to_string()),
    ];
    // The rest is of the same filter.
    if let Some([after, until]) = total.rest {
        let narrowed = asked.query(Listed::Over(state)).into_iter().skip(1);
        query.extend(narrowed.map(|(name, text)| (name, text.to_owned())));
        query.extend([
            ("rest", after.to_string()),
            ("rest_until", until.to_string()),
            ("full", total.is_full.to_string()),
        ]);
    }
    let query: Vec<(&str, &str)> = query.iter().map(|(name, text)| (*name, text.as_str())).collect();
    Ok(Redirect::to(&links::with(&link(&id), &query)).into_response())
}
