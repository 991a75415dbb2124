//! Scalr, or a running companion, which the other commands call as any client would. The settings are the provider's: the same
//! variables, the same credentials of the command line, the same further certificates.

use std::collections::BTreeMap;

use scalr_api::credentials::{self, Environment};
use scalr_api::{Client, ClientError, ExtraRoots, Host, HostError, Settings};

use super::exit::Failure;
use crate::secrets;
use crate::token::Token;

/// Scalr or a companion.
#[derive(clap::Args)]
#[command(next_help_heading = "Scalr")]
pub(super) struct Remote {
    /// Scalr's host, such as `acme.scalr.io`, or the address that `dev` prints.
    #[arg(long, env = "SCALR_HOSTNAME", value_name = "HOST")]
    hostname: Option<String>,
    /// Token for its API; without one, the token that `terraform login` or `tofu login` has stored for the host.
    #[arg(long, env = "SCALR_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Option<Token>,
}

/// The settings as they were found.
pub(super) struct Access {
    pub(super) host: Host,
    pub(super) token: scalr_api::Token,
    /// Where the token was found, in words.
    pub(super) token_origin: String,
    extra_roots: Option<ExtraRoots>,
}

impl Access {
    /// A client with these settings; this makes no call.
    pub(super) fn client(&self) -> Client {
        let agent = concat!("scalr-eventbridge/", env!("CARGO_PKG_VERSION"));
        Client::new(Settings {
            extra_roots: self.extra_roots.clone(),
            ..Settings::new(self.host.clone(), self.token.clone(), agent)
        })
    }
}

impl Remote {
    /// A client of the API.
    pub(super) fn client(&self) -> anyhow::Result<Client> {
        Ok(self.access()?.client())
    }

    /// The settings; no call is made.
    pub(super) fn access(&self) -> anyhow::Result<Access> {
        let variables: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let environment = Environment {
            variables: &variables,
            read: &|path| std::fs::read_to_string(path),
        };
        let host = self.host(&variables)?;
        let (token, token_origin) = self.token(&host, &environment)?;
        secrets::given(token.trim());
        let token = scalr_api::Token::new(&token).map_err(|error| {
            Failure::setting(format!("the token from {token_origin} cannot be used: {error}"))
        })?;
        Ok(Access {
            host,
            token,
            token_origin,
            extra_roots: extra_roots(&variables)?,
        })
    }

    fn host(&self, variables: &BTreeMap<String, String>) -> anyhow::Result<Host> {
        const NEXT: &str = "set it to your Scalr account's host, such as `acme.scalr.io`, or to the address that `scalr-eventbridge \
                            dev` prints; or give `--hostname`";
        let given = self.hostname.as_deref().unwrap_or_default();
        if given.trim().is_empty() {
            let is_set = variables.contains_key("SCALR_HOSTNAME");
            let state = if is_set { "set but empty" } else { "not set" };
            return Err(Failure::setting(format!(
                "Scalr's host is not known: `SCALR_HOSTNAME` is {state}; {NEXT}"
            )));
        }
        given.parse().map_err(|error: HostError| {
            // One with a password in it is not repeated.
            let shown = match error {
                HostError::Credentials => String::new(),
                _ => format!(" `{}`", given.escape_debug()),
            };
            Failure::setting(format!(
                "Scalr's host{shown} (`SCALR_HOSTNAME` or `--hostname`) cannot be used: {error}. It looks like `acme.scalr.io`"
            ))
        })
    }

    /// The token, and where it was found.
    fn token(&self, host: &Host, environment: &Environment<'_>) -> anyhow::Result<(String, String)> {
        let given = self.token.as_ref().map(Token::reveal).unwrap_or_default();
        if !given.trim().is_empty() {
            return Ok((given.to_owned(), "`SCALR_TOKEN` or `--token`".to_owned()));
        }
        let search = credentials::search(host, environment);
        if let Some(found) = search.found {
            return Ok(found);
        }
        let is_set = environment.variables.contains_key("SCALR_TOKEN");
        let state = if is_set { "set but empty" } else { "not set" };
        // `terraform login` speaks https alone.
        let next = if host.is_https() {
            format!(
                "Set `SCALR_TOKEN`, give `--token`, or run `terraform login {}`",
                host.name()
            )
        } else {
            "Set `SCALR_TOKEN` as `scalr-eventbridge dev` prints it, or give `--token`".to_owned()
        };
        let mut text = format!(
            "there is no token for `{host}`: `SCALR_TOKEN` is {state}, and none was found in {}. {next}",
            search.looked_at.join(", "),
        );
        for unreadable in search.unreadable {
            text.extend([". This could not be read: ", &unreadable]);
        }
        Err(Failure::setting(text))
    }
}

/// The certificates that this process's `AWS_CA_BUNDLE` names.
pub(super) fn own_extra_roots() -> anyhow::Result<Option<ExtraRoots>> {
    let bundle = std::env::var("AWS_CA_BUNDLE").map(|path| ("AWS_CA_BUNDLE".to_owned(), path));
    extra_roots(&bundle.into_iter().collect())
}

/// The certificates that `AWS_CA_BUNDLE` names.
fn extra_roots(variables: &BTreeMap<String, String>) -> anyhow::Result<Option<ExtraRoots>> {
    let Some(path) = variables.get("AWS_CA_BUNDLE").filter(|path| !path.is_empty()) else {
        return Ok(None);
    };
    let unusable = |why: String| {
        Failure::setting(format!(
            "the certificates in `{path}`, which `AWS_CA_BUNDLE` names, cannot be used: {why}. Set the variable to a file of \
             certificates (PEM), or unset it"
        ))
    };
    let pem = std::fs::read_to_string(path)
        .map_err(|error| unusable(format!("the file cannot be read: {error}")))?;
    let roots = ExtraRoots::from_pem(pem).map_err(|error| unusable(error.to_string()))?;
    Ok(Some(roots))
}

/// The answer of a call that Scalr's own API has not; there it is a failure with an exit code of its own.
pub(super) fn companion_only<T>(
    client: &Client,
    answer: Result<T, ClientError>,
    what: &'static str,
    instead: &'static str,
) -> anyhow::Result<T> {
    match answer {
        Err(error) if is_no_route(&error) => Err(Failure::Unsupported {
            host: format!("`{}`", client.host()),
            what,
            instead,
        }
        .into()),
        answer => Ok(answer?),
    }
}

/// Whether the server refused with this code.
pub(super) fn is_refused_with(error: &ClientError, code: &str) -> bool {
    let ClientError::Refused(refusal) = error else {
        return false;
    };
    refusal
        .errors
        .iter()
        .any(|error| error.code.as_deref() == Some(code))
}

/// Whether an error says that the server has no such path.
pub(super) fn is_no_route(error: &ClientError) -> bool {
    match error {
        ClientError::Refused(refusal) => matches!(refusal.status, 404 | 405),
        // A page for browsers.
        ClientError::NotTheApi { .. } => true,
        _ => false,
    }
}
