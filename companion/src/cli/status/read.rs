//! Reading both sides of every connection. What AWS does not show is no failure: the chain says that it is hidden.

use std::collections::BTreeSet;

use futures::{StreamExt as _, TryStreamExt as _};
use scalr_api::{Client, Object};

use super::super::aws;
use super::super::connections;
use super::super::remote::is_no_route;
use super::chain::{Aws, Chain, Hidden, Rule, Seen, Target};
use crate::export::{Aws as Reader, log_group_name};

/// Connections, and rules of one, that are read at the same time.
const AT_ONCE: usize = 8;

/// How AWS is reached.
pub(super) struct Settings<'a> {
    pub(super) endpoint: Option<&'a str>,
    pub(super) scalr_only: bool,
}

/// What was read.
pub(super) struct Report {
    /// The connection that receives the audit log.
    pub(super) audit_log: Option<String>,
    pub(super) regions: Vec<Region>,
    pub(super) connections: Vec<Connection>,
}

/// AWS in a region, and the account of the credentials there, or why it cannot be asked.
pub(super) struct Region {
    pub(super) name: String,
    pub(super) account: Result<String, String>,
    reader: Option<Reader>,
}

/// A connection.
pub(super) struct Connection {
    pub(super) object: Object<scalr_api::Connection>,
    pub(super) figures: Option<Figures>,
    pub(super) chain: Chain,
}

/// What the server tells of its delivery.
#[derive(Clone, Copy)]
pub(super) struct Figures {
    pub(super) held: i64,
    pub(super) dropped: i64,
}

/// Reads all that is there.
pub(super) async fn report(client: &Client, settings: &Settings<'_>) -> anyhow::Result<Report> {
    let mut listed = client.connections(None).await?;
    listed.sort_by(|a, b| (&a.attributes.name, &a.id).cmp(&(&b.attributes.name, &b.id)));
    let audit_log = audit_log(client, &listed).await?;
    let names: BTreeSet<String> = listed.iter().map(|one| one.attributes.region.clone()).collect();
    let regions = regions(settings, names).await;
    let all = futures::stream::iter(listed)
        .map(|object| connection(client, &regions, object))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(Report {
        audit_log,
        regions,
        connections: all,
    })
}

/// The connection that the audit-log setting selects. Scalr's own API does not tell.
async fn audit_log(
    client: &Client,
    listed: &[Object<scalr_api::Connection>],
) -> anyhow::Result<Option<String>> {
    let Some(owner) = listed.iter().find_map(|one| one.relationships.account.id()) else {
        return Ok(None);
    };
    let setting = match client.audit_log_setting(owner).await {
        Err(error) if is_no_route(&error) => None,
        setting => setting?,
    };
    let selected = setting.filter(|setting| setting.attributes.enabled);
    Ok(selected.and_then(|setting| setting.relationships.integration.id().map(ToString::to_string)))
}

async fn regions(settings: &Settings<'_>, names: BTreeSet<String>) -> Vec<Region> {
    if settings.scalr_only || names.is_empty() {
        return Vec::new();
    }
    let config = match aws::config("status", None, settings.endpoint).await {
        Ok(config) => config,
        Err(error) => {
            let why = format!("{error:#}");
            let region = |name| Region {
                name,
                account: Err(why.clone()),
                reader: None,
            };
            return names.into_iter().map(region).collect();
        }
    };
    let region = async |name: String| {
        let reader = Reader::new(&config, &name);
        let account = reader.account().await.map_err(|error| format!("{error:#}"));
        Region {
            name,
            account,
            reader: Some(reader),
        }
    };
    futures::stream::iter(names)
        .map(region)
        .buffered(AT_ONCE)
        .collect()
        .await
}

async fn connection(
    client: &Client,
    regions: &[Region],
    object: Object<scalr_api::Connection>,
) -> anyhow::Result<Connection> {
    let wire = object.attributes.clone();
    let figures = match client.delivery(&object.id).await {
        Err(error) if is_no_route(&error) => None,
        figures => Some(figures?),
    };
    let aws = match &wire.event_source {
        None => Seen::Hidden(Hidden::NoSource),
        Some(source) => aws_side(regions, &wire, source).await,
    };
    let chain = Chain {
        name: wire.name,
        id: object.id.to_string(),
        region: wire.region,
        status: wire.status,
        error: wire.err_message,
        source: wire.event_source,
        aws,
        last_error: figures.as_ref().and_then(|figures| figures.last_error.clone()),
    };
    let figures = figures.map(|figures| Figures {
        held: figures.held,
        dropped: connections::dropped(&figures),
    });
    Ok(Connection {
        object,
        figures,
        chain,
    })
}

async fn aws_side(regions: &[Region], wire: &scalr_api::ConnectionAttributes, source: &str) -> Seen {
    let Some(region) = regions.iter().find(|region| region.name == wire.region) else {
        return Seen::Hidden(Hidden::LeftOut);
    };
    match (&region.account, &region.reader) {
        (_, None) => Seen::Hidden(Hidden::Settings),
        (Err(why), Some(_)) => Seen::Hidden(Hidden::Failed(why.clone())),
        (Ok(account), _) if *account != wire.aws_account_id => Seen::Hidden(Hidden::Account {
            connection: wire.aws_account_id.clone(),
            credentials: account.clone(),
        }),
        (Ok(_), Some(reader)) => match read(reader, source).await {
            Ok(aws) => Seen::Visible(aws),
            Err(error) => Seen::Hidden(Hidden::Failed(format!("{error:#}"))),
        },
    }
}

async fn read(reader: &Reader, source: &str) -> anyhow::Result<Aws> {
    let state = reader.source_state(source).await?;
    let rules = if reader.has_bus(source).await? {
        let held = reader.rules(source).await?;
        let rules = futures::stream::iter(held).map(|held| rule(reader, source, held));
        Some(rules.buffered(AT_ONCE).try_collect().await?)
    } else {
        None
    };
    Ok(Aws { source: state, rules })
}

async fn rule(reader: &Reader, bus: &str, held: aws_sdk_eventbridge::types::Rule) -> anyhow::Result<Rule> {
    let name = held.name().unwrap_or_default().to_owned();
    let mut targets = Vec::new();
    for target in reader.targets(bus, &name).await? {
        let missing_log_group = match log_group_name(target.arn()) {
            Some(group) if reader.held_group(group).await?.is_none() => Some(group.to_owned()),
            _ => None,
        };
        targets.push(Target {
            id: target.id().to_owned(),
            arn: target.arn().to_owned(),
            missing_log_group,
        });
    }
    Ok(Rule {
        name,
        enabled: held.state() != Some(&aws_sdk_eventbridge::types::RuleState::Disabled),
        targets,
    })
}
