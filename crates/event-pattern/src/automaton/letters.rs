//! What the automaton is made of: a comparison as a row of letters.

use crate::comparison::Comparison;
use crate::folded::Folded;
use crate::wildcard::Wildcard;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Letter {
    Byte(u8),
    /// Any run of bytes.
    Any,
    /// A character in either case, as bytes.
    Either(Vec<Vec<u8>>),
}

impl Letter {
    /// Whether it is a byte inside a character of several.
    pub(super) fn continues(&self) -> bool {
        matches!(self, Self::Byte(0x80..=0xbf))
    }
}

/// The rows of a comparison, one for each of its texts; none for what is not about text.
pub(super) fn of(one: &Comparison) -> Vec<Vec<Letter>> {
    match one {
        Comparison::String(text) => vec![plain(&quoted(text))],
        Comparison::Prefix(text) => vec![plain(&opened(text))],
        Comparison::Suffix(text) => vec![reversed(text)],
        Comparison::PrefixIgnoreCase(folded) => vec![[plain(b"\""), either(folded, false)].concat()],
        Comparison::SuffixIgnoreCase(folded) => vec![[plain(b"\""), either(folded, true)].concat()],
        Comparison::IgnoreCase(folded) => vec![ignoring_case(folded)],
        Comparison::Wildcard(parts) => vec![wildcard(parts)],
        Comparison::NotStrings(texts) => rows(texts, |text| quoted(text), |text| plain(&quoted(text))),
        Comparison::NotPrefixes(texts) => rows(texts, |text| opened(text), |text| plain(&opened(text))),
        Comparison::NotSuffixes(texts) => {
            rows(texts, |text| [text, &b"\""[..]].concat(), |text| reversed(text))
        }
        Comparison::NotIgnoreCase(list) => rows(list, |folded| quoted(&folded.text), ignoring_case),
        Comparison::NotWildcards(list) => list.iter().map(wildcard).collect(),
        _ => Vec::new(),
    }
}

pub(super) fn is_suffix(comparison: &Comparison) -> bool {
    matches!(
        comparison,
        Comparison::Suffix(_) | Comparison::SuffixIgnoreCase(_) | Comparison::NotSuffixes(_)
    )
}

pub(super) fn is_prefix(comparison: &Comparison) -> bool {
    matches!(
        comparison,
        Comparison::Prefix(_) | Comparison::PrefixIgnoreCase(_) | Comparison::NotPrefixes(_)
    )
}

pub(super) fn is_denial(comparison: &Comparison) -> bool {
    matches!(
        comparison,
        Comparison::NotStrings(_)
            | Comparison::NotPrefixes(_)
            | Comparison::NotSuffixes(_)
            | Comparison::NotIgnoreCase(_)
            | Comparison::NotWildcards(_)
    )
}

/// The rows of a denial, in the order in which Java goes through a set of its texts as the engine quotes them.
fn rows<'a, T>(
    list: impl IntoIterator<Item = &'a T>,
    text: impl Fn(&T) -> Vec<u8>,
    row: impl Fn(&T) -> Vec<Letter>,
) -> Vec<Vec<Letter>>
where
    T: 'a + ?Sized,
{
    let list: Vec<&T> = list.into_iter().collect();
    let order = java_set_order(&list.iter().map(|item| text(item)).collect::<Vec<_>>());
    order.into_iter().map(|at| row(list[at])).collect()
}

/// The order in which Java's `HashSet` gives out texts that were put in in this order.
pub(crate) fn java_set_order(texts: &[Vec<u8>]) -> Vec<usize> {
    // It grows when it is three quarters full.
    let room = (texts.len() * 4).div_ceil(3).next_power_of_two().max(16);
    let bucket = |at: &usize| {
        let hash = String::from_utf8_lossy(&texts[*at])
            .encode_utf16()
            .fold(0_u32, |hash, unit| {
                hash.wrapping_mul(31).wrapping_add(u32::from(unit))
            });
        (hash ^ (hash >> 16)) as usize % room
    };
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(bucket);
    order
}

/// As the engine quotes a text.
pub(crate) fn quoted(text: &[u8]) -> Vec<u8> {
    [b"\"", text, b"\""].concat()
}

fn opened(text: &[u8]) -> Vec<u8> {
    [b"\"", text].concat()
}

fn plain(bytes: &[u8]) -> Vec<Letter> {
    bytes.iter().copied().map(Letter::Byte).collect()
}

fn reversed(text: &[u8]) -> Vec<Letter> {
    std::iter::once(b'"')
        .chain(text.iter().rev().copied())
        .map(Letter::Byte)
        .collect()
}

fn ignoring_case(folded: &Folded) -> Vec<Letter> {
    [plain(b"\""), either(folded, false), plain(b"\"")].concat()
}

fn either(folded: &Folded, backwards: bool) -> Vec<Letter> {
    let mut characters: Vec<[Vec<u8>; 2]> = folded.forms().map(|forms| forms.map(<[u8]>::to_vec)).collect();
    if backwards {
        characters.reverse();
        characters.iter_mut().flatten().for_each(|form| form.reverse());
    }
    let letters = characters.into_iter().flat_map(|[lower, upper]| {
        if lower == upper {
            plain(&lower)
        } else {
            vec![Letter::Either(vec![lower, upper])]
        }
    });
    letters.collect()
}

fn wildcard(one: &Wildcard) -> Vec<Letter> {
    let mut letters = plain(b"\"");
    for (at, part) in one.parts.iter().enumerate() {
        if at > 0 {
            letters.push(Letter::Any);
        }
        letters.extend(plain(part));
    }
    letters.push(Letter::Byte(b'"'));
    letters
}

/// Whether the character that the letters begin with has two cases.
pub(super) fn has_case(letters: &[Letter], backwards: bool) -> bool {
    let bytes = letters.iter().map_while(|letter| match letter {
        Letter::Byte(byte) => Some(*byte),
        _ => None,
    });
    let mut character: Vec<u8> = bytes.take(4).collect();
    if backwards {
        let first = character.iter().position(|byte| !(0x80..=0xbf).contains(byte));
        character.truncate(first.map_or(character.len(), |first| first + 1));
        character.reverse();
    } else {
        character.truncate(match character.first() {
            Some(0..=0x7f) => 1,
            Some(0xc2..=0xdf) => 2,
            _ => 3,
        });
    }
    let Some(c) = std::str::from_utf8(&character)
        .ok()
        .and_then(|text| text.chars().next())
    else {
        return false;
    };
    // Outside the basic plane the engine sees halves, which have no case.
    c.len_utf16() == 1 && c.to_lowercase().collect::<String>() != c.to_uppercase().collect::<String>()
}
