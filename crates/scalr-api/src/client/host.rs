//! The host of Scalr's API, as users write it: `acme.scalr.io`, `https://acme.scalr.io/`, `http://127.0.0.1:8080`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use reqwest::Url;

/// A host and its scheme: https, unless `http://` was written.
#[derive(Clone, PartialEq, Eq)]
pub struct Host(Url);

/// Text that is no host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// Nothing was written.
    #[error("it is empty")]
    Empty,
    /// Not a URL's host, or no port number.
    #[error("it is not a host name: {0}")]
    Illegal(String),
    /// Neither http nor https.
    #[error("its scheme is `{0}`, and only `https` (the default) and `http` are spoken")]
    Scheme(String),
    /// A path, a query or a fragment.
    #[error("it has a path or a query; write the host alone")]
    Path,
    /// A user or a password. They are not repeated.
    #[error("it holds a user or a password; the token goes into `token`")]
    Credentials,
}

impl Host {
    /// The host and, unless it is the scheme's own, the port: what credentials are stored under.
    pub fn name(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        self.0
            .port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Whether the traffic is encrypted.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether the host is this very machine.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default();
        let address = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>();
        address.map_or_else(
            |_| host == "localhost" || host.ends_with(".localhost"),
            |ip| ip.is_loopback(),
        )
    }

    /// The URL of a path that starts with a slash.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(path);
        url
    }
}

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(HostError::Empty);
        }
        let url = if text.contains("://") {
            Url::parse(text)
        } else {
            Url::parse(&format!("https://{text}"))
        };
        let url = url.map_err(|error| HostError::Illegal(error.to_string()))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(HostError::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(HostError::Credentials);
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(HostError::Path);
        }
        Ok(Self(url))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<(&str, &str), &str>) {
        let found = Host::from_str(text)
            .map(|host| (host.to_string(), host.name()))
            .map_err(|e| e.to_string());
        let expected = expected
            .map(|(url, name)| (url.to_owned(), name.to_owned()))
            .map_err(str::to_owned);
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn hosts() {
        check("acme.scalr.io", Ok(("https://acme.scalr.io", "acme.scalr.io")));
        check(
            "https://Acme.scalr.io/",
            Ok(("https://acme.scalr.io", "acme.scalr.io")),
        );
        check(
            "https://acme.scalr.io:443",
            Ok(("https://acme.scalr.io", "acme.scalr.io")),
        );
        check(
            "acme.scalr.io:8443",
            Ok(("https://acme.scalr.io:8443", "acme.scalr.io:8443")),
        );
        check(
            "http://127.0.0.1:18080",
            Ok(("http://127.0.0.1:18080", "127.0.0.1:18080")),
        );
        check("[::1]:80", Ok(("https://[::1]:80", "[::1]:80")));
        check("", Err("it is empty"));
        check(
            "acme.scalr.io/api",
            Err("it has a path or a query; write the host alone"),
        );
        check(
            "acme.scalr.io?x=1",
            Err("it has a path or a query; write the host alone"),
        );
        check(
            "me:pw@acme.scalr.io",
            Err("it holds a user or a password; the token goes into `token`"),
        );
        check(
            "ftp://acme",
            Err("its scheme is `ftp`, and only `https` (the default) and `http` are spoken"),
        );
        check(
            "acme scalr",
            Err("it is not a host name: invalid international domain name"),
        );
        check("acme:99999", Err("it is not a host name: invalid port number"));
    }

    #[test]
    fn loopback_is_recognised() {
        for text in [
            "localhost",
            "scalr.localhost:1",
            "http://127.0.0.1:1",
            "http://[::1]",
        ] {
            assert!(Host::from_str(text).unwrap().is_loopback(), "{text}");
        }
        assert!(!Host::from_str("acme.scalr.io").unwrap().is_loopback());
    }
}
