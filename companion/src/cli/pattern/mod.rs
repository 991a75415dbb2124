//! `pattern`: builds event patterns from filters, matches events against patterns, and explains a miss.

mod build;
mod explain;
mod lines;
mod test;

use std::io::{self, Read as _};
use std::process::ExitCode;

use event_pattern::{Pattern, Warning};
use scalr_events::{EventType, sample_with};

use super::{fields, out};

#[derive(clap::Subcommand)]
pub(super) enum What {
    /// Print the pattern of events of a type that pass every filter.
    Build(build::Args),
    /// Say whether an event matches a pattern, and if not, what it misses.
    Test(test::Args),
    /// Say of each field of a pattern what an event has there; without an event, what of the pattern matches no event of Scalr's.
    Explain(explain::Args),
}

/// Exit codes of `pattern test` and `pattern explain`, beside 0; the first two as `grep` has them.
const NO_MATCH: u8 = 1;
const INVALID: u8 = 2;
const UNREADABLE: u8 = 3;

const EXIT_CODES: &str = "Exit codes:
  0  the event matches the pattern
  1  it does not
  2  the pattern, the event or an argument is not valid
  3  a file cannot be read";

pub(super) fn main(what: What) -> anyhow::Result<ExitCode> {
    let done = match what {
        What::Build(args) => build::main(&args),
        What::Test(args) => test::main(&args),
        What::Explain(args) => explain::main(&args),
    };
    match done {
        Ok(code) => Ok(code),
        Err(Failure::Invalid(text)) => {
            out::complain(&format!("error: {text}"));
            Ok(ExitCode::from(INVALID))
        }
        Err(Failure::Unreadable { file, error }) => {
            out::complain(&format!("error: cannot read `{file}`: {error}"));
            Ok(ExitCode::from(UNREADABLE))
        }
        Err(Failure::Output(error)) => Err(error.into()),
    }
}

/// Why a command ends without a verdict.
#[derive(Debug)]
enum Failure {
    /// An argument or a file has something that cannot be used.
    Invalid(String),
    /// A file cannot be read.
    Unreadable { file: String, error: io::Error },
    /// The result cannot be written.
    Output(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Invalid(format!("{error:#}"))
    }
}

/// Where the event comes from that is matched.
#[derive(clap::Args)]
struct EventArgs {
    /// The event's file; `-` is stdin.
    #[arg(long, value_name = "FILE", conflicts_with = "sample")]
    event: Option<String>,
    /// Take the sample of this type of event: `run-executed` or `audit-log`.
    #[arg(long, value_name = "TYPE", value_parser = event_type)]
    sample: Option<EventType>,
    /// A field of the sample by its filter's name or path, such as `workspace=network`; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE", requires = "sample")]
    set: Vec<String>,
}

impl EventArgs {
    /// The event's text, if one is named; `pattern`: the pattern's file.
    fn text(&self, pattern: &str) -> Result<Option<String>, Failure> {
        if let Some(file) = &self.event {
            if file == "-" && pattern == "-" {
                return Err(Failure::Invalid(
                    "pattern and event are both `-`; stdin can be one of them".to_owned(),
                ));
            }
            return read(file).map(Some);
        }
        let Some(event_type) = self.sample else {
            return Ok(None);
        };
        let set = fields::of_event(event_type, &self.set)?;
        let set = set.iter().map(|(name, value)| (*name, value));
        let event = sample_with(event_type, set).map_err(|error| Failure::Invalid(error.to_string()))?;
        Ok(Some(event.to_string()))
    }
}

/// A type of events, as `emit` names it or as the event does.
fn event_type(text: &str) -> Result<EventType, String> {
    match text {
        "run-executed" => Ok(EventType::RunExecuted),
        "audit-log" => Ok(EventType::AuditLog),
        other => other
            .parse()
            .map_err(|_| "write `run-executed` or `audit-log`".to_owned()),
    }
}

fn read(file: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let done = if file == "-" {
        io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(file).map(|read| text = read)
    };
    done.map(|()| text).map_err(|error| Failure::Unreadable {
        file: file.to_owned(),
        error,
    })
}

/// The pattern as EventBridge takes it; where it does not, the line that says so.
fn compiled(text: &str) -> Result<(Pattern, Vec<Warning>), String> {
    Pattern::compile_for_eventbridge(text).map_err(|error| format!("invalid-pattern: {error}"))
}

/// Prints why there is no verdict.
fn invalid(line: &str) -> Result<ExitCode, Failure> {
    out::line(line)?;
    Ok(ExitCode::from(INVALID))
}

fn verdict(matched: bool) -> (&'static str, ExitCode) {
    if matched {
        ("match", ExitCode::SUCCESS)
    } else {
        ("no-match", ExitCode::from(NO_MATCH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_the_names_of_emit_and_of_events() {
        for (text, want) in [
            ("run-executed", Some(EventType::RunExecuted)),
            ("AuditLog", Some(EventType::AuditLog)),
            ("audit", None),
        ] {
            assert_eq!(event_type(text).ok(), want, "{text}");
        }
    }
}
