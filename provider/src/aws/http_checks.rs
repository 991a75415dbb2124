//! Checks of the attributes of HTTP endpoints. Each says what is wrong in the form "must …", without the attribute's name.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "a check of an attribute takes a reference, whatever the type"
)]

use std::collections::BTreeMap;

use super::checks::{at_most, within};
use crate::check::{self, one_of, shortened};

/// The URL of an HTTP endpoint that EventBridge calls.
pub fn invocation_endpoint(text: &str) -> Result<(), String> {
    // What a URL may hold, as the model of CreateApiDestination has it.
    let is_legal = |c: char| c.is_ascii_alphanumeric() || "%-()_.!~*';/?:@&=+$,".contains(c);
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://").filter(|rest| is_loopback(rest)));
    let is_url = host.is_some_and(|host| !host.is_empty() && !host.starts_with('/'));
    if check::userinfo(text).is_some() {
        return Err("must hold no user and no password: those are for `basic`".to_owned());
    }
    if text.contains('*') {
        return Err(
            "must hold no `*`: a target of this provider has no values for parts of a path".to_owned(),
        );
    }
    if !is_url || !text.chars().all(is_legal) {
        return Err(format!(
            "must be the URL of a public endpoint, such as `https://hooks.example.com/scalr`; it is `{}`",
            shortened(text)
        ));
    }
    at_most(text, 2_048)
}

/// For trials with a local AWS, plain HTTP to this machine is a URL too.
fn is_loopback(rest: &str) -> bool {
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    ["127.0.0.1", "localhost"].contains(&host)
}

/// How an endpoint is called.
pub fn http_method(text: &str) -> Result<(), String> {
    one_of(
        text,
        &["POST", "PUT", "PATCH", "GET", "DELETE", "HEAD", "OPTIONS"],
    )
}

/// How a token is asked for.
pub fn token_method(text: &str) -> Result<(), String> {
    one_of(text, &["POST", "GET", "PUT"])
}

/// Requests a second.
pub fn invocation_rate(count: &i64) -> Result<(), String> {
    within(*count, 1, i64::from(i32::MAX), "requests a second")
}

/// A name or a value that becomes part of a request.
pub fn http_parameter(text: &str) -> Result<(), String> {
    let odd = |c: char| c.is_control() || c == ':';
    if text.trim().is_empty() || text.contains(odd) {
        return Err(format!(
            "must not be empty, and hold no colon, line break or other control character; it is `{}`",
            shortened(&text.replace(char::is_control, " "))
        ));
    }
    at_most(text, 512)
}

/// Headers of a request, or members of its body, by name.
pub fn http_parameters(all: &BTreeMap<String, String>) -> Result<(), String> {
    if all.len() > 100 {
        return Err(format!("must have at most 100 entries; it has {}", all.len()));
    }
    for (name, value) in all {
        http_parameter(name).map_err(|why| format!("has a name that {why}"))?;
        let odd = |c: char| c.is_control() && c != '\t';
        if value.contains(odd) {
            return Err(format!(
                "has `{}`, which holds a control character",
                shortened(name)
            ));
        }
        at_most(value, 512).map_err(|why| format!("has `{}`, which {why}", shortened(name)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::checks::tests::check;

    #[test]
    fn endpoints() {
        let good = [
            "https://hooks.example.com/scalr?a=b",
            "https://h:8443",
            "http://127.0.0.1:8080/x",
            "http://localhost",
        ];
        let long = format!("https://h/{}", "x".repeat(2_048));
        let bad = [
            "",
            "hooks.example.com",
            "https://",
            "https:///x",
            "http://hooks.example.com",
            "http://127.0.0.1.example.com",
            "https://me:letmein@h/x",
            "https://h/*/x",
            "https://h/a b",
            &long,
        ];
        check(invocation_endpoint, &good, &bad);
        assert!(!invocation_endpoint(bad[6]).unwrap_err().contains("letmein"));
        check(http_method, &["POST"], &["post", "TRACE"]);
        check(token_method, &["PUT"], &["DELETE"]);
        check(http_parameter, &["x-api-key", "a b"], &["", " ", "a:b", "a\nb"]);
        let map = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        assert_eq!(http_parameters(&map("accept", "text/plain; q=1")), Ok(()));
        assert!(http_parameters(&map("a:b", "c")).is_err() && http_parameters(&map("a", "b\nc")).is_err());
    }
}
