//! The credential scope of a signature: who calls, and for which region. The signature itself is not checked.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

/// What a signature says, if there is one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Signed {
    pub(super) key: Option<String>,
    pub(super) region: Option<String>,
}

/// Reads `Credential=KEY/DATE/REGION/SERVICE/aws4_request` from the header or a presigned query.
pub(super) fn read(headers: &HeaderMap, query: Option<&str>) -> Signed {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let scope = header
        .and_then(|text| text.split_once("Credential="))
        .map(|(_, rest)| rest);
    let scope = scope
        .and_then(|rest| rest.split([',', ' ']).next())
        .map(str::to_owned);
    let presigned = || {
        let value = query?
            .split('&')
            .find_map(|pair| pair.strip_prefix("X-Amz-Credential="))?;
        Some(value.replace("%2F", "/").replace("%2f", "/"))
    };
    let Some(scope) = scope.or_else(presigned) else {
        return Signed::default();
    };
    let mut parts = scope.split('/');
    let part = |part: Option<&str>| part.filter(|text| !text.is_empty()).map(str::to_owned);
    let key = part(parts.next());
    let region = part(parts.nth(1)).filter(|name| is_region(name));
    Signed { key, region }
}

/// Region names are lower case with dashes; anything else would make odd ARNs.
fn is_region(name: &str) -> bool {
    name.len() <= 32
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &str, query: Option<&str>, key: Option<&str>, region: Option<&str>) {
        let mut headers = HeaderMap::new();
        if !header.is_empty() {
            headers.insert(AUTHORIZATION, header.parse().unwrap());
        }
        let expected = Signed {
            key: key.map(str::to_owned),
            region: region.map(str::to_owned),
        };
        assert_eq!(read(&headers, query), expected, "{header} {query:?}");
    }

    #[test]
    fn scopes_are_read() {
        let full = "AWS4-HMAC-SHA256 Credential=123456789012/20240101/eu-west-1/events/aws4_request, SignedHeaders=host, Signature=x";
        check(full, None, Some("123456789012"), Some("eu-west-1"));
        check("", None, None, None);
        check("Bearer x", None, None, None);
        check("AWS4-HMAC-SHA256 Credential=AKID", None, Some("AKID"), None);
        check(
            "AWS4-HMAC-SHA256 Credential=AKID/1/EVIL:x/sts/aws4_request",
            None,
            Some("AKID"),
            None,
        );
        check(
            "",
            Some("a=b&X-Amz-Credential=AKID%2F1%2Fus-west-2%2Fsts%2Faws4_request"),
            Some("AKID"),
            Some("us-west-2"),
        );
    }
}
