//! Refuses requests from web pages: signatures are not checked, so a page in a browser must not reach the local AWS.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::ORIGIN;
use axum::middleware::Next;
use axum::response::Response;

use super::reply::{Wire, respond};
use super::target;
use crate::admission::Guest;
use crate::fault::Fault;
use crate::host::{BadHost, host, without_port};

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
            let wire = target::wire(request.headers(), request.uri().path());
            if wire == Wire::Cbor {
                return wire.fault(&Fault {
                    status: 403,
                    ..Fault::new("AccessDeniedException", why)
                });
            }
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
        let name = match (host(headers), uri_host) {
            (Err(BadHost::Several), _) => {
                return Some("A request has one Host header, and this one has more.");
            }
            (_, Some(host)) => without_port(host),
            (held, None) => held.ok().flatten(),
        };
        let is_ours = name.is_some_and(is_ours);
        (!self.any_host && !is_ours).then_some("The Host header is not one of a loopback address.")
    }
}

/// `localhost` and names under it, and loopback addresses; and the same with the prefix that SDKs put before the host of
/// StartLiveTail.
fn is_ours(name: &str) -> bool {
    let name = name.strip_prefix("stream-").unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || name.to_ascii_lowercase().ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::http::header::HOST;

    use super::*;

    #[test]
    fn only_loopback_names_are_ours() {
        let guard = Guard { any_host: false };
        for (host, ours) in [
            ("localhost", true),
            ("localhost:4566", true),
            ("LOCALHOST", true),
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
            ("[::1]x", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, host.parse().unwrap());
            assert_eq!(guard.refusal(&headers, None).is_none(), ours, "{host}");
            // The target's host counts where there is one.
            headers.insert(HOST, "evil.example".parse().unwrap());
            assert_eq!(guard.refusal(&headers, Some(host)).is_none(), ours, "{host}");
        }
        assert!(guard.refusal(&HeaderMap::new(), None).is_some(), "no host");
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
