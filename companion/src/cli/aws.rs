//! AWS as AWS's own tools find it: variables, profiles, metadata services; `AWS_CA_BUNDLE` for further certificates.

use aws_config::profile::ProfileFileRegionProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_eventbridge::config::{Credentials, ProvideCredentials as _, SharedHttpClient};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};

use super::exit::Failure;
use super::loopback::is_loopback;
use super::{answering, given, out, remote};
use crate::aws_wire::app_name;
use crate::error_chain;

/// The region of a local AWS where nothing names one.
const LOCAL_REGION: &str = "us-east-1";

/// The address of an AWS.
#[derive(clap::Args)]
#[command(next_help_heading = "AWS")]
pub(super) struct Endpoint {
    /// AWS's address; without it, AWS itself.
    #[arg(long, env = "AWS_ENDPOINT_URL", value_name = "URL")]
    aws_endpoint: Option<String>,
}

impl Endpoint {
    /// The address, if it is not AWS's own.
    pub(super) fn url(&self) -> anyhow::Result<Option<String>> {
        checked(self.aws_endpoint.as_deref())
    }

    /// Whether this is a local AWS.
    pub(super) fn is_local(&self) -> bool {
        self.aws_endpoint.as_deref().is_some_and(is_loopback)
    }
}

/// An AWS, and a region of it.
#[derive(clap::Args)]
#[command(next_help_heading = "AWS")]
pub(super) struct Place {
    #[command(flatten)]
    pub(super) endpoint: Endpoint,
    /// The AWS region; without it, the one that the profile has.
    #[arg(long, env = "AWS_REGION", value_name = "REGION")]
    region: Option<String>,
}

impl Place {
    /// The SDK's configuration. Its credentials were found, and it has a region. `part` is what of this program calls.
    pub(super) async fn config(&self, part: &str) -> anyhow::Result<SdkConfig> {
        let named = self.named_region();
        if let Some((region, setting)) = &named {
            given::region_form(region, setting)?;
            // A local AWS has every region.
            let is_aws = self.endpoint.url().is_ok_and(|url| url.is_none());
            if let Some(warning) = given::doubtful_region(region, setting).filter(|_| is_aws) {
                out::complain(&warning);
            }
        }
        // Nothing outside this machine is asked for the region of a local AWS.
        let own =
            (self.endpoint.is_local() && std::env::var_os("AWS_PROFILE").is_none()).then_some(LOCAL_REGION);
        let region = named.as_ref().map(|(region, _)| region.as_str()).or(own);
        let config = config(part, region, self.endpoint.aws_endpoint.as_deref()).await?;
        if config.region().is_some() {
            return Ok(config);
        }
        if self.endpoint.is_local() {
            let region = Region::from_static(LOCAL_REGION);
            return Ok(config.into_builder().region(region).build());
        }
        let state =
            empty_region_variable().map_or_else(String::new, |name| format!("`{name}` is set but empty; "));
        Err(Failure::setting(format!(
            "there is no AWS region: {state}set `AWS_REGION`, give `--region`, or set a region in the profile"
        )))
    }

    /// The region that an option or a variable names, and which; an empty one names none.
    fn named_region(&self) -> Option<(String, &'static str)> {
        let given = self
            .region
            .clone()
            .map(|region| (region, "`AWS_REGION` or `--region`"));
        let default = std::env::var("AWS_DEFAULT_REGION").ok();
        let default = default.map(|region| (region, "`AWS_DEFAULT_REGION`"));
        [given, default]
            .into_iter()
            .flatten()
            .find(|(region, _)| !region.is_empty())
    }
}

/// Where credentials come from: how those of another account are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A local AWS: the access key is the account.
    Local,
    /// The variable `AWS_ACCESS_KEY_ID`, which wins over a profile.
    Variables,
    /// A profile, or something that a profile is before.
    Profile,
}

