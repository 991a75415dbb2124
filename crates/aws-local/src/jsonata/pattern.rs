//! Regular expressions as JavaScript writes them, made into those of the regex crate, which never backtracks: so no
//! pattern takes more time than its size times the length of the text.

use regex::{Regex, RegexBuilder};

/// What a compiled pattern may take, and how much more work a byte of text is for one of that size.
const SIZES: [(usize, usize); 3] = [(32 * 1024, 1), (128 * 1024, 4), (512 * 1024, 16)];

/// What its table of states may take while it runs.
const STATES_BYTES_MAX: usize = 1024 * 1024;

/// One `/pattern/flags`.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) regex: Regex,
    pub(super) source: String,
    weight: usize,
    endless: bool,
}

impl Pattern {
    pub(super) fn compile(source: &str, flags: &str) -> Result<Self, String> {
        let translated = translate(source)?;
        let mut wrong = String::new();
        for (size, weight) in SIZES {
            let compiled = RegexBuilder::new(&translated)
                .case_insensitive(flags.contains('i'))
                .multi_line(flags.contains('m'))
                .size_limit(size)
                .dfa_size_limit(STATES_BYTES_MAX)
                .nest_limit(50)
                .build();
            match compiled {
                Ok(regex) => {
                    return Ok(Self {
                        regex,
                        source: source.to_owned(),
                        weight,
                        endless: source.contains(['*', '+']) || source.contains(",}"),
                    });
                }
                Err(error) => wrong = brief(&error),
            }
        }
        Err(format!(
            "the regular expression /{source}/ cannot be used: {wrong}"
        ))
    }

    /// The work of a search that went through `passed` bytes. Behind the match it may have looked at all that are
    /// `ahead`, as `/a.*z|a/` does for each `a`: one that has no repetition without an end looks no further than it is
    /// long.
    pub(super) fn steps(&self, passed: usize, ahead: usize) -> usize {
        let share = if self.endless { 256 } else { 8192 };
        self.weight * (1 + passed / 2 + ahead / share)
    }
}

/// The last line of what the crate says: the ones before draw the place in the translated pattern.
fn brief(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim().trim_start_matches("error: ").to_owned()
}

/// What JavaScript calls white space, as members of a class.
const SPACE: &str =
    r"\t\n\x0B\x0C\r \u{a0}\u{1680}\u{2000}-\u{200a}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}\u{feff}";

/// JavaScript's pattern in the regex crate's syntax.
fn translate(source: &str) -> Result<String, String> {
    let mut out = String::with_capacity(source.len() + 16);
    let mut letters = source.chars().peekable();
    let mut in_class = false;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => escape(letters.next(), in_class, &mut out)?,
            '[' if in_class => out.push_str(r"\["),
            '&' | '~' if in_class => {
                out.push('\\');
                out.push(letter);
            }
            '[' => {
                in_class = true;
                out.push('[');
                if letters.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
            }
            ']' => {
                in_class = false;
                out.push(']');
            }
            '.' if !in_class => out.push_str(r"[^\n\r\u{2028}\u{2029}]"),
            '(' if !in_class => {
                out.push('(');
                refuse_looking(&letters.clone().take(3).collect::<String>(), source)?;
            }
            _ => out.push(letter),
        }
    }
    Ok(out)
}

fn escape(letter: Option<char>, in_class: bool, out: &mut String) -> Result<(), String> {
    let Some(letter) = letter else {
        return Err("a regular expression ends with a backslash".to_owned());
    };
    let class = match letter {
        'd' => Some(("0-9", false)),
        'D' => Some(("0-9", true)),
        'w' => Some(("0-9A-Za-z_", false)),
        'W' => Some(("0-9A-Za-z_", true)),
        's' => Some((SPACE, false)),
        'S' => Some((SPACE, true)),
        _ => None,
    };
    match class {
        Some((members, false)) if in_class => out.push_str(members),
        Some((members, negated)) => {
            out.push_str(if negated { "[^" } else { "[" });
            out.push_str(members);
            out.push(']');
        }
        None if letter == 'b' && in_class => out.push_str(r"\x08"),
        None if letter == 'b' => out.push_str(r"(?-u:\b)"),
        None if letter == '0' => out.push_str(r"\x00"),
        None if letter.is_ascii_digit() => {
            return Err(format!(
                "regular expressions here have no references back to a group (\\{letter})"
            ));
        }
        None if matches!(letter, 'n' | 'r' | 't' | 'f' | 'v' | 'x' | 'u' | 'B') => {
            out.push('\\');
            out.push(letter);
        }
        None if letter.is_alphanumeric() => out.push(letter),
        None => out.push_str(&regex::escape(&letter.to_string())),
    }
    Ok(())
}

/// Looking ahead and behind needs backtracking.
fn refuse_looking(after: &str, source: &str) -> Result<(), String> {
    if after.starts_with("?=") || after.starts_with("?!") || after == "?<=" || after == "?<!" {
        return Err(format!(
            "regular expressions here cannot look ahead or behind (`({after}` in /{source}/)"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, text: &str, expected: Option<&str>) {
        let pattern = Pattern::compile(source, "").unwrap();
        let found = pattern.regex.find(text).map(|found| found.as_str());
        assert_eq!(found, expected, "/{source}/ in {text}");
    }

    #[test]
    fn patterns_mean_what_they_mean_in_javascript() {
        check(r"\d+", "a٣12", Some("12"));
        check(r"[\d\-.]+", "v1.2-3", Some("1.2-3"));
        check(r"[[a]+", "b[a", Some("[a"));
        check(r"a.c", "a\rc abc", Some("abc"));
        check(r"\bb\w", "ab bc", Some("bc"));
        check(r"[^\s/]+", " x/y", Some("x"));
        check(r"\/(?<name>x)", "/x", Some("/x"));
        check("[a&&b]+", "x&&", Some("&&"));
        check("é|ü", "aü", Some("ü"));
    }

    #[test]
    fn what_needs_backtracking_is_refused() {
        for source in [r"a(?=b)", r"(?<!a)b", r"(a)\1", "(", r"a\"] {
            let error = Pattern::compile(source, "").unwrap_err();
            assert!(error.contains("regular expression"), "{error}");
        }
    }
}
