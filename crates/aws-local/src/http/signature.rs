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
    let parts: Vec<&str> = scope.split('/').collect();
    let key = parts.first().filter(|text| !text.is_empty());
    // A scope of four parts has no region, but a list of them beside it: the signature of more than one region.
    let region = match parts.len() {
        5.. => parts.get(2).map(|region| (*region).to_owned()),
        _ => region_set(headers, query),
    };
    Signed {
        key: key.map(|text| (*text).to_owned()),
        region: region.filter(|name| is_region(name)),
    }
}

/// The regions of a signature of more than one region: only a single one says where.
fn region_set(headers: &HeaderMap, query: Option<&str>) -> Option<String> {
    let header = headers
        .get("x-amz-region-set")
        .and_then(|value| value.to_str().ok());
    let presigned = || {
        query?
            .split('&')
            .find_map(|pair| pair.strip_prefix("X-Amz-Region-Set="))
    };
    header.or_else(presigned).map(|text| text.trim().to_owned())
}

/// Region names are lower case with dashes; anything else would make odd ARNs.
fn is_region(name: &str) -> bool {
    (1..=32).contains(&name.len())
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
    fn a_scope_without_a_region_has_none() {
        let mut headers = HeaderMap::new();
        let header = "AWS4-ECDSA-P256-SHA256 Credential=AKID/20240101/events/aws4_request, SignedHeaders=host, Signature=x";
        headers.insert(AUTHORIZATION, header.parse().unwrap());
        for (set, region) in [
            (None, None),
            (Some("*"), None),
            (Some("eu-west-1"), Some("eu-west-1")),
            (Some("eu-west-1,us-east-1"), None),
            (Some(""), None),
        ] {
            headers.remove("x-amz-region-set");
            if let Some(set) = set {
                headers.insert("x-amz-region-set", set.parse().unwrap());
            }
            let signed = read(&headers, None);
            assert_eq!(
                (signed.key.as_deref(), signed.region.as_deref()),
                (Some("AKID"), region)
            );
        }
        let query = "X-Amz-Credential=AKID%2F1%2Fevents%2Faws4_request&X-Amz-Region-Set=us-west-2";
        check("", Some(query), Some("AKID"), Some("us-west-2"));
        check(
            "AWS4-HMAC-SHA256 Credential=AKID/20240101//events/aws4_request",
            None,
            Some("AKID"),
            None,
        );
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
