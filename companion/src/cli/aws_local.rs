//! `aws-local`: the local AWS alone.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{assumptions, given, loopback, out};

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum UnknownRoles {
    Allow,
    Deny,
}

impl From<UnknownRoles> for aws_local::UnknownRoles {
    fn from(given: UnknownRoles) -> Self {
        match given {
            UnknownRoles::Allow => Self::Allow,
            UnknownRoles::Deny => Self::Deny,
        }
    }
}

/// What a local AWS may reach and hold, by itself or in `dev`.
#[derive(clap::Args)]
pub(super) struct Limits {
    /// A host beyond loopback that API destinations may call; may be repeated.
    #[arg(long = "allow-host", value_name = "HOST")]
    pub(super) allow_hosts: Vec<String>,
    /// Post what a target that is not emulated would get to this URL; may be repeated.
    #[arg(long = "target", value_name = "ARN=URL", value_parser = target)]
    pub(super) targets: Vec<(String, String)>,
    /// What the role of a delivery allows that was never created here: everything, or nothing.
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = UnknownRoles::Allow)]
    pub(super) unknown_roles: UnknownRoles,
    #[command(flatten)]
    pub(super) assumptions: assumptions::Assumed,
    /// What all log events may take in memory, estimated; beyond that the oldest are dropped.
    #[arg(long, value_name = "BYTES", default_value_t = 256 * 1024 * 1024)]
    pub(super) log_bytes_max: u64,
}

#[derive(clap::Args)]
#[command(after_help = "Examples:
  scalr-eventbridge aws-local --listen 127.0.0.1:4566 --data-dir ./state")]
pub(super) struct Args {
    /// Where it listens; port 0 takes any free port.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0", value_parser = given::listen)]
    listen: SocketAddr,
    /// Keep state here, over restarts and crashes; without it, state ends with the process.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Print one line of JSON on stdout when it answers.
    #[arg(long)]
    json: bool,
    /// The account of callers whose access key id is not an account.
    #[arg(long, value_name = "ID", default_value = "123456789012", value_parser = clap::builder::ValueParser::new(given::account))]
    account: String,
    /// The region of requests that name none.
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    region: String,
    /// Take regions that this version does not know, such as one that AWS has added since: `--region`, and those of requests.
    #[arg(long)]
    any_region: bool,
    /// Listen on other addresses than loopback. No signature is checked: anybody who reaches it can do anything in it.
    #[arg(long)]
    allow_remote: bool,
    #[command(flatten)]
    limits: Limits,
    /// Largest total size of the entries of one PutEvents or PutPartnerEvents call.
    #[arg(long, value_name = "BYTES", default_value_t = 1024 * 1024)]
    max_put_bytes: usize,
}

fn target(text: &str) -> Result<(String, String), String> {
    let (arn, url) = text.split_once('=').ok_or_else(|| {
        "write ARN=URL, such as `arn:aws:lambda:us-east-1:123456789012:function:f=http://127.0.0.1:9000`"
            .to_owned()
    })?;
    if !arn.starts_with("arn:") {
        return Err(format!("`{arn}` is not an ARN"));
    }
    if !["http://", "https://"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
    {
        return Err(format!("`{url}` is not an http or https URL"));
    }
    Ok((arn.to_owned(), url.to_owned()))
}

pub(super) async fn main(args: Args, stop: CancellationToken) -> anyhow::Result<()> {
    loopback::or_allowed("--listen", args.listen, args.allow_remote)?;
    given::known_region(&args.region, args.any_region)?;
    given::data_dir(args.data_dir.as_deref())?;
    let (account, region) = (args.account.clone(), args.region.clone());
    let server = aws_local::Server::bind(aws_local::Config {
        listen: args.listen,
        data_dir: args.data_dir,
        account: args.account,
        region: args.region,
        check_region: given::region_check(args.any_region),
        allow_remote: args.allow_remote,
        allow_hosts: args.limits.allow_hosts,
        unknown_roles: args.limits.unknown_roles.into(),
        assumptions: args.limits.assumptions.all(),
        targets: args.limits.targets,
        max_put_bytes: args.max_put_bytes,
        log_bytes_max: args.limits.log_bytes_max,
    })
    .await?;
    let endpoint = format!("http://{}", server.local_addr());
    let text = |value: &str| json!(value).to_string();
    out::line(&if args.json {
        let (endpoint, account, region) = (text(&endpoint), text(&account), text(&region));
        format!("{{\"aws\":{{\"endpoint\":{endpoint},\"account_id\":{account},\"region\":{region}}}}}")
    } else {
        format!(
            "AWS   {endpoint}   account {account}, region {region}\n\n\
             export AWS_ENDPOINT_URL={endpoint}\n\
             export AWS_ACCESS_KEY_ID={account} AWS_SECRET_ACCESS_KEY=none AWS_REGION={region} AWS_DEFAULT_REGION={region}\n\n\
             Ctrl-C ends it."
        )
    })?;
    Ok(server.run(stop.cancelled_owned()).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_an_arn_and_a_url() {
        for (text, ok) in [
            ("arn:aws:lambda:r:1:function:f=http://127.0.0.1:1/x?a=b", true),
            ("arn:aws:lambda:r:1:function:f=https://h/x", true),
            ("arn:aws:lambda:r:1:function:f", false),
            ("f=http://h/x", false),
            ("arn:aws:lambda:r:1:function:f=h/x", false),
        ] {
            assert_eq!(target(text).is_ok(), ok, "{text}");
        }
    }
}
