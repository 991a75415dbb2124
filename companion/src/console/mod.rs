//! The console: pages in a browser for what the API and AWS do, rendered here, served beside the API.
//!
//! It calls the functions that the API's handlers call, and AWS through its SDK: there is no second way to change anything. The
//! pages of AWS's side exist only where the local AWS runs in this process.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! grant gzip guard links session text            leaves: permissions, hosts and origins, addresses, sessions, text from outside
//! assets aws chain                               files that pages load; AWS as a customer sees it; the chain link by link
//! draft                                          the form of a rule
//! groups                                         log groups and their permissions
//! making changing                                what "Create rule" makes; what a rule's buttons do
//! state                                          what every page works with
//! answer                                         pages and refusals as answers
//! reads terraform                                who asks, and what is shown; the same as HCL
//! pages/                                         one file a page, or a few that belong together
//! ```

mod answer;
mod assets;
mod aws;
mod chain;
mod changing;
mod draft;
mod grant;
mod groups;
mod guard;
mod gzip;
mod links;
mod making;
mod pages;
mod reads;
mod session;
mod state;
mod terraform;
#[cfg(test)]
mod tests;
mod text;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::response::Redirect;
use axum::routing::get;

pub(crate) use aws::LocalAws;
pub(crate) use guard::PublicUrl;
pub(crate) use links::BASE;
pub(crate) use state::{Console, Settings};

/// Longest form that is read: a sample event has at most 256 KiB, which a form may triple.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// All pages, below [`BASE`].
pub(crate) fn router(console: &Console) -> Router {
    let pages = pages::routes(console.has_aws())
        .into_router()
        .route("/assets/{name}", get(assets::serve))
        .fallback(answer::no_page)
        .layer(middleware::from_fn(answer::compress))
        .layer(middleware::from_fn_with_state(console.guard(), guard::check))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(console.clone());
    let to_pages = || async { Redirect::to(links::INTEGRATIONS) };
    // With the slash at its end the address is not one of the nested ones.
    Router::new().route("/console/", get(to_pages)).nest(BASE, pages)
}
