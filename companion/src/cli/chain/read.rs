//! Reading both sides of every connection. What AWS does not show is no failure: the chain says that it is hidden.

use std::collections::BTreeSet;

use aws_config::SdkConfig;
use futures::{StreamExt as _, TryStreamExt as _};
use scalr_api::{Client, Object};

use super::super::aws::{self, Origin};
use super::super::exit;
use super::super::remote::is_no_route;
use super::follow::{self, AT_ONCE, Readers};
use super::seen::{Aws, Chain, Hidden, Rule, Seen, Target};
use crate::event_bus::is_of_partner;
use crate::export::{Aws as Reader, CustomBuses, Owner, log_group_name};

/// How AWS is reached.
pub(in crate::cli) struct Settings<'a> {
    pub(in crate::cli) endpoint: Option<&'a str>,
    pub(in crate::cli) scalr_only: bool,
}

/// What was read.
pub(in crate::cli) struct Report {
    /// The connection that receives the audit log.
    pub(in crate::cli) audit_log: Option<String>,
    pub(in crate::cli) regions: Vec<Region>,
    pub(in crate::cli) connections: Vec<Connection>,
}

/// AWS in a region.
pub(in crate::cli) struct Region {
    pub(in crate::cli) name: String,
    /// The account of the credentials there, or why that is not known.
    pub(in crate::cli) account: Result<String, String>,
    origin: Origin,
    readers: Result<Readers, Hidden>,
}

/// A connection.
pub(in crate::cli) struct Connection {
    pub(in crate::cli) object: Object<scalr_api::Connection>,
    pub(in crate::cli) figures: Option<Figures>,
    pub(in crate::cli) chain: Chain,
}

/// What the server tells of its delivery.
#[derive(Clone, Copy)]
pub(in crate::cli) struct Figures {
    pub(in crate::cli) held: i64,
    pub(in crate::cli) unconfirmed: i64,
    pub(in crate::cli) failed: i64,
    pub(in crate::cli) dropped: i64,
}

/// Reads all that is there.
pub(in crate::cli) async fn report(client: &Client, settings: &Settings<'_>) -> anyhow::Result<Report> {
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
            let hidden = if exit::is_setting(&error) {
                Hidden::Settings
            } else {
                Hidden::Unanswered
            };
            let region = |name| Region {
                name,
                account: Err(why.clone()),
                origin: Origin::Profile,
                readers: Err(hidden.clone()),
            };
            return names.into_iter().map(region).collect();
        }
    };
    futures::stream::iter(names)
        .map(|name| region(&config, name))
        .buffered(AT_ONCE)
        .collect()
        .await
}

/// AWS in this region.
pub(in crate::cli) async fn region(config: &SdkConfig, name: String) -> Region {
    let readers = Readers {
        aws: Reader::new(config, &name),
        custom: CustomBuses::new(config, &name),
    };
    let account = readers.aws.account().await.map_err(|error| format!("{error:#}"));
    Region {
        name,
        account,
        origin: Origin::of(config),
        readers: Ok(readers),
    }
}

/// A connection with what is at AWS, where its region is among these.
pub(in crate::cli) async fn connection(
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
        Some(source) if !is_of_partner(source) => Seen::OwnBus,
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
        failed: figures.as_ref().map_or(0, |figures| figures.failed),
    };
    let figures = figures.map(|figures| Figures {
        held: figures.held,
        unconfirmed: figures.unconfirmed,
        failed: figures.failed,
        dropped: figures.dropped.total(),
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
    match (&region.account, &region.readers) {
        (_, Err(hidden)) => Seen::Hidden(hidden.clone()),
        (Err(why), Ok(_)) => Seen::Hidden(Hidden::Failed(why.clone())),
        (Ok(account), _) if *account != wire.aws_account_id => Seen::Hidden(Hidden::Account {
            connection: wire.aws_account_id.clone(),
            credentials: account.clone(),
            origin: region.origin,
        }),
        (Ok(_), Ok(readers)) => match read(readers, source).await {
            Ok(aws) => Seen::Visible(aws),
            Err(error) => Seen::Hidden(Hidden::Failed(format!("{error:#}"))),
        },
    }
}

async fn read(readers: &Readers, source: &str) -> anyhow::Result<Aws> {
    let reader = &readers.aws;
    let mut aws = Aws {
        source: reader.source_state(source).await?,
        managed_by: None,
        rules: None,
        custom_event_bus: None,
    };
    let Some(owner) = reader.bus_owner(source).await? else {
        if aws.source.as_deref() == Some("ACTIVE") {
            aws.custom_event_bus = follow::without_bus(readers, source).await;
        }
        return Ok(aws);
    };
    if let Owner::Service(service) = owner {
        aws.managed_by = Some(service);
    }
    // On a managed bus, the rules that matter are those that AWS manages.
    let held = reader.rules(source, aws.managed_by.is_some()).await?;
    let rules = futures::stream::iter(held).map(|held| rule(reader, source, held));
    aws.rules = Some(rules.buffered(AT_ONCE).try_collect().await?);
    if aws.managed_by.is_some() {
        aws.custom_event_bus = Some(follow::behind(readers, source, aws.feeds()).await);
    }
    Ok(aws)
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
