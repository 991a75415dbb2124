//! Letters that a reader does not see, or that change the direction of writing: whatever shows a text from outside spells them out.

/// Control characters, and those without a width or that change the direction of writing.
pub(crate) fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A text in which hidden letters are spelled out, but for those that are kept.
pub(crate) fn spelled_out(text: &str, is_kept: impl Fn(char) -> bool) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_hidden(letter) && !is_kept(letter) {
            safe.extend(letter.escape_default());
        } else {
            safe.push(letter);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_letters_are_known() {
        for (letters, want) in [
            ("a ß漢🚀ש$<", false),
            ("\0\n\t\u{1b}\u{7f}\u{85}", true),
            (
                "\u{ad}\u{61c}\u{200b}\u{202e}\u{2066}\u{feff}\u{fff9}\u{e0041}",
                true,
            ),
        ] {
            for letter in letters.chars() {
                assert_eq!(is_hidden(letter), want, "{letter:?}");
            }
        }
    }
}
