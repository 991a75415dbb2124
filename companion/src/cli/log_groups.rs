//! Log groups, local or real, through the AWS SDK.

use anyhow::anyhow;
use aws_config::SdkConfig;
use aws_sdk_cloudwatchlogs::Client;

use super::aws::Place;
use super::show;
use crate::aws_wire::AwsWire;
use crate::partner::{self, AwsError};

/// A client of that place.
pub(super) async fn client(place: &Place) -> anyhow::Result<Client> {
    Ok(client_of(&place.config("logs").await?))
}

/// A client with this configuration.
pub(super) fn client_of(config: &SdkConfig) -> Client {
    let config = aws_sdk_cloudwatchlogs::config::Builder::from(config);
    Client::from_conf(config.interceptor(AwsWire).build())
}

/// Fails where a log group is not there or cannot be read, by the call that reads it.
pub(super) async fn look(client: &Client, group: &str) -> anyhow::Result<()> {
    let found = client
        .filter_log_events()
        .log_group_name(group)
        .limit(1)
        .send()
        .await;
    found
        .map(drop)
        .map_err(|error| failed(client, group, partner::error(&error)))
}

/// Why a log group could not be read, with the region.
pub(super) fn failed(client: &Client, group: &str, error: AwsError) -> anyhow::Error {
    explained(region(client), group, error)
}

fn explained(region: &str, group: &str, error: AwsError) -> anyhow::Error {
    let (group, word) = (group.escape_debug(), show::quoted(group));
    match error {
        AwsError::Refused { code, .. } if code == "ResourceNotFoundException" => anyhow!(
            "there is no log group `{group}` in {region} (`--region` names another region): `aws logs create-log-group \
             --log-group-name {word}` makes it, or a `scalr_eventbridge_target` with `create = true`"
        ),
        error => anyhow::Error::new(error).context(format!(
            "the log group `{group}` cannot be read in {region} (`--region` names another region)"
        )),
    }
}

fn region(client: &Client) -> &str {
    client.config().region().map_or("no region", AsRef::as_ref)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_that_makes_a_log_group_quotes_its_name() {
        for (group, want) in [
            ("/aws/events/scalr", "--log-group-name /aws/events/scalr`"),
            ("/a b$(x)", "--log-group-name '/a b$(x)'`"),
        ] {
            let error = AwsError::Refused {
                code: "ResourceNotFoundException".to_owned(),
                message: String::new(),
            };
            let said = explained("us-east-1", group, error).to_string();
            assert!(said.contains(want), "{said}");
        }
    }
}
