//! Text from outside, as it is shown: what a reader cannot see, or what would turn the reading direction, is spelt out.
//!
//! Templates escape HTML by themselves; this is for letters that HTML has no objection to.

use std::fmt;

use crate::letters::is_hidden;

/// Longest text that is shown whole.
const CHARS_MAX: usize = 20_000;

/// A text from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shown(String);

impl Shown {
    /// The text, in one line.
    pub(super) fn new(text: impl AsRef<str>) -> Self {
        Self(spelt(text.as_ref(), false))
    }

    /// The text with its line breaks, for preformatted blocks.
    pub(super) fn lines(text: impl AsRef<str>) -> Self {
        Self(spelt(text.as_ref(), true))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn spelt(text: &str, keeps_lines: bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for (at, letter) in text.chars().enumerate() {
        if at == CHARS_MAX {
            shown.push_str(" … (cut)");
            break;
        }
        match letter {
            '\n' | '\t' if keeps_lines => shown.push(letter),
            hidden if is_hidden(hidden) => shown.extend(hidden.escape_unicode()),
            plain => shown.push(plain),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_spelt_out() {
        for (text, want) in [
            ("größe 🚀 <b> ${x}", "größe 🚀 <b> ${x}"),
            ("a\nb\u{0}", "a\\u{a}b\\u{0}"),
            ("a\u{202e}b\u{200b}", "a\\u{202e}b\\u{200b}"),
            ("שלום", "שלום"),
        ] {
            assert_eq!(Shown::new(text).to_string(), want, "{text:?}");
        }
        assert_eq!(Shown::lines("a\n\tb\r").to_string(), "a\n\tb\\u{d}");
        let long = Shown::new("x".repeat(CHARS_MAX + 5)).to_string();
        assert!(long.ends_with("x … (cut)"), "{}", long.len());
    }
}
