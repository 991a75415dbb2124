//! What is typed as the value of an option: accounts, regions, spans of time.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use aws_local::RegionCheck;
use scalr_events::regions;

use super::exit::Failure;
use crate::region::is_region;

/// The text, if it is an AWS account.
pub(super) fn account(text: &str) -> Result<String, String> {
    if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err("an AWS account id has 12 digits".to_owned())
}

/// Refuses a region that AWS does not have, as far as is known: nothing asks again before what is made in it. With `any`, every text
/// of a region's form is taken.
pub(super) fn known_region(text: &str, any: bool) -> anyhow::Result<()> {
    if regions::is_known(text) || any && is_region(text) {
        return Ok(());
    }
    let meant = meant(text);
    Err(Failure::setting(if is_region(text) {
        format!(
            "`{text}` (`--region`) is none of the AWS regions that this version knows{meant} If AWS has added it since, give `--any-region` \
             as well"
        )
    } else {
        format!("`{}` (`--region`) is no AWS region{meant}", text.escape_debug())
    }))
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
        meant(region)
    )
}

/// Refuses what cannot be the name of a region.
pub(super) fn region_form(text: &str) -> anyhow::Result<()> {
    if is_region(text) {
        return Ok(());
    }
    Err(Failure::setting(format!(
        "`{}` (`AWS_REGION` or `--region`) is no AWS region{}",
        text.escape_debug(),
        meant(text)
    )))
}

/// That AWS may not have a region, for one that is only asked.
pub(super) fn doubtful_region(text: &str) -> Option<String> {
    (!regions::is_known(text)).then(|| {
        format!(
            "warning: `{}` (`AWS_REGION` or `--region`) is none of the AWS regions that this version knows{}",
            text.escape_debug(),
            meant(text)
        )
    })
}

/// The end of a sentence about a region that is wrong.
fn meant(text: &str) -> String {
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
