//! AWS: Event buses, a bus with its rules, a rule with its targets.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::sources::{Named, frame};
use crate::console::answer::{Failure, Frame, NextStep, html};
use crate::console::reads::{At, Signed, next_step};
use crate::console::state::Console;
use crate::console::terraform::{Hcl, log_group_link};
use crate::console::text::Shown;
use crate::console::{chain, links};
use crate::export::{Rule, Target};
use crate::routes::Routes;

pub(super) fn routes() -> Routes<Console> {
    Routes::new()
        .get("/aws/{account}/{region}/buses", list)
        .get("/aws/{account}/{region}/bus", open)
        .get("/aws/{account}/{region}/rule", rule)
        .post(
            "/aws/{account}/{region}/rule/enable",
            |console, signed, place, which| switch(console, signed, place, which, Switch::Enable),
        )
        .post(
            "/aws/{account}/{region}/rule/disable",
            |console, signed, place, which| switch(console, signed, place, which, Switch::Disable),
        )
        .post("/aws/{account}/{region}/rule/delete", delete)
}

#[derive(Template)]
#[template(path = "console/buses.html")]
struct ListPage {
    frame: Frame,
    account: String,
    region: String,
    aws: String,
    rows: Vec<(String, Shown)>,
    has_scalrs: bool,
    hcl: Hcl,
}

/// The page of a bus.
pub(super) fn bus_link(base: &str, name: &str) -> String {
    links::with(&format!("{base}/bus"), &[("name", name)])
}

async fn list(
    State(console): State<Console>,
    signed: Signed,
    Path((account, region)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let at = console.at(&signed, &account, &region)?;
    let names = at.place.buses().await?;
    Ok(html(&ListPage {
        frame: frame(&console, "buses", &at),
        account,
        region,
        hcl: console.hcl_of_place(&signed, &at.place, None).await?,
        has_scalrs: names
            .iter()
            .any(|name| name.starts_with(scalr_events::SOURCE_PREFIX)),
        rows: names
            .iter()
            .map(|name| (bus_link(&at.base, name), Shown::new(name)))
            .collect(),
        aws: at.base,
    }))
}

#[derive(Template)]
#[template(path = "console/bus.html")]
struct BusPage {
    frame: Frame,
    account: String,
    region: String,
    aws: String,
    name: Shown,
    description: Shown,
    new_rule: String,
    rules: Vec<Row>,
    next: NextStep,
    left_out: Vec<Shown>,
    hcl: Hcl,
}

struct Row {
    link: String,
    name: Shown,
    state: &'static str,
    targets: usize,
}

const fn state(rule: &Rule) -> &'static str {
    if rule.enabled { "enabled" } else { "disabled" }
}

/// What is left to do for the connection that a bus is of.
async fn next(console: &Console, signed: &Signed, at: &At, bus: &str) -> Result<NextStep, Failure> {
    match console.connection_of(signed, &at.place, bus).await? {
        Some(row) => {
            let side = console.customer_side(&row).await?;
            Ok(next_step(&row, side.as_ref()))
        }
        None => Ok(NextStep::new(
            "no connection of this account sends to this bus; Scalr's events arrive on the bus of their event source.",
        )),
    }
}

async fn open(
    State(console): State<Console>,
    signed: Signed,
    Path((account, region)): Path<(String, String)>,
    Query(named): Query<Named>,
) -> Result<Response, Failure> {
    let at = console.at(&signed, &account, &region)?;
    let (bus, left_out) = at.place.bus(&named.name).await?;
    let bus = bus.ok_or(Failure::NoPage)?;
    let row = |rule: &Rule| Row {
        link: rule_link(&at.base, &bus.name, &rule.name),
        name: Shown::new(&rule.name),
        state: state(rule),
        targets: rule.targets.len(),
    };
    Ok(html(&BusPage {
        frame: frame(&console, "buses", &at).after(named.done.as_deref()),
        account,
        region,
        name: Shown::new(&bus.name),
        description: Shown::new(bus.description.as_deref().unwrap_or_default()),
        new_rule: links::with(&format!("{}/rules/new", at.base), &[("bus", &bus.name)]),
        rules: bus.rules.iter().map(row).collect(),
        next: next(&console, &signed, &at, &bus.name).await?,
        left_out,
        hcl: console.hcl_of_bus(&signed, &at.place, bus.clone(), None).await?,
        aws: at.base,
    }))
}

/// What a button of a rule's page leads to.
fn change_link(base: &str, change: &str, bus: &str, name: &str) -> String {
    links::with(&format!("{base}/rule/{change}"), &[("bus", bus), ("name", name)])
}

