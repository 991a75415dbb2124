//! AWS: accounts and regions, Partner event sources, "Associate with event bus".

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use crate::console::answer::{Failure, Frame, html};
use crate::console::links;
use crate::console::reads::{At, Fields, Signed};
use crate::console::state::Console;
use crate::console::terraform::Hcl;
use crate::console::text::Shown;
use crate::routes::Routes;

pub(super) fn routes() -> Routes<Console> {
    Routes::new()
        .get("/aws", places)
        .get("/aws/{account}/{region}/sources", list)
        .get("/aws/{account}/{region}/source", open)
        .post("/aws/{account}/{region}/sources/associate", associate)
}

#[derive(Template)]
#[template(path = "console/places.html")]
struct PlacesPage {
    frame: Frame,
    places: Vec<(String, Shown)>,
}

async fn places(State(console): State<Console>, signed: Signed) -> Result<Response, Failure> {
    let all = console.connections(&signed).await?;
    let of_connections = all
        .into_iter()
        .map(|one| (one.source.aws_account_id, one.source.region));
    let first = console
        .local_aws()
        .map(|aws| (aws.account.clone(), aws.region.clone()));
    let places: BTreeSet<_> = of_connections.chain(first).collect();
    let link = |(account, region): &(String, String)| {
        let link = format!("{}/sources", links::aws(account, region));
        (link, Shown::new(format!("{account}, {region}")))
    };
    Ok(html(&PlacesPage {
        frame: Frame::new(&console, "", None),
        places: places.iter().map(link).collect(),
    }))
}

/// The frame of a page about this account and region.
pub(super) fn frame(console: &Console, section: &'static str, at: &At) -> Frame {
    Frame::new(console, section, Some((&at.place.account, &at.place.region)))
}

#[derive(Template)]
#[template(path = "console/sources.html")]
struct ListPage {
    frame: Frame,
    account: String,
    region: String,
    rows: Vec<Row>,
    hcl: Hcl,
}

struct Row {
    link: String,
    name: Shown,
    state: String,
}

async fn list(
    State(console): State<Console>,
    signed: Signed,
    Path((account, region)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let at = console.at(&signed, &account, &region)?;
    let sources = at.place.sources().await?;
    let row = |source: crate::console::aws::Source| Row {
        link: links::with(&format!("{}/source", at.base), &[("name", &source.name)]),
        name: Shown::new(source.name),
        state: source.state,
    };
    Ok(html(&ListPage {
        frame: frame(&console, "sources", &at),
        hcl: console.hcl_of_place(&signed, &at.place, None).await?,
        rows: sources.into_iter().map(row).collect(),
        account,
        region,
    }))
}

/// The name of what a page is about.
#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) done: Option<String>,
}

#[derive(Template)]
#[template(path = "console/source.html")]
struct Page {
    frame: Frame,
    account: String,
    region: String,
    aws: String,
    bus: String,
    name: Shown,
    raw: String,
    state: String,
    arn: Shown,
    is_pending: bool,
    hcl: Hcl,
}

async fn open(
    State(console): State<Console>,
    signed: Signed,
    Path((account, region)): Path<(String, String)>,
    Query(named): Query<Named>,
) -> Result<Response, Failure> {
    let at = console.at(&signed, &account, &region)?;
    let source = at.place.source(&named.name).await?.ok_or(Failure::NoPage)?;
    let row = console.connection_of(&signed, &at.place, &named.name).await?;
    let hcl = match &row {
        Some(row) => {
            let (bus, _) = at.place.bus(&named.name).await?;
            console.hcl(&signed, row, bus).await?
        }
        None => Hcl::none(),
    };
    Ok(html(&Page {
        frame: frame(&console, "sources", &at).after(named.done.as_deref()),
        account,
        region,
        bus: links::with(&format!("{}/bus", at.base), &[("name", &named.name)]),
        aws: at.base,
        name: Shown::new(&named.name),
        is_pending: source.state == "PENDING",
        state: source.state,
        arn: Shown::new(source.arn),
        raw: source.name,
        hcl,
    }))
}

#[derive(Deserialize)]
struct AssociateForm {
    name: String,
}

async fn associate(
    State(console): State<Console>,
    signed: Signed,
    Path((account, region)): Path<(String, String)>,
    Fields(form): Fields<AssociateForm>,
) -> Result<Response, Failure> {
    let at = console.at(&signed, &account, &region)?;
    at.place.associate(&form.name).await?;
    let page = links::with(
        &format!("{}/source", at.base),
        &[("name", &form.name), ("done", "associated")],
    );
    Ok(Redirect::to(&page).into_response())
}
