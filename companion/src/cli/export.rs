//! `export`: writes what is there, in Scalr and at AWS, as HCL with `import` blocks. It changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use aws_config::SdkConfig;
use scalr_api::{Client, Object, Status};
use tokio_util::sync::CancellationToken;

use super::remote::Remote;
use super::{out, progress};
use crate::export::{Account, AuditLogSetting, Aws, Connection, CustomBuses, text};

#[derive(clap::Args)]
#[command(after_help = "Examples:\n  scalr-eventbridge export --out scalr.tf\n  \
                        scalr-eventbridge export --scalr-only --no-terraform-block")]
pub(super) struct Args {
    /// Write into this file, which must not exist; without it, to stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Leave out the `terraform` block: for a folder whose configuration has one.
    #[arg(long)]
    no_terraform_block: bool,
    /// Export Scalr's side alone: connections, activations, audit-log settings. AWS is not asked.
    #[arg(long)]
    scalr_only: bool,
    /// AWS's address; without it, AWS itself. Credentials, region and profile come from AWS's own variables and files.
    #[arg(long, env = "AWS_ENDPOINT_URL", value_name = "URL")]
    aws_endpoint: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

pub(super) async fn main(args: Args, stop: CancellationToken) -> anyhow::Result<()> {
    if let Some(file) = args.out.as_deref().filter(|file| file.exists()) {
        bail!(exists(file));
    }
    let account = tokio::select! {
        // At any point: nothing is written before all is read.
        () = stop.cancelled() => bail!("interrupted; nothing was written"),
        account = progress::during("reading Scalr and AWS", Box::pin(read(&args))) => account?,
    };
    for line in &account.left_out {
        out::complain(&format!("warning: left out: {line}"));
    }
    let text = text(&account, !args.no_terraform_block);
    match &args.out {
        None => Ok(out::text(&text)?),
        Some(file) => write(file, &text),
    }
}

fn exists(file: &Path) -> String {
    let file = file.display();
    format!("`{file}` exists, and nothing was written: name another file, or remove that one")
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let opened = std::fs::File::create_new(file);
    let mut opened = match opened {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => bail!(exists(file)),
        opened => opened.with_context(|| format!("`{}` cannot be made", file.display()))?,
    };
    let written = opened.write_all(text.as_bytes()).and_then(|()| opened.sync_all());
    if written.is_err() {
        // Half a file would be taken for a whole one.
        let _ = std::fs::remove_file(file);
    }
    written.with_context(|| format!("`{}` cannot be written, and was removed", file.display()))
}

async fn read(args: &Args) -> anyhow::Result<Account> {
    let scalr = args.remote.client()?;
    let mut account = read_scalr(&scalr).await?;
    if !args.scalr_only {
        let config = super::aws::config("export", None, args.aws_endpoint.as_deref())
            .await
            .context(
                "AWS's side cannot be exported (`--scalr-only` leaves it out), and nothing was written",
            )?;
        read_aws(&config, &mut account).await.context(
            "AWS's side cannot be exported (`--scalr-only` leaves it out), and nothing was written",
        )?;
    }
    Ok(account)
}

async fn read_scalr(scalr: &Client) -> anyhow::Result<Account> {
    let mut listed = scalr
        .connections(None)
        .await
        .context("the connections cannot be listed, and nothing was written")?;
    listed.sort_by(|a, b| (&a.attributes.name, &a.id).cmp(&(&b.attributes.name, &b.id)));
    let owners: BTreeSet<_> = listed
        .iter()
        .filter_map(|one| one.relationships.account.id().cloned())
        .collect();
    let mut account = Account {
        connections: listed.into_iter().map(connection).collect(),
        ..Account::default()
    };
    for owner in owners {
        let setting = scalr.audit_log_setting(&owner).await;
        let setting =
            setting.with_context(|| format!("the audit-log setting of `{owner}` cannot be read"))?;
        let selected = setting.filter(|setting| setting.attributes.enabled);
        let selected = selected
            .as_ref()
            .and_then(|setting| setting.relationships.integration.id());
        account.audit_logs.extend(selected.map(|id| AuditLogSetting {
            account_id: owner.to_string(),
            connection_id: id.to_string(),
        }));
    }
    for connection in account.connections.iter().filter(|one| !one.settled) {
        account.left_out.push(format!(
            "The activation of the connection {} ({}), which is neither active nor paused.",
            connection.name, connection.id
        ));
    }
    Ok(account)
}

fn connection(object: Object<scalr_api::Connection>) -> Connection {
    let wire = object.attributes;
    Connection {
        id: object.id.to_string(),
        name: wire.name,
        aws_account_id: wire.aws_account_id,
        region: wire.region,
        enabled: wire.status != Status::Disabled,
        settled: matches!(wire.status, Status::Active | Status::Disabled),
        source: wire.event_source,
    }
}

async fn read_aws(config: &SdkConfig, account: &mut Account) -> anyhow::Result<()> {
    let regions = regions(config, account).await?;
    for connection in &account.connections {
        let (Some(source), Some(region)) = (&connection.source, regions.get(&connection.region)) else {
            continue;
        };
        let (aws, owner) = match region {
            Ok((aws, owner)) => (aws, owner),
            Err(error) => {
                account.left_out.push(format!(
                    "The bus of the connection {} ({}): {error:#}.",
                    connection.name, connection.id
                ));
                continue;
            }
        };
        if *owner != connection.aws_account_id {
            account.left_out.push(format!(
                "The bus of the connection {} ({}), which is in AWS account {}; the credentials are of {owner}.",
                connection.name, connection.id, connection.aws_account_id
            ));
            continue;
        }
        if let Some((service, custom)) = aws.managed_bus(source).await? {
            let custom_buses = CustomBuses::new(config, &connection.region);
            if let Some((bus, source)) = custom_buses.of(source, owner).await? {
                account.event_sources.push(source);
                if !account.custom_buses.contains(&bus) {
                    account.left_out.push(format!(
                        "The subscribers of the custom event bus {} in {}, which `aws eventsv2 list-subscribers` lists.",
                        bus.name, bus.region
                    ));
                    account.custom_buses.push(bus);
                }
                continue;
            }
            let feeds = custom.map_or("a custom event bus".to_owned(), |name| {
                format!("the custom event bus `{name}`")
            });
            account.left_out.push(format!(
                "The bus of the connection {} ({}), which {service} manages: it is there for {feeds}, and this account has no event source \
                 that leads there.",
                connection.name, connection.id
            ));
            continue;
        }
        let bus = aws.bus(source, owner, &mut account.left_out).await?;
        account.buses.extend(bus);
    }
    Ok(())
}

/// AWS in a region and the account of the credentials there, or why it cannot be asked.
type Region = anyhow::Result<(Aws, String)>;

/// The regions that buses are in. One that cannot be asked, such as one that the account has not enabled, is no reason to leave out
/// the others; it is an error where none can be asked.
async fn regions(config: &SdkConfig, account: &Account) -> anyhow::Result<BTreeMap<String, Region>> {
    let with_source = account.connections.iter().filter(|one| one.source.is_some());
    let names: BTreeSet<&String> = with_source.map(|one| &one.region).collect();
    let mut regions = BTreeMap::new();
    for name in names {
        let aws = Aws::new(config, name);
        let asked = aws.account().await.map(|owner| (aws, owner));
        regions.insert(name.clone(), asked);
    }
    if regions.values().any(Result::is_ok) {
        return Ok(regions);
    }
    match regions.into_values().find_map(Result::err) {
        Some(error) => Err(error),
        None => Ok(BTreeMap::new()),
    }
}

#[cfg(test)]
mod tests {
    use aws_config::BehaviorVersion;
    use aws_config::retry::RetryConfig;
    use aws_sdk_cloudwatchlogs::config::{Credentials, SharedCredentialsProvider};
    use axum::http::{HeaderMap, StatusCode};

