//! Signing in, by the token or by the link that `dev` prints, and signing out.

use askama::Template;
use axum::Extension;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use crate::api::turned;
use crate::app::Turned;
use crate::caller::Peer;
use crate::console::answer::{Failure, Frame, html};
use crate::console::guard::Way;
use crate::console::links;
use crate::console::reads::{Fields, Signed};
use crate::console::session::{Address, LIFETIME, Refused};
use crate::console::state::{Console, SignIn};
use crate::routes::Routes;

const OPERATOR: &str = "This is an operator's token, which opens no account. Sign in with a token of an account: \
                        `scalr-eventbridge tokens create --account` makes one.";

const PLAIN: &str = "This page came over http from another machine, on which the token and the session could be read. Open the console over \
                     https: start the companion with `--tls`, or behind a proxy with TLS with `--console-url https://NAME`.";

pub(super) fn routes() -> Routes<Console> {
    Routes::new()
        .get("/sign-in", open)
        .post("/sign-in", by_token)
        .post("/sign-out", sign_out)
        .post("/sign-out-everywhere", sign_out_everywhere)
}

#[derive(Template)]
#[template(path = "console/sign_in.html")]
struct Page {
    frame: Frame,
    is_dev: bool,
    problem: Option<String>,
}

#[derive(Deserialize)]
struct Link {
    code: Option<String>,
}

#[derive(Deserialize)]
struct Form {
    token: String,
}

/// The form, or, with the code of a link, a session.
async fn open(
    State(console): State<Console>,
    Query(link): Query<Link>,
    headers: HeaderMap,
    Extension(way): Extension<Way>,
    peer: Option<Extension<ConnectInfo<Peer>>>,
) -> Response {
    // Browsers fetch an address before it is opened; that must not use the code up.
    let is_ahead = headers.contains_key("sec-purpose");
    match link.code {
        _ if way == Way::Plain => problem(&console, StatusCode::FORBIDDEN, PLAIN.to_owned()),
        Some(_) if is_ahead => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(code) => {
            let wrong = "This link has been used, or is older than 60 seconds. Sign in with the token.";
            let signed_in = console.sign_in_by_code(&code, address(peer));
            answer(&console, signed_in, (wrong, way))
        }
        None => html(&Page {
            frame: Frame::signed_out(),
            is_dev: console.is_dev(),
            problem: None,
        }),
    }
}

async fn by_token(
    State(console): State<Console>,
    Extension(way): Extension<Way>,
    peer: Option<Extension<ConnectInfo<Peer>>>,
    Fields(form): Fields<Form>,
) -> Response {
    if way == Way::Plain {
        return problem(&console, StatusCode::FORBIDDEN, PLAIN.to_owned());
    }
    let signed_in = console.sign_in(form.token.trim(), address(peer)).await;
    answer(&console, signed_in, (turned(Turned::Unknown), way))
}

/// Where a sign-in comes from.
fn address(peer: Option<Extension<ConnectInfo<Peer>>>) -> Address {
    peer.map(|Extension(ConnectInfo(Peer(peer)))| peer.ip())
}

/// A session's cookie, or what is wrong.
fn answer(console: &Console, signed_in: Result<String, SignIn>, (wrong, way): (&str, Way)) -> Response {
    let (status, text, wait) = match signed_in {
        Ok(id) => {
            let cookie = console.set_cookie(&id, LIFETIME.as_secs(), way);
            return ([(SET_COOKIE, cookie)], Redirect::to(links::INTEGRATIONS)).into_response();
        }
        Err(SignIn::Refused(Refused::Wrong) | SignIn::Turned(Turned::Unknown)) => {
            (StatusCode::FORBIDDEN, wrong.to_owned(), None)
        }
        Err(SignIn::Turned(why)) => (StatusCode::FORBIDDEN, turned(why).to_owned(), None),
        Err(SignIn::Operator) => (StatusCode::FORBIDDEN, OPERATOR.to_owned(), None),
        Err(SignIn::Failed(error)) => return Failure::from(error).into_response(),
        Err(SignIn::Refused(Refused::TooMany(wait))) => {
            let seconds = wait.as_secs() + 1;
            let text = format!("Too many sign-ins have failed. Try again in {seconds} seconds.");
            (StatusCode::TOO_MANY_REQUESTS, text, Some(seconds))
        }
    };
    let mut answer = problem(console, status, text);
    if let Some(seconds) = wait {
        answer.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    answer
}

/// The form, with what is wrong.
fn problem(console: &Console, status: StatusCode, text: String) -> Response {
    let page = html(&Page {
        frame: Frame::signed_out(),
        is_dev: console.is_dev(),
        problem: Some(text),
    });
    (status, page).into_response()
}

async fn sign_out(
    State(console): State<Console>,
    Extension(way): Extension<Way>,
    signed: Signed,
) -> Result<Response, Failure> {
    console.sessions().close(&signed.session);
    Ok(gone(&console, way))
}

async fn sign_out_everywhere(
    State(console): State<Console>,
    Extension(way): Extension<Way>,
    signed: Signed,
) -> Result<Response, Failure> {
    console.sessions().close_all(&signed.caller.account_id);
    Ok(gone(&console, way))
}

fn gone(console: &Console, way: Way) -> Response {
    let cookie = console.set_cookie("", 0, way);
    ([(SET_COOKIE, cookie)], Redirect::to(links::SIGN_IN)).into_response()
}