impl Origin {
    pub(super) fn of(config: &SdkConfig) -> Self {
        let key = std::env::var_os("AWS_ACCESS_KEY_ID");
        if config.endpoint_url().is_some_and(is_loopback) {
            Self::Local
        } else if key.is_some_and(|key| !key.is_empty()) {
            Self::Variables
        } else {
            Self::Profile
        }
    }
}

/// The SDK's configuration for AWS itself, or for the AWS at an endpoint. Without a region it is the one that the environment or
/// the profile names, if any does. Something answers at the endpoint, and its credentials were found. `part` is what of this program calls.
pub(super) async fn config(
    part: &str,
    region: Option<&str>,
    endpoint: Option<&str>,
) -> anyhow::Result<SdkConfig> {
    let endpoint = checked(endpoint)?;
    if let Some(url) = &endpoint {
        answering::as_aws(url).await?;
    }
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http_client()?);
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    } else if empty_region_variable().is_some() {
        // The SDK would take the empty text for a region.
        loader = loader.region(ProfileFileRegionProvider::new());
    }
    if let Some(url) = &endpoint {
        loader = loader.endpoint_url(url);
        // The local AWS checks no signature, so no credentials need to be configured for it.
        if is_loopback(url) && std::env::var_os("AWS_ACCESS_KEY_ID").is_none() {
            loader =
                loader.credentials_provider(Credentials::new("123456789012", "none", None, None, "loopback"));
        }
    }
    let config = loader.load().await;
    not_of_a_local_aws(&config)?;
    with_credentials(&config).await?;
    // A name that the user's own settings give stays.
    let name = config.app_name().cloned().or_else(|| app_name(part));
    let mut config = config.into_builder();
    config.set_app_name(name);
    Ok(config.build())
}

/// The variable that is to name the region, and is empty.
fn empty_region_variable() -> Option<&'static str> {
    let is_empty = |name: &&str| std::env::var_os(name).is_some_and(|value| value.is_empty());
    ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find(is_empty)
}

/// An address of AWS that a client can use; an empty one is none.
pub(super) fn checked(endpoint: Option<&str>) -> anyhow::Result<Option<String>> {
    let Some(text) = endpoint.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.contains('@') {
        return Err(Failure::setting(format!(
            "AWS's address `{}` (`AWS_ENDPOINT_URL` or `--aws-endpoint`) has a user or a password, which AWS takes in no address: leave \
             out what is before the `@`. Credentials are `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or `AWS_PROFILE`",
            without_user(text).escape_debug()
        )));
    }
    let is_url = |text: &str| {
        reqwest::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    };
    if is_url(text) {
        return Ok(Some(text.trim_end_matches('/').to_owned()));
    }
    let plain = format!("http://{text}");
    let proposed = if is_loopback(&plain) {
        plain
    } else {
        format!("https://{text}")
    };
    let shown = text.escape_debug();
    let next = if !text.contains("://") && is_url(&proposed) {
        format!("it has no scheme; write `{proposed}`")
    } else {
        "write a URL such as `http://127.0.0.1:4566`".to_owned()
    };
    Err(Failure::setting(format!(
        "AWS's address `{shown}` (`AWS_ENDPOINT_URL` or `--aws-endpoint`) cannot be used: {next}"
    )))
}

/// An address as it is shown: a user and a password in it are hidden.
pub(super) fn without_user(text: &str) -> String {
    // Whatever has an `@`: one in a password may be there as it is, so the last one ends it.
    let Some((before, rest)) = text.rsplit_once('@') else {
        return text.to_owned();
    };
    let scheme = before.split_once("://").map_or("", |(scheme, _)| scheme);
    match scheme {
        "http" | "https" => format!("{scheme}://…@{rest}"),
        _ => format!("…@{rest}"),
    }
}

/// An address of AWS that a client can use, and that is not Scalr's.
pub(super) async fn not_scalrs(endpoint: Option<&str>) -> anyhow::Result<Option<String>> {
    let endpoint = checked(endpoint)?;
    if let Some(url) = &endpoint {
        answering::not_scalr(url).await?;
    }
    Ok(endpoint)
}

