//! `emit`: sends an event as if it had just happened: the sample, with fields replaced.

mod fate;
mod own;

use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use scalr_api::{Emit, RunStatus};
use scalr_events::catalogue::{self, Kind};
use scalr_events::{EventType, nearest, sample};
use serde::Deserialize as _;
use serde_json::{Value, json};

use self::own::OwnObjects;
use super::aws::Place;
use super::remote::{Remote, companion_only};
use super::show::Form;
use super::{exit, out};
use crate::{clock, ids, runs};

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
    place: Place,
    #[command(flatten)]
    remote: Remote,
}

pub(super) async fn main(what: What) -> anyhow::Result<ExitCode> {
    let (event_type, args) = match what {
        What::RunExecuted(args) => (EventType::RunExecuted, args),
        What::AuditLog(args) => (EventType::AuditLog, args),
    };
    let mut event = sample(event_type);
    if args.print {
        event["detail"] = build(event_type, event["detail"].take(), &args.set)?;
        out::line(&serde_json::to_string_pretty(&event)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let client = args.remote.client()?;
    let own = OwnObjects::read(&client, args.workspace.as_deref()).await?;
    let detail = own.put_into(event_type, event["detail"].take());
    let detail_type = event_type.as_str().to_owned();
    let detail = build(event_type, detail, &args.set)?;
    let accepted = client.emit(&Emit { detail_type, detail }).await;
    let accepted = companion_only(
        &client,
        accepted,
        "an event of one's own making is accepted by `scalr-eventbridge dev` only",
        "`run WORKSPACE` and `run WORKSPACE --dry`, which cause real events; `emit --print`, which needs no server",
    )?;
    if args.no_wait {
        let ids: Vec<String> = accepted.connections.iter().map(ToString::to_string).collect();
        out::line(&format!("{} accepted for {}", accepted.event_id, ids.join(", ")))?;
        return Ok(ExitCode::SUCCESS);
    }
    let fates = fate::follow(&client, &args.place, &accepted).await?;
    fate::print(&args.form, &fates)?;
    Ok(exit::found(fates.iter().all(fate::Fate::is_right)))
}

/// The sample's detail with a new id and time (consumers recognise duplicates by the id), with the fields that are set, and
/// with the title, tags and event type that follow from them.
fn build(event_type: EventType, mut detail: Value, pairs: &[String]) -> anyhow::Result<Value> {
    match event_type {
        EventType::RunExecuted => detail["event"]["run-id"] = json!(ids::new_text("run")),
        EventType::AuditLog => {
            detail["request"]["id"] = json!(ids::request());
            detail["timestamp"] = json!(clock::micros_without_zone(clock::wall_ms()));
        }
    }
    for pair in pairs {
        set(event_type, &mut detail, pair)?;
    }
    derive(&mut detail);
    // Again: a title or tags that are set explicitly win.
    for pair in pairs {
        set(event_type, &mut detail, pair)?;
    }
    Ok(detail)
}

/// Prefixes of tags, and where in the detail the value of each is.
const TAGS: [(&str, &[&str]); 6] = [
    ("scalr-action:", &["/request/action"]),
    ("scalr-user-email:", &["/actor/email"]),
    ("scalr-environment:", &["/target/context/environment/id"]),
    (
        "scalr-environment-name:",
        &["/event/environment", "/target/context/environment/display-name"],
    ),
    ("scalr-workspace:", &["/target/context/workspace/id"]),
    (
        "scalr-workspace-name:",
        &["/event/workspace", "/target/context/workspace/display-name"],
    ),
];

/// Derives the title, the tags and the event type from the other fields.
fn derive(detail: &mut Value) {
    let text = |pointer: &str| detail.pointer(pointer).and_then(Value::as_str);
    let tag = |tag: &str| {
        let (start, pointers) = TAGS.iter().find(|(start, _)| tag.starts_with(start))?;
        let value = pointers.iter().find_map(|pointer| text(pointer))?;
        Some(format!("{start}{value}"))
    };
    let tags = detail["tags"].as_array().into_iter().flatten();
    let tags: Vec<_> = tags
        .map(|old| {
            old.as_str()
                .and_then(tag)
                .map_or_else(|| old.clone(), Value::from)
        })
        .collect();
    let title = text("/event/run-id").map(|id| {
        let of = |pointer| text(pointer).unwrap_or_default();
        runs::title(id, of("/event/workspace"), of("/event/environment"))
    });
    let result = detail.pointer("/event/result").map(RunStatus::deserialize);
    detail["tags"] = json!(tags);
    if let Some(Ok(result)) = result {
        detail["event_type"] = json!(runs::event_type(&result));
    }
    if let Some(title) = title {
        detail["title"] = json!(title);
    }
}

/// Sets one field from `key=value`.
fn set(event_type: EventType, detail: &mut Value, pair: &str) -> anyhow::Result<()> {
    let (key, text) = pair
        .split_once('=')
        .with_context(|| format!("`--set {pair}`: write KEY=VALUE"))?;
    let field = catalogue::find(event_type, key).filter(|field| field.path.starts_with("detail."));
    let field = field.ok_or_else(|| unknown(event_type, key))?;
    let value = match field.kind {
        Kind::String if text == "null" => Value::Null,
        Kind::String => json!(text),
        Kind::Bool => json!(
            text.parse::<bool>()
                .map_err(|_| anyhow!("`{key}` is `true` or `false`"))?
        ),
        Kind::Number => serde_json::from_str(text)
            .ok()
            .filter(Value::is_number)
            .with_context(|| format!("`{key}` is a number"))?,
        Kind::Strings => json!(
            text.split(',')
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
        ),
    };
    let pointer = field.path.trim_start_matches("detail").replace('.', "/");
    *detail
        .pointer_mut(&pointer)
        .with_context(|| format!("the sample lacks `{}`", field.path))? = value;
    Ok(())
}

fn unknown(event_type: EventType, key: &str) -> anyhow::Error {
    let known = catalogue::fields(event_type).filter(|field| field.path.starts_with("detail."));
    let known: Vec<&'static str> = known.map(|field| field.filter).collect();
    match nearest(key, known.iter().copied()) {
        Some(near) => anyhow!("a `{event_type}` has no field `{key}`; did you mean `{near}`?"),
        None => anyhow!(
            "a `{event_type}` has no field `{key}`; its fields are {}",
            known.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(event_type: EventType, pair: &str, pointer: &str, want: Result<Value, &str>) {
        let mut detail = sample(event_type)["detail"].take();
        match (set(event_type, &mut detail, pair), want) {
            (Ok(()), Ok(want)) => assert_eq!(detail.pointer(pointer), Some(&want), "{pair}"),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (have, want) => panic!("{pair}: {have:?}, not {want:?}"),
        }
    }

    #[test]
    fn title_and_tags_are_derived_from_what_is_set() {
        let check = |event_type, pairs: &[&str], parts: &[&str]| {
            let pairs: Vec<_> = pairs.iter().map(|pair| (*pair).to_owned()).collect();
            let detail = build(event_type, sample(event_type)["detail"].take(), &pairs).unwrap();
            let derived = format!("{} {} {}", detail["title"], detail["tags"], detail["event_type"]);
            for part in parts {
                assert!(derived.contains(part), "{part} is not in {derived}");
            }
        };
        let run = ["run_id=run-7", "workspace=web", "environment=prod"];
        let want = [
            "workspace 'web' (prod). Run ID: run-7.",
            "scalr-workspace-name:web",
            "scalr-environment-name:prod",
            "scalr-environment:env-1234567890",
        ];
        check(EventType::RunExecuted, &run, &want);
        check(
            EventType::RunExecuted,
            &["title=mine", "tags=a,b"],
            &["\"mine\" [\"a\",\"b\"]"],
        );
        check(EventType::RunExecuted, &["result=errored"], &["] \"error\""]);
        check(
            EventType::AuditLog,
            &["action=delete-run"],
            &["scalr-action:delete-run"],
        );
    }

    #[test]
    fn fields_are_set_by_name() {
        use EventType::{AuditLog, RunExecuted};
        check(
            RunExecuted,
            "result=errored",
            "/event/result",
            Ok(json!("errored")),
        );
        check(RunExecuted, "is-dry=true", "/event/is-dry", Ok(json!(true)));
        check(
            RunExecuted,
            "detail.event.workspace=a=b",
            "/event/workspace",
            Ok(json!("a=b")),
        );
        check(RunExecuted, "tags=a,b", "/tags", Ok(json!(["a", "b"])));
        check(
            AuditLog,
            "status_code=422",
            "/outcome/status-code",
            Ok(json!(422)),
        );
        check(
            AuditLog,
            "token_id=null",
            "/actor/access-token/id",
            Ok(Value::Null),
        );
        check(
            RunExecuted,
            "is_dry=maybe",
            "",
            Err("`is_dry` is `true` or `false`"),
        );
        check(RunExecuted, "workspce=x", "", Err("did you mean `workspace`?"));
        check(RunExecuted, "region=x", "", Err("has no field `region`"));
        check(RunExecuted, "result", "", Err("write KEY=VALUE"));
    }
}
