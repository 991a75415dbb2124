//! `pattern explain`: each field of a pattern, with what an event has there; or what of the pattern no event has.

use std::process::ExitCode;

use event_pattern::Warning;
use scalr_events::{Explained, Unmatched, unmatched};
use serde::Serialize;
use serde_json::{Value, json};

use super::{EXIT_CODES, EventArgs, Failure, INVALID, NO_MATCH, compiled, invalid, out, read, verdict};

const EXAMPLES: &str = "Examples:
  scalr-eventbridge pattern explain --pattern pattern.json
  scalr-eventbridge pattern explain --pattern pattern.json --sample audit-log --set action=create-run
  scalr-eventbridge pattern explain --pattern pattern.json --event event.json --json | jq '.leaves[] | select(.matched | not)'

Without an event, 1 says that the pattern matches none of Scalr's events.
";

#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n{EXIT_CODES}"))]
pub(in crate::cli) struct Args {
    /// The pattern's file; `-` is stdin.
    #[arg(long, value_name = "FILE")]
    pattern: String,
    #[command(flatten)]
    event: EventArgs,
    /// Print JSON: `matched` and each of the `leaves`; without an event, what matches none of Scalr's.
    #[arg(long)]
    json: bool,
}

/// What a pattern makes of an event.
#[derive(Serialize)]
struct Shown<'a> {
    matched: bool,
    leaves: Vec<ShownLeaf<'a>>,
    leaves_left_out: usize,
    /// Each leaf matches, but by values in different elements of a list.
    split_over_elements: bool,
}

#[derive(Serialize)]
struct ShownLeaf<'a> {
    alternative: usize,
    path: &'a str,
    matched: bool,
    expected: &'a str,
    found: &'a [String],
    nearest: Option<&'a str>,
    hint: Option<&'a str>,
    explanation: String,
}

/// What can be said of a pattern without an event.
#[derive(Serialize)]
struct ByItself<'a> {
    /// Why it matches none of Scalr's events.
    whole: &'a [String],
    /// Why part of it matches none.
    parts: &'a [String],
    /// What is probably not meant.
    odd: &'a [String],
    /// What EventBridge takes, and does otherwise than one would think.
    warnings: Vec<String>,
}

pub(super) fn main(args: &Args) -> Result<ExitCode, Failure> {
    let event = args.event.text(&args.pattern)?;
    let text = read(&args.pattern)?;
    let (pattern, warnings) = match compiled(&text) {
        Ok(compiled) => compiled,
        Err(line) => return refused(args.json, &line),
    };
    let Some(event) = event else {
        let found = unmatched(&serde_json::from_str::<Value>(&text).unwrap_or_default());
        let warnings: Vec<String> = warnings.iter().map(Warning::to_string).collect();
        if args.json {
            print(&ByItself {
                whole: &found.whole,
                parts: &found.parts,
                odd: &found.odd,
                warnings,
            })?;
        } else {
            for line in by_itself(&found, &warnings) {
                out::line(&line)?;
            }
        }
        return Ok(if found.whole.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(NO_MATCH)
        });
    };
    let explained = match scalr_events::explain(&pattern, &event) {
        Ok(explained) => explained,
        Err(error) => return refused(args.json, &format!("invalid-event: {error}")),
    };
    let (word, code) = verdict(explained.engine.matched);
    if args.json {
        print(&shown(&explained))?;
        return Ok(code);
    }
    out::line(word)?;
    for line in leaves(&explained) {
        out::line(&line)?;
    }
    Ok(code)
}

fn print(value: &impl Serialize) -> Result<(), Failure> {
    out::json(value).map_err(|error| match error.downcast() {
        Ok(error) => Failure::Output(error),
        Err(error) => error.into(),
    })
}

/// Prints why there is no verdict.
fn refused(json: bool, line: &str) -> Result<ExitCode, Failure> {
    if !json {
        return invalid(line);
    }
    print(&json!({ "error": line }))?;
    Ok(ExitCode::from(INVALID))
}

fn shown<'a>(explained: &'a Explained) -> Shown<'a> {
    let engine = &explained.engine;
    let leaf = |(at, leaf): (usize, &'a event_pattern::Leaf)| ShownLeaf {
        alternative: leaf.alternative,
        path: &leaf.path,
        matched: leaf.matched,
        expected: &leaf.expected,
        found: &leaf.found,
        nearest: leaf.nearest.as_deref(),
        hint: explained.hints[at].as_deref(),
        explanation: explained.leaf(at),
    };
    Shown {
        matched: engine.matched,
        leaves: engine.leaves.iter().enumerate().map(leaf).collect(),
        leaves_left_out: engine.leaves_left_out,
        split_over_elements: engine.split_over_elements,
    }
}

