//! One comparison of one value: an element of the list that a pattern has for a field.

use std::collections::BTreeSet;

use crate::folded::Folded;
use crate::ip;
use crate::number::{self, Key};
use crate::value::Value;
use crate::wildcard::Wildcard;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Comparison {
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

impl Comparison {
    /// Whether the value's own form, apart from any address in it, passes.
    pub(crate) fn passes(&self, value: Value<'_>, number: Option<Key>) -> bool {
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

    /// The steps that comparing a value takes, and those that each 32 bytes of it take.
    pub(crate) fn steps(&self) -> (usize, usize) {
        match self {
            Self::Wildcard(_)
            | Self::IgnoreCase(_)
            | Self::PrefixIgnoreCase(_)
            | Self::SuffixIgnoreCase(_) => (2, 4),
            Self::NotPrefixes(set) | Self::NotSuffixes(set) => (set.len(), 0),
            Self::NotIgnoreCase(list) => (2 * list.len(), 4 * list.len()),
            Self::NotWildcards(list) => (2 * list.len(), 4 * list.len()),
            _ => (1, 0),
        }
    }

    /// The bytes that it holds, estimated.
    pub(crate) fn bytes(&self) -> usize {
        /// Of each text of a list.
        const TEXT: usize = 48;
        /// Of each letter, whose two cases are boxes.
        const LETTER: usize = 64;
        let texts = |set: &BTreeSet<Vec<u8>>| set.iter().map(|text| text.len() + TEXT).sum();
        let wildcard = |one: &Wildcard| one.parts.iter().map(|part| part.len() + TEXT).sum::<usize>();
        match self {
            Self::String(text)
            | Self::Literal(text)
            | Self::Prefix(text)
            | Self::Suffix(text)
            | Self::Lost(text) => text.len(),
            Self::PrefixIgnoreCase(folded) | Self::SuffixIgnoreCase(folded) | Self::IgnoreCase(folded) => {
                folded.text.len() * LETTER
            }
            Self::Wildcard(one) => wildcard(one),
            Self::NotStrings(set) | Self::NotPrefixes(set) | Self::NotSuffixes(set) => texts(set),
            Self::NotNumbers(set) => set.len() * TEXT,
            Self::NotIgnoreCase(list) => list.iter().map(|folded| folded.text.len() * LETTER + TEXT).sum(),
            Self::NotWildcards(list) => list.iter().map(wildcard).sum(),
            Self::Number(_)
            | Self::Range { .. }
            | Self::Address(_)
            | Self::Exists
            | Self::Absent
            | Self::Never => 0,
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

/// The places of the comparisons, of those of one field in the order in which they are added, that the engine loses
/// when it adds a later one.
pub(crate) fn lost_before<'a>(
    comparisons: impl DoubleEndedIterator<Item = &'a Comparison> + ExactSizeIterator,
) -> Vec<usize> {
    let (mut bounds, mut lost) = (BTreeSet::new(), Vec::new());
    for (at, comparison) in comparisons.enumerate().rev() {
        match comparison {
            Comparison::Address(range) => bounds.extend(range.first_digits()),
            Comparison::Literal(text)
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

/// Beside a numeric comparison the engine looks at a number only as ten digits to base 128. A suffix, which ends with
/// the closing quote, looks at them too, and 34, the code of a quote, is a digit.
fn digits_end(number: Key, suffix: &[u8]) -> bool {
    number::digits(number)
        .split_last()
        .is_some_and(|(last, rest)| *last == b'"' && rest.ends_with(suffix))
}
