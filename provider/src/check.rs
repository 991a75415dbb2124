//! Checks of single attributes. Each says what is wrong in the form "must …", without the attribute's name.

use std::collections::BTreeSet;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use scalr_events::{
    SOURCE_LENGTH_MAX, SOURCE_SEGMENT_LENGTH_MAX, SegmentError, check_source_segment, nearest, regions,
};
use tfplugin::Number;

/// An event source's name starts with this.
pub const SOURCE_PREFIX: &str = "aws.partner/scalr.com/";

/// A segment of an event source's name: `prod`.
pub fn source_segment(text: &str) -> Result<(), String> {
    check_source_segment(text).map_err(|error| match error {
        SegmentError::Empty => "must not be empty".to_owned(),
        SegmentError::Letter(bad) => format!(
            "must hold only letters, digits, `.`, `-` and `_`, as it becomes a part of the event source's name; it holds {}",
            shown(bad)
        ),
        SegmentError::TooLong => format!(
            "must have at most {SOURCE_SEGMENT_LENGTH_MAX} characters, as the event source's name has at most {SOURCE_LENGTH_MAX}; it \
             has {}",
            text.len()
        ),
    })
}

/// An AWS account: `123456789012`.
pub fn aws_account_id(text: &str) -> Result<(), String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match (digits, text.len()) {
        (true, 12) => Ok(()),
        (true, length) => Err(format!(
            "must be an AWS account id, which has 12 digits; it has {length}"
        )),
        _ if text.replace('-', "").len() == 12 => {
            Err("must be an AWS account id, which has 12 digits and no hyphens".to_owned())
        }
        _ => Err("must be an AWS account id, which has 12 digits and nothing else".to_owned()),
    }
}

/// An AWS region: `us-east-1`.
pub fn region(text: &str) -> Result<(), String> {
    if regions::may_exist(text) {
        return Ok(());
    }
    let zone = text
        .strip_suffix(|last: char| last.is_ascii_lowercase())
        .is_some_and(regions::may_exist);
    if zone {
        return Err("must be an AWS region, such as `us-east-1`; this is an availability zone".to_owned());
    }
    Err(match regions::meant(text) {
        Some(meant) => {
            format!("must be an AWS region, such as `{meant}`; no partition of AWS's has one of this form")
        }
        None => "must be an AWS region, such as `us-east-1`".to_owned(),
    })
}

/// An identifier of Scalr's: `in-…`, `ws-…`, `acc-…`. `prefix` is what this kind begins with.
fn scalr_id(text: &str, prefix: &str, kind: &str) -> Result<(), String> {
    let legal = text.len() > prefix.len()
        && text.starts_with(prefix)
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    if legal {
        Ok(())
    } else {
        Err(format!("must be the id of {kind}, which begins with `{prefix}`"))
    }
}

/// The id of an EventBridge connection: `in-…`.
pub fn connection_id(text: &str) -> Result<(), String> {
    scalr_id(text, "in-", "an EventBridge connection")
}

/// The id of a workspace: `ws-…`.
pub fn workspace_id(text: &str) -> Result<(), String> {
    scalr_id(text, "ws-", "a workspace")
}

/// The id of an account: `acc-…`.
pub fn account_id(text: &str) -> Result<(), String> {
    scalr_id(text, "acc-", "a Scalr account")
}

/// The status of a connection.
pub fn connection_status(text: &str) -> Result<(), String> {
    one_of(text, &["pending", "active", "disabled", "failed"])
}

/// How a delivery ended.
pub fn delivery_state(text: &str) -> Result<(), String> {
    one_of(text, &["failed", "unconfirmed", "delivered"])
}

/// Of which deliveries the events can be sent again.
pub fn replayed_state(text: &str) -> Result<(), String> {
    one_of(text, &["failed", "delivered"])
}

/// How many deliveries are listed.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "a check is given the value by reference"
)]
pub fn listed_deliveries(count: &i64) -> Result<(), String> {
    if (1..=1000).contains(count) {
        return Ok(());
    }
    Err(format!("must be from 1 to 1000 deliveries; it is {count}"))
}

/// What an access token is for.
pub fn token_description(text: &str) -> Result<(), String> {
    if (1..=60).contains(&text.chars().count()) && !text.contains(char::is_control) {
        return Ok(());
    }
    Err("must have 1 to 60 characters, and no line break or other control character".to_owned())
}

/// For how many minutes an access token is good.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "a check is given the value by reference"
)]
pub fn token_minutes(count: &i64) -> Result<(), String> {
    if (1..=1440).contains(count) {
        return Ok(());
    }
    Err(format!("must be from 1 to 1440 minutes (a day); it is {count}"))
}

/// What an access token permits.
pub fn token_scopes(scopes: &BTreeSet<String>) -> Result<(), String> {
    if scopes.is_empty() {
        return Err("must name a scope, or be left out for those of the provider's token".to_owned());
    }
    scopes
        .iter()
        .try_for_each(|scope| one_of(scope, &["admin", "intake", "read"]))
}

/// A time in RFC 3339.
pub fn time(text: &str) -> Result<(), String> {
    let read = DateTime::from_str(text, Format::DateTimeWithOffset);
    read.map(drop).map_err(|_| {
        format!(
            "must be a time of RFC 3339 with a zone, such as `2026-11-29T10:00:00Z`; it is `{}`",
            shortened(text)
        )
    })
}

