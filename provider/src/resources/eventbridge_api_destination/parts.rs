//! The kinds of credentials.

use std::collections::BTreeMap;

use tfplugin::Attrs;

use crate::aws::http_checks;

/// A key in a header.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct ApiKey {
    /// Name of the header, such as `x-api-key`.
    #[tf(required, check = http_checks::http_parameter)]
    pub name: String,
}

/// HTTP Basic.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct Basic {
    /// Name of the user.
    #[tf(required, check = http_checks::http_parameter)]
    pub username: String,
}

/// OAuth client credentials.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct OAuth {
    /// Id of the client.
    #[tf(required, check = http_checks::http_parameter)]
    pub client_id: String,
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
