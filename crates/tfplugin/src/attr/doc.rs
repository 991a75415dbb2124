//! Doc comments as descriptions: a paragraph is one line, since editors and other tools show each line break.

/// The text of a doc comment: without the blank that follows `///`, and each paragraph and list item in one line.
pub(super) fn tidy(text: &str) -> String {
    let mut tidied = String::new();
    let mut is_code = false;
    for line in text.lines() {
        let line = line.strip_prefix(' ').unwrap_or(line).trim_end();
        let fences = line.trim_start().starts_with("```");
        if is_code || fences || begins(line) || !flows(&tidied) {
            tidied.push('\n');
            tidied.push_str(line);
        } else {
            tidied.push(' ');
            tidied.push_str(line.trim_start());
        }
        is_code ^= fences;
    }
    tidied.trim().to_owned()
}

/// Whether a line stands for itself: an empty one, an item of a list, a row of a table, a heading, a quotation.
fn begins(line: &str) -> bool {
    let text = line.trim_start();
    let is_numbered = text
        .split_once(". ")
        .is_some_and(|(number, _)| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()));
    text.is_empty()
        || is_numbered
        || ["- ", "* ", "+ ", "|", "#", ">"]
            .iter()
            .any(|mark| text.starts_with(mark))
}

/// Whether the next line goes on with what the last one says.
fn flows(text: &str) -> bool {
    let last = text.rsplit('\n').next().unwrap_or_default().trim_start();
    !(last.is_empty() || last.starts_with("```") || last.starts_with('|') || last.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::tidy;

    #[test]
    fn paragraphs_are_one_line() {
        for (text, want) in [
            (" A thing,\n in two lines.", "A thing, in two lines."),
            (" One.\n\n Two,\n too.", "One.\n\nTwo, too."),
            ("\n One.\n \n", "One."),
            (
                " All:\n - one,\n   in two lines\n - two\n\n End.",
                "All:\n- one, in two lines\n- two\n\nEnd.",
            ),
            (" 1. one\n 2. two\n 3 apples", "1. one\n2. two 3 apples"),
            (
                " As in\n ```\n a = 1\n\n b = 2\n ```\n and\n so on.",
                "As in\n```\na = 1\n\nb = 2\n```\nand so on.",
            ),
            (
                " # Head\n Text\n | a | b |\n |---|---|\n after",
                "# Head\nText\n| a | b |\n|---|---|\nafter",
            ),
            ("", ""),
        ] {
            assert_eq!(tidy(text), want, "{text:?}");
        }
    }
}
