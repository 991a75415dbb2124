//! The provider's configuration: where Scalr is, with which token, and how AWS is reached.

use std::collections::{BTreeMap, BTreeSet};

use scalr_api::credentials::{self, Environment};
use scalr_api::{AccountId, Host, Settings, Token};
use tfplugin::{
    Attrs, ConfigureRequest, Diagnostic, Diagnostics, Number, Path, Provider, Registry, Result, Value,
};

use crate::aws::tags::{Defaults, Ignored};
use crate::aws::{self, checks};
use crate::client::Client;
use crate::scalr::Scalr;
use crate::setting::{NotKnownYet, Setting};
use crate::shared_read::Writes;
use crate::values::Region;
use crate::{
    actions, check, data_sources, ephemeral_resources, functions, lists, resources, trust, variables,
};

/// Streams Scalr's events to AWS EventBridge: both halves of the integration, Scalr's and AWS's, in one configuration.
// No `Debug`: it would show the token.
#[derive(Attrs, Clone)]
pub struct ScalrEventBridge {
    /// Host of Scalr's API, such as `acme.scalr.io`, with or without a scheme (`https` without). Default: the environment variable `SCALR_HOSTNAME`.
    #[tf(optional, check = check::hostname)]
    hostname: Value<String>,
    /// Token for Scalr's API. Default: the environment variable `SCALR_TOKEN`, else the token that the Terraform or OpenTofu CLI has for the host (`TF_TOKEN_…`, `credentials` blocks, `terraform login`).
    #[tf(optional, sensitive)]
    token: Value<String>,
    /// Scalr account of `scalr_audit_log_setting`, which is a setting of a whole account. Default: the account of the connection that the resource names.
    #[tf(optional, check = check::account_id)]
    account_id: Value<String>,
    /// How AWS is called. What is left out comes from AWS's own environment variables, profiles and metadata services; nothing is read before the first AWS call.
    #[tf(optional)]
    aws: Value<AwsConfig>,
}

/// How AWS is reached.
#[derive(Attrs, Clone, Debug)]
pub struct AwsConfig {
    /// Region of the resources that name none.
    #[tf(optional)]
    region: Value<Region>,
    /// Profile of the shared configuration and credentials files. Credentials then come only from this profile: keys in the environment are ignored.
    #[tf(optional)]
    profile: Value<String>,
    /// Role to assume with the credentials found.
    #[tf(optional)]
    assume_role: Value<AssumeRole>,
    /// Endpoints in place of AWS's own, by service. `AWS_ENDPOINT_URL` and the variables of single services are read as well.
    #[tf(optional)]
    endpoints: Value<Endpoints>,
    /// Tags for everything that can be tagged.
    #[tf(optional)]
    default_tags: Value<DefaultTags>,
    /// Tags that somebody else sets, such as a tool of your organization: they are not shown, not changed and not removed. As in hashicorp/aws, an ignored tag that is also written in `tags` or `default_tags` is set when the object is created, and not changed after that.
    #[tf(optional)]
    ignore_tags: Value<IgnoreTags>,
    /// How often a failed call is tried again, 0 to 100. Default: what AWS's own variables and profiles set, else 2, or 11 for calls that AWS throttles.
    #[tf(optional, check = check::max_retries)]
    max_retries: Value<Number>,
    /// Allowed AWS accounts; the first call with credentials of another account fails.
    #[tf(optional, check = checks::account_ids)]
    allowed_account_ids: Value<BTreeSet<String>>,
}

/// A role to assume.
#[derive(Attrs, Clone, Debug)]
pub struct AssumeRole {
    /// ARN of the role.
    #[tf(required, check = check::role_arn)]
    role_arn: Value<String>,
    /// Name that the session shows in AWS's logs.
    #[tf(optional, check = checks::session_name)]
    session_name: Value<String>,
    /// External id that the role's trust policy may ask for.
    #[tf(optional, check = checks::external_id)]
    external_id: Value<String>,
}

/// Endpoints that replace AWS's own.
#[derive(Attrs, Clone, Debug)]
pub struct Endpoints {
    /// EventBridge.
    #[tf(optional, check = check::endpoint)]
    events: Value<String>,
    /// EventBridge's custom event buses, which AWS's command line calls `eventsv2`. If `events` is set and `eventsv2` is not, they are not checked, and a resource of them is an error.
    #[tf(optional, check = check::endpoint)]
    eventsv2: Value<String>,
    /// IAM. If `events` is set and `iam` is not, a `scalr_eventbridge_subscriber` that makes its role is an error.
    #[tf(optional, check = check::endpoint)]
    iam: Value<String>,
    /// CloudWatch Logs.
    #[tf(optional, check = check::endpoint)]
    logs: Value<String>,
    /// SNS. If `events` is set and `sns` is not, topics are not checked, and a `scalr_eventbridge_topic_permission` is an error.
    #[tf(optional, check = check::endpoint)]
    sns: Value<String>,
    /// SQS. If `events` is set and `sqs` is not, the queues of targets are not checked, and a `scalr_eventbridge_queue` is an error.
    #[tf(optional, check = check::endpoint)]
    sqs: Value<String>,
    /// The token service, for `assume_role`.
    #[tf(optional, check = check::endpoint)]
    sts: Value<String>,
}

