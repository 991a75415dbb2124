//! Reads lines of `["pattern", "event"]` and answers each with a JSON string.

use std::io::{BufRead, Write};

use event_pattern::Pattern;

fn answer(pattern: &str, event: &str) -> String {
    match Pattern::compile(pattern) {
        Err(error) => {
            format!(
                "invalid-pattern: {}",
                error
                    .message()
                    .replacen("Event pattern is not valid. Reason: ", "", 1)
            )
        }
        Ok(pattern) => match pattern.matches(event) {
            Err(error) => format!("invalid-event: {error}"),
            Ok(true) => "match".to_owned(),
            Ok(false) => "no-match".to_owned(),
        },
    }
}

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (pattern, event): (String, String) = serde_json::from_str(&line)?;
        writeln!(out, "{}", serde_json::Value::from(answer(&pattern, &event)))?;
    }
    Ok(())
}
