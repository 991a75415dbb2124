//! A running companion, spoken to by the other commands as any client would.

use scalr_api::{Client, Host, Settings};

use crate::token::Token;

/// The companion to speak to; the variables are those of the provider.
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

    /// The address with its scheme, and the token: for what is not Scalr's API.
    pub(super) fn own(&self) -> anyhow::Result<(String, &str)> {
        let host: Host = self.hostname.parse()?;
        Ok((host.to_string(), self.token.reveal()))
    }
}
