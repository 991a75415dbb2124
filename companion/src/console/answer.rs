//! Pages and refusals as answers.

use askama::Template;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, VARY};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::state::Console;
use super::text::Shown;
use super::{assets, gzip, links};
use crate::api::ApiError;
use crate::aws_error::AwsError;

/// Longest page.
const PAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What is round every page.
#[derive(Clone)]
pub(super) struct Frame {
    pub(super) version: &'static str,
    pub(super) signed_in: bool,
    section: &'static str,
    /// Where the pages of AWS's side are, if there are any.
    pub(super) aws: Option<String>,
    pub(super) notice: Option<&'static str>,
}

/// What a visitor does next, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NextStep {
    pub(super) text: Shown,
    pub(super) link: Option<(String, &'static str)>,
}

impl NextStep {
    pub(super) fn new(text: impl AsRef<str>) -> Self {
        Self {
            text: Shown::new(text),
            link: None,
        }
    }

    pub(super) fn at(text: impl AsRef<str>, link: String, label: &'static str) -> Self {
        Self {
            text: Shown::new(text),
            link: Some((link, label)),
        }
    }
}

impl Frame {
    /// Of a page that needs no session.
    pub(super) fn signed_out() -> Self {
        Self {
            version: assets::version(),
            signed_in: false,
            section: "",
            aws: None,
            notice: None,
        }
    }

    /// Of a page in this section, about this AWS account and region where it is about one.
    pub(super) fn new(console: &Console, section: &'static str, place: Option<(&str, &str)>) -> Self {
        let aws = console.local_aws().map(|aws| {
            let (account, region) = place.unwrap_or((&aws.account, &aws.region));
            links::aws(account, region)
        });
        Self {
            signed_in: true,
            section,
            aws,
            ..Self::signed_out()
        }
    }

    /// With what the step before has done.
    pub(super) fn after(mut self, done: Option<&str>) -> Self {
        self.notice = done.and_then(notice);
        self
    }

    pub(super) fn is_at(&self, section: &str) -> bool {
        self.section == section
    }
}

/// What a step has done.
fn notice(done: &str) -> Option<&'static str> {
    Some(match done {
        "created" => "The connection was created.",
        "deleted" => "The connection was deleted.",
        "refreshed" => "The status was refreshed.",
        "paused" => "The connection is paused: events are held.",
        "run" => "The run was started.",
        "saved" => "The setting was saved.",
        "associated" => "The event source is associated with its event bus.",
        "rule" => "The rule was created.",
        "enabled" => "The rule is enabled: events that match its pattern go to its targets.",
        "disabled" => "The rule is disabled: it matches no event.",
        "rule-deleted" => "The rule was deleted, with its targets and their permissions.",
        _ => return None,
    })
}

/// A page.
pub(super) fn html(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// On to the page that shows what a step has done.
pub(super) fn on_to(page: &str, done: &str) -> Response {
    Redirect::to(&links::with(page, &[("done", done)])).into_response()
}

/// Why a page is not shown.
#[derive(Debug)]
pub(super) enum Failure {
    /// There is no session (any more).
    NotSignedIn { by_script: bool },
    /// The API's own refusal.
    Refused(ApiError),
    /// AWS's.
    Aws(AwsError),
    /// Nothing has this address.
    NoPage,
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

impl From<crate::store::StoreError> for Failure {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Refused(error.into())
    }
}

impl From<AwsError> for Failure {
    fn from(error: AwsError) -> Self {
        Self::Aws(error)
    }
}

#[derive(Template)]
#[template(path = "console/error.html")]
struct ErrorPage {
    frame: Frame,
    title: &'static str,
    text: Shown,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, title, text) = match self {
            // htmx follows a redirect within the page; this header loads the page.
            Self::NotSignedIn { by_script: true } => {
                let header = (HeaderName::from_static("hx-redirect"), links::SIGN_IN);
                return (StatusCode::UNAUTHORIZED, [header]).into_response();
            }
            Self::NotSignedIn { by_script: false } => {
                return Redirect::to(links::SIGN_IN).into_response();
            }
            Self::Refused(error) => {
                error.log();
                let object = error.object();
                let status = object.status.as_deref().and_then(|text| text.parse().ok());
                let detail = object.detail.unwrap_or_default();
                (status.unwrap_or_default(), "This did not work", detail)
            }
            Self::Aws(error) => (
                StatusCode::BAD_GATEWAY,
                "AWS refused",
                format!("{error}. Nothing further was changed. Go back, correct it, and repeat the step."),
            ),
            Self::NoPage => (
                StatusCode::NOT_FOUND,
                "There is no such page",
                "Nothing has this address. It may have been deleted.".to_owned(),
            ),
        };
        let page = ErrorPage {
            frame: Frame::signed_out(),
            title,
            text: Shown::new(text),
        };
        (status, html(&page)).into_response()
    }
}

/// Answers what no page is for.
pub(super) async fn no_page() -> Failure {
    Failure::NoPage
}

/// Packs pages for browsers that take it.
pub(super) async fn compress(request: Request, next: Next) -> Response {
    let is_accepted = gzip::is_accepted(request.headers());
    let answer = next.run(request).await;
    let kind = answer.headers().get(CONTENT_TYPE);
    let is_page = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if !is_accepted || !is_page {
        return answer;
    }
    let (mut head, body) = answer.into_parts();
    let Ok(bytes) = to_bytes(body, PAGE_BYTES_MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    head.headers
        .insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    head.headers
        .insert(VARY, HeaderValue::from_static("accept-encoding"));
    head.headers.remove(CONTENT_LENGTH);
    Response::from_parts(head, Body::from(gzip::pack(&bytes)))
}
