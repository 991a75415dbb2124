//! What the provider's `aws = { … }` says, before anything of it is looked up.

use super::tags::{Defaults, Ignored};
use crate::check::userinfo;
use crate::setting::Setting;

/// The AWS side of the provider's configuration. Everything left out comes from AWS's own environment variables,
/// profiles and instance metadata when the first AWS call is made.
///
/// What not every call needs may be unknown while Terraform plans: where the state has the region, and where tags are not
/// written, nothing waits for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Default region of resources that name none.
    pub region: Setting<Option<String>>,
    /// The region that the environment names, which plans go by where nothing else is written.
    pub environment_region: Option<String>,
    /// Services for which the environment names an endpoint of their own.
    pub environment_endpoints: OwnEndpoints,
    /// Profile of the shared configuration files.
    pub profile: Option<String>,
    /// Role to assume with the credentials found.
    pub assume_role: Option<AssumeRole>,
    /// Endpoints by service, in place of AWS's own.
    pub endpoints: Endpoints,
    /// Tags for everything that can be tagged.
    pub default_tags: Defaults,
    /// Tags that are somebody else's.
    pub ignore_tags: Setting<Ignored>,
    /// How often a failed call is tried again.
    pub max_retries: Option<u32>,
    /// Accounts that may be worked in; empty: any.
    pub allowed_account_ids: Vec<String>,
    /// Certificates that are trusted beside the system's, as a PEM file has them.
    pub extra_roots: Option<String>,
    /// What is added to the SDK's `User-Agent`.
    pub user_agent: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            region: Ok(None),
            environment_region: None,
            environment_endpoints: OwnEndpoints::default(),
            profile: None,
            assume_role: None,
            endpoints: Endpoints::default(),
            default_tags: Defaults::default(),
            ignore_tags: Ok(Ignored::default()),
            max_retries: None,
            allowed_account_ids: Vec::new(),
            extra_roots: None,
            user_agent: String::new(),
        }
    }
}

/// A role to assume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssumeRole {
    /// ARN of the role.
    pub role_arn: String,
    /// Name that the session shows in AWS's logs.
    pub session_name: Option<String>,
    /// The external id that the role's trust policy may ask for.
    pub external_id: Option<String>,
}

/// Endpoints that replace AWS's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// EventBridge.
    pub events: Option<String>,
    /// EventBridge's custom event buses.
    pub eventsv2: Option<String>,
    /// IAM.
    pub iam: Option<String>,
    /// CloudWatch Logs.
    pub logs: Option<String>,
    /// SNS.
    pub sns: Option<String>,
    /// SQS.
    pub sqs: Option<String>,
    /// The token service, for `assume_role`.
    pub sts: Option<String>,
}

/// Services that have an endpoint of their own.
#[expect(clippy::struct_excessive_bools, reason = "one answer a service")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnEndpoints {
    /// EventBridge.
    pub events: bool,
    /// EventBridge's custom event buses.
    pub eventsv2: bool,
    /// IAM.
    pub iam: bool,
    /// SNS.
    pub sns: bool,
    /// SQS.
    pub sqs: bool,
}

/// An endpoint as it may be shown. A password that reached it (`AWS_ENDPOINT_URL` is not ours to check) stays out of
/// logs as well.
pub(super) fn shown_url(url: &str) -> String {
    let Some(userinfo) = userinfo(url) else {
        return url.to_owned();
    };
    let password = userinfo
        .split_once(':')
        .map_or(userinfo, |(_, password)| password);
    tfplugin::log::hide(password);
    url.replacen(&format!("{userinfo}@"), "", 1)
}

#[cfg(test)]
mod tests {
    use super::shown_url;

    #[test]
    fn passwords_in_endpoints_are_not_shown() {
        for (url, want) in [
            ("http://127.0.0.1:4566", "http://127.0.0.1:4566"),
            ("https://user:pass@host/x", "https://host/x"),
            ("https://user@host:1", "https://host:1"),
            ("https://u:p@ss@host?q", "https://host?q"),
            ("https://host/a@b", "https://host/a@b"),
        ] {
            assert_eq!(shown_url(url), want);
        }
    }
}
