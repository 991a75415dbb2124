//! One test of one value: what stands between the brackets of a field.

use std::collections::BTreeSet;
use std::sync::Arc;

use memchr::memmem;

use crate::engine::Engine;
use crate::ip;
use crate::number::{self, Key};

/// A value of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value<'a> {
    /// A string without its escapes, or a number, `true`, `false` or `null` as it is spelt.
    pub(crate) text: &'a [u8],
    pub(crate) string: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Test {
    String(Vec<u8>),
    Literal(Vec<u8>),
    Number(Key),
    Range {
        low: Key,
        low_open: bool,
        high: Key,
        high_open: bool,
    },
    Address(ip::Range),
    Prefix(Vec<u8>),
    Suffix(Vec<u8>),
    PrefixIgnoreCase(Folded),
    SuffixIgnoreCase(Folded),
    IgnoreCase(Folded),
    Wildcard(Wildcard),
    Exists,
    Absent,
    NotStrings(BTreeSet<Vec<u8>>),
    NotNumbers(BTreeSet<Key>),
    NotPrefixes(BTreeSet<Vec<u8>>),
    NotSuffixes(BTreeSet<Vec<u8>>),
    NotIgnoreCase(Vec<Folded>),
    NotWildcards(Vec<Wildcard>),
    /// A list of nothing that nothing matches.
    Never,
    /// A number that no double holds, before a range of addresses that begins or ends with the same digit: the engine
    /// loses it when it adds the range.
    Lost(Vec<u8>),
}

impl Test {
    /// Whether the value's own form, apart from any address in it, passes.
    fn passes(&self, value: Value<'_>, number: Option<Key>) -> bool {
        if value.string {
            self.passes_string(value.text)
        } else {
            self.passes_literal(value.text, number)
        }
    }

    fn passes_string(&self, text: &[u8]) -> bool {
        match self {
            Self::String(wanted) => wanted == text,
            Self::Prefix(prefix) => starts(text, prefix),
            Self::Suffix(suffix) => ends(text, suffix),
            Self::PrefixIgnoreCase(folded) => folded.starts(text),
            Self::SuffixIgnoreCase(folded) => folded.ends(text),
            Self::IgnoreCase(folded) => folded.is(text),
            Self::Wildcard(wildcard) => wildcard.matches(text),
            Self::Exists | Self::NotNumbers(_) => true,
            Self::NotStrings(set) => !set.contains(text),
            Self::NotPrefixes(set) => !set.iter().any(|prefix| starts(text, prefix)),
            Self::NotSuffixes(set) => !set.iter().any(|suffix| ends(text, suffix)),
            Self::NotIgnoreCase(list) => !list.iter().any(|folded| folded.is(text)),
            Self::NotWildcards(list) => !list.iter().any(|wildcard| wildcard.matches(text)),
            Self::Literal(_)
            | Self::Number(_)
            | Self::Range { .. }
            | Self::Address(_)
            | Self::Absent
            | Self::Never
            | Self::Lost(_) => false,
        }
    }

    fn passes_literal(&self, text: &[u8], number: Option<Key>) -> bool {
        match self {
            Self::Literal(wanted) => wanted == text,
            Self::Number(wanted) => number == Some(*wanted),
            Self::Range {
                low,
                low_open,
                high,
                high_open,
            } => number.is_some_and(|number| {
                (*low < number || (*low == number && !low_open))
                    && (number < *high || (number == *high && !high_open))
            }),
            Self::Address(range) => number.is_none() && range.contains_number(text),
            Self::NotNumbers(set) => number.is_none_or(|number| !set.contains(&number)),
            Self::Exists
            | Self::NotStrings(_)
            | Self::NotPrefixes(_)
            | Self::NotIgnoreCase(_)
            | Self::NotWildcards(_) => true,
            Self::Suffix(suffix) => number.is_some_and(|number| digits_end(number, suffix)),
            Self::NotSuffixes(set) => {
                !number.is_some_and(|number| set.iter().any(|suffix| digits_end(number, suffix)))
            }
            Self::SuffixIgnoreCase(folded) => number.is_some_and(|number| {
                number::digits(number)
                    .split_last()
                    .is_some_and(|(last, rest)| *last == b'"' && folded.covers_end(rest))
            }),
            _ => false,
        }
    }

    /// The same, as the engine has it after a range of addresses was added.
    pub(crate) fn lost(self) -> Self {
        match self {
            Self::Literal(text) => Self::Lost(text),
            kept => kept,
        }
    }