/// Tags for everything that can be tagged.
#[derive(Attrs, Clone, Debug)]
pub struct DefaultTags {
    /// The tags. A resource's own tag of the same key wins. A tag with the value null is ignored.
    #[tf(optional, check = default_tags)]
    tags: Value<BTreeMap<String, Value<String>>>,
}

/// Tags that are left to somebody else.
#[derive(Attrs, Clone, Debug)]
pub struct IgnoreTags {
    /// Keys of tags to ignore.
    #[tf(optional)]
    keys: Value<BTreeSet<String>>,
    /// Prefixes of keys: all tags whose key begins with one of them are ignored.
    #[tf(optional)]
    key_prefixes: Value<BTreeSet<String>>,
}

impl Provider for ScalrEventBridge {
    const NAME: &'static str = "scalr";
    type Client = Client;

    async fn configure(self, request: &ConfigureRequest) -> Result<Client> {
        let env = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let read = |path: &std::path::Path| std::fs::read_to_string(path);
        self.client(
            &Environment {
                variables: &env,
                read: &read,
            },
            request.user_agent(),
        )
    }

    fn register(registry: &mut Registry<Client>) {
        resources::register(registry);
        data_sources::register(registry);
        lists::register(registry);
        functions::register(registry);
        actions::register(registry);
        ephemeral_resources::register(registry);
    }
}

impl ScalrEventBridge {
    fn client(self, environment: &Environment<'_>, user_agent: String) -> Result<Client> {
        let account_id = match known(ScalrEventBridge::account_id(), self.account_id) {
            Ok(Some(text)) => Ok(Some(account(text)?)),
            Ok(None) => Ok(None),
            Err(unknown) => Err(unknown),
        };
        let aws = known(ScalrEventBridge::aws(), self.aws)
            .and_then(|aws| aws.map_or_else(|| Ok(aws::Settings::default()), settings));
        let extra_roots = trust::extra_roots(environment)?;
        let aws = aws.map(|settings| aws::Settings {
            environment_region: environment_region(environment),
            environment_endpoints: environment_endpoints(environment),
            extra_roots: extra_roots.as_ref().map(|roots| roots.pem().to_owned()),
            user_agent: user_agent.clone(),
            ..settings
        });
        let writes = Writes::default();
        let scalr = scalr(self.hostname, self.token, environment)?.map(|found| {
            let settings = Settings {
                extra_roots,
                ..Settings::new(found.host, found.token, user_agent)
            };
            Scalr::new(settings, found.token_origin, &writes)
        });
        let aws = aws.map(|settings| aws::Aws::new(settings, &writes));
        Ok(Client::new(scalr, aws, account_id))
    }
}

/// The region that AWS's own variables name, in the order in which the SDK reads them.
fn environment_region(environment: &Environment<'_>) -> Option<String> {
    let mut named = [variables::AWS_REGION, variables::AWS_DEFAULT_REGION].into_iter();
    let region = named.find_map(|name| {
        environment
            .variables
            .get(name)
            .filter(|region| !region.is_empty())
    })?;
    check::region(region).is_ok().then(|| region.clone())
}

/// The services whose endpoints AWS's own variables name.
fn environment_endpoints(environment: &Environment<'_>) -> aws::OwnEndpoints {
    let names = |service: &str| {
        let url = environment
            .variables
            .get(&format!("{}_{service}", variables::AWS_ENDPOINT_URL));
        url.is_some_and(|url| !url.is_empty())
    };
    aws::OwnEndpoints {
        events: names("EVENTBRIDGE"),
        eventsv2: names("EVENTBRIDGEV2"),
        iam: names("IAM"),
        sns: names("SNS"),
        sqs: names("SQS"),
    }
}

fn default_tags(tags: &BTreeMap<String, Value<String>>) -> std::result::Result<(), String> {
    let written = tags
        .iter()
        .map(|(key, value)| (key.clone(), value.clone().known()));
    checks::tags(&written.collect())
}

/// The value that is written, if it is known.
fn known<T>(path: impl Into<Path>, value: Value<T>) -> Setting<Option<T>> {
    match value {
        Value::Known(value) => Ok(Some(value)),
        Value::Null => Ok(None),
        Value::Unknown => Err(NotKnownYet(path.into())),
    }
}

