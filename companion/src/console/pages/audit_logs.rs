//! Account settings > Audit logs: which connection the audit log is streamed to.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use scalr_api::ConnectionId;
use serde::Deserialize;

use super::Opened;
use crate::api::audit_log_setting::select;
use crate::api::connections::missing;
use crate::console::answer::{Failure, Frame, html, on_to};
use crate::console::links;
use crate::console::reads::{Fields, Signed};
use crate::console::state::Console;
use crate::console::terraform::Hcl;
use crate::console::text::Shown;
use crate::routes::Routes;
use crate::store::Connection;

pub(super) fn routes() -> Routes<Console> {
    Routes::new()
        .get("/settings/audit-logs", open)
        .post("/settings/audit-logs", save)
}

#[derive(Template)]
#[template(path = "console/audit_logs.html")]
struct Page {
    frame: Frame,
    is_off: bool,
    options: Vec<Choice>,
    hcl: Hcl,
}

struct Choice {
    id: String,
    name: Shown,
    account: Shown,
    region: Shown,
    status: String,
    selected: bool,
}

async fn open(
    State(console): State<Console>,
    signed: Signed,
    Query(opened): Query<Opened>,
) -> Result<Response, Failure> {
    let store = &console.app().store;
    let selected = store.audit_connection(&signed.caller.account_id).await?;
    let all = console.connections(&signed).await?;
    let hcl = match all.iter().find(|one| Some(&one.id) == selected.as_ref()) {
        Some(row) => console.hcl(&signed, row, None).await?,
        None => Hcl::none(),
    };
    let choice = |one: &Connection| Choice {
        id: one.id.to_string(),
        name: Shown::new(&one.name),
        account: Shown::new(&one.source.aws_account_id),
        region: Shown::new(&one.source.region),
        status: one.status.in_words().to_owned(),
        selected: Some(&one.id) == selected.as_ref(),
    };
    Ok(html(&Page {
        frame: Frame::new(&console, "audit-logs", None).after(opened.done.as_deref()),
        is_off: selected.is_none(),
        options: all.iter().map(choice).collect(),
        hcl,
    }))
}

#[derive(Deserialize)]
struct Form {
    connection: String,
}

async fn save(
    State(console): State<Console>,
    signed: Signed,
    Fields(form): Fields<Form>,
) -> Result<Response, Failure> {
    let wanted = match form.connection.as_str() {
        "" => None,
        id => Some(ConnectionId::new(id).map_err(|_| missing(id))?),
    };
    select(console.app(), &signed.may()?, |_| Ok(wanted)).await?;
    Ok(on_to(links::AUDIT_LOGS, "saved"))
}
