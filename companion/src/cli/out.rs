//! Output: results on stdout, messages on stderr.

use std::io::{self, Write as _};

use serde::Serialize;

use crate::letters::{is_hidden, spelled_out};

/// Prints a line of result.
pub(super) fn line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    named(writeln!(out, "{text}").and_then(|()| out.flush()))
}

/// That it was the output that failed.
fn named(written: io::Result<()>) -> io::Result<()> {
    written.map_err(|error| io::Error::new(error.kind(), format!("the output cannot be written: {error}")))
}

/// Prints a value as JSON. What a terminal does not show, or what turns the direction of writing, is escaped: the value stays the same.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    Ok(line(&visible(&serde_json::to_string_pretty(value)?))?)
}

/// JSON whose hidden letters are escaped. Outside its texts there are none but line breaks.
fn visible(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter == '\n' || !is_hidden(letter) {
            text.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            text.extend(["\\u", &format!("{unit:04x}")]);
        }
    }
    text
}

/// Prints a result for people; its colours stay where they are wanted (a terminal, no `NO_COLOR`).
pub(super) fn styled(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    named(writeln!(out, "{text}").and_then(|()| out.flush()))
}

/// Prints a result of several lines as it is.
pub(super) fn text(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    named(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Prints what to do next, apart from the result.
pub(super) fn hint(text: &str) {
    complain(&format!("next: {text}"));
}

/// Prints a message for people, apart from the result. What servers say in it does nothing to a terminal.
pub(super) fn complain(text: &str) {
    // Without a stderr there is nowhere to report that.
    let _ = writeln!(io::stderr(), "{}", message(text));
}

/// A message whose hidden letters are spelled out, but for its line breaks.
fn message(text: &str) -> String {
    spelled_out(text, |letter| letter == '\n')
}

/// Whether an error says that the reader of our output has closed it.
pub(super) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|e| e.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_does_nothing_to_a_terminal_and_keeps_its_lines() {
        let text = message("a\n  b \u{1b}[2J\r\u{202e}größe\n");
        assert_eq!(text, "a\n  b \\u{1b}[2J\\r\\u{202e}größe\n");
    }

    #[test]
    fn hidden_letters_are_escaped_in_json_which_stays_the_same() {
        let value = serde_json::json!({ "a": "\n\u{1b}[31m\u{7f}\u{202e}\u{e0041}größe漢" });
        let text = visible(&serde_json::to_string_pretty(&value).unwrap());
        assert_eq!(
            text,
            "{\n  \"a\": \"\\n\\u001b[31m\\u007f\\u202e\\udb40\\udc41größe漢\"\n}"
        );
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
