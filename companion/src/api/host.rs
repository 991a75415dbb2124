//! The Host header: one at most, and a host with or without a port. Any host is taken, since the token is what admits.

use std::net::Ipv6Addr;

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::middleware::Next;
use axum::response::Response;

use super::error::ApiError;

/// Refuses what servers behind proxies would read in different ways.
pub(super) async fn check(request: Request, next: Next) -> Result<Response, ApiError> {
    if is_good(request.headers()) {
        Ok(next.run(request).await)
    } else {
        Err(ApiError::Host)
    }
}

fn is_good(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let first = hosts.next();
    hosts.next().is_none() && first.is_none_or(|host| host.to_str().is_ok_and(is_host))
}

fn is_host(text: &str) -> bool {
    let (is_name, port) = if let Some(inner) = text.strip_prefix('[') {
        let Some((address, port)) = inner.split_once(']') else {
            return false;
        };
        (address.parse::<Ipv6Addr>().is_ok(), port)
    } else {
        let (name, port) = text.split_at(text.find(':').unwrap_or(text.len()));
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        (!name.is_empty() && name.bytes().all(is_name), port)
    };
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    is_name && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_one_host_and_nothing_around_it() {
        for (hosts, good) in [
            (&[][..], true),
            (&["localhost"], true),
            (&["localhost:8080"], true),
            (&["my_host.example.com"], true),
            (&["192.0.2.1:80"], true),
            (&["[::1]"], true),
            (&["[::1]:80"], true),
            (&["[::1]x"], false),
            (&["[::1]:x"], false),
            (&["[::1]:99999"], false),
            (&["[::1"], false),
            (&["[localhost]"], false),
            (&["::1"], false),
            (&["localhost:"], false),
            (&["localhost:80x"], false),
            (&["user@localhost"], false),
            (&["local host"], false),
            (&[""], false),
            (&["localhost", "localhost"], false),
            (&["localhost", "other.example"], false),
        ] {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(HOST, host.parse().unwrap());
            }
            assert_eq!(is_good(&headers), good, "{hosts:?}");
        }
    }
}
