//! `clock`: what the clock of the local AWS shows, and moving it. In `dev` the companion's moves with it.

use std::ffi::OsString;
use std::time::Duration;

use super::aws::Endpoint;
use super::given;
use super::local_aws::{LocalAws, Now, Power};
use super::show::Form;

/// What AWS itself lacks.
const CLOCK: Power = Power {
    lacks: "AWS's clock cannot be moved; that of the local AWS of `scalr-eventbridge dev` can",
    instead: "`status`, `doctor`, which compares the clocks",
};

const DAY: Duration = Duration::from_hours(24);
/// What the local AWS takes.
const DAYS_MAX: u32 = 36_600;

#[derive(clap::Subcommand)]
pub(super) enum What {
    /// Show the time that the local AWS has.
    #[command(
        after_help = "Examples:\n  scalr-eventbridge clock show\n  scalr-eventbridge clock show --json | jq -r .now"
    )]
    Show(Show),
    /// Move the clock forward: what waits for that time happens, such as retries, schedules and the end of retention.
    ///
    /// In `dev` it is the clock of both sides: events that Scalr's side holds get older as well. A clock is never moved back.
    #[command(
        after_help = "Examples:\n  scalr-eventbridge clock advance 90s\n  scalr-eventbridge clock advance 14d"
    )]
    Advance(Advance),
}

#[derive(clap::Args)]
pub(super) struct Show {
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    endpoint: Endpoint,
}

#[derive(clap::Args)]
pub(super) struct Advance {
    /// By how much, such as `90s`, `10m`, `2h` or `14d`.
    #[arg(value_name = "TIME", value_parser = advance)]
    by: Duration,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    endpoint: Endpoint,
}

/// A span that the clock can be moved by in one call.
fn advance(text: &str) -> Result<Duration, String> {
    let by = given::span(text)?;
    if by > DAY * DAYS_MAX {
        return Err(format!("a call moves the clock by `{DAYS_MAX}d` at most"));
    }
    Ok(by)
}

/// What is wrong with arguments that move the clock back: for clap they have an option that there is not.
pub(super) fn backwards(mut args: impl Iterator<Item = OsString>) -> Option<String> {
    args.find(|arg| arg == "clock")?;
    args.find(|arg| arg == "advance")?;
    let by = args.find_map(|arg| {
        let by = arg.to_str()?.strip_prefix('-')?.to_owned();
        by.starts_with(|first: char| first.is_ascii_digit()).then_some(by)
    })?;
    let such = given::span(&by).map_or("5d", |_| &by);
    Some(format!(
        "the clock only moves forward, such as with `scalr-eventbridge clock advance {such}`; it stays as it is"
    ))
}

pub(super) async fn main(what: What) -> anyhow::Result<()> {
    let (now, form) = match &what {
        What::Show(args) => (
            LocalAws::at(&args.endpoint, CLOCK).await?.now().await?,
            &args.form,
        ),
        What::Advance(args) => (
            LocalAws::at(&args.endpoint, CLOCK)
                .await?
                .advance(args.by)
                .await?,
            &args.form,
        ),
    };
    print(form, &now)
}

fn print(form: &Form, now: &Now) -> anyhow::Result<()> {
    form.print(now, || now.now.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_below_zero_moves_the_clock_back() {
        for (line, want) in [
            ("clock advance -5d", Some("clock advance 5d`")),
            ("--log info clock advance --json -90s", Some("clock advance 90s`")),
            ("clock advance 5d", None),
            ("clock advance -5", Some("clock advance 5d`")),
            ("clock advance -1.5h", Some("clock advance 5d`")),
            ("clock advance -x", None),
            ("clock advance --tabel", None),
            ("clock show -5d", None),
            ("tail /g --since -5m", None),
        ] {
            let said = backwards(line.split(' ').map(OsString::from));
            assert_eq!(said.is_some(), want.is_some(), "{line}: {said:?}");
            assert!(
                said.unwrap_or_default().contains(want.unwrap_or_default()),
                "{line}"
            );
        }
    }
}