fn account(text: String) -> Result<AccountId> {
    AccountId::new(text).map_err(|error| {
        Diagnostic::error("Invalid `account_id`")
            .detail(format!("{error}."))
            .at(ScalrEventBridge::account_id())
            .into()
    })
}

/// Where Scalr is, and with which token it is asked.
struct Access {
    host: Host,
    token: Token,
    token_origin: String,
}

fn scalr(
    hostname: Value<String>,
    token: Value<String>,
    environment: &Environment<'_>,
) -> Result<Setting<Access>> {
    let filled = |value: &String| !value.trim().is_empty();
    let variable = |name: &str| {
        environment
            .variables
            .get(name)
            .filter(|value| filled(value))
            .cloned()
    };
    let hostname = match known(ScalrEventBridge::hostname(), hostname) {
        Ok(hostname) => hostname
            .filter(filled)
            .or_else(|| variable(variables::SCALR_HOSTNAME)),
        Err(unknown) => return Ok(Err(unknown)),
    };
    let hostname = hostname.ok_or_else(no_hostname)?;
    let host: Host = hostname
        .parse()
        .map_err(|error| bad_hostname(&hostname, &error))?;
    let (token, token_origin) = match known(ScalrEventBridge::token(), token) {
        Ok(token) => match token.filter(filled) {
            Some(token) => (token, "`token` in the provider's configuration".to_owned()),
            None => match variable(variables::SCALR_TOKEN) {
                Some(token) => (token, "the variable `SCALR_TOKEN`".to_owned()),
                None => from_the_cli(&host, environment)?,
            },
        },
        Err(unknown) => return Ok(Err(unknown)),
    };
    tfplugin::log::hide(token.trim());
    let token = Token::new(&token).map_err(|error| {
        Diagnostic::error("Scalr's token cannot be used")
            .detail(format!("The token came from {token_origin}: {error}."))
            .at(ScalrEventBridge::token())
    })?;
    Ok(Ok(Access {
        host,
        token,
        token_origin,
    }))
}

fn from_the_cli(host: &Host, environment: &Environment<'_>) -> Result<(String, String), Diagnostics> {
    let search = credentials::search(host, environment);
    search.found.ok_or_else(|| {
        let mut detail = format!(
            "No token for `{host}` was found. Looked at: `token` in the provider's configuration, the variable \
             `SCALR_TOKEN`, {}.",
            search.looked_at.join(", ")
        );
        for unreadable in search.unreadable {
            detail.extend(["\n\nThis could not be read: ", &unreadable, "."]);
        }
        detail.push_str("\n\nSet one of them; a token is made in Scalr under the user's or the service account's access tokens.");
        Diagnostic::error("Scalr's token is not set").detail(detail).at(ScalrEventBridge::token()).into()
    })
}

fn no_hostname() -> Diagnostics {
    Diagnostic::error("Scalr's host is not set")
        .detail(
            "Set `hostname` in the provider's configuration or the environment variable `SCALR_HOSTNAME` to the host of \
             your Scalr account, such as `acme.scalr.io`.",
        )
        .at(ScalrEventBridge::hostname())
        .into()
}

fn bad_hostname(hostname: &str, error: &scalr_api::HostError) -> Diagnostics {
    // One with a password in it is not repeated.
    let shown = match error {
        scalr_api::HostError::Credentials => String::new(),
        _ => format!(" `{}`", hostname.escape_debug()),
    };
    Diagnostic::error("Scalr's host cannot be used")
        .detail(format!(
            "The host{shown} (`hostname`, or `SCALR_HOSTNAME`) cannot be used: {error}. It looks like `acme.scalr.io`."
        ))
        .at(ScalrEventBridge::hostname())
        .into()
}

fn settings(config: AwsConfig) -> Setting<aws::Settings> {
    let path = ScalrEventBridge::aws();
    let allowed = known(path.allowed_account_ids(), config.allowed_account_ids)?;
    let region = known(path.region(), config.region);
    Ok(aws::Settings {
        region: region.map(|region| {
            region
                .map(|region| region.to_string())
                .filter(|region| !region.is_empty())
        }),
        profile: known_text(path.profile(), config.profile)?,
        assume_role: known(path.assume_role(), config.assume_role)?
            .map(assume_role)
            .transpose()?,
        endpoints: known(path.endpoints(), config.endpoints)?
            .map(endpoints)
            .transpose()?
            .unwrap_or_default(),
        default_tags: defaults(config.default_tags),
        ignore_tags: ignored(config.ignore_tags),
        // Calls need no number of retries: AWS's own serves while this one is not known.
        max_retries: known(path.max_retries(), config.max_retries)
            .unwrap_or_default()
            .and_then(|count| u32::try_from(count.to_i64()?).ok()),
        allowed_account_ids: allowed.unwrap_or_default().into_iter().collect(),
        ..aws::Settings::default()
    })
}

