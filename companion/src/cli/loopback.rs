//! Which URLs are on loopback: an AWS there is a local one, and no proxy is used for them.

use std::net::{IpAddr, SocketAddr};

use super::exit::Failure;

/// Whether a URL's host is this machine's loopback interface.
pub(super) fn is_loopback(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(ip) => ip.is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// Refuses an address that other machines reach, unless that is asked for.
pub(super) fn or_allowed(option: &str, listen: SocketAddr, allow_remote: bool) -> anyhow::Result<()> {
    if listen.ip().is_loopback() || allow_remote {
        return Ok(());
    }
    Err(Failure::setting(format!(
        "`{listen}` (`{option}`) is reachable from other machines, and the local AWS checks no signature: listen on `127.0.0.1:{}`, or give \
         `--allow-remote` if you mean it",
        listen.port()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_hosts_are_loopback() {
        for (url, is) in [
            ("http://127.0.0.1:4566", true),
            ("http://localhost:1/", true),
            ("http://aws.localhost:1/", true),
            ("http://[::1]:1", true),
            ("http://0.0.0.0:4566", false),
            ("http://127.0.0.1.example.com", false),
            ("http://localhost.example.com", false),
            ("https://events.us-east-1.amazonaws.com", false),
            ("nonsense", false),
        ] {
            assert_eq!(is_loopback(url), is, "{url}");
        }
    }
}
