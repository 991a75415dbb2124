//! What every request of a browser passes before anything is read: whose page sent it, and for which host.
//!
//! Cookies and "same site" know no ports, so a page of another server on this machine would be let in by them alone: what
//! writes has to come from this very origin. Every answer forbids whatever the pages do not need.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

const FETCH_SITE: &str = "sec-fetch-site";
/// Scripts and styles of the console's own alone, none within a page; nothing may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const HEADERS: [(HeaderName, &str); 6] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    // Not `no-referrer`: with it browsers send `Origin: null` with a form.
    (REFERRER_POLICY, "same-origin"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// What is let in.
#[derive(Debug)]
pub(super) struct Guard {
    /// Host names beside loopback's.
    pub(super) hosts: Vec<String>,
    /// `http` or `https`.
    pub(super) scheme: &'static str,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Host,
    Origin,
}

impl Refusal {
    const fn text(self) -> &'static str {
        match self {
            Self::Host => {
                "The console does not answer for this host name. Open it at 127.0.0.1 or localhost, or start \
                 the companion with `--console-host NAME` for this name."
            }
            Self::Origin => {
                "This request does not come from a page of this console, so nothing was changed. Open the console in a \
                 browser and repeat the step there."
            }
        }
    }
}

/// Refuses, or passes on and adds the headers of every answer.
pub(super) async fn check(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let refusal = guard.refusal(request.method(), request.headers());
    let mut answer = match refusal {
        None => next.run(request).await,
        Some(refusal) => (StatusCode::FORBIDDEN, refusal.text()).into_response(),
    };
    let headers = answer.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    answer
}

impl Guard {
    fn refusal(&self, method: &Method, headers: &HeaderMap) -> Option<Refusal> {
        let Ok(Some(name)) = aws_local::host(headers) else {
            return Some(Refusal::Host);
        };
        if !is_loopback(name) && !self.hosts.iter().any(|host| host.eq_ignore_ascii_case(name)) {
            return Some(Refusal::Host);
        }
        let is_read = matches!(*method, Method::GET | Method::HEAD);
        (!self.is_own(is_read, headers)).then_some(Refusal::Origin)
    }

    /// Whether a request comes from a page of this origin, or, where it reads, from a person who typed the address.
    fn is_own(&self, is_read: bool, headers: &HeaderMap) -> bool {
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let is_right = text(ORIGIN.as_str()).map(|origin| {
            let host = text(HOST.as_str()).unwrap_or_default();
            origin.eq_ignore_ascii_case(&format!("{}://{host}", self.scheme))
        });
        let site = text(FETCH_SITE);
        if is_read {
            // A link in another page may lead here; a script, a stream or a picture there may not read from here.
            let is_link = text("sec-fetch-mode") == Some("navigate");
            let is_near = matches!(site, None | Some("same-origin" | "none"));
            return is_right.unwrap_or(true) && (is_near || is_link);
        }
        is_right == Some(true) && matches!(site, None | Some("same-origin"))
    }
}

/// `localhost`, names under it, and loopback addresses.
fn is_loopback(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "http://127.0.0.1:8080";

    /// Headers by their names.
    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in all {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    #[track_caller]
    fn check(method: &Method, all: &[(&'static str, &str)], want: Option<Refusal>) {
        let guard = Guard {
            hosts: vec!["console.example".to_owned()],
            scheme: "http",
        };
        assert_eq!(guard.refusal(method, &headers(all)), want, "{method} {all:?}");
    }

    #[test]
    fn only_named_hosts_are_answered_for() {
        for (host, ok) in [
            ("127.0.0.1:8080", true),
            ("[::1]:8080", true),
            ("localhost", true),
            ("LOCALHOST:1", true),
            ("a.localhost:1", true),
            ("Console.example:8080", true),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("192.0.2.1", false),
            ("127.0.0.1.evil.example", false),
            ("x@localhost", false),
        ] {
            let want = (!ok).then_some(Refusal::Host);
            check(&Method::GET, &[("host", host)], want);
        }
        check(&Method::GET, &[], Some(Refusal::Host));
        let two = [("host", "localhost"), ("host", "localhost")];
        check(&Method::GET, &two, Some(Refusal::Host));
    }

    #[test]
    fn writes_come_from_this_origin() {
        let host = ("host", "127.0.0.1:8080");
        for (origin, site, ok) in [
            (Some(OWN), Some("same-origin"), true),
            (Some(OWN), None, true),
            (None, None, false),
            (None, Some("same-origin"), false),
            (Some("null"), Some("same-origin"), false),
            (Some(OWN), Some("same-site"), false),
            (Some(OWN), Some("cross-site"), false),
            (Some(OWN), Some("none"), false),
            // Another port of this machine is the same site, and another origin.
            (Some("http://127.0.0.1:9"), Some("same-origin"), false),
            (Some("https://127.0.0.1:8080"), Some("same-origin"), false),
            (Some("http://localhost:8080"), Some("same-origin"), false),
        ] {
            let mut all = vec![host];
            all.extend(origin.map(|origin| ("origin", origin)));
            all.extend(site.map(|site| ("sec-fetch-site", site)));
            for method in [Method::POST, Method::DELETE, Method::PUT] {
                check(&method, &all, (!ok).then_some(Refusal::Origin));
            }
        }
    }

    #[test]
    fn other_pages_may_link_here_and_not_read_from_here() {
        let host = ("host", "127.0.0.1:8080");
        for (more, ok) in [
            (&[][..], true),
            (
                &[("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")],
                true,
            ),
            (
                &[("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")],
                true,
            ),
            (
                &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")],
                true,
            ),
            (
                &[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "cors")],
                false,
            ),
            (
                &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")],
                false,
            ),
            (&[("origin", "http://evil.example")], false),
            (&[("origin", "null")], false),
        ] {
            let all: Vec<_> = std::iter::once(host).chain(more.iter().copied()).collect();
            check(&Method::GET, &all, (!ok).then_some(Refusal::Origin));
        }
    }
}
