//! "Show as Terraform": what is on a page, as HCL that imports it, or, of what is not there yet, as HCL that creates it.

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use scalr_api::Status;

use super::answer::Failure;
use super::aws::Place;
use super::draft::Draft;
use super::making::RETENTION_DAYS;
use super::reads::Signed;
use super::state::Console;
use super::{grant, links};
use crate::export::{self, Account, AuditLogSetting, Bus, LogGroup, Rule, Target};
use crate::store::Connection;

/// The part of a page.
#[derive(Default, Template)]
#[template(path = "console/terraform.html")]
pub(super) struct Hcl {
    text: String,
    note: &'static str,
}

const IMPORTS: &str =
    "Paste it into a folder of its own: the plan imports what is there and changes nothing.";
const CREATES: &str = "An apply of this creates the same as this form. Nothing is there yet.";
const NONE: &str = "There is nothing here that the provider manages.";

impl Hcl {
    /// Nothing that the provider has a resource for.
    pub(super) fn none() -> Self {
        Self {
            text: format!("# {NONE}\n"),
            note: NONE,
        }
    }

    /// The text alone.
    pub(super) fn plain(self) -> Response {
        self.text.into_response()
    }

    /// Connections alone.
    pub(super) fn of_connections(rows: &[Connection]) -> Self {
        if rows.is_empty() {
            return Self::none();
        }
        Self::imports(&Account {
            connections: rows.iter().map(connection).collect(),
            ..Account::default()
        })
    }

    fn imports(account: &Account) -> Self {
        Self {
            text: export::text(account, true),
            note: IMPORTS,
        }
    }

    /// A connection that is not there yet.
    pub(super) fn of_new_connection(name: &str, aws_account_id: &str, region: &str) -> Self {
        let connection = export::Connection {
            id: "new".to_owned(),
            name: name.to_owned(),
            aws_account_id: aws_account_id.to_owned(),
            region: region.to_owned(),
            enabled: true,
            settled: false,
            source: None,
        };
        let account = Account {
            connections: vec![connection],
            ..Account::default()
        };
        Self {
            text: export::resources(&account, |_| true),
            note: CREATES,
        }
    }

    /// A rule that is not there yet.
    pub(super) fn of_draft(row: &Connection, draft: &Draft, group_is_there: bool) -> Self {
        let bus = row.source.name.as_str();
        let target = Target {
            id: grant::target_id(bus, &draft.name, &draft.group),
            arn: grant::log_group_arn(&row.source.region, &row.source.aws_account_id, &draft.group),
            log_group: Some(LogGroup {
                name: draft.group.clone(),
                create: !group_is_there,
                retention_in_days: (!group_is_there).then_some(RETENTION_DAYS.into()),
                kms_key_id: None,
            }),
            ..Target::default()
        };
        let rule = Rule {
            name: draft.name.clone(),
            description: Some(draft.description.clone()).filter(|text| !text.is_empty()),
            event_pattern: draft.pattern.clone(),
            enabled: true,
            role_arn: None,
            tags: draft.tags().unwrap_or_default(),
            targets: vec![target],
        };
        let account = Account {
            connections: vec![connection(row)],
            buses: vec![Bus {
                name: bus.to_owned(),
                aws_account_id: row.source.aws_account_id.clone(),
                region: row.source.region.clone(),
                rules: vec![rule],
                ..Bus::default()
            }],
            ..Account::default()
        };
        let is_new = |kind: &str| matches!(kind, "scalr_eventbridge_rule" | "scalr_eventbridge_target");
        Self {
            text: export::resources(&account, is_new),
            note: CREATES,
        }
    }
}

impl Console {
    /// A connection with what its events pass at AWS, where that can be seen; without a bus that AWS manages for a custom one.
    pub(super) async fn hcl(
        &self,
        signed: &Signed,
        row: &Connection,
        bus: Option<Bus>,
    ) -> Result<Hcl, Failure> {
        let account_id = &signed.caller.account_id;
        let selected = self.app().store.audit_connection(account_id).await?;
        let audit_logs = selected
            .filter(|selected| *selected == row.id)
            .map(|id| AuditLogSetting {
                account_id: account_id.to_string(),
                connection_id: id.to_string(),
            });
        // `export` has what is in its place.
        let place = self.place(&row.source.aws_account_id, &row.source.region);
        let is_managed = match (place, &bus) {
            (Some(place), Some(bus)) => place.feed(&bus.name).await?.is_some(),
            _ => false,
        };
        let bus = bus.filter(|_| !is_managed);
        Ok(Hcl::imports(&Account {
            connections: vec![connection(row)],
            audit_logs: audit_logs.into_iter().collect(),
            buses: bus.into_iter().collect(),
            ..Account::default()
        }))
    }

    /// The connection to an account and region, of which there is one at most, with its bus; of that the rules alone that lead
    /// to this log group, where one is named.
    pub(super) async fn hcl_of_place(
        &self,
        signed: &Signed,
        place: &Place,
        group: Option<&str>,
    ) -> Result<Hcl, Failure> {
        let all = self.connections(signed).await?;
        let is_here = |one: &&Connection| {
            one.source.aws_account_id == place.account && one.source.region == place.region
        };
        let Some(row) = all.iter().find(is_here) else {
            return Ok(Hcl::none());
        };
        let (mut bus, _) = place.bus(&row.source.name).await?;
        if let (Some(bus), Some(group)) = (&mut bus, group) {
            bus.rules
                .retain(|rule| rule.targets.iter().any(|target| leads_to(target, group)));
        }
        self.hcl(signed, row, bus).await
    }

    /// A bus, or one rule of it, with the connection that it is of.
    pub(super) async fn hcl_of_bus(
        &self,
        signed: &Signed,
        place: &Place,
        mut bus: Bus,
        only: Option<&str>,
    ) -> Result<Hcl, Failure> {
        let Some(row) = self.connection_of(signed, place, &bus.name).await? else {
            return Ok(Hcl::none());
        };
        bus.rules.retain(|rule| only.is_none_or(|only| rule.name == only));
        self.hcl(signed, &row, Some(bus)).await
    }
}

fn leads_to(target: &Target, group: &str) -> bool {
    target.log_group.as_ref().is_some_and(|led| led.name == group)
}

fn connection(row: &Connection) -> export::Connection {
    export::Connection {
        id: row.id.to_string(),
        name: row.name.clone(),
        aws_account_id: row.source.aws_account_id.clone(),
        region: row.source.region.clone(),
        enabled: row.status != Status::Disabled,
        settled: matches!(row.status, Status::Active | Status::Disabled),
        source: row.source_made.then(|| row.source.name.clone()),
    }
}

/// The page of a log group.
pub(super) fn log_group_link(base: &str, name: &str) -> String {
    links::with(&format!("{base}/log-group"), &[("name", name)])
}
