//! `pattern test --ndjson`: a verdict for each line of input.

use std::collections::HashMap;
use std::io::{self, BufRead as _, Write as _};

use event_pattern::Pattern;
use serde_json::value::RawValue;

/// One verdict a line, whatever the line is; written at once when no further line has arrived.
pub(super) fn answer(mut input: io::BufReader<impl io::Read>, output: impl io::Write) -> io::Result<()> {
    let mut output = io::BufWriter::new(output);
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        writeln!(output, "{}", on_one_line(&pair(&line)))?;
        line.clear();
        if input.buffer().is_empty() {
            output.flush()?;
        }
    }
    output.flush()
}

/// Escapes what some readers take for a line break: a reason may quote a key that holds one.
fn on_one_line(verdict: &str) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let mut line = String::with_capacity(verdict.len());
    for c in verdict.chars() {
        if breaks(c) {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

fn pair(line: &[u8]) -> String {
    // Values keep their own spelling: numbers and duplicate keys mean something to a pattern.
    let parsed: Result<HashMap<String, &RawValue>, _> = serde_json::from_slice(line);
    let Ok(parsed) = parsed else {
        return "invalid-event: the line is no JSON object".to_owned();
    };
    let text = |name: &str| {
        let raw = parsed.get(name)?.get();
        match serde_json::from_str::<String>(raw) {
            Ok(held) => Some(held),
            Err(_) => Some(raw.to_owned()),
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
        Err(error) => return refused(&error),
    };
    match pattern.matches(event) {
        Ok(true) => "match".to_owned(),
        Ok(false) => "no-match".to_owned(),
        Err(error) => format!("invalid-event: {error}"),
    }
}

fn refused(error: &event_pattern::Error) -> String {
    format!("invalid-pattern: {}", error.reason())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line of input has to give one line of output, and nothing else.
    fn check(input: &[u8], wanted: &[&str]) {
        let mut output = Vec::new();
        answer(io::BufReader::new(input), &mut output).unwrap();
        let output = String::from_utf8(output).unwrap();
        let given: Vec<&str> = output.split_terminator('\n').collect();
        assert_eq!(given, wanted, "{}", String::from_utf8_lossy(input));
    }

    #[test]
    fn a_line_gets_a_verdict() {
        check(br#"{"pattern": {"a": ["x"]}, "event": {"a": "x"}}"#, &["match"]);
        check(
            br#"{"pattern": "{\"a\": [\"x\"]}", "event": "{\"a\": \"y\"}"}"#,
            &["no-match"],
        );
        check(
            br#"{"\u0070attern": {"a": []}, "event": {}, "a\nnote": 1}"#,
            &["invalid-pattern: Empty arrays are not allowed"],
        );
        check(
            br#"{"event": {}}"#,
            &["invalid-pattern: the line has no `pattern`"],
        );
        check(
            br#"{"pattern": {"a": [1e400]}, "event": {"a": 1e400}}"#,
            &["match"],
        );
        let stars = br#"{"pattern": {"a": [{"wildcard": "*-*-*-*-*-shop/*"}]}, "event": {"a": "x"}}"#;
        check(stars, &["no-match"]);
    }

    #[test]
    fn any_line_gets_one_verdict() {
        const NONE: &str = "invalid-event: the line is no JSON object";
        check(b"", &[]);
        check(b"\n\r\n nonsense\n", &[NONE, NONE, NONE]);
        check(b"[]\n\"\"\nnull\n{", &[NONE, NONE, NONE, NONE]);
        check(b"\xff\xfe\n{\"event\": \"\xff\"}\n", &[NONE, NONE]);
        check(
            b"{\"pattern\": {\"a\": [1]}, \"event\": {\"a\": 1}}\r\n{\"pattern\": {\"a\": [1]}, \"event\": {\"a\": 2}}",
            &["match", "no-match"],
        );
        check(
            br#"{"pattern": {"a\nb": 1}, "event": {}}"#,
            &[r#"invalid-pattern: "a\nb" must be an object or an array"#],
        );
        let long = format!(
            r#"{{"pattern": {{"a": ["x"]}}, "event": {{"a": "{}"}}}}"#,
            "y".repeat(1 << 20)
        );
        check(long.as_bytes(), &["no-match"]);
    }
}