/// The page of a rule.
pub(super) fn rule_link(base: &str, bus: &str, name: &str) -> String {
    links::with(&format!("{base}/rule"), &[("bus", bus), ("name", name)])
}

#[derive(Template)]
#[template(path = "console/rule.html")]
struct RulePage {
    frame: Frame,
    account: String,
    region: String,
    aws: String,
    bus: Shown,
    bus_link: String,
    name: Shown,
    description: Shown,
    state: &'static str,
    /// Enable or disable, and delete.
    is_enabled: bool,
    switch: String,
    delete: String,
    pattern: Shown,
    misses: Vec<Shown>,
    targets: Vec<(Shown, Option<String>)>,
    tags: Vec<(Shown, Shown)>,
    next: NextStep,
    hcl: Hcl,
}

#[derive(Deserialize)]
struct Which {
    bus: String,
    name: String,
    done: Option<String>,
}

async fn rule(
    State(console): State<Console>,
    signed: Signed,
    Path((account, region)): Path<(String, String)>,
    Query(which): Query<Which>,
) -> Result<Response, Failure> {
    let at = console.at(&signed, &account, &region)?;
    let (bus, _) = at.place.bus(&which.bus).await?;
    let bus = bus.ok_or(Failure::NoPage)?;
    let rule = bus.rules.iter().find(|rule| rule.name == which.name);
    let rule = rule.ok_or(Failure::NoPage)?;
    let target = |target: &Target| match &target.log_group {
        Some(group) => (
            Shown::new(&group.name),
            Some(log_group_link(&at.base, &group.name)),
        ),
        None => (Shown::new(&target.arn), None),
    };
    let tags = rule.tags.iter();
    Ok(html(&RulePage {
        frame: frame(&console, "buses", &at).after(which.done.as_deref()),
        account,
        region,
        bus: Shown::new(&bus.name),
        bus_link: bus_link(&at.base, &bus.name),
        name: Shown::new(&rule.name),
        description: Shown::new(rule.description.as_deref().unwrap_or_default()),
        state: state(rule),
        is_enabled: rule.enabled,
        switch: change_link(
            &at.base,
            if rule.enabled { "disable" } else { "enable" },
            &bus.name,
            &rule.name,
        ),
        delete: change_link(&at.base, "delete", &bus.name, &rule.name),
        pattern: Shown::lines(&rule.event_pattern),
        misses: chain::misses(&rule.event_pattern)
            .iter()
            .map(Shown::new)
            .collect(),
        targets: rule.targets.iter().map(target).collect(),
        tags: tags
            .map(|(key, value)| (Shown::new(key), Shown::new(value)))
            .collect(),
        next: next(&console, &signed, &at, &bus.name).await?,
        hcl: console
            .hcl_of_bus(&signed, &at.place, bus.clone(), Some(&which.name))
            .await?,
        aws: at.base,
    }))
}

/// The place of a rule that is there.
async fn place_of_rule(
    console: &Console,
    signed: &Signed,
    (account, region): (String, String),
    which: &Which,
) -> Result<At, Failure> {
    let at = console.at(signed, &account, &region)?;
    let is_there = at.place.has_rule(&which.bus, &which.name).await?;
    is_there.then_some(at).ok_or(Failure::NoPage)
}

/// What is done with a rule that stays.
#[derive(Clone, Copy)]
enum Switch {
    Enable,
    Disable,
}

async fn switch(
    State(console): State<Console>,
    signed: Signed,
    Path(place): Path<(String, String)>,
    Query(which): Query<Which>,
    to: Switch,
) -> Result<Response, Failure> {
    let at = place_of_rule(&console, &signed, place, &which).await?;
    let done = match to {
        Switch::Enable => {
            at.place.enable_rule(&which.bus, &which.name).await?;
            "enabled"
        }
        Switch::Disable => {
            at.place.disable_rule(&which.bus, &which.name).await?;
            "disabled"
        }
    };
    // On to the rule's page.
    let link = rule_link(&at.base, &which.bus, &which.name);
    Ok(Redirect::to(&format!("{link}&done={done}")).into_response())
}

async fn delete(
    State(console): State<Console>,
    signed: Signed,
    Path(place): Path<(String, String)>,
    Query(which): Query<Which>,
) -> Result<Response, Failure> {
    let at = place_of_rule(&console, &signed, place, &which).await?;
    at.place.delete_rule(&which.bus, &which.name).await?;
    let link = bus_link(&at.base, &which.bus);
    Ok(Redirect::to(&format!("{link}&done=rule-deleted")).into_response())
}
