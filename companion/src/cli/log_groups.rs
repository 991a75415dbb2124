//! Log groups, local or real, through the AWS SDK.

use aws_config::SdkConfig;
use aws_sdk_cloudwatchlogs::Client;
use scalr_events::nearest;

use super::aws::Place;
use super::exit::Failure;
use super::show;
use crate::aws_error::{self, AwsError};
use crate::aws_wire::AwsWire;

/// Log groups among which a near name is looked for.
const LISTED_MAX: usize = 1000;

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
    match found {
        Ok(_) => Ok(()),
        Err(error) => Err(failed(client, group, aws_error::error(&error)).await),
    }
}

/// Why a log group could not be read, with the region, and the one that was probably meant.
pub(super) async fn failed(client: &Client, group: &str, error: AwsError) -> anyhow::Error {
    let near = if is_missing(&error) {
        near(client, group).await
    } else {
        None
    };
    explained(region(client), group, near.as_deref(), error)
}

fn is_missing(error: &AwsError) -> bool {
    matches!(error, AwsError::Refused { code, .. } if code == "ResourceNotFoundException")
}

/// The log group whose name is most like this one. That they cannot be listed is no failure of its own.
async fn near(client: &Client, group: &str) -> Option<String> {
    let mut names: Vec<String> = Vec::new();
    let mut pages = client.describe_log_groups().into_paginator().send();
    while let Some(Ok(page)) = pages.next().await {
        let groups = page.log_groups.into_iter().flatten();
        names.extend(groups.filter_map(|group| group.log_group_name));
        if names.len() >= LISTED_MAX {
            break;
        }
    }
    nearest(group, names.iter().map(String::as_str)).map(str::to_owned)
}

fn explained(region: &str, group: &str, near: Option<&str>, error: AwsError) -> anyhow::Error {
    let (group, word) = (group.escape_debug(), show::quoted(group));
    match error {
        error if is_missing(&error) => {
            let meant = near.map_or_else(String::new, |near| {
                format!(" Did you mean `{}`?", show::escaped(near))
            });
            let what = format!(
                "there is no log group `{group}` in {region} (`--region` names another region).{meant}"
            );
            let next = match near {
                Some(near) => format!("the same command with {}", show::quoted(near)),
                None => format!(
                    "`aws logs create-log-group --region {} --log-group-name {word}` makes it, or a `scalr_eventbridge_target` \
                     with `create = true`",
                    show::quoted(region)
                ),
            };
            Failure::WithNext { what, next }.into()
        }
        AwsError::Refused { code, .. } if code == "InvalidParameterException" => Failure::setting(format!(
            "`{group}` cannot be a log group: its name has 1 to 512 letters, digits, `_`, `-`, `/`, `.` and `#`"
        )),
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
    fn the_command_that_makes_a_log_group_is_for_its_region_and_quotes_its_name() {
        for (group, near, said, next) in [
            (
                "/aws/events/scalr",
                None,
                "another region).",
                "--region eu-west-1 --log-group-name /aws/events/scalr`",
            ),
            (
                "/a b$(x)",
                None,
                "`/a b$(x)` in eu-west-1",
                "--log-group-name '/a b$(x)'`",
            ),
            (
                "/aws/event",
                Some("/aws/events"),
                "Did you mean `/aws/events`?",
                "the same command with /aws/events",
            ),
        ] {
            let error = AwsError::Refused {
                code: "ResourceNotFoundException".to_owned(),
                message: String::new(),
            };
            let failure = explained("eu-west-1", group, near, error);
            assert!(failure.to_string().contains(said), "{failure}");
            match failure.downcast_ref() {
                Some(Failure::WithNext { next: found, .. }) => assert!(found.contains(next), "{found}"),
                other => panic!("{other:?}"),
            }
        }
    }
}
