//! Signing in to AWS at the first call: which credentials are used, and the error where there are none.

use std::path::PathBuf;
use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_eventbridge::config::{ProvideCredentials, SharedCredentialsProvider, SharedHttpClient};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};

use super::pacing::retries;
use super::{AssumeRole, Error, Settings, credentials_sent};
use crate::variables;

/// How long a request may take until its answer begins, and a call with all its attempts.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
const CALL_TIMEOUT: Duration = Duration::from_mins(3);

/// What calls may take. An attempt as a whole has no limit: it would include the wait for its turn while AWS throttles
/// (`pacing.rs`), and end requests that were never sent.
pub(super) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .read_timeout(ANSWER_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT)
        .build()
}

/// The SDK's configuration, once its credentials have been resolved.
pub(super) async fn sign_in(settings: &Settings, wanted: Option<&str>) -> Result<SdkConfig, Error> {
    if let Some(profile) = &settings.profile {
        refuse_missing(profile, "`profile` in the provider's `aws`")?;
    }
    let base = load(settings, None).await;
    let Some(role) = &settings.assume_role else {
        resolve(&base)
            .await
            .map_err(|e| without_credentials(settings, e))?;
        return Ok(base);
    };
    let assumed = assume(&base, role, settings, wanted).await;
    let Err(refused) = resolve(&assumed).await else {
        return Ok(assumed);
    };
    // It was the role only if there are credentials to assume it with. They were sent to the token service, whose answer is
    // about to be shown.
    resolve(&base)
        .await
        .map_err(|e| without_credentials(settings, e))?;
    Err(Error::NotAssumed {
        role: role.role_arn.clone(),
        source: refused,
    })
}

async fn load(settings: &Settings, endpoint: Option<&String>) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts());
    if let Ok(Some(region)) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    loader = loader.http_client(client(settings.extra_roots.as_deref()));
    if let Some(url) = endpoint {
        loader = loader.endpoint_url(url);
    }
    let base = loader.load().await;
    let retries = retries(settings.max_retries, base.retry_config());
    let base = base.into_builder().retry_config(retries).build();
    match &settings.profile {
        Some(profile) => with_profile(base, profile),
        None => base,
    }
}

/// The SDK's own client. It may trust further certificates beside the system's.
fn client(pem: Option<&str>) -> SharedHttpClient {
    let builder = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
    let Some(pem) = pem else {
        return builder.build_https();
    };
    let roots = TrustStore::default().with_pem_certificate(pem);
    let context = TlsContext::builder().with_trust_store(roots).build();
    match context {
        Ok(context) => builder.tls_context(context).build_https(),
        // Only a name of a server could be wrong with it, and there is none.
        Err(_) => builder.build_https(),
    }
}

/// A profile that is written in the configuration wins over keys in the environment, as in AWS's own provider. The
/// SDK's chain has it the other way round.
fn with_profile(base: SdkConfig, profile: &str) -> SdkConfig {
    let config = ProviderConfig::without_region()
        .with_behavior_version(Some(BehaviorVersion::latest()))
        .with_region(base.region().cloned());
    let config = match base.http_client() {
        Some(client) => config.with_http_client(client),
        None => config,
    };
    let provider = ProfileFileCredentialsProvider::builder()
        .configure(&config)
        .profile_name(profile)
        .build();
    let provider = SharedCredentialsProvider::new(provider);
    base.into_builder().credentials_provider(provider).build()
}

async fn assume(base: &SdkConfig, role: &AssumeRole, settings: &Settings, wanted: Option<&str>) -> SdkConfig {
    // Loaded again: an endpoint that is put into a configuration afterwards loses to `AWS_ENDPOINT_URL`.
    let mut for_sts = match &settings.endpoints.sts {
        Some(url) => load(settings, Some(url)).await.into_builder(),
        None => base.clone().into_builder(),
    };
    if base.region().is_none() {
        for_sts.set_region(wanted.map(|name| Region::new(name.to_owned())));
    }
    let provider = AssumeRoleProvider::builder(&role.role_arn)
        .session_name(role.session_name.as_deref().unwrap_or("terraform-provider-scalr"))
        .configure(&for_sts.build());
    let provider = match &role.external_id {
        Some(id) => provider.external_id(id),
        None => provider,
    };
    let provider = SharedCredentialsProvider::new(provider.build().await);
    base.clone().into_builder().credentials_provider(provider).build()
}

type Refused = Box<dyn std::error::Error + Send + Sync>;

async fn resolve(config: &SdkConfig) -> Result<(), Refused> {
    let provider = config.credentials_provider().ok_or("no provider is configured")?;
    let found = provider.provide_credentials().await?;
    credentials_sent::hide(&found);
    Ok(())
}

fn without_credentials(settings: &Settings, source: Refused) -> Error {
    // A profile that the environment names is one place of several, but a missing one is the error to report.
    let named = std::env::var(variables::AWS_PROFILE)
        .ok()
        .filter(|name| !name.is_empty());
    if settings.profile.is_none()
        && let Some(name) = named
        && let Err(missing) = refuse_missing(&name, "the variable `AWS_PROFILE`")
    {
        return missing;
    }
    Error::NoCredentials {
        profile: settings.profile.clone(),
        role: settings.assume_role.as_ref().map(|role| role.role_arn.clone()),
        source,
    }
}

