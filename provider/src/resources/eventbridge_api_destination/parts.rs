//! The kinds of credentials.

use std::collections::BTreeMap;

use tfplugin::Attrs;

use crate::aws::http_checks;
use crate::values::Secret;

/// A key in a header.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct ApiKey {
    /// Name of the header, such as `x-api-key`.
    #[tf(required, check = http_checks::http_parameter)]
    pub name: String,
    /// The key: write-only, 512 characters at most. Needs Terraform 1.11 or OpenTofu 1.11.
    #[tf(optional, sensitive, write_only)]
    pub value_wo: Option<Secret>,
    /// Any number; another one sends `value_wo` again.
    #[tf(optional)]
    pub value_wo_version: Option<i64>,
}

/// User and password.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct Basic {
    /// Name of the user.
    #[tf(required, check = http_checks::http_parameter)]
    pub username: String,
    /// The password: write-only, 512 characters at most. Needs Terraform 1.11 or OpenTofu 1.11.
    #[tf(optional, sensitive, write_only)]
    pub password_wo: Option<Secret>,
    /// Any number; another one sends `password_wo` again.
    #[tf(optional)]
    pub password_wo_version: Option<i64>,
}

/// OAuth client credentials.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct OAuth {
    /// Id of the client.
    #[tf(required, check = http_checks::http_parameter)]
    pub client_id: String,
    /// The client's secret: write-only, 512 characters at most. Needs Terraform 1.11 or OpenTofu 1.11.
    #[tf(optional, sensitive, write_only)]
    pub client_secret_wo: Option<Secret>,
    /// Any number; another one sends `client_secret_wo` again.
    #[tf(optional)]
    pub client_secret_wo_version: Option<i64>,
    /// URL that EventBridge asks for a token, `https://…`.
    #[tf(required, check = http_checks::invocation_endpoint)]
    pub authorization_endpoint: String,
    /// HTTP method of that request: `POST`, `GET` or `PUT`.
    #[tf(optional, default = "POST", check = http_checks::token_method)]
    pub http_method: String,
    /// Further members of its body, such as `grant_type = "client_credentials"` or a `scope`. They are stored in the state: no secrets.
    #[tf(optional, check = http_checks::http_parameters)]
    pub body_parameters: Option<BTreeMap<String, String>>,
}
