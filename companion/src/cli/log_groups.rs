//! Log groups, local or real, through the AWS SDK.

use aws_sdk_cloudwatchlogs::Client;

use super::aws;
use crate::aws_wire::AwsWire;

/// Where log groups are.
#[derive(clap::Args)]
pub(super) struct Place {
    /// AWS's address; without it, AWS itself.
    #[arg(long, env = "AWS_ENDPOINT_URL", value_name = "URL")]
    aws_endpoint: Option<String>,
    /// The AWS region.
    #[arg(long, env = "AWS_REGION", value_name = "REGION", default_value = "us-east-1")]
    region: String,
}

impl Place {
    /// A client of that place.
    pub(super) async fn client(&self) -> Client {
        let config = aws::config("logs", Some(&self.region), self.aws_endpoint.as_deref()).await;
        let config = aws_sdk_cloudwatchlogs::config::Builder::from(&config);
        Client::from_conf(config.interceptor(AwsWire).build())
    }
}

/// What could not be done, with the region.
pub(super) fn unreadable(client: &Client, group: &str) -> String {
    let region = client.config().region().map_or("no region", AsRef::as_ref);
    format!("the log group `{group}` cannot be read in {region} (`--region` names another)")
}
