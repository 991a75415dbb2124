//! `scalr_eventbridge_activation` and `scalr_eventbridge_delivery_check` where a custom event bus has the events.

use acceptance::block_on;
use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Result, ensure};
use aws_sdk_eventbridgev2::types::{
    EventSourceConfiguration, Filter, FilterConfiguration, FilterScope, PartnerEventsSourceConfiguration,
    SubscriberState,
};

use super::eventbridge_delivery_check::{ADDRESS, ALONE, TIMEOUT};
use super::eventbridge_event_source::{ACTIVATION, SOURCE};
use super::hcl::{self, CONNECTION, GROUP};
use super::verify;
use crate::runner::Case;

const AUDIT_LOGS: &str = r#"{"detail-type":["AuditLog"]}"#;

/// The whole chain, of which a case breaks one link.
struct Chain {
    workdir: Workdir,
    bus: String,
    source: String,
    subscriber: String,
    partner: String,
}

/// How a link is broken, and what the message must say: of LINKS that one and no other.
struct Break {
    link: &'static str,
    by: fn(&Chain) -> Result<()>,
    says: &'static [&'static str],
}

pub(crate) fn cases() -> Vec<Case> {
    let mut rows = vec![
        Case::new("activation::custom_bus", activation),
        Case::new("activation::revoked_source", revoked_source),
        Case::new("delivery_check::custom_bus", arrives),
        Case::new("custom_bus::move_from_classic", move_from_classic),
        Case::new("custom_bus::events_of_both_kinds", events_of_both_kinds),
    ];
    for link in BREAKS {
        rows.push(Case::new(
            format!("delivery_check::custom_bus::{}", link.link),
            move |tool| broken(tool, &link),
        ));
    }
    rows
}

fn chain(tool: &Tool) -> Result<Chain> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, SOURCE]))?;
    workdir.apply_counts(3, 0, 0)?;
    let bus = workdir.attribute("scalr_eventbridge_custom_bus.scalr", "arn")?;
    workdir.aws().make_group(GROUP, "events")?;
    let subscriber = workdir.aws().subscribe_group(&bus, "runs", GROUP, "events")?;
    workdir.config(&hcl::all(&[CONNECTION, SOURCE, ACTIVATION]))?;
    let applied = workdir.apply_counts(1, 0, 0)?;
    verify::without_warnings(&applied)?;
    let chain = Chain {
        bus,
        source: workdir.attribute("scalr_eventbridge_event_source.prod", "arn")?,
        subscriber,
        partner: workdir.attribute("scalr_eventbridge_connection.prod", "event_source_name")?,
        workdir,
    };
    let state = chain.workdir.state_file();
    std::fs::rename(state, chain.workdir.path().join("chain.json"))?;
    Ok(chain)
}

/// Scalr's events are on the bus before anybody reads them.
fn activation(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, SOURCE, ACTIVATION]))?;
    let applied = workdir.apply_counts(4, 0, 0)?;
    let flat = applied.flat();
    for part in [
        "No subscriber has the events of the connection `prod`",
        "POINT_IN_TIME",
    ] {
        ensure!(flat.contains(part), "no `{part}`:\n{}", applied.text);
    }
    ensure!(workdir.attribute("scalr_eventbridge_activation.prod", "status")? == "active");
    workdir.plan_empty()?;
    Ok(())
}

/// The owner of the bus takes it from the event source. Scalr sees none of that.
fn revoked_source(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, SOURCE]))?;
    workdir.apply_counts(3, 0, 0)?;
    let source = workdir.attribute("scalr_eventbridge_event_source.prod", "arn")?;
    let revoke = workdir.aws().custom.revoke_resource().arn(&source);
    block_on(revoke.send())?;
    let planned = workdir.plan_empty()?;
    ensure!(
        planned.flat().contains("The event source `prod` is revoked"),
        "{}",
        planned.text
    );
    workdir.config(&hcl::all(&[CONNECTION, SOURCE, ACTIVATION]))?;
    let applied = workdir.apply_counts(1, 0, 0)?;
    let flat = applied.flat();
    for part in [
        "The events of the connection `prod` reach no custom event bus",
        "The event source `prod` in AWS account 123456789012",
        "is revoked",
    ] {
        ensure!(flat.contains(part), "no `{part}`:\n{}", applied.text);
    }
    workdir.succeed(&[
        "apply",
        "-auto-approve",
        "-no-color",
        "-replace=scalr_eventbridge_event_source.prod",
    ])?;
    ensure!(workdir.attribute("scalr_eventbridge_event_source.prod", "state")? == "ACTIVE");
    workdir.plan_empty()?;
    Ok(())
}