/// The default tags, those that are not known among them.
fn defaults(config: Value<DefaultTags>) -> Defaults {
    let path = ScalrEventBridge::aws().default_tags();
    let tags = known(path.clone(), config).and_then(|tags| match tags {
        Some(tags) => known(path.tags(), tags.tags),
        None => Ok(None),
    });
    let tags = match tags {
        Ok(tags) => tags.unwrap_or_default(),
        Err(missing) => {
            return Defaults {
                missing: Some(missing),
                ..Defaults::default()
            };
        }
    };
    let mut defaults = Defaults::default();
    for (key, value) in tags {
        match known(path.tags(), value) {
            Ok(value) => defaults.known.extend(value.map(|value| (key, value))),
            Err(missing) => {
                defaults.unknown.insert(key);
                defaults.missing = Some(missing);
            }
        }
    }
    defaults
}

fn ignored(config: Value<IgnoreTags>) -> Setting<Ignored> {
    let path = ScalrEventBridge::aws().ignore_tags();
    let Some(ignored) = known(path.clone(), config)? else {
        return Ok(Ignored::default());
    };
    Ok(Ignored {
        keys: known(path.keys(), ignored.keys)?.unwrap_or_default(),
        key_prefixes: known(path.key_prefixes(), ignored.key_prefixes)?.unwrap_or_default(),
    })
}

fn assume_role(role: AssumeRole) -> Setting<aws::AssumeRole> {
    let path = ScalrEventBridge::aws().assume_role();
    Ok(aws::AssumeRole {
        role_arn: known_text(path.role_arn(), role.role_arn)?.unwrap_or_default(),
        session_name: known_text(path.session_name(), role.session_name)?,
        external_id: known_text(path.external_id(), role.external_id)?,
    })
}

fn endpoints(endpoints: Endpoints) -> Setting<aws::Endpoints> {
    let path = ScalrEventBridge::aws().endpoints();
    Ok(aws::Endpoints {
        events: known_text(path.events(), endpoints.events)?,
        eventsv2: known_text(path.eventsv2(), endpoints.eventsv2)?,
        iam: known_text(path.iam(), endpoints.iam)?,
        logs: known_text(path.logs(), endpoints.logs)?,
        sns: known_text(path.sns(), endpoints.sns)?,
        sqs: known_text(path.sqs(), endpoints.sqs)?,
        sts: known_text(path.sts(), endpoints.sts)?,
    })
}

fn known_text(path: impl Into<Path>, value: Value<String>) -> Setting<Option<String>> {
    known(path, value).map(|text| text.filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::snapshot;

    type Pairs<'a> = &'a [(&'a str, &'a str)];

    fn refused(hostname: Option<&str>, token: Option<&str>, env: Pairs<'_>, files: Pairs<'_>) -> Vec<String> {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let env = env.iter().map(own).collect();
        let files: BTreeMap<String, String> = files.iter().map(own).collect();
        let read = |path: &std::path::Path| {
            let text = files.get(path.to_str().unwrap()).cloned();
            text.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound))
        };
        let value = |text: Option<&str>| text.map_or(Value::Null, |text| Value::Known(text.to_owned()));
        let environment = Environment {
            variables: &env,
            read: &read,
        };
        let scalr = scalr(value(hostname), value(token), &environment);
        scalr.err().iter().flatten().map(snapshot::rendered).collect()
    }

    #[test]
    fn what_is_missing_or_cannot_be_used_is_reported() {
        let host = Some("acme.scalr.io");
        let home = ("HOME", "/h");
        let texts = [
            refused(None, None, &[], &[]),
            refused(Some("acme/x"), None, &[], &[]),
            refused(Some("ftp://acme.scalr.io"), None, &[], &[]),
            refused(Some("https://me:s3cret@acme.scalr.io"), None, &[], &[]),
            refused(None, None, &[("SCALR_HOSTNAME", "a b")], &[]),
            refused(host, Some("s3 cret"), &[], &[]),
            refused(host, None, &[("SCALR_TOKEN", "s3 cret")], &[]),
            refused(host, None, &[("TF_TOKEN_acme_scalr_io", "s3 cret")], &[]),
            refused(host, None, &[home], &[]),
            refused(host, None, &[home], &[("/h/.terraformrc", "credentials \"a\" {")]),
            refused(Some("127.0.0.1:8080"), None, &[home], &[]),
        ];
        snapshot::check("provider.txt", texts.concat());
    }
}
