//! What is typed as the value of an option: accounts, regions, spans of time.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use aws_local::RegionCheck;
use scalr_events::{
    SOURCE_SEGMENT_LENGTH_MAX, SegmentError, check_source_segment, is_aws_account_id, regions,
};

use super::exit::Failure;
use crate::region::is_region;

/// The text, if it is an AWS account.
pub(super) fn account(text: &str) -> Result<String, String> {
    if is_aws_account_id(text) {
        return Ok(text.to_owned());
    }
    Err("an AWS account id has 12 digits".to_owned())
}

/// A share of all, from 0 to 1.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a share is a number from 0 to 1, such as 0.05 for one in twenty".to_owned())
}

/// The text, if it can be the name of a connection, as far as that is known without the name of its account.
pub(super) fn connection_name(text: &str) -> Result<String, String> {
    segment(text, "a connection")
}

/// The text, if it can be the name of an account.
pub(super) fn account_name(text: &str) -> Result<String, String> {
    segment(text, "an account")
}

fn segment(text: &str, of: &str) -> Result<String, String> {
    const WHY: &str = "as it becomes a part of the event source's name";
    match check_source_segment(text) {
        Ok(()) => Ok(text.to_owned()),
        Err(SegmentError::Empty) => Err(format!("{of} has a name")),
        Err(SegmentError::Letter(bad)) => Err(format!(
            "a name has letters from a to z, digits, `.`, `-` and `_`, {WHY}; this one has `{}`",
            bad.escape_debug()
        )),
        Err(SegmentError::TooLong) => Err(format!(
            "a name has at most {SOURCE_SEGMENT_LENGTH_MAX} characters, {WHY}; this one has {}",
            text.len()
        )),
    }
}

/// Refuses a region that AWS does not have, as far as is known: nothing asks again before what is made in it. With `any`, every text
/// of a region's form is taken.
pub(super) fn known_region(text: &str, any: bool) -> anyhow::Result<()> {
    let Some(doubt) = region_doubt(text) else {
        return Ok(());
    };
    if !is_region(text) {
        return Err(no_region(text, "`--region`"));
    }
    if any {
        return Ok(());
    }
    Err(Failure::setting(format!(
        "`{text}` (`--region`) {doubt} If AWS has added it since, give `--any-region` as well"
    )))
}

/// Which regions requests to a local AWS may be for: those that this version knows, or with `any` all.
pub(super) fn region_check(any: bool) -> RegionCheck {
    let known = |region: &str| {
        if regions::is_known(region) {
            Ok(())
        } else {
            Err(not_in_aws(region))
        }
    };
    if any { |_| Ok(()) } else { known }
}

/// What the local AWS says of a region that AWS does not have.
fn not_in_aws(region: &str) -> String {
    format!(
        "AWS has no region `{}` that this version knows{} If AWS has added it since, start the local AWS with `--any-region`.",
        region.escape_debug(),
        instead(region)
    )
}

/// Refuses what cannot be the name of a region. `setting` is where it was written.
pub(super) fn region_form(text: &str, setting: &str) -> anyhow::Result<()> {
    if is_region(text) {
        return Ok(());
    }
    Err(no_region(text, setting))
}

fn no_region(text: &str, setting: &str) -> anyhow::Error {
    Failure::setting(format!(
        "`{}` ({setting}) is no AWS region{}",
        text.escape_debug(),
        instead(text)
    ))
}

/// That AWS may not have a region, for one that is only asked.
pub(super) fn doubtful_region(text: &str, setting: &str) -> Option<String> {
    region_doubt(text).map(|doubt| format!("warning: `{}` ({setting}) {doubt}", text.escape_debug()))
}

/// What is said of a region that AWS may not have; nothing of one that this version knows.
pub(super) fn region_doubt(text: &str) -> Option<String> {
    (!regions::is_known(text)).then(|| {
        format!(
            "is none of the AWS regions that this version knows{}",
            instead(text)
        )
    })
}

