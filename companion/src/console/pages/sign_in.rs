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
use crate::console::links;
use crate::console::reads::{Fields, Signed};
use crate::console::session::{Address, LIFETIME, Refused};
use crate::console::state::{Console, SignIn};
use crate::routes::Routes;

const OPERATOR: &str = "This is an operator's token, which opens no account. Sign in with a token of an account: \
                        `scalr-eventbridge tokens create --account` makes one.";

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
    peer: Option<Extension<ConnectInfo<Peer>>>,
) -> Response {
    // Browsers fetch an address before it is opened; that must not use the code up.
    let is_ahead = headers.contains_key("sec-purpose");
    match link.code {
        Some(_) if is_ahead => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(code) => {
            let wrong = "This link has been used, or is older than 60 seconds. Sign in with the token.";
            answer(&console, console.sign_in_by_code(&code, address(peer)), wrong)
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
    peer: Option<Extension<ConnectInfo<Peer>>>,
    Fields(form): Fields<Form>,
) -> Response {
    answer(
        &console,
        console.sign_in(form.token.trim(), address(peer)).await,
        turned(Turned::Unknown),
    )
}

/// Where a sign-in comes from.
fn address(peer: Option<Extension<ConnectInfo<Peer>>>) -> Address {
    peer.map(|Extension(ConnectInfo(Peer(peer)))| peer.ip())
}

/// A session's cookie, or what is wrong.
fn answer(console: &Console, signed_in: Result<String, SignIn>, wrong: &str) -> Response {
    let (status, problem, wait) = match signed_in {
        Ok(id) => {
            let cookie = console.set_cookie(&id, LIFETIME.as_secs());
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
            let problem = format!("Too many sign-ins have failed. Try again in {seconds} seconds.");
            (StatusCode::TOO_MANY_REQUESTS, problem, Some(seconds))
        }
    };
    let page = html(&Page {
        frame: Frame::signed_out(),
        is_dev: console.is_dev(),
        problem: Some(problem),
    });
    let mut answer = (status, page).into_response();
    if let Some(seconds) = wait {
        answer.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    answer
}

async fn sign_out(State(console): State<Console>, signed: Signed) -> Result<Response, Failure> {
    console.sessions().close(&signed.session);
    Ok(gone(&console))
}

async fn sign_out_everywhere(State(console): State<Console>, signed: Signed) -> Result<Response, Failure> {
    console.sessions().close_all(&signed.caller.account_id);
    Ok(gone(&console))
}

fn gone(console: &Console) -> Response {
    let cookie = console.set_cookie("", 0);
    ([(SET_COOKIE, cookie)], Redirect::to(links::SIGN_IN)).into_response()
}
