//! The pages: one file each, or a few that belong together.

mod audit_logs;
mod buses;
mod connection;
mod deliveries;
mod integrations;
mod log_groups;
mod new_rule;
mod sign_in;
mod sources;
mod stream;

use axum::response::Redirect;

use super::links;
use super::state::Console;
use crate::routes::Routes;

/// What a page is opened with: what the step before has done, or which page of a list.
#[derive(Default, serde::Deserialize)]
pub(super) struct Opened {
    pub(super) done: Option<String>,
    pub(super) page: Option<u32>,
}

/// The pages; those of AWS's side only where that can be seen.
pub(super) fn routes(has_aws: bool) -> Routes<Console> {
    let pages = Routes::new()
        .get("/", || async { Redirect::to(links::INTEGRATIONS) })
        .merge(sign_in::routes())
        .merge(integrations::routes())
        .merge(connection::routes())
        .merge(deliveries::routes())
        .merge(stream::routes())
        .merge(audit_logs::routes());
    if !has_aws {
        return pages;
    }
    pages
        .merge(sources::routes())
        .merge(buses::routes())
        .merge(new_rule::routes())
        .merge(log_groups::routes())
}
