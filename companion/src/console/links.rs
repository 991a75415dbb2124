//! The addresses of the pages. Names go into queries: those of buses and log groups have slashes.

use std::fmt::Write as _;

/// Where the console is.
pub(crate) const BASE: &str = "/console";
/// The list of connections, where a session begins.
pub(super) const INTEGRATIONS: &str = "/console/integrations";
/// Where the token is shown.
pub(super) const SIGN_IN: &str = "/console/sign-in";
/// Account settings > Audit logs.
pub(super) const AUDIT_LOGS: &str = "/console/settings/audit-logs";

/// A connection.
pub(super) fn connection(id: &str) -> String {
    format!("{INTEGRATIONS}/{}", encoded(id))
}

/// An AWS account in a region: what its pages begin with.
pub(super) fn aws(account: &str, region: &str) -> String {
    format!("{BASE}/aws/{}/{}", encoded(account), encoded(region))
}

/// A page with a query.
pub(super) fn with(page: &str, query: &[(&str, &str)]) -> String {
    let mut link = page.to_owned();
    for (at, (name, value)) in query.iter().enumerate() {
        link.push(if at == 0 { '?' } else { '&' });
        link.extend([name, "=", &encoded(value)]);
    }
    link
}

/// Percent-encoded, for a part of a path or a value of a query.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_within_their_part() {
        assert_eq!(connection("in-1/../x?"), "/console/integrations/in-1%2F..%2Fx%3F");
        assert_eq!(
            with(&aws("1", "us-east-1"), &[("name", "a/b&c=<d>"), ("x", "ä")]),
            "/console/aws/1/us-east-1?name=a%2Fb%26c%3D%3Cd%3E&x=%C3%A4"
        );
    }
}
