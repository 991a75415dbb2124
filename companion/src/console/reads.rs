//! Who asks, and what of the account is shown.

use aws_local::Guest;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::header::{COOKIE, USER_AGENT};
use axum::http::request::Parts;
use scalr_api::Status;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::answer::{Failure, NextStep};
use super::aws::Place;
use super::chain::{self, Customer, Feed, Seen};
use super::links;
use super::state::Console;
use crate::api::connections::{Field, check_field, missing};
use crate::api::{ApiError, form};
use crate::caller::{Admitted, Caller, May, Peer, Power, Read};
use crate::event_bus::is_of_partner;
use crate::export::Bus;
use crate::store::{Connection, Window};

/// Connections that an account has at most.
const CONNECTIONS_MAX: i64 = 1000;

/// The caller of an open session, and the session's id.
pub(super) struct Signed {
    pub(super) caller: May<Read>,
    pub(super) session: String,
}

/// The fields of a form.
pub(super) struct Fields<T>(pub(super) T);

/// An AWS account and region of a page's address.
pub(super) struct At {
    pub(super) place: Place,
    /// What the addresses of its pages begin with.
    pub(super) base: String,
}

/// What the customer's side of a connection has.
pub(super) struct CustomerSide {
    pub(super) bus: Option<Bus>,
    pub(super) feed: Option<Feed>,
    pub(super) groups: Vec<(String, bool, bool)>,
}

impl FromRequestParts<Console> for Signed {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Failure> {
        let by_script = parts.headers.contains_key("hx-request") || parts.uri.path().ends_with("/stream");
        let refused = Failure::NotSignedIn { by_script };
        let Some(session) = cookie(parts, console.cookie()) else {
            return Err(refused);
        };
        let Some(token) = console.sessions().token(&session, Instant::now()) else {
            return Err(refused);
        };
        let peer = parts.extensions.get::<ConnectInfo<Peer>>();
        let peer = peer.map(|ConnectInfo(peer)| *peer);
        let agent = parts
            .headers
            .get(USER_AGENT)
            .and_then(|value| value.to_str().ok());
        // The token that the session was opened with may have been replaced or revoked since.
        let app = console.app();
        let admitted = app.admit(token.reveal(), peer, agent.unwrap_or_default()).await?;
        let Ok(Admitted::Caller(mut caller)) = admitted else {
            return Err(refused);
        };
        caller.sender.by_session = true;
        let caller: May<Read> = caller.may().map_err(ApiError::from)?;
        if let Some(guest) = parts.extensions.get::<Guest>() {
            guest.is_right();
        }
        Ok(Self { caller, session })
    }
}

/// The value of a cookie.
fn cookie(parts: &Parts, name: &str) -> Option<String> {
    let headers = parts.headers.get_all(COOKIE).into_iter();
    let texts = headers.filter_map(|header| header.to_str().ok());
    texts
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

impl<T: DeserializeOwned> FromRequest<Console> for Fields<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Failure> {
        let body = form::bytes(request, console).await?;
        let fields = serde_urlencoded::from_bytes(&body).map_err(|error| {
            ApiError::Body(
                StatusCode::BAD_REQUEST,
                format!("The form cannot be read: {error}."),
            )
        })?;
        Ok(Self(fields))
    }
}

impl Signed {
    /// The proof that the token of this session permits more than to read.
    pub(super) fn may<P: Power>(&self) -> Result<May<P>, Failure> {
        let caller: Caller = (*self.caller).clone();
        Ok(caller.may().map_err(ApiError::from)?)
    }
}

impl Console {
    /// AWS in the account and region of a page's address.
    pub(super) fn at(&self, signed: &Signed, account: &str, region: &str) -> Result<At, Failure> {
        let is_one = check_field(&signed.caller, Field::AwsAccountId, Some(account)).is_ok()
            && check_field(&signed.caller, Field::Region, Some(region)).is_ok();
        let place = self.place(account, region).filter(|_| is_one);
        let place = place.ok_or(Failure::NoPage)?;
        Ok(At {
            place,
            base: links::aws(account, region),
        })
    }

    /// A connection of the account.
    pub(super) async fn connection(&self, signed: &Signed, id: &str) -> Result<Connection, Failure> {
        let found = self.app().store.connection(&signed.caller.account_id, id).await?;
        found.ok_or_else(|| missing(id).into())
    }

    /// All connections of the account.
    pub(super) async fn connections(&self, signed: &Signed) -> Result<Vec<Connection>, Failure> {
        let window = Window {
            limit: CONNECTIONS_MAX,
            offset: 0,
        };
        let found = self
            .app()
            .store
            .connections(&signed.caller.account_id, [None], window);
        Ok(found.await?.items)
    }

    /// The connection whose event source has this name, in this account and region.
    pub(super) async fn connection_of(
        &self,
        signed: &Signed,
        place: &Place,
        source: &str,
    ) -> Result<Option<Connection>, Failure> {
        let all = self.connections(signed).await?;
        Ok(all.into_iter().find(|one| {
            one.source.name == source
                && one.source.region == place.region
                && one.source.aws_account_id == place.account
        }))
    }

