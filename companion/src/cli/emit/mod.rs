//! `emit`: sends an event as if it had just happened: the sample, with fields replaced.

mod fate;
mod own;

use std::process::ExitCode;

use anyhow::Context as _;
use scalr_api::{Client, ClientError, Emit, Emitted};
use scalr_events::{EventType, sample_with};
use serde_json::{Value, json};

use self::own::{Field, OwnObjects};
use super::aws::Endpoint;
use super::exit::Failure;
use super::remote::{Remote, companion_only, is_refused_with};
use super::show::Form;
use super::{exit, fields, out};
use crate::{clock, ids};

#[derive(clap::Subcommand)]
pub(super) enum What {
    /// What is sent when a run has ended: to every connection.
    #[command(
        after_help = "Examples:\n  scalr-eventbridge emit run-executed --set result=errored\n  \
                            scalr-eventbridge emit run-executed --print\n\n\
                            It ends with 4 where the event is held, was dropped, or reached no target."
    )]
    RunExecuted(Args),
    /// What is sent when somebody changed something: to the connection that the audit-log setting selects.
    #[command(
        after_help = "Examples:\n  scalr-eventbridge emit audit-log --set action=delete-workspace\n\n\
                            It ends with 4 where the event is held, was dropped, or reached no target."
    )]
    AuditLog(Args),
}

#[derive(clap::Args)]
pub(super) struct Args {
    /// A field of the event by its filter's name or path, such as `result=errored`; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Print the event (in the envelope of the sample: AWS makes the real one), and send nothing.
    #[arg(long)]
    print: bool,
    /// The workspace that the event is about, by name or id; without it, the account's first.
    #[arg(long, value_name = "WORKSPACE")]
    workspace: Option<String>,
    /// Do not wait to see what becomes of the event.
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    endpoint: Endpoint,
    #[command(flatten)]
    remote: Remote,
}

pub(super) async fn main(what: What) -> anyhow::Result<ExitCode> {
    let (event_type, args) = match what {
        What::RunExecuted(args) => (EventType::RunExecuted, args),
        What::AuditLog(args) => (EventType::AuditLog, args),
    };
    if args.print {
        let event = build(event_type, &[], &args.set)?;
        out::json(&event)?;
        return Ok(ExitCode::SUCCESS);
    }
    let client = args.remote.client()?;
    // Before the event: one that cannot be followed is not sent.
    let local = if args.no_wait {
        None
    } else {
        fate::local_aws(&args.endpoint)
            .await
            .context("no event was sent")?
    };
    let own = OwnObjects::read(&client, args.workspace.as_deref()).await?;
    let own = own.map_or_else(Vec::new, |own| own.fields(event_type));
    let mut event = build(event_type, &own, &args.set)?;
    let detail_type = event_type.as_str().to_owned();
    let detail = event["detail"].take();
    let accepted = client.emit(&Emit { detail_type, detail }).await;
    let accepted = accepted_by_companion(&client, event_type, accepted)?;
    if args.no_wait {
        let ids: Vec<String> = accepted.connections.iter().map(ToString::to_string).collect();
        out::line(&format!("{} accepted for {}", accepted.event_id, ids.join(", ")))?;
        return Ok(ExitCode::SUCCESS);
    }
    let fates = fate::follow(&client, local.as_ref(), &accepted).await?;
    fate::print(&args.form, &fates)?;
    Ok(exit::found(fates.iter().all(fate::Fate::is_right)))
}

/// What was accepted, or why nothing was, with what to do.
fn accepted_by_companion(
    client: &Client,
    event_type: EventType,
    accepted: Result<Emitted, ClientError>,
) -> anyhow::Result<Emitted> {
    let error = match accepted {
        Err(error) if is_refused_with(&error, "no-trial-events") => {
            return Err(Failure::Unsupported {
                host: format!("`{}`", client.host()),
                what: "it is a service, and `emit` is for trials with `scalr-eventbridge dev`; no event was sent",
                instead: "`POST /events/v1/run-executed` and `/events/v1/audit-logs`, with a token that has the scope `intake`; `emit --print` \
                          prints an event, whose `detail` is a body for them",
            }
            .into());
        }
        Err(ClientError::Refused(refusal)) if refusal.status == 409 => refusal,
        accepted => {
            return companion_only(
                client,
                accepted,
                "an event of one's own making is accepted by `scalr-eventbridge dev` only",
                "`run WORKSPACE` and `run WORKSPACE --dry`, which cause real events; `emit --print`, which needs no server",
            );
        }
    };
    let next = match event_type {
        EventType::RunExecuted => {
            "`scalr-eventbridge connections create --help` says how a connection is made"
        }
        EventType::AuditLog => "scalr-eventbridge audit-log set CONNECTION",
    };
    Err(anyhow::Error::new(error).context(Failure::WithNext {
        what: "no event was sent".to_owned(),
        next: next.to_owned(),
    }))
}

/// The sample with a new id and time (consumers recognise duplicates by the id), about the account's own objects, and with the fields
/// that are set.
fn build(event_type: EventType, own: &[Field], pairs: &[String]) -> anyhow::Result<Value> {
    let new = match event_type {
        EventType::RunExecuted => vec![("run_id", json!(ids::new_text("run")))],
        EventType::AuditLog => vec![
            ("request_id", json!(ids::request())),
            ("timestamp", json!(clock::micros_without_zone(clock::wall_ms()))),
        ],
    };
    let set = fields::of_detail(event_type, pairs)?;
    let set = set.iter().map(|(name, value)| (*name, value));
    let before = new.iter().chain(own).map(|(name, value)| (*name, value));
    Ok(sample_with(event_type, before.chain(set))?)
}

#[cfg(test)]
mod tests {
    use scalr_events::sample;

    use super::*;

    #[test]
    fn the_event_is_new_and_has_what_is_set() {
        let made = |pairs: &[&str]| {
            let pairs: Vec<_> = pairs.iter().map(|pair| (*pair).to_owned()).collect();
            build(EventType::RunExecuted, &[], &pairs).unwrap()
        };
        let id = |event: &Value| event["detail"]["event"]["run-id"].clone();
        assert_ne!(id(&made(&[])), id(&made(&[])));
        let mine = made(&["run_id=run-7", "workspace=web"]);
        assert_eq!(id(&mine), "run-7");
        assert!(
            mine["detail"]["title"].as_str().unwrap().contains("'web'"),
            "{mine}"
        );
        let log = build(EventType::AuditLog, &[], &["action=delete-run".to_owned()]).unwrap();
        assert_eq!(log["detail"]["tags"][0], "scalr-action:delete-run");
        assert_ne!(
            log["detail"]["request"]["id"],
            sample(EventType::AuditLog)["detail"]["request"]["id"]
        );
    }
}
