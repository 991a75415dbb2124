//! The Host header: one at most, and a host with or without a port. Anything else is what servers behind proxies read in
//! different ways.

use std::net::Ipv6Addr;

use axum::http::HeaderMap;
use axum::http::header::HOST;

/// Why a request's Host header is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadHost {
    /// There are several.
    Several,
    /// It is no host, or has something around it.
    Malformed,
}

/// The name or address that a request's Host header has, without its port.
pub fn host(headers: &HeaderMap) -> Result<Option<&str>, BadHost> {
    let mut hosts = headers.get_all(HOST).iter();
    let first = hosts.next();
    if hosts.next().is_some() {
        return Err(BadHost::Several);
    }
    first
        .map(|host| {
            host.to_str()
                .ok()
                .and_then(without_port)
                .ok_or(BadHost::Malformed)
        })
        .transpose()
}

/// The name or address of a host with or without a port; none where anything else is around it.
pub(crate) fn without_port(host: &str) -> Option<&str> {
    let (name, port) = if let Some(inner) = host.strip_prefix('[') {
        inner
            .split_once(']')
            .filter(|(address, _)| address.parse::<Ipv6Addr>().is_ok())?
    } else {
        let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
        let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_legal) {
            return None;
        }
        (name, port)
    };
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    let ends = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
    ends.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_one_host_and_nothing_around_it() {
        let malformed = Err(BadHost::Malformed);
        for (hosts, want) in [
            (&[][..], Ok(None)),
            (&["localhost"], Ok(Some("localhost"))),
            (&["localhost:8080"], Ok(Some("localhost"))),
            (&["my_host.example.com"], Ok(Some("my_host.example.com"))),
            (&["192.0.2.1:80"], Ok(Some("192.0.2.1"))),
            (&["[::1]"], Ok(Some("::1"))),
            (&["[::1]:80"], Ok(Some("::1"))),
            (&["[::1]x"], malformed),
            (&["[::1]:"], malformed),
            (&["[::1]:x"], malformed),
            (&["[::1]:80x"], malformed),
            (&["[::1]:99999"], malformed),
            (&["[::1"], malformed),
            (&["[localhost]"], malformed),
            (&["[127.0.0.1]"], malformed),
            (&["::1"], malformed),
            (&["localhost:"], malformed),
            (&["localhost:80x"], malformed),
            (&["localhost:80:80"], malformed),
            (&["user@localhost"], malformed),
            (&["localhost@evil.example"], malformed),
            (&["127.0.0.1:evil.example"], malformed),
            (&["local host"], malformed),
            (&[""], malformed),
            (&["localhost", "localhost"], Err(BadHost::Several)),
            (&["localhost", "other.example"], Err(BadHost::Several)),
        ] {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(HOST, host.parse().unwrap());
            }
            assert_eq!(host(&headers), want, "{hosts:?}");
        }
    }
}