fn arrives(tool: &Tool) -> Result<()> {
    let chain = chain(tool)?;
    let workdir = &chain.workdir;
    workdir.config(ALONE)?;
    workdir.apply_counts(1, 0, 0)?;
    let run = workdir.attribute(ADDRESS, "run_id")?;
    let messages = workdir.aws().messages(GROUP)?;
    let event = messages
        .iter()
        .find(|message| message["detail"]["event"]["run-id"] == run.as_str());
    let id = workdir.attribute(ADDRESS, "event_id")?;
    ensure!(
        event.is_some_and(|event| event["id"] == id.as_str()),
        "{id} of {run}: {messages:?}"
    );
    workdir.plan_empty()?;
    Ok(())
}

/// As the guide says it: what happens while the connection is paused is held, and arrives on the other side.
fn move_from_classic(tool: &Tool) -> Result<()> {
    let paused = hcl::more(CONNECTION, "enabled = false");
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[
        CONNECTION,
        hcl::BUS,
        hcl::RULE,
        hcl::TARGET,
        hcl::ACTIVATION,
    ]))?;
    workdir.apply_counts(5, 0, 0)?;
    workdir.config(&hcl::all(&[&paused, hcl::BUS, hcl::RULE, hcl::TARGET]))?;
    workdir.apply_counts(0, 1, 1)?;
    verify::start_run(&workdir)?;
    workdir.config(&hcl::all(&[&paused, SOURCE]))?;
    workdir.plan_shows(&["A Classic event bus has the events of"])?;
    workdir.apply_counts(2, 0, 3)?;
    let bus = workdir.attribute("scalr_eventbridge_custom_bus.scalr", "arn")?;
    workdir.aws().make_group("/moved", "events")?;
    workdir.aws().subscribe_group(&bus, "runs", "/moved", "events")?;
    workdir.config(&hcl::all(&[CONNECTION, SOURCE, ACTIVATION]))?;
    workdir.apply_counts(1, 1, 0)?;
    verify::arrives(&workdir, "/moved", "RunExecuted")?;
    workdir.plan_empty()?;
    Ok(())
}

/// One account has both kinds, each with a connection of its own: both get the run, and what is destroyed of one is not of the other.
fn events_of_both_kinds(tool: &Tool) -> Result<()> {
    const BESIDE: &str = r#"
resource "scalr_eventbridge_connection" "eu" {
  name           = "eu"
  aws_account_id = "123456789012"
  region         = "eu-west-1"
}
resource "scalr_eventbridge_custom_bus" "eu" {
  name   = "scalr"
  region = scalr_eventbridge_connection.eu.region
}
resource "scalr_eventbridge_event_source" "eu" {
  name                     = "eu"
  event_bus_arn            = scalr_eventbridge_custom_bus.eu.arn
  partner_event_source_arn = scalr_eventbridge_connection.eu.event_source_arn
}
resource "scalr_eventbridge_subscriber" "eu" {
  name          = "runs"
  event_bus_arn = scalr_eventbridge_event_source.eu.event_bus_arn
  role          = { create = true }
  log_group     = { name = "/scalr/runs", create = true, delete_on_destroy = true }
}
resource "scalr_eventbridge_activation" "eu" {
  connection_id = scalr_eventbridge_connection.eu.id
  depends_on    = [scalr_eventbridge_subscriber.eu]
}
"#;
    let activation = hcl::with(
        hcl::ACTIVATION,
        "scalr_eventbridge_bus.scalr",
        "scalr_eventbridge_target.logs",
    );
    let classic = hcl::all(&[CONNECTION, hcl::BUS, hcl::RULE, hcl::TARGET, &activation]);
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[&classic, BESIDE]))?;
    verify::without_warnings(&workdir.apply_counts(10, 0, 0)?)?;
    workdir.plan_empty()?;
    let there = workdir.companion.aws_in("eu-west-1");
    let of_run = |region: &str| -> Result<usize> {
        let messages = workdir.companion.aws_in(region).messages(GROUP)?;
        let runs = messages.iter().filter(|event| event["region"] == region);
        Ok(runs.count())
    };
    let arrive = |region: &str, count: usize| {
        verify::until(&format!("{count} runs in {region}"), || {
            Ok((of_run(region)? == count).then_some(()))
        })
    };
    verify::start_run(&workdir)?;
    arrive("us-east-1", 1)?;
    arrive("eu-west-1", 1)?;
    // AWS's own Classic bus for the event source is the only one there.
    ensure!(there.buses()?.len() == 1 && there.custom_buses()?.len() == 1);
    ensure!(workdir.aws().buses()?.len() == 1 && workdir.aws().custom_buses()?.is_empty());

    workdir.config(&classic)?;
    workdir.apply_counts(0, 0, 5)?;
    ensure!(there.buses()?.is_empty() && there.custom_buses()?.is_empty() && there.groups()?.is_empty());
    ensure!(workdir.aws().roles()?.is_empty());
    verify::start_run(&workdir)?;
    arrive("us-east-1", 2)?;
    workdir.destroy()?;
    verify::nothing_left(&workdir, "us-east-1", &[GROUP])
}