/// Fails where the access key is one for a local AWS, and AWS itself would be called: its own are longer, and begin with letters.
fn not_of_a_local_aws(config: &SdkConfig) -> anyhow::Result<()> {
    let key = std::env::var("AWS_ACCESS_KEY_ID").unwrap_or_default();
    let has_endpoint = config.endpoint_url().is_some()
        || std::env::vars_os().any(|(name, _)| name.to_string_lossy().starts_with("AWS_ENDPOINT_URL_"));
    if has_endpoint || given::account(&key).is_err() {
        return Ok(());
    }
    Err(Failure::setting(format!(
        "`AWS_ACCESS_KEY_ID` is the account number `{key}`, as for a local AWS, and no address of one is set: set `AWS_ENDPOINT_URL` as \
         `scalr-eventbridge dev` prints it; for AWS itself, set an access key of its own"
    )))
}

/// Fails where there are no credentials, with what to do.
async fn with_credentials(config: &SdkConfig) -> anyhow::Result<()> {
    const NEXT: &str = "Set `AWS_PROFILE`, or `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or sign in with `aws sso login`. For a \
                        local AWS, set `AWS_ENDPOINT_URL` as `scalr-eventbridge dev` prints it";
    let Some(provider) = config.credentials_provider() else {
        return Err(Failure::setting(format!(
            "AWS's credentials are switched off. {NEXT}"
        )));
    };
    match provider.provide_credentials().await {
        Ok(_) => Ok(()),
        Err(error) => {
            let why = error_chain::with_causes(&error);
            // The SDK lists every place that has none, on lines of their own.
            let profile = std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty());
            let what = match (why.contains("no credentials found"), profile) {
                (true, None) => "there are no AWS credentials".to_owned(),
                (true, Some(profile)) => format!(
                    "there are no AWS credentials: the profile `{}` (`AWS_PROFILE`) has none, or does not exist",
                    profile.escape_debug()
                ),
                (false, _) => {
                    let why = why.lines().next().unwrap_or_default().trim_end_matches('.');
                    format!("the AWS credentials cannot be used: {why}")
                }
            };
            Err(Failure::setting(format!("{what}. {NEXT}")))
        }
    }
}

/// The SDK's own client, which trusts the certificates that `AWS_CA_BUNDLE` names beside the system's.
fn http_client() -> anyhow::Result<SharedHttpClient> {
    let builder = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
    let Some(roots) = remote::own_extra_roots()? else {
        return Ok(builder.build_https());
    };
    let store = TrustStore::default().with_pem_certificate(roots.pem());
    Ok(match TlsContext::builder().with_trust_store(store).build() {
        Ok(context) => builder.tls_context(context).build_https(),
        // Only a name of a server could be wrong with it, and there is none.
        Err(_) => builder.build_https(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_url_and_a_missing_scheme_is_proposed() {
        for (text, want) in [
            ("", Ok(None)),
            ("http://127.0.0.1:4566/", Ok(Some("http://127.0.0.1:4566"))),
            ("127.0.0.1:4566", Err("write `http://127.0.0.1:4566`")),
            ("localhost:4566", Err("write `http://localhost:4566`")),
            ("aws.example.com", Err("write `https://aws.example.com`")),
            ("ftp://x", Err("write a URL such as")),
            ("a b", Err("write a URL such as")),
            (
                "http://us:hidden@aws.example.com/x",
                Err("`http://…@aws.example.com/x`"),
            ),
            ("us:hidden@aws.example.com", Err("`…@aws.example.com`")),
            (
                "https://us:hid/den@x@aws.example.com",
                Err("`https://…@aws.example.com`"),
            ),
        ] {
            match (checked(Some(text)), want) {
                (Ok(have), Ok(want)) => assert_eq!(have.as_deref(), want, "{text}"),
                (Err(error), Err(part)) => {
                    let said = error.to_string();
                    assert!(said.contains(part) && !said.contains("hid"), "{text}: {said}");
                }
                (have, want) => panic!("{text}: {have:?}, not {want:?}"),
            }
        }
    }
}
