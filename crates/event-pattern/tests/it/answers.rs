//! An engine's answer in a form that two engines can be compared by, and many answers in little space.

use event_pattern::{COMPLEXITY_MAX, ErrorKind, Pattern, wildcard_complexity};

/// What a text that is not JSON is answered; how it is worded differs.
const SYNTAX: &str = "invalid-pattern: not JSON";

/// What a pattern over which the engine stumbles is answered.
const STUMBLES: &str = "invalid-pattern: beyond the engine";

/// What the engine answers when it does not always answer the same, as with a text, a number range and a text in a list.
pub(crate) const UNSTEADY: &str = "unsteady";

/// This crate's answer.
pub(crate) fn ours(pattern: &str, event: &str) -> String {
    let pattern = match Pattern::compile(pattern) {
        Ok(pattern) => pattern,
        Err(error) if error.kind() == ErrorKind::Syntax => return SYNTAX.to_owned(),
        Err(error) if error.kind() == ErrorKind::Limit => return STUMBLES.to_owned(),
        Err(error) => {
            let place = error.line().zip(error.column());
            return refusal(
                error.reason(),
                place.map(|(line, column)| format!("{line}:{column}")).as_deref(),
            );
        }
    };
    match pattern.matches(event) {
        Ok(true) => "match".to_owned(),
        Ok(false) => "no-match".to_owned(),
        Err(_) => "invalid-event".to_owned(),
    }
}

/// How complex this crate finds a pattern's wildcards.
pub(crate) fn complexity(pattern: &str) -> String {
    wildcard_complexity(pattern, COMPLEXITY_MAX + 2)
        .map_or_else(|_| "refused".to_owned(), |found| found.to_string())
}

fn refusal(reason: &str, place: Option<&str>) -> String {
    place.map_or_else(
        || format!("invalid-pattern: {reason}"),
        |place| format!("invalid-pattern: {reason} @{place}"),
    )
}

/// The engine's answer, from its whole message.
#[allow(dead_code, reason = "the tests read stored answers only")]
pub(crate) fn theirs(message: &str) -> String {
    if message.starts_with("invalid-event") {
        return "invalid-event".to_owned();
    }
    let Some(message) = message.strip_prefix("invalid-pattern: ") else {
        return message.to_owned();
    };
    let syntax = [
        "Unexpected ",
        "Unrecognized token",
        "Unrecognized character",
        "Illegal ",
        "Invalid numeric",
        "Document nesting",
    ];
    if syntax.iter().any(|start| message.starts_with(start)) {
        return SYNTAX.to_owned();
    }
    // Of some patterns the engine says nothing, but fails inside: a list of nothing, a bound at the end of all numbers.
    if message.starts_with("Cannot invoke") || message.starts_with("Index 10 out") || message == "null" {
        return STUMBLES.to_owned();
    }
    let (reason, rest) = message.split_once("\n at [Source").unwrap_or((message, ""));
    let place = rest
        .rsplit_once("; line: ")
        .map(|(_, place)| place.trim_end_matches(']').replace(", column: ", ":"));
    refusal(reason, place.as_deref())
}

/// Answers as one letter or number each, and a table of what the numbers mean.
#[allow(dead_code, reason = "the tests read stored answers only")]
pub(crate) fn pack(answers: &[String]) -> String {
    let mut table: Vec<&str> = Vec::new();
    let mut line = String::new();
    for answer in answers {
        match &**answer {
            "match" => line.push('m'),
            "no-match" => line.push('n'),
            "invalid-event" => line.push('e'),
            UNSTEADY => line.push('u'),
            other => {
                let at = table.iter().position(|known| *known == other).unwrap_or_else(|| {
                    table.push(other);
                    table.len() - 1
                });
                line.extend([at.to_string(), ";".to_owned()]);
            }
        }
    }
    let mut lines = vec![line];
    lines.extend(table.iter().map(|answer| answer.escape_default().to_string()));
    lines.join("\n") + "\n"
}

/// The answers that were packed.
#[allow(dead_code, reason = "only the tests read stored answers")]
pub(crate) fn unpack(packed: &str) -> Vec<String> {
    let mut lines = packed.lines();
    let letters = lines.next().unwrap_or_default();
    let table: Vec<&str> = lines.collect();
    let mut answers = Vec::new();
    let mut number = String::new();
    for letter in letters.chars() {
        match letter {
            'm' => answers.push("match".to_owned()),
            'n' => answers.push("no-match".to_owned()),
            'e' => answers.push("invalid-event".to_owned()),
            'u' => answers.push(UNSTEADY.to_owned()),
            ';' => {
                let at: usize = number.parse().unwrap_or(usize::MAX);
                answers.push(table.get(at).map_or_else(String::new, |answer| unescape(answer)));
                number.clear();
            }
            digit => number.push(digit),
        }
    }
    answers
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let (c, end) = match after.strip_prefix("u{").and_then(|code| code.split_once('}')) {
            Some((code, end)) => (u32::from_str_radix(code, 16).ok().and_then(char::from_u32), end),
            None => (after.chars().next().map(plain), &after[1..]),
        };
        out.extend(c);
        rest = end;
    }
    out + rest
}

fn plain(escaped: char) -> char {
    match escaped {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        other => other,
    }
}
