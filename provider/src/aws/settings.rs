//! What the provider's `aws = { … }` says, before anything of it is looked up.

use std::collections::BTreeMap;

/// The AWS side of the provider's configuration. Everything left out comes from AWS's own environment variables,
/// profiles and instance metadata when the first AWS call is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Default region of resources that name none.
    pub region: Option<String>,
    /// Profile of the shared configuration files.
    pub profile: Option<String>,
    /// Role to assume with the credentials found.
    pub assume_role: Option<AssumeRole>,
    /// Endpoints by service, in place of AWS's own.
    pub endpoints: Endpoints,
    /// Tags for everything that can be tagged.
    pub default_tags: BTreeMap<String, String>,
    /// How often a failed call is tried again.
    pub max_retries: Option<u32>,
    /// Accounts that may be worked in; empty: any.
    pub allowed_account_ids: Vec<String>,
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
    /// CloudWatch Logs.
    pub logs: Option<String>,
    /// The token service, for `assume_role`.
    pub sts: Option<String>,
}
