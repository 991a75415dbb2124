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
    if !is_url || !text.chars().all(is_legal) || !is_encoded(text) {
        return Err(format!(
            "must be the URL of a public endpoint, such as `https://hooks.example.com/scalr`; it is `{}`",
            shortened(text)
        ));
    }
    at_most(text, 2_048)
}

/// After each `%` come two hexadecimal digits.
fn is_encoded(text: &str) -> bool {
    let is_code = |rest: &str| {
        let code = rest.as_bytes().get(..2);
        code.is_some_and(|code| code.iter().all(u8::is_ascii_hexdigit))
    };
    text.split('%').skip(1).all(is_code)
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

/// Headers of a request, by name: what EventBridge's model takes.
pub fn header_parameters(all: &BTreeMap<String, String>) -> Result<(), String> {
    let in_name = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+,-.^_`|~".contains(c);
    let in_value = |c: char| c == '\t' || c == ' ' || c.is_ascii_graphic();
    for (name, value) in all {
        if name.is_empty() || !name.chars().all(in_name) {
            return Err(format!(
                "must have names of headers, which hold no blanks and nothing but ASCII letters, digits and `!#$%&'*+,-.^_|~`; one is \
                 `{}`",
                shortened(&name.replace(char::is_control, " "))
            ));
        }
        if value.trim_matches('\t').is_empty() || !value.chars().all(in_value) {
            return Err(format!(
                "has `{}`, whose value must not be empty, and hold nothing but printable ASCII and tabs",
                shortened(name)
            ));
        }
    }
    http_parameters(all)
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
            "https://h/a%20b?c=%2F",
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
            "https://h/100%",
            "https://h/%2x?a=%",
            &long,
        ];
        check(invocation_endpoint, &good, &bad);
        assert!(!invocation_endpoint(bad[6]).unwrap_err().contains("letmein"));
        check(http_method, &["POST"], &["post", "TRACE"]);
        check(token_method, &["PUT"], &["DELETE"]);
        check(http_parameter, &["x-api-key", "a b"], &["", " ", "a:b", "a\nb"]);
        let map = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        assert_eq!(http_parameters(&map("accept", "text/plain; q=1")), Ok(()));
        for (name, value, legal) in [
            ("accept", "text/plain; q=1", true),
            ("X_y.z-`|~", " a\tb ", true),
            ("a b", "c", false),
            ("", "c", false),
            ("é", "c", false),
            ("a", "", false),
            ("a", "\t", false),
            ("a", "é", false),
            ("a", "b\nc", false),
        ] {
            assert_eq!(
                header_parameters(&map(name, value)).is_ok(),
                legal,
                "{name:?} {value:?}"
            );
        }
        assert!(http_parameters(&map("a:b", "c")).is_err() && http_parameters(&map("a", "b\nc")).is_err());
    }
}
