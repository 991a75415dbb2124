//! The environment variables that the provider reads, each declared once. Code takes a name from here, and `cargo xtask docs` makes
//! the provider's rows of `docs/guides/environment.md` of these comments, in this order.

#![expect(
    dead_code,
    reason = "some are read by the framework, by `scalr-api` or by a library alone: they are here for the page"
)]

/// Host of Scalr's API, such as `acme.scalr.io`, with or without a scheme; `scalr-eventbridge dev` prints one.
pub const SCALR_HOSTNAME: &str = "SCALR_HOSTNAME";
/// Token for Scalr's API.
pub const SCALR_TOKEN: &str = "SCALR_TOKEN";
/// With the host at its end, and `_` for `.` and `__` for `-` there (`TF_TOKEN_acme_scalr_io`): token for that host, as Terraform and
/// OpenTofu read it. Used if there is no `SCALR_TOKEN`.
pub const TF_TOKEN: &str = "TF_TOKEN_…";
/// The CLI configuration, whose `credentials` blocks have tokens. Used if no variable has a token.
pub const TF_CLI_CONFIG_FILE: &str = "TF_CLI_CONFIG_FILE";
/// The same under its older name.
pub const TERRAFORM_CONFIG: &str = "TERRAFORM_CONFIG";

/// Region of the resources that name none.
pub const AWS_REGION: &str = "AWS_REGION";
/// The same, if there is no `AWS_REGION`.
pub const AWS_DEFAULT_REGION: &str = "AWS_DEFAULT_REGION";
/// Profile of the shared configuration and credentials files.
pub const AWS_PROFILE: &str = "AWS_PROFILE";
/// Where the shared configuration file is.
pub const AWS_CONFIG_FILE: &str = "AWS_CONFIG_FILE";
/// Where the shared credentials file is.
pub const AWS_SHARED_CREDENTIALS_FILE: &str = "AWS_SHARED_CREDENTIALS_FILE";
/// Address of all of AWS's services, such as that of the local AWS. With the name of a service at its end
/// (`AWS_ENDPOINT_URL_EVENTBRIDGE`), the address of that one.
pub const AWS_ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";
/// Attempts of a call ([When calls are throttled](many-objects.md#when-calls-are-throttled)).
pub const AWS_MAX_ATTEMPTS: &str = "AWS_MAX_ATTEMPTS";

/// A file of certificates (PEM) that are trusted beside the system's, for calls to AWS and to Scalr.
pub const AWS_CA_BUNDLE: &str = "AWS_CA_BUNDLE";
/// A file of certificates that are trusted in place of the system's, for calls to AWS and to Scalr.
pub const SSL_CERT_FILE: &str = "SSL_CERT_FILE";
/// The same as a folder.
pub const SSL_CERT_DIR: &str = "SSL_CERT_DIR";
/// Proxy for calls to AWS and to Scalr with `https`. The lower-case name works, too.
pub const HTTPS_PROXY: &str = "HTTPS_PROXY";
/// Proxy for calls with `http`. The lower-case name works, too.
pub const HTTP_PROXY: &str = "HTTP_PROXY";
/// Hosts that no proxy is used for. Needed with a proxy and the local AWS: `127.0.0.1,localhost`.
pub const NO_PROXY: &str = "NO_PROXY";

/// Log level of the provider.
pub const TF_LOG_PROVIDER: &str = "TF_LOG_PROVIDER";
/// Log level of Terraform and of the provider, if there is no `TF_LOG_PROVIDER`.
pub const TF_LOG: &str = "TF_LOG";
/// Log level of the plugin protocol.
pub const TF_LOG_SDK_PROTO: &str = "TF_LOG_SDK_PROTO";
/// The same, if there is no `TF_LOG_SDK_PROTO`.
pub const TF_LOG_SDK: &str = "TF_LOG_SDK";
/// A text that is added to the `User-Agent` of calls to AWS and to Scalr.
pub const TF_APPEND_USER_AGENT: &str = "TF_APPEND_USER_AGENT";
/// For tests: Terraform and the provider talk without TLS; only the same user can open the provider's socket. Terraform reads it.
pub const TF_DISABLE_PLUGIN_TLS: &str = "TF_DISABLE_PLUGIN_TLS";
/// For `-debug`: the address that the provider prints for `TF_REATTACH_PROVIDERS`.
pub const TF_PROVIDER_ADDRESS: &str = "TF_PROVIDER_ADDRESS";
