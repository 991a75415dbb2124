//! What every request of a browser passes before anything is read: whose page sent it, for which host, and whether its answer travels
//! encrypted.
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
use axum::http::uri::Authority;
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
    /// Where browsers open it through a proxy with TLS.
    pub(super) public: Option<PublicUrl>,
}

/// The address of a console behind a proxy with TLS: `https://NAME` or `https://NAME:PORT`, as browsers write an origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicUrl {
    origin: String,
    host: String,
}

/// How an answer travels to the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Over TLS, here or at the proxy.
    Tls,
    /// In plain, and not beyond this machine.
    Loopback,
    /// In plain, over a network.
    Plain,
}

impl PublicUrl {
    /// The address, if it is one.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let name = text.strip_prefix("https://")?;
        let name = name.strip_suffix('/').unwrap_or(name).to_ascii_lowercase();
        let authority: Authority = name.parse().ok()?;
        // Browsers leave out the port that https has anyway.
        let name = name.strip_suffix(":443").unwrap_or(&name);
        let is_plain = !name.contains('@') && !name.ends_with(':') && !authority.host().is_empty();
        is_plain.then(|| Self {
            origin: format!("https://{name}"),
            host: authority.host().to_owned(),
        })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.origin
    }
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
                 the companion with `--console-host NAME` for this name, or with `--console-url https://NAME` behind a proxy with TLS."
            }
            Self::Origin => {
                "This request does not come from a page of this console, so nothing was changed. Open the console in a \
                 browser and repeat the step there. Behind a proxy with TLS, the companion has to be started with \
                 `--console-url https://NAME`, which is the address that browsers open."
            }
        }
    }
}

/// Refuses, or passes on and adds the headers of every answer.
pub(super) async fn check(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    let way = guard.way(request.headers());
    request.extensions_mut().insert(way);
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
        let is_named = self.hosts.iter().any(|host| host.eq_ignore_ascii_case(name));
        if !is_loopback(name) && !is_named && !self.is_public(name) {
            return Some(Refusal::Host);
        }
        let is_read = matches!(*method, Method::GET | Method::HEAD);
        (!self.is_own(is_read, headers)).then_some(Refusal::Origin)
    }

    /// Whether a request comes from a page of this origin, or, where it reads, from a person who typed the address.
    fn is_own(&self, is_read: bool, headers: &HeaderMap) -> bool {
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let is_right = text(ORIGIN.as_str()).map(|origin| {
            self.is_public_origin(origin)
                || self.is_direct_origin(origin, text(HOST.as_str()).unwrap_or_default())
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

    fn is_public(&self, host: &str) -> bool {
        let public = self.public.as_ref();
        public.is_some_and(|public| public.host.eq_ignore_ascii_case(host))
    }

    /// Whether a page's origin is the address behind the proxy, which need not pass on the name that it was opened at.
    fn is_public_origin(&self, origin: &str) -> bool {
        let public = self.public.as_ref();
        public.is_some_and(|public| public.origin.eq_ignore_ascii_case(origin))
    }

    /// Whether a page's origin is the host of the request, without a proxy. At the public name there is one.
    fn is_direct_origin(&self, origin: &str, host: &str) -> bool {
        let name = host.parse::<Authority>();
        let is_public = name.is_ok_and(|name| self.is_public(name.host()));
        !is_public && origin.eq_ignore_ascii_case(&format!("{}://{host}", self.scheme))
    }

    /// How the answer of a request travels.
    fn way(&self, headers: &HeaderMap) -> Way {
        let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
        let is_public = origin.is_some_and(|origin| self.is_public_origin(origin));
        match aws_local::host(headers) {
            _ if self.scheme == "https" || is_public => Way::Tls,
            Ok(Some(name)) if self.is_public(name) => Way::Tls,
            Ok(Some(name)) if is_loopback(name) => Way::Loopback,
            _ => Way::Plain,
        }
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

    fn guard(public: Option<&str>) -> Guard {
        Guard {
            hosts: vec!["console.example".to_owned()],
            scheme: "http",
            public: public.map(|url| PublicUrl::new(url).unwrap()),
        }
    }

    #[track_caller]
    fn check(method: &Method, all: &[(&'static str, &str)], want: Option<Refusal>) {
        let refusal = guard(None).refusal(method, &headers(all));
        assert_eq!(refusal, want, "{method} {all:?}");
    }

    #[test]
    fn behind_a_proxy_pages_come_from_its_address_over_tls() {
        let public = guard(Some("https://Events.example:8443/"));
        let (direct, passed) = ("127.0.0.1:8080", "events.example:8443");
        let origin = "https://events.example:8443";
        for (host, from, refused, way) in [
            (passed, Some(origin), None, Way::Tls),
            ("events.example", Some(origin), None, Way::Tls),
            // A proxy that calls itself by the companion's address.
            (direct, Some(origin), None, Way::Tls),
            // A person on the machine itself.
            (direct, Some(OWN), None, Way::Loopback),
            (
                "console.example",
                Some("http://console.example"),
                None,
                Way::Plain,
            ),
            (
                "console.example",
                Some("https://console.example"),
                Some(Refusal::Origin),
                Way::Plain,
            ),
            (
                passed,
                Some("http://events.example:8443"),
                Some(Refusal::Origin),
                Way::Tls,
            ),
            (
                passed,
                Some("https://events.example"),
                Some(Refusal::Origin),
                Way::Tls,
            ),
            (passed, None, Some(Refusal::Origin), Way::Tls),
            ("other.example", Some(origin), Some(Refusal::Host), Way::Tls),
        ] {
            let all: Vec<_> = [("host", host)]
                .into_iter()
                .chain(from.map(|from| ("origin", from)))
                .collect();
            let headers = headers(&all);
            let found = (public.refusal(&Method::POST, &headers), public.way(&headers));
            assert_eq!(found, (refused, way), "{all:?}");
        }
    }

    #[test]
    fn a_public_address_is_an_origin_with_tls() {
        for (text, want) in [
            ("https://events.example.com", Some("https://events.example.com")),
            (
                "https://Events.example.com:443/",
                Some("https://events.example.com"),
            ),
            ("https://[2001:db8::1]:8443", Some("https://[2001:db8::1]:8443")),
            ("http://events.example.com", None),
            ("events.example.com", None),
            ("https://", None),
            ("https://events.example.com:", None),
            ("https://user@events.example.com", None),
            ("https://events.example.com/console", None),
            ("https://events.example.com?x", None),
        ] {
            let found = PublicUrl::new(text);
            assert_eq!(found.as_ref().map(PublicUrl::as_str), want, "{text}");
        }
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
