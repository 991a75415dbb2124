//! `emit`: sends an event as if it had just happened: the sample, with fields replaced.

use anyhow::{Context as _, bail, ensure};
use scalr_api::{ErrorDocument, ErrorObject};
use scalr_events::{EventType, sample_with};
use serde_json::{Value, json};

use super::remote::Remote;
use super::{fields, out};
use crate::api::{Emit, Emitted};
use crate::{clock, ids};

/// The largest answer that is read: ids of at most 1,000 connections.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

#[derive(clap::Subcommand)]
pub(super) enum What {
    /// What is sent when a run has ended: to every connection.
    RunExecuted(Args),
    /// What is sent when somebody changed something: to the connection that the audit-log setting selects.
    AuditLog(Args),
}

// Only sending needs the companion's address and token.
#[derive(clap::Args)]
#[command(mut_arg("hostname", |arg| arg.required(false)), mut_arg("token", |arg| arg.required(false)))]
pub(super) struct Args {
    /// A field of the event by its filter's name or path, such as `result=errored`; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Print the event (in the envelope of the sample: AWS makes the real one), and send nothing.
    #[arg(long)]
    print: bool,
    #[command(flatten)]
    remote: Option<Remote>,
}

pub(super) async fn main(what: What) -> anyhow::Result<()> {
    let (event_type, args) = match what {
        What::RunExecuted(args) => (EventType::RunExecuted, args),
        What::AuditLog(args) => (EventType::AuditLog, args),
    };
    let mut event = build(event_type, &args.set)?;
    if args.print {
        return Ok(out::line(&serde_json::to_string_pretty(&event)?)?);
    }
    let emit = Emit {
        detail_type: event_type.as_str().to_owned(),
        detail: event["detail"].take(),
    };
    let remote = args
        .remote
        .context("name the companion: set SCALR_HOSTNAME and SCALR_TOKEN as `dev` prints them")?;
    let sent = send(&remote, &emit).await?;
    Ok(out::line(&format!(
        "{} accepted for {}",
        sent.event_id,
        sent.connections.join(", ")
    ))?)
}

async fn send(remote: &Remote, emit: &Emit) -> anyhow::Result<Emitted> {
    let (call, host) = remote.post("/_companion/events")?;
    let mut answer = call.json(emit).send().await?;
    let status = answer.status();
    let mut body = vec![];
    while let Some(chunk) = answer.chunk().await? {
        ensure!(
            body.len() + chunk.len() <= ANSWER_BYTES_MAX,
            "{host} answered {status} with more than {ANSWER_BYTES_MAX} bytes"
        );
        body.extend_from_slice(&chunk);
    }
    if !status.is_success() {
        let errors = serde_json::from_slice::<ErrorDocument>(&body)
            .unwrap_or_default()
            .errors;
        let detail = errors.first().and_then(ErrorObject::message);
        bail!(
            "{host} answered {status}: {}",
            detail.unwrap_or("no reason given")
        );
    }
    let body: Value =
        serde_json::from_slice(&body).with_context(|| format!("{host} answered {status} without JSON"))?;
    Ok(serde_json::from_value(body)?)
}

/// The sample with a new id and time (consumers recognise duplicates by the id) and with the fields that are set.
fn build(event_type: EventType, pairs: &[String]) -> anyhow::Result<Value> {
    let new = match event_type {
        EventType::RunExecuted => vec![("run_id", json!(ids::new_text("run")))],
        EventType::AuditLog => vec![
            ("request_id", json!(ids::request())),
            ("timestamp", json!(clock::micros_without_zone(clock::wall_ms()))),
        ],
    };
    let set = fields::of_detail(event_type, pairs)?;
    let set = set.iter().map(|(name, value)| (*name, value));
    let new = new.iter().map(|(name, value)| (*name, value));
    Ok(sample_with(event_type, new.chain(set))?)
}

#[cfg(test)]
mod tests {
    use scalr_events::sample;

    use super::*;

    #[test]
    fn the_event_is_new_and_has_what_is_set() {
        let made = |pairs: &[&str]| {
            let pairs: Vec<_> = pairs.iter().map(|pair| (*pair).to_owned()).collect();
            build(EventType::RunExecuted, &pairs).unwrap()
        };
        let id = |event: &Value| event["detail"]["event"]["run-id"].clone();
        assert_ne!(id(&made(&[])), id(&made(&[])));
        let mine = made(&["run_id=run-7", "workspace=web"]);
        assert_eq!(id(&mine), "run-7");
        assert!(
            mine["detail"]["title"].as_str().unwrap().contains("'web'"),
            "{mine}"
        );
        let log = build(EventType::AuditLog, &["action=delete-run".to_owned()]).unwrap();
        assert_eq!(log["detail"]["tags"][0], "scalr-action:delete-run");
        assert_ne!(
            log["detail"]["request"]["id"],
            sample(EventType::AuditLog)["detail"]["request"]["id"]
        );
    }
}
