//! A running companion, which the other commands call as any client would.

use std::time::Duration;

use scalr_api::{Client, Host, Settings};

use super::loopback::is_loopback;
use crate::token::Token;

const TIMEOUT: Duration = Duration::from_secs(30);

/// The companion to call; the variables are those of the provider.
#[derive(clap::Args)]
pub(super) struct Remote {
    /// The companion's address, as `dev` prints it.
    #[arg(long, env = "SCALR_HOSTNAME", value_name = "URL")]
    hostname: String,
    /// Its token, as `dev` prints it.
    #[arg(long, env = "SCALR_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Token,
}

impl Remote {
    /// A client of its API.
    pub(super) fn client(&self) -> anyhow::Result<Client> {
        let host: Host = self.hostname.parse()?;
        let token = scalr_api::Token::new(self.token.reveal())?;
        let agent = concat!("scalr-eventbridge/", env!("CARGO_PKG_VERSION"));
        Ok(Client::new(Settings::new(host, token, agent)))
    }

    /// A POST to a path outside Scalr's API, and the address with its scheme.
    pub(super) fn post(&self, path: &str) -> anyhow::Result<(reqwest::RequestBuilder, String)> {
        let host: Host = self.hostname.parse()?;
        let mut builder = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none());
        if is_loopback(&host.to_string()) {
            // A proxy must not get the token, and could not reach this machine's loopback.
            builder = builder.no_proxy();
        }
        let call = builder.build()?.post(format!("{host}{path}"));
        Ok((call.bearer_auth(self.token.reveal().trim()), host.to_string()))
    }
}
