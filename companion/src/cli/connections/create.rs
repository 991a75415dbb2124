//! `connections create`: what can be checked here is checked before the call, and a refusal comes with what to type next.

use clap::builder::ValueParser;
use scalr_api::{Client, ClientError, Connection, ConnectionInput, ErrorObject, Object, Refusal, Status};

use super::super::exit::Failure;
use super::super::remote::Remote;
use super::super::show::{self, Form};
use super::super::{event_source, given, out};
use super::shown::print;

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// Name of the connection; also the last part of the event source's name.
    #[arg(value_parser = ValueParser::new(given::connection_name))]
    name: String,
    /// The AWS account that receives the events: 12 digits.
    #[arg(long, value_name = "ID", value_parser = ValueParser::new(given::account))]
    aws_account_id: String,
    /// The AWS region that receives the events.
    #[arg(long, value_name = "REGION")]
    region: String,
    /// Take a region that this version does not know, such as one that AWS has added since.
    #[arg(long)]
    any_region: bool,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    remote: Remote,
}

pub(in crate::cli) async fn main(args: &Args) -> anyhow::Result<()> {
    given::known_region(&args.region, args.any_region)?;
    let client = args.remote.client()?;
    let mut namesakes = client.connections(Some(&args.name)).await?;
    namesakes.retain(|one| one.attributes.name == args.name);
    let input = ConnectionInput {
        name: Some(args.name.clone()),
        aws_account_id: Some(args.aws_account_id.clone()),
        region: Some(args.region.clone()),
        status: None,
    };
    let made = match client.create_connection(input).await {
        Ok(made) => made,
        Err(error) => return Err(refused(&client, args, error).await),
    };
    print(&args.form, &made)?;
    if made.attributes.status == Status::Failed {
        return Err(failed(&made).into());
    }
    if let Some(other) = namesakes.first() {
        out::complain(&format!(
            "warning: {} named `{}` already, such as `{}` in {}: commands take its id, `{}`, and not its name",
            if namesakes.len() == 1 {
                "another connection is"
            } else {
                "other connections are"
            },
            show::escaped(&args.name),
            other.id,
            other.attributes.region,
            made.id
        ));
    }
    if let Some(source) = &made.attributes.event_source
        && made.attributes.status == Status::Pending
    {
        out::hint(&after_create(args, source, made.id.as_str()));
    }
    Ok(())
}

/// That a connection was made and cannot stream.
fn failed(made: &Object<Connection>) -> Failure {
    let why = made
        .attributes
        .err_message
        .as_deref()
        .unwrap_or("the answer does not say why");
    Failure::FoundWrong {
        what: format!(
            "the connection {} ({}) was created, and has failed: {}",
            show::escaped(&made.attributes.name),
            made.id,
            show::escaped(why)
        ),
        next: format!(
            "scalr-eventbridge connections delete {}   # then the same command with what it names changed",
            show::quoted(made.id.as_str())
        ),
    }
}

/// What to type once a connection is made. Others may have its name, so it is named by its id.
fn after_create(args: &Args, source: &str, id: &str) -> String {
    if !crate::event_bus::is_of_partner(source) {
        return format!(
            "have the service look whether its event bus is there:\n  scalr-eventbridge connections refresh {}",
            show::quoted(id)
        );
    }
    format!(
        "associate its event source with a bus, with credentials of AWS account {}, then refresh it:\n  {}\n  scalr-eventbridge connections refresh {}",
        args.aws_account_id,
        event_source::create_bus(&args.region, source),
        show::quoted(id)
    )
}

/// A refusal with what to do about it; any other failure as it is.
async fn refused(client: &Client, args: &Args, error: ClientError) -> anyhow::Error {
    let ClientError::Refused(refusal) = &error else {
        return error.into();
    };
    let next = match refusal.status {
        409 => after_conflict(in_the_way(client, args).await.as_ref()),
        422 => after_invalid(refusal),
        _ => return error.into(),
    };
    anyhow::Error::new(error).context(Failure::WithNext {
        what: format!("the connection `{}` was not created", args.name),
        next,
    })
}

/// The connection that has the place or the name; none where it is not seen.
async fn in_the_way(client: &Client, args: &Args) -> Option<Object<Connection>> {
    let all = client.connections(None).await.ok()?;
    let in_region = all.into_iter().filter(|one| one.attributes.region == args.region);
    let mut same = in_region.filter(|one| {
        one.attributes.aws_account_id == args.aws_account_id || one.attributes.name == args.name
    });
    same.next()
}

fn after_conflict(there: Option<&Object<Connection>>) -> String {
    let or = "or the same command with another NAME, `--region` or `--aws-account-id`";
    match there {
        Some(there) => format!(
            "`scalr-eventbridge connections show {}` shows the one that is there; use it, {or}",
            show::quoted(there.id.as_str())
        ),
        None => format!("`scalr-eventbridge connections list` shows those that are there; use one, {or}"),
    }
}

fn after_invalid(refusal: &Refusal) -> String {
    let pointer = refusal.errors.iter().find_map(ErrorObject::pointer);
    let option = match pointer.and_then(|pointer| pointer.strip_prefix("/data/attributes/")) {
        Some("name") => "NAME",
        Some("aws-account-id") => "`--aws-account-id`",
        Some("region") => "`--region`",
        _ => {
            return "`scalr-eventbridge connections list` shows those that are there; `connections delete` makes room, \
                    and `connections create --help` has an example"
                .to_owned();
        }
    };
    format!("the same command with another {option}")
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command, FromArgMatches as _};

    use super::*;

    #[test]
    fn an_option_is_named_by_what_the_refusal_points_at() {
        for (pointer, want) in [
            (Some("/data/attributes/name"), "another NAME"),
            (
                Some("/data/attributes/aws-account-id"),
                "another `--aws-account-id`",
            ),
            (Some("/data/attributes/region"), "another `--region`"),
            (Some("/data"), "connections delete"),
            (None, "connections delete"),
        ] {
            let error = ErrorObject::new(422, "Invalid input", "no");
            let error = match pointer {
                Some(pointer) => error.at(pointer),
                None => error,
            };
            let next = after_invalid(&Refusal {
                request: String::new(),
                host: String::new(),
                status: 422,
                errors: vec![error],
                retry_after: None,
            });
            assert!(next.contains(want), "{pointer:?}: {next}");
        }
    }

    #[test]
    fn what_to_type_after_a_connection_was_made_is_quoted() {
        let line = [
            "x",
            "prod",
            "--aws-account-id",
            "111111111111",
            "--region",
            "us-east-1",
        ];
        let args = Args::from_arg_matches(&Args::augment_args(Command::new("x")).get_matches_from(line));
        let args = args.unwrap();
        let text = after_create(&args, "aws.partner/scalr.com/a b/prod", "it's; in-1");
        assert!(
            text.contains("with credentials of AWS account 111111111111,"),
            "{text}"
        );
        let commands: Vec<&str> = text.lines().skip(1).map(str::trim).collect();
        let want = [
            "aws events create-event-bus --region us-east-1 --name 'aws.partner/scalr.com/a b/prod' --event-source-name \
             'aws.partner/scalr.com/a b/prod'",
            r"scalr-eventbridge connections refresh 'it'\''s; in-1'",
        ];
        assert_eq!(commands, want);
        // Of an event bus of the service's own there is nothing to associate.
        let text = after_create(&args, "scalr.com/a b/prod", "it's; in-1");
        let commands: Vec<&str> = text.lines().skip(1).map(str::trim).collect();
        assert_eq!(commands, want[1..]);
    }
}