fn broken(tool: &Tool, link: &Break) -> Result<()> {
    let chain = chain(tool)?;
    (link.by)(&chain)?;
    chain.workdir.config(&hcl::more(ALONE, TIMEOUT))?;
    let ended = chain.workdir.apply_fails(link.says)?;
    let flat = ended.flat();
    for other in LINKS.iter().filter(|other| !link.says.contains(other)) {
        ensure!(
            !flat.contains(other),
            "the message also says `{other}`:\n{}",
            ended.text
        );
    }
    Ok(())
}

/// What each message opens with; a message may hold one of these only.
const LINKS: [&str; 8] = [
    "The subscriber is gone",
    "No subscriber leads to the log group",
    "The subscriber is stopped",
    "The filters do not match",
    "The log stream is gone",
    "The pattern of the event source does not match",
    "The event source is revoked",
    "The managed event bus is gone",
];

fn delete_subscriber(chain: &Chain) -> Result<()> {
    let custom = &chain.workdir.aws().custom;
    block_on(
        custom
            .delete_subscriber()
            .subscriber_arn(&chain.subscriber)
            .send(),
    )?;
    Ok(())
}

const BREAKS: [Break; 8] = [
    Break {
        link: "subscriber_gone",
        by: delete_subscriber,
        says: &["The subscriber is gone", "`scalr`"],
    },
    Break {
        link: "subscriber_of_another_group",
        by: |chain| {
            delete_subscriber(chain)?;
            let aws = chain.workdir.aws();
            aws.make_group("/other", "events")?;
            aws.subscribe_group(&chain.bus, "other", "/other", "events")?;
            Ok(())
        },
        says: &["No subscriber leads to the log group", "`other`", GROUP],
    },
    Break {
        link: "subscriber_stopped",
        by: |chain| {
            let update = chain.workdir.aws().custom.update_subscriber();
            let update = update.subscriber_arn(&chain.subscriber);
            block_on(update.state(SubscriberState::Stopped).send())?;
            Ok(())
        },
        says: &["The subscriber is stopped", "`runs`", "enabled = true"],
    },
    Break {
        link: "filters",
        by: |chain| {
            let filter = Filter::builder().scope(FilterScope::Data).pattern(AUDIT_LOGS);
            let filters = FilterConfiguration::builder().filters(filter.build()?).build();
            let update = chain.workdir.aws().custom.update_subscriber();
            let update = update.subscriber_arn(&chain.subscriber);
            block_on(update.filter_configuration(filters).send())?;
            Ok(())
        },
        says: &["The filters do not match", "`runs`", "detail-type"],
    },
    Break {
        link: "stream_gone",
        by: |chain| {
            let delete = chain.workdir.aws().logs.delete_log_stream();
            let delete = delete.log_group_name(GROUP).log_stream_name("events");
            block_on(delete.send())?;
            Ok(())
        },
        says: &["The log stream is gone", "create-log-stream"],
    },
    Break {
        link: "source_pattern",
        by: |chain| {
            let partner = PartnerEventsSourceConfiguration::builder()
                .partner_event_source_arn(format!(
                    "arn:aws:events:us-east-1::event-source/{}",
                    chain.partner
                ))
                .pattern(AUDIT_LOGS)
                .build()?;
            let update = chain.workdir.aws().custom.update_event_source();
            let update = update.event_source_arn(&chain.source);
            let update = update.configuration(EventSourceConfiguration::PartnerEventsConfiguration(partner));
            block_on(update.send())?;
            Ok(())
        },
        says: &[
            "The pattern of the event source does not match",
            "`prod`",
            "detail-type",
        ],
    },
    Break {
        link: "source_revoked",
        by: |chain| {
            let revoke = chain.workdir.aws().custom.revoke_resource();
            block_on(revoke.arn(&chain.source).send())?;
            Ok(())
        },
        says: &["The event source is revoked", "`prod`", "-replace"],
    },
    Break {
        link: "managed_bus_gone",
        by: |chain| {
            // With its managed rule, which cannot be deleted by itself.
            let events = &chain.workdir.aws().events;
            block_on(events.delete_event_bus().name(&chain.partner).send())?;
            Ok(())
        },
        says: &[
            "The managed event bus is gone",
            "`prod`",
            "scalr_eventbridge_event_source",
        ],
    },
];
