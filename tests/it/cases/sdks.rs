//! Custom event buses by AWS's own SDKs, which know the service by its model alone: from a partner's event source over a bus and
//! a subscriber to a queue, with waiters and typed refusals. Each once, with no tool of Terraform's.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use acceptance::block_on;
use acceptance::companion::Companion;
use acceptance::group::Group;
use acceptance::paths;
use acceptance::tools::{Tool, boto3};
use anyhow::{Context, Result, ensure};
use aws_sdk_eventbridge::types::PutPartnerEventsRequestEntry;
use aws_sdk_eventbridgev2::client::Waiters;
use aws_sdk_eventbridgev2::types::{
    EventSourceConfiguration, InvokeConfiguration, PartnerEventsSourceConfiguration, PutEventsRequestEntry,
    SqsParameters, SuccessCode,
};

use acceptance::aws::Aws;

use super::verify;
use crate::runner::Case;

const SOURCE: &str = "aws.partner/example.com/sdk/one";
const WITHIN: Duration = Duration::from_mins(1);

pub(crate) fn cases(tools: &[Tool]) -> Vec<(Tool, Arc<Case>)> {
    let mut cases = vec![Case::new("sdks::rust", |_| rust())];
    if boto3().is_some() {
        cases.push(Case::new("sdks::python", |_| python()));
    }
    let tools = tools.iter().cycle().cloned();
    tools.zip(cases.into_iter().map(Arc::new)).collect()
}

fn python() -> Result<()> {
    let companion = Companion::start()?;
    let mut command = Command::new(boto3().context("boto3 was there before")?);
    command
        .arg(paths::root().join("tests/boto3/custom_bus.py"))
        .args([companion.line.partner_account(), companion.line.aws_account()])
        .env_clear()
        .env("AWS_ENDPOINT_URL", companion.line.endpoint())
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    let ended = Group::start(command)?.wait(WITHIN)?;
    ensure!(ended.code() == 0, "{}", ended.text);
    Ok(())
}

fn rust() -> Result<()> {
    let companion = Companion::start()?;
    let (aws, line) = (companion.aws(), &companion.line);
    let partner = Aws::new(line.endpoint(), line.partner_account(), line.region());
    let offer = partner.events.create_partner_event_source().name(SOURCE);
    let offered = block_on(offer.account(line.aws_account()).send())?;
    let offered = offered.event_source_arn().context("no ARN")?;
    aws.make_queue("runs", false)?;
    let bus = bus(&aws)?;
    let subscriber = subscribe(&aws, &bus, line.aws_account(), line.region())?;
    let source = source(&aws, &bus, offered)?;
    events(&aws, &partner, &bus)?;

    let delete = aws.custom.delete_event_bus().event_bus_arn(&bus);
    let refused = block_on(delete.clone().send());
    let refused = refused.err().context("a bus with subscribers was deleted")?;
    ensure!(
        refused.into_service_error().is_resource_in_use_exception(),
        "the refusal has a type"
    );
    block_on(aws.custom.delete_event_source().event_source_arn(source).send())?;
    // The bus makes or deletes one subscriber at a time, for a second each; that this one was made may be as short a time ago.
    let unsubscribe = aws.custom.delete_subscriber().subscriber_arn(subscriber);
    verify::until("the deletion of the subscriber", || {
        match block_on(unsubscribe.clone().send()) {
            Ok(_) => Ok(Some(())),
            Err(error) => match error.into_service_error() {
                error if error.is_concurrent_modification_exception() => Ok(None),
                error => Err(error.into()),
            },
        }
    })?;
    block_on(delete.send())?;
    let gone = aws.custom.wait_until_event_bus_deleted().event_bus_arn(&bus);
    block_on(gone.wait(WITHIN))?;
    Ok(())
}

/// A bus that is ACTIVE; before, it takes no events.
fn bus(aws: &Aws) -> Result<String> {
    let made = block_on(aws.custom.create_event_bus().name("rust").send())?;
    let bus = made.event_bus_arn().context("no ARN")?.to_owned();
    let entry = PutEventsRequestEntry::builder()
        .source("s")
        .detail_type("t")
        .build()?;
    let early = aws.custom.put_events().event_bus_arn(&bus).entries(entry);
    let early = block_on(early.send()).err().context("a new bus took an event")?;
    ensure!(
        early.into_service_error().is_invalid_state_exception(),
        "the refusal has a type"
    );
    let active = aws.custom.wait_until_event_bus_active().event_bus_arn(&bus);
    block_on(active.wait(WITHIN))?;
    let twice = block_on(aws.custom.create_event_bus().name("rust").send());
    let twice = twice
        .err()
        .context("a second bus of the name")?
        .into_service_error();
    ensure!(
        twice.is_resource_already_exists_exception(),
        "the refusal has a type: {twice:?}"
    );
    let other = bus.replace("/rust/", "/other/");
    let missing = block_on(aws.custom.describe_event_bus().event_bus_arn(other).send());
    let missing = missing.err().context("another bus")?.into_service_error();
    ensure!(
        missing.is_resource_not_found_exception(),
        "the refusal has a type: {missing:?}"
    );
    Ok(bus)
}

fn subscribe(aws: &Aws, bus: &str, account: &str, region: &str) -> Result<String> {
    let invoke = InvokeConfiguration::builder()
        .target_arn(format!("arn:aws:sqs:{region}:{account}:runs"))
        .role_arn(format!("arn:aws:iam::{account}:role/deliver"))
        .sqs_parameters(SqsParameters::builder().build())
        .build()?;
    let subscriber = aws.custom.create_subscriber().name("rust").event_bus_arn(bus);
    let made = block_on(subscriber.invoke_configuration(invoke).send())?;
    Ok(made.subscriber_arn().context("no ARN")?.to_owned())
}

fn source(aws: &Aws, bus: &str, offered: &str) -> Result<String> {
    let partner = PartnerEventsSourceConfiguration::builder().partner_event_source_arn(offered);
    let configuration = EventSourceConfiguration::PartnerEventsConfiguration(partner.build()?);
    let source = aws.custom.create_event_source().name("rust").event_bus_arn(bus);
    let made = block_on(source.configuration(configuration).send())?;
    Ok(made.event_source_arn().context("no ARN")?.to_owned())
}

/// One event of the partner and one of the customer arrive in the queue.
fn events(aws: &Aws, partner: &Aws, bus: &str) -> Result<()> {
    let entry = PutPartnerEventsRequestEntry::builder()
        .source(SOURCE)
        .detail_type("RunExecuted")
        .detail(r#"{"event":{"run-id":"run-1"}}"#);
    let put = block_on(partner.events.put_partner_events().entries(entry.build()).send())?;
    ensure!(put.failed_entry_count() == 0, "{put:?}");
    let entry = PutEventsRequestEntry::builder()
        .source("rust")
        .detail_type("RunExecuted");
    let entry = entry.detail(r#"{"event":{"run-id":"run-2"}}"#).build()?;
    let put = block_on(aws.custom.put_events().event_bus_arn(bus).entries(entry).send())?;
    let code = put.entries().first().and_then(|entry| entry.success_code());
    ensure!(code == Some(&SuccessCode::Published), "{put:?}");
    let mut bodies = String::new();
    verify::until("both events in the queue", || {
        for message in aws.receive("runs")? {
            bodies.push_str(message.body().unwrap_or_default());
        }
        let both = ["run-1", "run-2"].iter().all(|id| bodies.contains(id));
        Ok(both.then_some(()))
    })
}
