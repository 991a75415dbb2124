//! How far the clocks of this machine and of a server differ.

use std::time::Duration;

use anyhow::Context as _;
use jiff::fmt::rfc2822;
use reqwest::header::DATE;

use super::super::loopback::is_loopback;
use super::super::{hint, remote};
use super::check::{Check, Verdict};
use crate::clock;

/// How far the clocks may differ: AWS refuses signatures that are older.
const SKEW_SECONDS_MAX: i64 = 300;
/// Differences below this are those of the network.
const SKEW_SECONDS_SEEN: i64 = 5;
/// How long to wait for the answer that has the date.
const DATE_WITHIN: Duration = Duration::from_secs(10);

/// How far this machine's clock and the server's differ.
pub(super) async fn skew(check: &'static str, url: &str) -> Check {
    let before = clock::wall_ms() / 1000;
    match date_of(url).await {
        Ok(theirs) => judged(check, ahead((before, clock::wall_ms() / 1000), theirs)),
        Err(error) => Check::new(
            check,
            Verdict::Skipped,
            format!("the server's date is not known: {}", hint::words(&error)),
        ),
    }
}

/// By how many seconds the clock that showed these times before and after the answer is ahead of the server's. A date is cut to its second,
/// and may be a second old.
fn ahead((before, after): (i64, i64), theirs: i64) -> i64 {
    let (before, after) = (before - 2, after + 1);
    if theirs < before {
        before - theirs
    } else if theirs > after {
        after - theirs
    } else {
        0
    }
}

fn judged(check: &'static str, ahead_seconds: i64) -> Check {
    let by = ahead_seconds.abs();
    let direction = if ahead_seconds < 0 { "behind" } else { "ahead" };
    let detail = if by <= SKEW_SECONDS_SEEN {
        "right".to_owned()
    } else {
        format!("this machine's clock is {by} seconds {direction}")
    };
    let result = match by {
        by if by > SKEW_SECONDS_MAX => Verdict::Failed,
        by if by > SKEW_SECONDS_SEEN => Verdict::Warning,
        _ => Verdict::Ok,
    };
    let next = (result == Verdict::Failed)
        .then(|| format!("set the clock: AWS refuses signatures that are {SKEW_SECONDS_MAX} seconds off"));
    Check {
        next,
        ..Check::new(check, result, detail)
    }
}

/// The time in the `Date` of an answer, whatever else it says, in seconds since 1970.
async fn date_of(url: &str) -> anyhow::Result<i64> {
    let mut http = reqwest::Client::builder()
        .timeout(DATE_WITHIN)
        .redirect(reqwest::redirect::Policy::none());
    if is_loopback(url) {
        http = http.no_proxy();
    }
    if let Some(roots) = remote::own_extra_roots()? {
        http = http.tls_certs_merge(reqwest::Certificate::from_pem_bundle(roots.pem().as_bytes())?);
    }
    let answer = http.build()?.get(url).send().await?;
    let date = answer.headers().get(DATE).context("its answer has no date")?;
    let date = rfc2822::DateTimeParser::new().parse_timestamp(date.as_bytes())?;
    Ok(date.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_answer_is_no_difference_of_clocks() {
        for (ours, theirs, want) in [
            ((100, 100), 100, 0),
            ((100, 100), 98, 0),
            ((100, 160), 130, 0),
            ((100, 160), 161, 0),
            ((100, 100), 40, 58),
            ((100, 100), 161, -60),
        ] {
            assert_eq!(ahead(ours, theirs), want, "{ours:?} {theirs}");
        }
    }

    #[test]
    fn a_clock_is_judged_by_how_far_it_is_off() {
        for (ahead, result, detail) in [
            (0, Verdict::Ok, "right"),
            (-5, Verdict::Ok, "right"),
            (60, Verdict::Warning, "this machine's clock is 60 seconds ahead"),
            (
                -301,
                Verdict::Failed,
                "this machine's clock is 301 seconds behind",
            ),
        ] {
            let check = judged("clock", ahead);
            assert_eq!((check.result, check.detail.as_str()), (result, detail));
            assert_eq!(check.next.is_some(), result == Verdict::Failed);
        }
    }
}
