//! Refuses requests from web pages: signatures are not checked, so a page in a browser must not reach the local AWS.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};
use axum::middleware::Next;
use axum::response::Response;

use super::reply::respond;
use crate::admission::Guest;

/// What is refused before anything is read.
pub(super) struct Guard {
    /// Remote access is allowed: other machines use host names that are not known here.
    pub(super) any_host: bool,
}

pub(super) async fn check(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    match guard.refusal(request.headers(), request.uri().host()) {
        None => {
            if let Some(guest) = request.extensions().get::<Guest>() {
                guest.is_right();
            }
            next.run(request).await
        }
        Some(why) => {
            let body = serde_json::json!({ "__type": "AccessDeniedException", "message": why });
            respond(403, &[("content-type", "application/json")], body.to_string())
        }
    }
}

impl Guard {
    fn refusal(&self, headers: &HeaderMap, uri_host: Option<&str>) -> Option<&'static str> {
        // A page's plain GET carries no Origin, but a browser says whose it is.
        let from_page = headers.get("sec-fetch-site").is_some_and(|site| site != "none");
        if headers.contains_key(ORIGIN) || from_page {
            return Some("Requests from web pages are refused: the local AWS takes any signature.");
        }
        let mut hosts = headers.get_all(HOST).iter();
        let host = hosts.next();
        if hosts.next().is_some() {
            return Some("A request has one Host header, and this one has more.");
        }
        let host = uri_host.or_else(|| host?.to_str().ok()).unwrap_or_default();
        (!self.any_host && !is_ours(host)).then_some("The Host header is not one of a loopback address.")
    }
}

/// `localhost` and names under it, and loopback addresses, with or without a port; and the same with the prefix that SDKs
/// put before the host of StartLiveTail.
fn is_ours(host: &str) -> bool {
    let host = host.strip_prefix("stream-").unwrap_or(host);
    let Some(name) = without_port(host) else {
        return false;
    };
    name.eq_ignore_ascii_case("localhost")
        || name.to_ascii_lowercase().ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The name or address of a host with or without a port; none where anything else is around it.
fn without_port(host: &str) -> Option<&str> {
    let (name, port) = match host.strip_prefix('[') {
        Some(inner) => inner
            .split_once(']')
            .filter(|(address, _)| address.parse::<Ipv6Addr>().is_ok())?,
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    let ends = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
    ends.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_are_ours() {
        for (host, expected) in [
            ("localhost", true),
            ("localhost:4566", true),
            ("127.0.0.1:80", true),
            ("[::1]:80", true),
            ("events.localhost:1", true),
            ("stream-localhost:4566", true),
            ("stream-127.0.0.1:80", true),
            ("stream-evil.example", false),
            ("stream-", false),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("192.168.0.1:1", false),
            ("", false),
            ("[::1]", true),
            ("[::1]x", false),
            ("[::1]:", false),
            ("[::1]:80x", false),
            ("[::1]:99999", false),
            ("[::1", false),
            ("[127.0.0.1]", false),
            ("[localhost]", false),
            ("::1", false),
            ("localhost:80:80", false),
            ("localhost:x", false),
            ("localhost x", false),
            ("localhost@evil.example", false),
            ("127.0.0.1:evil.example", false),
        ] {
            assert_eq!(is_ours(host), expected, "{host}");
        }
    }

    #[test]
    fn pages_in_browsers_are_refused() {
        let guard = Guard { any_host: false };
        let mut headers = HeaderMap::new();
        headers.insert(HOST, "localhost".parse().unwrap());
        assert_eq!(guard.refusal(&headers, None), None);
        headers.insert(ORIGIN, "http://localhost".parse().unwrap());
        assert!(guard.refusal(&headers, None).is_some());
        headers.remove(ORIGIN);
        headers.append(HOST, "localhost".parse().unwrap());
        assert!(guard.refusal(&headers, None).is_some(), "two hosts");
        assert!(
            guard.refusal(&headers, Some("localhost")).is_some(),
            "two hosts beside the target's"
        );
        headers.insert(HOST, "localhost".parse().unwrap());
        for (site, refused) in [("cross-site", true), ("same-origin", true), ("none", false)] {
            headers.insert("sec-fetch-site", site.parse().unwrap());
            assert_eq!(guard.refusal(&headers, None).is_some(), refused, "{site}");
        }
    }
}