    /// Whether it is in the engine's automaton of texts.
    pub(crate) fn is_text(&self) -> bool {
        !matches!(
            self,
            Self::Literal(_)
                | Self::Number(_)
                | Self::Range { .. }
                | Self::Address(_)
                | Self::NotNumbers(_)
                | Self::Exists
                | Self::Absent
                | Self::Never
                | Self::Lost(_)
        )
    }

    pub(crate) fn is_numeric(&self) -> bool {
        matches!(self, Self::Number(_) | Self::Range { .. } | Self::NotNumbers(_))
    }
}

/// The places of the tests, of those of one field in the order in which they are added, that the engine loses when it adds
/// a later one.
pub(crate) fn lost_before<'a>(
    tests: impl DoubleEndedIterator<Item = &'a Test> + ExactSizeIterator,
) -> Vec<usize> {
    let (mut bounds, mut lost) = (BTreeSet::new(), Vec::new());
    for (at, test) in tests.enumerate().rev() {
        match test {
            Test::Address(range) => bounds.extend(range.first_digits()),
            Test::Literal(text)
                if number::key(text).is_none()
                    && ip::first_digit(text).is_some_and(|digit| bounds.contains(&digit)) =>
            {
                lost.push(at);
            }
            _ => {}
        }
    }
    lost
}

/// The engine keeps a value's quotes, and a prefix may reach into the closing one.
fn starts(text: &[u8], prefix: &[u8]) -> bool {
    text.starts_with(prefix) || prefix.strip_suffix(b"\"") == Some(text)
}

/// As may a suffix into the opening one.
fn ends(text: &[u8], suffix: &[u8]) -> bool {
    text.ends_with(suffix) || suffix.strip_prefix(b"\"") == Some(text)
}

/// Beside a numeric test the engine looks at a number only as ten digits to base 128. A suffix, which ends with the
/// closing quote, looks at them too, and 34, the code of a quote, is a digit.
fn digits_end(number: Key, suffix: &[u8]) -> bool {
    number::digits(number)
        .split_last()
        .is_some_and(|(last, rest)| *last == b'"' && rest.ends_with(suffix))
}

/// The tests of one field, of which one must pass.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Tests {
    pub(crate) list: Vec<Test>,
    numeric: bool,
    address: bool,
    /// Where the engine makes something else of the tests' texts than they say: its automaton, and these tests in it.
    engine: Option<(Arc<Engine>, Vec<usize>)>,
}

impl Tests {
    pub(crate) fn new(mut list: Vec<Test>) -> Self {
        for at in lost_before(list.iter()) {
            list[at] = list[at].clone().lost();
        }
        let numeric = list.iter().any(Test::is_numeric);
        let address = list.iter().any(|test| matches!(test, Test::Address(_)));
        Self {
            list,
            numeric,
            address,
            engine: None,
        }
    }

    /// The same tests, for which the engine's automaton answers.
    pub(crate) fn with_engine(&self, engine: &Arc<Engine>) -> Self {
        let own = self.list.iter().filter_map(|test| engine.number(test)).collect();
        Self {
            engine: Some((Arc::clone(engine), own)),
            ..self.clone()
        }
    }

    /// The same tests, beside one of another alternative that compares numbers: for them too a number that can be compared
    /// is ten digits and not its spelling.
    pub(crate) fn beside_numbers(mut self) -> Self {
        self.numeric = true;
        self
    }

    pub(crate) fn is_numeric(&self) -> bool {
        self.numeric
    }

    /// Whether each test says what it does.
    pub(crate) fn is_plain(&self) -> bool {
        self.engine.is_none()
    }

    /// Whether the absence of the field passes.
    pub(crate) fn absent(&self) -> bool {
        self.list.contains(&Test::Absent)
    }

    pub(crate) fn pass(&self, value: Value<'_>) -> bool {
        if let Some((engine, own)) = &self.engine
            && value.string
            && let Some(passed) = engine.passed(value.text)
        {
            return own.iter().any(|at| passed.contains(at))
                || self
                    .list
                    .iter()
                    .any(|test| !test.is_text() && test.passes(value, None))
                || self.pass_as_address(value);
        }
        let number = if self.numeric && !value.string {
            number::key(value.text)
        } else {
            None
        };
        self.list.iter().any(|test| test.passes(value, number)) || self.pass_as_address(value)
    }

    fn pass_as_address(&self, value: Value<'_>) -> bool {
        self.address
            && value.string
            && ip::address(value.text).is_some_and(|address| self.pass_address(&address))
    }

