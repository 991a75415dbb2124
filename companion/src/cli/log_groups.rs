//! Log groups, local or real, through the AWS SDK.

use aws_config::{BehaviorVersion, Region};
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::config::Credentials;

use super::loopback::is_loopback;
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
        let region = Region::new(self.region.clone());
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).region(region);
        if let Some(url) = &self.aws_endpoint {
            loader = loader.endpoint_url(url);
            // The local AWS checks no signature, so no credentials need to be configured for it.
            if is_loopback(url) && std::env::var_os("AWS_ACCESS_KEY_ID").is_none() {
                let credentials = Credentials::new("123456789012", "none", None, None, "loopback");
                loader = loader.credentials_provider(credentials);
            }
        }
        let config = aws_sdk_cloudwatchlogs::config::Builder::from(&loader.load().await);
        Client::from_conf(config.interceptor(AwsWire).build())
    }
}

/// What could not be done, with the region.
pub(super) fn unreadable(client: &Client, group: &str) -> String {
    let region = client.config().region().map_or("no region", AsRef::as_ref);
    format!("the log group `{group}` cannot be read in {region} (`--region` names another)")
}
