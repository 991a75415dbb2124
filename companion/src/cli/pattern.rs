//! `pattern test`: does an event match a pattern, and if not, why.

use std::io::{self, BufRead as _, Read as _, Write as _};

use anyhow::Context as _;
use event_pattern::Pattern;
use serde_json::Value;

use super::out;

#[derive(clap::Subcommand)]
pub(super) enum What {
    /// Match events against patterns.
    Test(Args),
}

#[derive(clap::Args)]
pub(super) struct Args {
    /// Read `{"pattern": …, "event": …}` lines, each value JSON or a string that holds JSON; print a verdict a line.
    #[arg(long, conflicts_with_all = ["pattern", "event"])]
    ndjson: bool,
    /// The pattern's file; `-` is stdin.
    #[arg(long, value_name = "FILE", required_unless_present = "ndjson")]
    pattern: Option<String>,
    /// The event's file; `-` is stdin.
    #[arg(long, value_name = "FILE", required_unless_present = "ndjson")]
    event: Option<String>,
}

pub(super) fn main(what: What) -> anyhow::Result<()> {
    let What::Test(args) = what;
    match (&args.pattern, &args.event) {
        (Some(pattern), Some(event)) => one(&read(pattern)?, &read(event)?),
        _ => lines(),
    }
}

fn read(file: &str) -> anyhow::Result<String> {
    let mut text = String::new();
    if file == "-" {
        io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(file).with_context(|| format!("cannot read `{file}`"))
}

fn one(pattern: &str, event: &str) -> anyhow::Result<()> {
    let verdict = verdict(pattern, event);
    out::line(&verdict)?;
    if verdict == "no-match"
        && let Ok(Ok(miss)) = Pattern::compile(pattern).map(|pattern| pattern.explain(event))
    {
        for leaf in &miss.leaves {
            out::line(&format!("  {}", explain(leaf)))?;
        }
    }
    Ok(())
}

fn explain(leaf: &event_pattern::Leaf) -> String {
    let verdict = if leaf.matched { "ok  " } else { "miss" };
    let found = match (leaf.found.as_slice(), &leaf.nearest) {
        ([], None) => "the event has no such field".to_owned(),
        ([], Some(near)) => format!("the event has no such field; the nearest is `{near}`"),
        (found, _) => format!("the event has {}", found.join(", ")),
    };
    format!("{verdict} `{}` wants {}: {found}", leaf.path, leaf.expected)
}

fn lines() -> anyhow::Result<()> {
    let mut output = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let line = line?;
        writeln!(output, "{}", pair(&line))?;
    }
    Ok(output.flush()?)
}

fn pair(line: &str) -> String {
    // Values keep their own spelling: numbers and duplicate keys mean something to a pattern.
    let parsed: Result<std::collections::HashMap<&str, &serde_json::value::RawValue>, _> =
        serde_json::from_str(line);
    let Ok(parsed) = parsed else {
        return "invalid-event: the line is no JSON object".to_owned();
    };
    let text = |name: &str| {
        let raw = parsed.get(name)?.get();
        match serde_json::from_str(raw) {
            Ok(Value::String(held)) => Some(held),
            _ => Some(raw.to_owned()),
        }
    };
    match (text("pattern"), text("event")) {
        (Some(pattern), Some(event)) => verdict(&pattern, &event),
        (None, _) => "invalid-pattern: the line has no `pattern`".to_owned(),
        (_, None) => "invalid-event: the line has no `event`".to_owned(),
    }
}

fn verdict(pattern: &str, event: &str) -> String {
    let pattern = match Pattern::compile(pattern) {
        Ok(pattern) => pattern,
        Err(error) => return format!("invalid-pattern: {}", error.reason()),
    };
    match pattern.matches(event) {
        Ok(true) => "match".to_owned(),
        Ok(false) => "no-match".to_owned(),
        Err(error) => format!("invalid-event: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_gets_a_verdict() {
        for (line, want) in [
            (r#"{"pattern": {"a": ["x"]}, "event": {"a": "x"}}"#, "match"),
            (
                r#"{"pattern": "{\"a\": [\"x\"]}", "event": "{\"a\": \"y\"}"}"#,
                "no-match",
            ),
            (
                r#"{"pattern": {"a": []}, "event": {}}"#,
                "invalid-pattern: Empty arrays are not allowed",
            ),
            (r#"{"event": {}}"#, "invalid-pattern: the line has no `pattern`"),
            ("nonsense", "invalid-event: the line is no JSON object"),
        ] {
            assert_eq!(pair(line), want, "{line}");
        }
    }
}
