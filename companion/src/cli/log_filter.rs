//! `--log`: which lines of the log are written. To `tracing` a word that is no level is the name of a module of which everything is
//! logged, so that a misspelt level would log nothing; here a module is written with its level.

use scalr_events::nearest;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::exit::Failure;

/// What is logged where nothing is said. Where the SDK looks for credentials in vain, it warns at length; the error that follows says
/// the same.
pub(super) const DEFAULT: &str = "warn,aws_config=error";

const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// The filter that a text describes; an empty one describes none.
pub(super) fn read(text: &str) -> anyhow::Result<EnvFilter> {
    if text.trim().is_empty() {
        return Ok(EnvFilter::new(DEFAULT));
    }
    if let Some(word) = without_level(text) {
        let near = nearest(&word.to_ascii_lowercase(), LEVELS);
        let meant = near.map_or_else(String::new, |level| format!("; did you mean `{level}`?"));
        return Err(refused(
            text,
            &format!("`{}` is no level{meant}", word.escape_debug()),
        ));
    }
    EnvFilter::try_new(text).map_err(|error| refused(text, &error.to_string()))
}

/// The first part that is neither a level nor has one.
fn without_level(text: &str) -> Option<&str> {
    // Spans have commas of their own.
    let mut parts = text.split(',').map(str::trim).filter(|_| !text.contains('['));
    parts.find(|part| !part.is_empty() && !part.contains('=') && part.parse::<LevelFilter>().is_err())
}

fn refused(text: &str, why: &str) -> anyhow::Error {
    let end = if why.ends_with('?') { "" } else { "." };
    Failure::setting(format!(
        "`{}` (`SCALR_EVENTBRIDGE_LOG` or `--log`) is no log filter: {why}{end} Write a level (`error`, `warn`, `info`, `debug`, `trace`, \
         `off`), or levels by module such as `warn,scalr_eventbridge=debug`",
        text.escape_debug()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_no_level_is_refused_with_the_levels() {
        for (text, want) in [
            ("info", Ok("info")),
            ("INFO", Ok("info")),
            ("off", Ok("off")),
            ("3", Ok("info")),
            ("warn,scalr_eventbridge=debug", Ok("scalr_eventbridge=debug,warn")),
            ("info,", Ok("info")),
            ("", Ok("aws_config=error,warn")),
            (" ", Ok("aws_config=error,warn")),
            ("[run{id=1}]=debug", Ok("[run{id=1}]=debug")),
            (
                "infoo",
                Err("`infoo` is no level; did you mean `info`? Write a level (`error`, "),
            ),
            ("warn,DEBG", Err("`DEBG` is no level; did you mean `debug`?")),
            ("scalr_eventbridge", Err("`scalr_eventbridge` is no level. Write")),
            ("info debug", Err("`info debug` is no level")),
            ("scalr=loud", Err("error parsing level filter")),
        ] {
            match (read(text), want) {
                (Ok(filter), Ok(want)) => assert_eq!(filter.to_string(), want, "{text}"),
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{text}: {error}"),
                (have, want) => panic!("{text}: {have:?}, not {want:?}"),
            }
        }
    }
}