    use super::*;
    use crate::export::tests::connection;

    /// An AWS that answers in one region, for its default bus alone.
    async fn aws_of(region: &'static str) -> SdkConfig {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answer = move |headers: HeaderMap, body: String| async move {
            let signed = headers["authorization"].to_str().unwrap();
            let code = if !signed.contains(&format!("/{region}/")) {
                "UnrecognizedClientException"
            } else if body.contains("\"default\"") {
                let arn = format!("arn:aws:events:{region}:123456789012:event-bus/default");
                return (StatusCode::OK, serde_json::json!({ "Arn": arn }).to_string());
            } else {
                "ResourceNotFoundException"
            };
            (
                StatusCode::BAD_REQUEST,
                serde_json::json!({ "__type": code }).to_string(),
            )
        };
        let app = axum::Router::new().fallback(answer);
        tokio::spawn(async { axum::serve(listener, app).await });
        let keys = Credentials::new("123456789012", "s3cret", None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(url)
            .retry_config(RetryConfig::disabled())
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .build()
    }

    #[tokio::test]
    async fn a_region_that_cannot_be_asked_is_left_out_unless_it_is_the_only_one() {
        let config = aws_of("us-east-1").await;
        let near = connection("in-1", "near");
        let far = Connection {
            region: "ap-east-1".to_owned(),
            ..connection("in-2", "far")
        };
        let no_source = Connection {
            source: None,
            region: "af-south-1".to_owned(),
            ..connection("in-3", "new")
        };
        for (connections, left_out) in [
            (vec![near.clone(), no_source.clone()], Some(0)),
            (vec![near.clone(), far.clone(), no_source.clone()], Some(1)),
            (vec![far, no_source.clone()], None),
            (vec![no_source], Some(0)),
        ] {
            let mut account = Account {
                connections,
                ..Account::default()
            };
            let read = read_aws(&config, &mut account).await;
            let lines = &account.left_out;
            assert_eq!(
                read.is_ok().then_some(lines.len()),
                left_out,
                "{read:?} {lines:?}"
            );
            let said = |line: &String| {
                line.starts_with("The bus of the connection far (in-2): ")
                    && line.contains("in ap-east-1")
                    && line.contains("UnrecognizedClientException")
            };
            assert!(lines.iter().all(said), "{lines:?}");
        }
    }

    #[test]
    fn a_file_that_is_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.tf");
        write(&file, "one").unwrap();
        let error = write(&file, "two").unwrap_err().to_string();
        assert!(error.ends_with("exists, and nothing was written: name another file, or remove that one"));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "one");
    }
}
