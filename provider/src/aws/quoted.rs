//! AWS's own words, as they may be shown: without what was signed, and no longer than anyone reads.
//!
//! AWS repeats a request whose signature it does not accept: the canonical string, which has the session token in it, or the
//! whole `Authorization` header (AWS Signature Version 4, *Troubleshooting*).

/// What AWS repeats of such a request begins with one of these; in lower case.
const SIGNED: [&str; 10] = [
    "the canonical string",
    "canonical string for",
    "the string-to-sign",
    "string to sign",
    "aws4-",
    "credential=",
    "signature=",
    "authorization=",
    "authorization header:",
    "x-amz-security-token",
];

/// A message of AWS's: it may repeat what it refuses, be it a pattern of thousands of characters, so that the middle of a long
/// one is left out.
pub fn quoted(message: &str) -> String {
    cut(&unsigned(message))
}

/// The text up to where a signed request begins.
pub(super) fn unsigned(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let Some(at) = SIGNED.iter().filter_map(|mark| lower.find(mark)).min() else {
        return text.to_owned();
    };
    let shown = text[..at].trim_end_matches(|c: char| c.is_whitespace() || "'\"(:".contains(c));
    format!("{shown} (the rest repeats the signed request, and is not shown)")
}

fn cut(message: &str) -> String {
    const KEPT: usize = 300;
    let chars: Vec<char> = message.chars().collect();
    if chars.len() <= 2 * KEPT {
        return message.to_owned();
    }
    let (start, end) = (&chars[..KEPT], &chars[chars.len() - KEPT..]);
    start
        .iter()
        .chain(" … ".chars().collect::<Vec<_>>().iter())
        .chain(end)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_messages_are_cut() {
        let long = format!("begin {} end", "é".repeat(4_000));
        let text = cut(&long);
        assert!(
            text.starts_with("begin é") && text.ends_with("é end") && text.contains('…'),
            "{text}"
        );
        assert_eq!(text.chars().count(), 603);
        assert_eq!(cut("short"), "short");
    }

    /// The texts are those that AWS's documentation and public bug reports show.
    #[test]
    fn what_was_signed_is_not_repeated() {
        for (text, shown) in [
            (
                "The request signature we calculated does not match the signature you provided. Consult the service \
                 documentation for details.\n\nThe Canonical String for this request should have been\n'POST\n/\n\n\
                 host:x\nx-amz-security-token:SECRET\n\nhost\n0'\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\nSECRET'",
                "The request signature we calculated does not match the signature you provided. Consult the service \
                 documentation for details.",
            ),
            (
                "Authorization header requires 'Signature' parameter. Authorization=AWS4-HMAC-SHA256 Credential=SECRET",
                "Authorization header requires 'Signature' parameter.",
            ),
            (
                "not a valid key=value pair (missing equal-sign) in Authorization header: 'AWS4-HMAC-SHA256 SECRET'",
                "not a valid key=value pair (missing equal-sign) in",
            ),
            (
                "Credential should be scoped to a valid region, not 'mars'. (Credential=SECRET)",
                "Credential should be scoped to a valid region, not 'mars'.",
            ),
        ] {
            let found = quoted(text);
            assert!(found.starts_with(shown) && !found.contains("SECRET"), "{found}");
        }
        assert_eq!(
            quoted("Signature expired: 1 is now earlier than 2"),
            "Signature expired: 1 is now earlier than 2"
        );
    }
}