/// One of the files that hold profiles.
struct ProfileFile {
    path: PathBuf,
    text: std::io::Result<String>,
    /// Sections are headed `[profile NAME]`, and not `[NAME]`.
    prefixed: bool,
}

fn refuse_missing(profile: &str, origin: &'static str) -> Result<(), Error> {
    let files = [
        (variables::AWS_CONFIG_FILE, "config", true),
        (variables::AWS_SHARED_CREDENTIALS_FILE, "credentials", false),
    ];
    let files = files.map(|(variable, name, prefixed)| {
        let path = std::env::var_os(variable).filter(|path| !path.is_empty());
        let path = path.map_or_else(|| PathBuf::from("~/.aws").join(name), PathBuf::from);
        let path = from_home(path);
        ProfileFile {
            text: std::fs::read_to_string(&path),
            path,
            prefixed,
        }
    });
    if files.iter().any(|file| file.has(profile)) {
        return Ok(());
    }
    Err(Error::NoSuchProfile {
        profile: profile.to_owned(),
        origin,
        files: files.iter().map(ProfileFile::looked_at).collect(),
    })
}

fn from_home(path: PathBuf) -> PathBuf {
    let home = ["HOME", "USERPROFILE"].iter().find_map(std::env::var_os);
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => path,
    }
}

impl ProfileFile {
    fn has(&self, profile: &str) -> bool {
        let Ok(text) = &self.text else { return false };
        let mut heads = text
            .lines()
            .filter_map(|line| Some(line.trim_start().strip_prefix('[')?.split_once(']')?.0.trim()));
        heads.any(|head| {
            let name = match head.strip_prefix("profile") {
                Some(rest) if self.prefixed && rest.starts_with([' ', '\t']) => rest.trim(),
                _ if self.prefixed && head != "default" => return false,
                _ => head,
            };
            name.trim_matches(['"', '\'']) == profile
        })
    }

    fn looked_at(&self) -> String {
        let path = self.path.display();
        match &self.text {
            Ok(_) => format!("`{path}`"),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => format!("`{path}` (not there)"),
            Err(e) => format!("`{path}` (cannot be read: {e})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_config::retry::RetryConfig;
    use aws_sdk_eventbridge::config::Credentials;
    use aws_sdk_eventbridge::error::DisplayErrorContext;

    use super::*;
    use crate::tests::snapshot;
    use crate::tests::tls::Server;

    #[tokio::test]
    async fn aws_is_trusted_by_a_certificate_of_the_bundle() {
        let (server, other) = (Server::start().await, Server::start().await);
        for (authority, failure) in [
            (other.authority, "invalid peer certificate"),
            (server.authority.clone(), "Refused"),
        ] {
            let settings = Settings {
                extra_roots: Some(authority),
                ..Settings::default()
            };
            // Not loaded: what the test's environment says about AWS must not count.
            let keys = Credentials::new("123456789012", "s3cret", None, None, "test");
            let mut config = SdkConfig::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new("us-east-1"))
                .endpoint_url(server.url())
                .retry_config(RetryConfig::disabled())
                .credentials_provider(SharedCredentialsProvider::new(keys));
            config.set_http_client(Some(super::client(settings.extra_roots.as_deref())));
            let client = aws_sdk_eventbridge::Client::new(&config.build());
            let refused = client.describe_event_bus().send().await.unwrap_err();
            let text = DisplayErrorContext(&refused).to_string();
            assert!(text.contains(failure), "{text}");
        }
    }

    #[test]
    fn profiles_are_found_by_the_heads_of_their_sections() {
        const TEXT: &str = "# [profile no]\n[default]\nregion = x\n [profile ci ] # c\n[profile \"a b\"]\n[plain]\n[sso-session s]\n";
        for (profile, in_config, in_credentials) in [
            ("default", true, true),
            ("ci", true, false),
            ("a b", true, false),
            ("plain", false, true),
            ("no", false, false),
            ("s", false, false),
            ("", false, false),
        ] {
            for (prefixed, want) in [(true, in_config), (false, in_credentials)] {
                let file = ProfileFile {
                    path: PathBuf::from("x"),
                    text: Ok(TEXT.to_owned()),
                    prefixed,
                };
                assert_eq!(file.has(profile), want, "{profile} {prefixed}");
            }
        }
    }

    #[test]
    fn files_that_cannot_be_read_have_no_profile_and_are_named() {
        use std::io::ErrorKind::{NotFound, PermissionDenied};
        let file = |text| ProfileFile {
            path: PathBuf::from("/x/config"),
            text,
            prefixed: true,
        };
        let unread = [NotFound, PermissionDenied].map(|kind| file(Err(kind.into())));
        assert!(unread.iter().all(|file| !file.has("default")));
        let files = unread.into_iter().chain([file(Ok(String::new()))]);
        snapshot::check("sign_in.txt", files.map(|file| file.looked_at()));
    }
}
