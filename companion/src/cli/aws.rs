//! AWS as AWS's own tools find it: variables, profiles, metadata services.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudwatchlogs::config::Credentials;

use super::loopback::is_loopback;
use crate::aws_wire::app_name;

/// The SDK's configuration for AWS itself, or for the AWS at an endpoint. Without a region it is the one that the environment or
/// the profile names. `part` is what of this program calls.
pub(super) async fn config(part: &str, region: Option<&str>, endpoint: Option<&str>) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    if let Some(url) = endpoint {
        loader = loader.endpoint_url(url);
        // The local AWS checks no signature, so no credentials need to be configured for it.
        if is_loopback(url) && std::env::var_os("AWS_ACCESS_KEY_ID").is_none() {
            loader =
                loader.credentials_provider(Credentials::new("123456789012", "none", None, None, "loopback"));
        }
    }
    let config = loader.load().await;
    // A name that the user's own settings give stays.
    let name = config.app_name().cloned().or_else(|| app_name(part));
    let mut config = config.into_builder();
    config.set_app_name(name);
    config.build()
}