    /// An address is looked at as hexadecimal digits, which a number in the list may spell.
    fn pass_address(&self, address: &ip::Digits) -> bool {
        self.list.iter().any(|test| match test {
            Test::Address(range) => range.contains(address),
            Test::Literal(text) => *text == address.text(),
            _ => false,
        })
    }
}

/// A text that matches in the upper or the lower form of each of its characters.
///
/// The engine takes a text apart into UTF-16 units. Half of a surrogate pair is no character, has no case, and is
/// written as a question mark: outside the basic plane nothing equals itself here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Folded {
    letters: Vec<Letter>,
    /// As it was written: the engine takes `a` and `A` for different tests.
    pub(crate) text: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Letter {
    lower: Box<[u8]>,
    upper: Box<[u8]>,
}

impl Folded {
    pub(crate) fn new(text: &[u8]) -> Self {
        let mut letters = Vec::with_capacity(text.len());
        for c in String::from_utf8_lossy(text).chars() {
            if c.len_utf16() == 1 {
                letters.push(Letter::new(c));
            } else {
                letters.extend([Letter::new('?'), Letter::new('?')]);
            }
        }
        Self {
            letters,
            text: text.to_vec(),
        }
    }

    /// The lower and the upper form of each character.
    pub(crate) fn forms(&self) -> impl Iterator<Item = [&[u8]; 2]> {
        self.letters.iter().map(|letter| [&*letter.lower, &*letter.upper])
    }

    fn is(&self, text: &[u8]) -> bool {
        self.prefix_len(text) == Some(text.len())
    }

    fn starts(&self, text: &[u8]) -> bool {
        self.prefix_len(text).is_some()
            || (self.text.ends_with(b"\"") && self.prefix_len(&[text, b"\""].concat()).is_some())
    }

    /// How much of the text it covers from the start.
    fn prefix_len(&self, text: &[u8]) -> Option<usize> {
        let mut at = 0;
        for letter in &self.letters {
            let rest = &text[at..];
            at += letter.forms().find(|form| rest.starts_with(form))?.len();
        }
        Some(at)
    }

    fn ends(&self, text: &[u8]) -> bool {
        self.covers_end(text) || (self.text.starts_with(b"\"") && self.covers_end(&[b"\"", text].concat()))
    }

    fn covers_end(&self, text: &[u8]) -> bool {
        let mut rest = text;
        for letter in self.letters.iter().rev() {
            let Some(form) = letter.forms().find(|form| rest.ends_with(form)) else {
                return false;
            };
            rest = &rest[..rest.len() - form.len()];
        }
        true
    }
}

impl Letter {
    fn new(c: char) -> Self {
        let lower: String = c.to_lowercase().collect();
        let upper: String = c.to_uppercase().collect();
        Self {
            lower: lower.into_bytes().into(),
            upper: upper.into_bytes().into(),
        }
    }

    fn forms(&self) -> impl Iterator<Item = &[u8]> {
        [&*self.lower, &*self.upper].into_iter()
    }
}

/// A text with `*` for any run of bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Wildcard {
    /// What stands before, between and after the stars; one more than there are stars.
    pub(crate) parts: Vec<Vec<u8>>,
}

impl Wildcard {
    /// Reads a pattern; positions in the refusal count the opening quote.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        let mut parts = vec![Vec::new()];
        let mut last = Vec::new();
        let mut at = 0;
        while let Some(byte) = text.get(at) {
            let next = text.get(at + 1);
            match (byte, next) {
                (b'*', Some(b'*')) => {
                    return Err(format!("Consecutive wildcard characters at pos {}", at + 1));
                }
                (b'*', _) => {
                    if let Some(part) = parts.last_mut() {
                        *part = std::mem::take(&mut last);
                    }
                    parts.push(Vec::new());
                }
                (b'\\', Some(escaped @ (b'*' | b'\\'))) => {
                    last.push(*escaped);
                    at += 1;
                }
                (b'\\', _) => return Err(format!("Invalid escape character at pos {}", at + 1)),
                _ => last.push(*byte),
            }
            at += 1;
        }
        if let Some(part) = parts.last_mut() {
            *part = last;
        }
        Ok(Self { parts })
    }

    /// Each part is taken where it first occurs: to look further along can never match more.
    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        let [head, middle @ .., tail] = &self.parts[..] else {
            return self.parts.first().is_some_and(|only| only == text);
        };
        let Some(mut rest) = text.strip_prefix(&head[..]) else {
            return false;
        };
        for part in middle {
            let Some(at) = memmem::find(rest, part) else {
                return false;
            };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(tail)
    }
}