/// One of a few words.
pub fn one_of(text: &str, all: &[&str]) -> Result<(), String> {
    if all.contains(&text) {
        return Ok(());
    }
    let meant = nearest(text, all.iter().copied());
    let meant = meant.map_or_else(String::new, |meant| format!(". The nearest is `{meant}`"));
    let all: Vec<String> = all.iter().map(|one| format!("`{one}`")).collect();
    Err(format!(
        "must be one of {}; it is `{}`{meant}",
        all.join(", "),
        shortened(text)
    ))
}

/// A text in a message: long ones are cut.
pub fn shortened(text: &str) -> String {
    const CHARS_MAX: usize = 80;
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A host, with or without a scheme: `acme.scalr.io`.
pub fn hostname(text: &str) -> Result<(), String> {
    // An empty one counts as not set.
    if text.is_empty() {
        return Ok(());
    }
    text.parse::<scalr_api::Host>().map(drop).map_err(|error| {
        format!(
            "must be the host of Scalr's API, such as `acme.scalr.io`, with or without `https://`; {error}"
        )
    })
}

/// A secret that is sent in an HTTP header. It is not shown.
pub fn secret(text: &str) -> Result<(), String> {
    let odd = |c: char| c.is_control() || c == ':';
    if (1..=512).contains(&text.chars().count()) && !text.contains(odd) {
        return Ok(());
    }
    Err("must have 1 to 512 characters, and no colon, line break or other control character, which EventBridge does not take".to_owned())
}

/// A number of retries.
pub fn max_retries(count: &Number) -> Result<(), String> {
    if count.to_i64().is_some_and(|count| (0..=100).contains(&count)) {
        Ok(())
    } else {
        Err(format!("must be a whole number from 0 to 100; it is {count}"))
    }
}

/// An endpoint: an http or https URL.
pub fn endpoint(text: &str) -> Result<(), String> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    if userinfo(text).is_some() {
        return Err(
            "must not hold a user name or a password; AWS's credentials are set elsewhere".to_owned(),
        );
    }
    match rest {
        Some(rest) if !rest.is_empty() && !rest.contains(char::is_whitespace) => Ok(()),
        _ => Err("must be a URL that begins with `https://` or `http://`".to_owned()),
    }
}

/// What an endpoint has before the host: a user name, perhaps with a password.
pub fn userinfo(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once('@').map(|(userinfo, _)| userinfo)
}

/// The ARN of a role.
pub fn role_arn(text: &str) -> Result<(), String> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", partition, "iam", "", account, resource]
            if !partition.is_empty()
                && aws_account_id(account).is_ok()
                && resource.len() > "role/".len()
                && resource.starts_with("role/") =>
        {
            Ok(())
        }
        _ => Err("must be the ARN of a role, such as `arn:aws:iam::123456789012:role/terraform`".to_owned()),
    }
}

fn shown(c: char) -> String {
    match c {
        ' ' => "a blank".to_owned(),
        '`' => "a backtick".to_owned(),
        c => format!("`{}`", c.escape_debug()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sentences are in the snapshot of all messages.
    #[track_caller]
    fn check(judge: fn(&str) -> Result<(), String>, good: &[&str], bad: &[&str]) {
        for text in good {
            assert_eq!(judge(text), Ok(()), "{text:?}");
        }
        for text in bad {
            assert!(judge(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn source_segments() {
        let (longest, too_long) = ("x".repeat(232), "x".repeat(233));
        check(
            source_segment,
            &["prod", "Prod_1.eu-west", &longest],
            &["", "a b", "a/b", "é", &too_long],
        );
    }

    #[test]
    fn accounts() {
        check(
            aws_account_id,
            &["123456789012"],
            &["12345678901", "1234-5678-9012", "acc-1"],
        );
    }

    #[test]
    fn regions() {
        check(
            region,
            &[
                "us-east-1",
                "ap-southeast-2",
                "us-gov-west-1",
                "us-iso-east-1",
                "mx-central-1",
            ],
            &[
                "",
                "us-east",
                "US-EAST-1",
                "us-1",
                "us_east_1",
                "us-east-1 ",
                "Virginia",
                "us--1",
                "us-east-1a",
                "uk-south-1",
                "mars-north-1",
            ],
        );
    }

    #[test]
    fn scalr_ids() {
        check(
            connection_id,
            &["in-v0o9h"],
            &["", "in-", "ws-1", "in-1/2", "prod"],
        );
        check(workspace_id, &["ws-1"], &["in-1"]);
        check(account_id, &["acc-1"], &["acme"]);
    }

    #[test]
    fn statuses() {
        check(
            connection_status,
            &["pending", "failed"],
            &["", "Active", "paused"],
        );
    }

    #[test]
    fn hosts_and_endpoints() {
        check(
            hostname,
            &["acme.scalr.io", "http://127.0.0.1:8080", ""],
            &["acme.scalr.io/api"],
        );
        check(
            endpoint,
            &["http://127.0.0.1:4566", "https://host/a@b"],
            &[
                "127.0.0.1:4566",
                "https://user:pass@host",
                "http://user@127.0.0.1:1/x",
            ],
        );
    }

    #[test]
    fn retries() {
        for (count, legal) in [
            ("0", true),
            ("100", true),
            ("101", false),
            ("-1", false),
            ("1.5", false),
        ] {
            let count: Number = count.parse().expect("a number");
            assert_eq!(max_retries(&count).is_ok(), legal, "{count}");
        }
    }

    #[test]
    fn roles() {
        check(
            role_arn,
            &["arn:aws-us-gov:iam::123456789012:role/path/name"],
            &[
                "",
                "terraform",
                "arn:aws:iam::123456789012:user/me",
                "arn:aws:iam::1:role/x",
            ],
        );
    }
}