    /// What the customer's side of a connection has, where it can be seen.
    pub(super) async fn customer_side(&self, row: &Connection) -> Result<Option<CustomerSide>, Failure> {
        let Some(place) = self.place(&row.source.aws_account_id, &row.source.region) else {
            return Ok(None);
        };
        let (bus, _) = place.bus(&row.source.name).await?;
        let feed = place.feed(&row.source.name).await?;
        let targets = bus
            .iter()
            .flat_map(|bus| &bus.rules)
            .flat_map(|rule| &rule.targets);
        let mut names: Vec<String> = targets
            .filter_map(|target| Some(target.log_group.as_ref()?.name.clone()))
            .collect();
        names.sort_unstable();
        names.dedup();
        let mut groups = Vec::with_capacity(names.len());
        for name in names {
            let is_there = place.has_log_group(&name).await?;
            let is_permitted = is_there && place.is_permitted(&name).await?;
            groups.push((name, is_there, is_permitted));
        }
        Ok(Some(CustomerSide { bus, feed, groups }))
    }
}

/// What is left to do until events of a connection arrive.
pub(super) fn next_step(row: &Connection, side: Option<&CustomerSide>) -> NextStep {
    if !row.source_made {
        return NextStep::new("AWS does not have the event source yet. Choose Refresh status.");
    }
    if !is_of_partner(&row.source.name) {
        return next_step_of_bus(row);
    }
    let Some(side) = side else {
        return next_step_elsewhere(row);
    };
    let aws = links::aws(&row.source.aws_account_id, &row.source.region);
    let name = row.source.name.as_str();
    let page = |page: &str, key: &str| links::with(&format!("{aws}/{page}"), &[(key, name)]);
    let Some(bus) = &side.bus else {
        let text = "this connection is pending: its partner event source at AWS has to be associated with an event bus.";
        return NextStep::at(text, page("source", "name"), "Open the partner event source");
    };
    if let Some(feed) = &side.feed {
        return next_step_fed(row, feed);
    }
    let leads = bus
        .rules
        .iter()
        .any(|rule| rule.enabled && !rule.targets.is_empty());
    if !leads {
        let text = "create a rule on the event bus, with a log group as its target.";
        return NextStep::at(text, page("rules/new", "bus"), "Create rule");
    }
    match &row.status {
        Status::Active => match side.groups.first() {
            Some((group, ..)) => {
                let link = links::with(&format!("{aws}/log-group"), &[("name", group)]);
                let text = "start a run on the connection's page. If the rule matches its event, it arrives in the log group.";
                NextStep::at(text, link, "Open the log group")
            }
            None => NextStep::new("start a run. Its event goes to the targets of the rules."),
        },
        Status::Disabled => NextStep::new("this connection is paused, and events are held. Choose Resume."),
        _ => NextStep::at(
            "all is there at AWS. Choose Refresh status, which makes the connection active.",
            links::connection(row.id.as_str()),
            "Open the connection",
        ),
    }
}

/// The same where a custom event bus has the events.
fn next_step_fed(row: &Connection, feed: &Feed) -> NextStep {
    match (&row.status, &feed.to) {
        (Status::Disabled, _) => {
            NextStep::new("this connection is paused, and events are held. Choose Resume.")
        }
        (_, None) => NextStep::new(
            "update the event source of the custom event bus with its configuration: the rule that leads the events there is gone.",
        ),
        (Status::Active, Some(to)) => NextStep::new(format!(
            "start a run. Its event goes to the subscribers of the custom event bus {to}, which the console does not show."
        )),
        (_, Some(_)) => NextStep::at(
            "all is there at AWS. Choose Refresh status, which makes the connection active.",
            links::connection(row.id.as_str()),
            "Open the connection",
        ),
    }
}

/// The same where events are put to an event bus of the service's own.
fn next_step_of_bus(row: &Connection) -> NextStep {
    match &row.status {
        Status::Active => {
            NextStep::new("send an event. It goes to the rules or subscribers of the service's event bus.")
        }
        Status::Disabled => NextStep::new("this connection is paused, and events are held. Choose Resume."),
        _ => NextStep::at(
            "see that the event bus of the service is there. Then choose Refresh status, which makes the connection active.",
            links::connection(row.id.as_str()),
            "Open the connection",
        ),
    }
}

/// The same where the AWS in use is another one.
fn next_step_elsewhere(row: &Connection) -> NextStep {
    match &row.status {
        Status::Active => NextStep::new("start a run. Its event goes to the rules of the event bus."),
        Status::Disabled => NextStep::new("this connection is paused, and events are held. Choose Resume."),
        _ => NextStep::at(
            "this connection is pending: in the AWS console, open Partner event sources in its account and region, associate \
             the source with an event bus, and create a rule. Then choose Refresh status.",
            "https://console.aws.amazon.com/events/".to_owned(),
            "Open the AWS console",
        ),
    }
}

/// The links from a connection to its log groups.
pub(super) fn links_of(
    row: &Connection,
    state: Option<&str>,
    side: Option<&CustomerSide>,
) -> Vec<chain::Link> {
    chain::links(&Seen {
        status: &row.status,
        error: row.error_message.as_deref(),
        source: &row.source.name,
        source_state: state,
        customer: side.map(|side| Customer {
            bus: side.bus.as_ref(),
            feed: side.feed.as_ref(),
            groups: side.groups.clone(),
        }),
    })
}
