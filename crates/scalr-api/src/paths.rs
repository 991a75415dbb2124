//! Where the API is on a host, and its media type.

/// Media type of every request and answer.
pub const MEDIA_TYPE: &str = "application/vnd.api+json";

/// Path under the host's root where the API lives, with both slashes.
pub const BASE_PATH: &str = "/api/iacp/v3/";

/// Path, under the host's root, of the service discovery document; it is answered without a token.
pub const DISCOVERY_PATH: &str = "/.well-known/terraform.json";

/// Key of the API's path in the service discovery document.
pub const DISCOVERY_KEY: &str = "iacp.v3";