/// The end of a sentence about a region that is wrong.
fn instead(text: &str) -> String {
    match regions::meant(text) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => "; one looks like `us-east-1`.".to_owned(),
    }
}

/// Refuses a data directory that is something else.
pub(super) fn data_dir(dir: Option<&Path>) -> anyhow::Result<()> {
    let other = dir.filter(|dir| dir.exists() && !dir.is_dir());
    other.map_or(Ok(()), |path| {
        Err(Failure::setting(format!(
            "`{}` (`--data-dir`) is not a directory: name one that is, or one that is to be made",
            path.display()
        )))
    })
}

/// An address to listen on.
pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "write an address and a port, such as `127.0.0.1:8080`; port 0 takes any free one".to_owned()
    })
}

/// A span of time such as `90s`, `10m`, `2h` or `1d`.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    if let Some(bare) = text.strip_prefix(['-', '+']).filter(|bare| span(bare).is_ok()) {
        return Err(format!("a span of time has no sign: write `{bare}`"));
    }
    let wrong = || "write a number and a unit: `90s`, `10m`, `2h`, `1d`".to_owned();
    let unit_seconds = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3600,
        Some('d') => 86_400,
        _ => return Err(wrong()),
    };
    let count: u32 = text
        .get(..text.len() - 1)
        .and_then(|n| n.parse().ok())
        .ok_or_else(wrong)?;
    Ok(Duration::from_secs(u64::from(count) * unit_seconds))
}

/// A span of time as people say it.
pub(super) fn in_words(span: Duration) -> String {
    let seconds = span.as_secs();
    let (count, unit) = match seconds {
        120..=7199 if seconds.is_multiple_of(60) => (seconds / 60, "minute"),
        7200.. if seconds.is_multiple_of(3600) => (seconds / 3600, "hour"),
        _ => (seconds, "second"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_spans_are_shown() {
        for (seconds, want) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (90, "90 seconds"),
            (150, "150 seconds"),
            (600, "10 minutes"),
            (7200, "2 hours"),
            (7260, "7260 seconds"),
        ] {
            assert_eq!(in_words(Duration::from_secs(seconds)), want);
        }
    }

    #[test]
    fn time_spans_are_read() {
        for (text, want) in [
            ("90s", Some(90)),
            ("10m", Some(600)),
            ("2h", Some(7200)),
            ("1d", Some(86_400)),
        ]
        .into_iter()
        .chain(["", "m", "5", "-1m", "é", "1.5h", "99999999999s"].map(|text| (text, None)))
        {
            assert_eq!(span(text).ok(), want.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn a_time_span_with_a_sign_is_proposed_without_it() {
        for (text, want) in [
            ("-1h", "write `1h`"),
            ("+90s", "write `90s`"),
            ("--1h", "write a number and a unit"),
            ("-1", "write a number and a unit"),
            ("-", "write a number and a unit"),
        ] {
            let said = span(text).err().unwrap();
            assert!(said.contains(want), "{text}: {said}");
        }
    }

    #[test]
    fn a_region_that_is_not_known_is_refused_unless_it_is_asked_for() {
        for (text, any, want) in [
            ("us-east-1", false, None),
            (
                "us-esat-1",
                false,
                Some("did you mean `us-east-1`? If AWS has added it since, give `--any-region`"),
            ),
            ("us-esat-1", true, None),
            ("qq-north-1", false, Some("did you mean")),
            (
                "us_east_1",
                false,
                Some("is no AWS region; did you mean `us-east-1`?"),
            ),
            (
                "us_east_1",
                true,
                Some("is no AWS region; did you mean `us-east-1`?"),
            ),
            ("virginia", false, Some("one looks like `us-east-1`.")),
            ("", true, Some("one looks like `us-east-1`.")),
        ] {
            let refused = known_region(text, any).err().map(|error| error.to_string());
            match (&refused, want) {
                (None, None) => {}
                (Some(said), Some(part)) if said.contains(part) => {}
                _ => panic!("{text} {any}: {refused:?}, not {want:?}"),
            }
        }
    }
}
