//! What patterns in braces and in brackets share: a cursor, comparisons, and `&&` and `||` of them.

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use crate::policy::glob;

/// What a regular expression may be compiled to.
const REGEX_BYTES_MAX: usize = 1024 * 1024;
/// How deep parentheses may nest.
const DEPTH_MAX: usize = 32;
/// Regular expressions in one pattern.
const REGEXES_MAX: usize = 2;

/// Conditions, joined.
#[derive(Debug)]
pub(super) enum Logic<T> {
    All(Vec<Logic<T>>),
    Any(Vec<Logic<T>>),
    One(T),
}

impl<T> Logic<T> {
    /// How many conditions there are.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::count).sum(),
            Self::One(_) => 1,
        }
    }

    pub(super) fn holds(&self, one: &dyn Fn(&T) -> bool) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(one)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(one)),
            Self::One(condition) => one(condition),
        }
    }
}

/// A comparison with one value.
#[derive(Debug)]
pub(super) enum Test {
    Text { equal: bool, pattern: String },
    Matches { equal: bool, regex: Regex },
    Number(Compare, f64),
    Is(Value),
    NotExists,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Test {
    /// Compares a text.
    pub(super) fn holds(&self, text: &str) -> bool {
        match self {
            Self::Text { equal, pattern } => stars(pattern, text) == *equal,
            Self::Matches { equal, regex } => regex.is_match(text) == *equal,
            Self::Number(compare, wanted) => match text.parse() {
                Ok(given) => compare.holds(given, *wanted),
                Err(_) => *compare == Compare::NotEqual,
            },
            Self::Is(_) | Self::NotExists => false,
        }
    }
}

impl Compare {
    pub(super) fn holds(self, given: f64, wanted: f64) -> bool {
        let equal = (given - wanted).abs() < f64::EPSILON * wanted.abs().max(1.0);
        match self {
            Self::Equal => equal,
            Self::NotEqual => !equal,
            Self::Less => given < wanted && !equal,
            Self::LessOrEqual => given < wanted || equal,
            Self::Greater => given > wanted && !equal,
            Self::GreaterOrEqual => given > wanted || equal,
        }
    }
}

/// Only `*` is a wildcard here; a `?` is a plain character.
fn stars(pattern: &str, text: &str) -> bool {
    if pattern.contains('?') {
        // The question mark is replaced on both sides by a character that no JSON text has.
        return glob(&pattern.replace('?', "\u{1}"), &text.replace('?', "\u{1}"));
    }
    glob(pattern, text)
}

const OPERATORS: [(&str, Compare); 6] = [
    ("!=", Compare::NotEqual),
    ("<=", Compare::LessOrEqual),
    (">=", Compare::GreaterOrEqual),
    ("=", Compare::Equal),
    ("<", Compare::Less),
    (">", Compare::Greater),
];

/// The cursor.
pub(super) struct Reader<'t> {
    pub(super) rest: &'t str,
    depth: usize,
    regexes: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            rest: text.trim_start(),
            depth: 0,
            regexes: 0,
        }
    }

    pub(super) fn take(&mut self, token: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(token) else {
            return false;
        };
        self.rest = rest.trim_start();
        true
    }

    pub(super) fn word(&mut self, word: &str) -> bool {
        let found = self
            .rest
            .get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
            && !self.rest[word.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
        if found {
            self.rest = self.rest[word.len()..].trim_start();
        }
        found
    }

    /// `a || b && c`, where `one` reads a condition.
    pub(super) fn any<T>(
        &mut self,
        one: &dyn Fn(&mut Self) -> Result<T, String>,
    ) -> Result<Logic<T>, String> {
        let mut parts = vec![self.all(one)?];
        while self.take("||") {
            parts.push(self.all(one)?);
        }
        Ok(Logic::Any(parts))
    }

    fn all<T>(&mut self, one: &dyn Fn(&mut Self) -> Result<T, String>) -> Result<Logic<T>, String> {
        let mut parts = vec![self.one(one)?];
        while self.take("&&") {
            parts.push(self.one(one)?);
        }
        Ok(Logic::All(parts))
    }

    fn one<T>(&mut self, one: &dyn Fn(&mut Self) -> Result<T, String>) -> Result<Logic<T>, String> {
        if !self.take("(") {
            return Ok(Logic::One(one(self)?));
        }
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("too many parentheses".to_owned());
        }
        let inner = self.any(one)?;
        if !self.take(")") {
            return Err("a parenthesis is not closed".to_owned());
        }
        self.depth -= 1;
        Ok(inner)
    }

    /// An operator and a value, which ends at a space or one of `ends`.
    pub(super) fn comparison(&mut self, ends: &str) -> Result<Test, String> {
        let compare = OPERATORS
            .into_iter()
            .find(|(token, _)| self.take(token))
            .map(|(_, compare)| compare);
        let compare = compare.ok_or_else(|| format!("a comparison is needed at `{}`", self.rest))?;
        let equal = match compare {
            Compare::Equal => Some(true),
            Compare::NotEqual => Some(false),
            _ => None,
        };
        if let (Some(equal), true) = (equal, self.rest.starts_with('%')) {
            let regex = self.regex()?;
            return Ok(Test::Matches { equal, regex });
        }
        let (text, is_quoted) = self.value(ends)?;
        match (equal, number(&text).filter(|_| !is_quoted)) {
            (_, Some(number)) => Ok(Test::Number(compare, number)),
            (Some(equal), None) => Ok(Test::Text { equal, pattern: text }),
            (None, None) => Err(format!("`{text}` is not a number")),
        }
    }

    fn regex(&mut self) -> Result<Regex, String> {
        self.regexes += 1;
        if self.regexes > REGEXES_MAX {
            return Err(format!("more than {REGEXES_MAX} regular expressions"));
        }
        let inner = &self.rest[1..];
        let end = inner.find('%').ok_or("a regular expression is not closed")?;
        self.rest = inner[end + 1..].trim_start();
        regex(&inner[..end])
    }

    fn value(&mut self, ends: &str) -> Result<(String, bool), String> {
        if let Some(inner) = self.rest.strip_prefix('"') {
            let (text, rest) = super::quoted(inner)?;
            self.rest = rest.trim_start();
            return Ok((text, true));
        }
        let end = self
            .rest
            .find(|c: char| c.is_whitespace() || ends.contains(c))
            .unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        if text.is_empty() {
            return Err("a value is missing".to_owned());
        }
        self.rest = rest.trim_start();
        Ok((text.to_owned(), false))
    }
}

/// A number as patterns write it: digits, a point, an exponent, and no words such as `inf`.
fn number(text: &str) -> Option<f64> {
    let starts = text
        .trim_start_matches(['+', '-'])
        .starts_with(|c: char| c.is_ascii_digit() || c == '.');
    text.parse().ok().filter(|_| starts)
}

/// A regular expression, of the characters that AWS takes in one.
pub(super) fn regex(text: &str) -> Result<Regex, String> {
    let takes = |c: char| c.is_ascii_alphanumeric() || "^$?[]{}|\\*+._#=@/;,:-".contains(c);
    if let Some(odd) = text.chars().find(|c| !takes(*c)) {
        return Err(format!(
            "Invalid character '{odd}' in regular expression '%{text}%'"
        ));
    }
    if text.is_empty() {
        return Err("a regular expression is empty".to_owned());
    }
    let mut regex = RegexBuilder::new(text);
    let regex = regex.size_limit(REGEX_BYTES_MAX).dfa_size_limit(REGEX_BYTES_MAX);
    regex
        .build()
        .map_err(|_| format!("Invalid regular expression '%{text}%'"))
}
