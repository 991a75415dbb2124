//! Log groups, local or real, through the AWS SDK.

use anyhow::{Context as _, bail};
use aws_config::SdkConfig;
use aws_sdk_cloudwatchlogs::Client;

use super::aws::Place;
use crate::aws_wire::AwsWire;
use crate::partner::{self, AwsError};

/// A client of that place.
pub(super) async fn client(place: &Place) -> anyhow::Result<Client> {
    Ok(client_of(&place.config().await?))
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
    match found.map_err(|error| partner::error(&error)) {
        Ok(_) => Ok(()),
        Err(AwsError::Refused { code, .. }) if code == "ResourceNotFoundException" => bail!(
            "there is no log group `{group}` in {} (`--region` names another region): `aws logs create-log-group \
             --log-group-name {group}` makes it, or a `scalr_eventbridge_target` with `create = true`",
            region(client)
        ),
        Err(error) => Err(error).with_context(|| unreadable(client, group)),
    }
}

/// What could not be done, with the region.
pub(super) fn unreadable(client: &Client, group: &str) -> String {
    let region = region(client);
    format!("the log group `{group}` cannot be read in {region} (`--region` names another)")
}

fn region(client: &Client) -> &str {
    client.config().region().map_or("no region", AsRef::as_ref)
}