/// The same in words.
fn by_itself(found: &Unmatched, warnings: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut list = |title: &str, reasons: &[String]| {
        if !reasons.is_empty() {
            lines.push(title.to_owned());
            lines.extend(reasons.iter().map(|reason| format!("  - {reason}")));
        }
    };
    list("The pattern matches none of Scalr's events:", &found.whole);
    list(
        "Part of the pattern matches none of Scalr's events:",
        &found.parts,
    );
    list("Probably not meant as it is written:", &found.odd);
    list("EventBridge takes the pattern, but:", warnings);
    if lines.is_empty() {
        lines.push("The pattern is valid, and may match events of Scalr's.".to_owned());
    }
    lines
}

/// Every leaf, with `$or` alternative by alternative.
fn leaves(explained: &Explained) -> Vec<String> {
    let engine = &explained.engine;
    let has_alternatives = engine.leaves.iter().any(|leaf| leaf.alternative > 0);
    let (mut lines, mut last) = (Vec::new(), None);
    for (at, leaf) in engine.leaves.iter().enumerate() {
        if has_alternatives && last != Some(leaf.alternative) {
            lines.push(format!("  alternative {} of `$or`:", leaf.alternative));
            last = Some(leaf.alternative);
        }
        let word = if leaf.matched { "ok  " } else { "miss" };
        let indent = if has_alternatives { "    " } else { "  " };
        lines.push(format!("{indent}{word} {}", explained.leaf(at)));
    }
    if engine.leaves_left_out > 0 {
        lines.push(format!("  and {} more fields", engine.leaves_left_out));
    }
    if engine.split_over_elements {
        lines.push("  each field matches, but by values in different elements of a list".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use event_pattern::Pattern;

    use super::*;

    #[test]
    fn a_pattern_is_judged_by_itself() {
        for (text, want) in [
            (r#"{"detail-type": ["AuditLog"]}"#, "may match events of Scalr's"),
            (
                r#"{"detail-type": ["AuditLogs"]}"#,
                "matches none of Scalr's events:",
            ),
            (
                r#"{"detail": {"event": {"result": ["erorred", "applied"]}}}"#,
                "Part of the pattern matches none",
            ),
            (
                r#"{"detail": {"event": {"workspace": ["a*"]}}}"#,
                "Probably not meant",
            ),
            (
                r#"{"detail": {"event": {"duration": [{"numeric": [">", 137000000000]}]}}}"#,
                "EventBridge takes the pattern, but:",
            ),
        ] {
            let (_, warnings) = compiled(text).unwrap();
            let warnings: Vec<String> = warnings.iter().map(Warning::to_string).collect();
            let lines = by_itself(&unmatched(&serde_json::from_str(text).unwrap()), &warnings);
            assert!(lines[0].contains(want), "{text}: {lines:?}");
        }
    }

    #[test]
    fn every_leaf_has_a_line_in_its_alternative() {
        let explain = |pattern: &str| {
            let event = scalr_events::sample_text(scalr_events::EventType::RunExecuted);
            leaves(&scalr_events::explain(&Pattern::compile(pattern).unwrap(), event).unwrap())
        };
        assert_eq!(
            explain(r#"{"detail-type": ["RunExecuted"], "detail": {"event": {"is-dry": ["false"]}}}"#),
            [
                r#"  ok   `detail-type` wants ["RunExecuted"]: the event has "RunExecuted""#,
                r#"  miss `detail.event.is-dry` wants ["false"]: the event has false (`"false"` is a text and `false` is a boolean: write `false`)"#,
            ]
        );
        assert_eq!(
            explain(r#"{"$or": [{"detail-type": ["AuditLog"]}, {"detail-type": ["RunExecuted"]}]}"#),
            [
                "  alternative 0 of `$or`:",
                r#"    miss `detail-type` wants ["AuditLog"]: the event has "RunExecuted""#,
                "  alternative 1 of `$or`:",
                r#"    ok   `detail-type` wants ["RunExecuted"]: the event has "RunExecuted""#,
            ]
        );
    }
}
