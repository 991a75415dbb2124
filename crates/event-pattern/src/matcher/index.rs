//! From a value of a field to the conditions on that field which it passes.
//!
//! What can be looked up is: texts and numbers, whatever their case, beginnings and ends by their lengths. A wildcard
//! is found by the text before its first star or after its last, and then evaluated. Only the rest is evaluated one by
//! one.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use crate::any_of::AnyOf;
use crate::comparison::Comparison;
use crate::error::EventError;
use crate::ip;
use crate::number::{self, Key};
use crate::steps::Steps;
use crate::value::Value;

type Conditions = Vec<u32>;

/// The pivots on one field.
#[derive(Debug, Default)]
pub(super) struct Index(Option<Box<Kinds>>);

#[derive(Debug, Default)]
struct Kinds {
    strings: HashMap<Box<[u8]>, Conditions>,
    literals: HashMap<Box<[u8]>, Conditions>,
    numbers: HashMap<Key, Conditions>,
    ranges: Vec<(Key, Key, u32)>,
    addresses: Vec<(ip::Range, u32)>,
    prefixes: ByLength,
    suffixes: ByLength,
    folded: HashMap<Box<[u8]>, Conditions>,
    folded_prefixes: ByLength,
    folded_suffixes: ByLength,
    /// Wildcards by their head, to be tried.
    heads: ByLength,
    /// Wildcards without a head by their tail, to be tried.
    tails: ByLength,
    /// To be tried one by one.
    others: Conditions,
    count: usize,
}

/// Texts by length, so that a value is looked up once for each length there is.
#[derive(Debug, Default)]
struct ByLength {
    lengths: BTreeMap<usize, usize>,
    texts: HashMap<Box<[u8]>, Conditions>,
}

/// Where a comparison is kept.
enum Slot<'a> {
    String(&'a [u8]),
    Literal(&'a [u8]),
    Number(Key),
    Range(Key, Key),
    Address(&'a ip::Range),
    Prefix(&'a [u8]),
    Suffix(&'a [u8]),
    Folded(Box<[u8]>),
    FoldedPrefix(Box<[u8]>),
    FoldedSuffix(Box<[u8]>),
    Head(&'a [u8]),
    Tail(&'a [u8]),
}

impl Index {
    pub(super) fn insert(&mut self, condition: u32, any_of: &AnyOf) {
        let kinds = self.0.get_or_insert_default();
        kinds.count += 1;
        match slots(any_of) {
            Some(slots) => slots.into_iter().for_each(|slot| kinds.put(slot, condition)),
            None => kinds.others.push(condition),
        }
    }

    pub(super) fn remove(&mut self, condition: u32, any_of: &AnyOf) {
        let Some(kinds) = &mut self.0 else { return };
        kinds.count -= 1;
        if kinds.count == 0 {
            self.0 = None;
            return;
        }
        match slots(any_of) {
            Some(slots) => slots.into_iter().for_each(|slot| kinds.take(slot, condition)),
            None => kinds.others.retain(|known| *known != condition),
        }
    }

    /// Adds the conditions that a value passes to `hits`; `passes` tries one.
    #[inline]
    pub(super) fn hits(
        &self,
        value: Value<'_>,
        hits: &mut Conditions,
        steps: &Steps,
        passes: impl Fn(u32) -> bool,
    ) -> Result<(), EventError> {
        let Some(kinds) = &self.0 else { return Ok(()) };
        steps.take(kinds.steps(value))?;
        if value.string {
            kinds.string_hits(value.text, hits, &passes);
        } else {
            kinds.literal_hits(value.text, hits);
        }
        hits.extend(kinds.others.iter().copied().filter(|at| passes(*at)));
        Ok(())
    }
}

impl Kinds {
    /// The steps of looking a value up, besides those of what is tried.
    fn steps(&self, value: Value<'_>) -> usize {
        let len = value.text.len();
        if !value.string {
            return 1 + len / 32 + self.ranges.len() / 4 + self.addresses.len();
        }
        let lengths = [
            &self.prefixes,
            &self.suffixes,
            &self.folded_prefixes,
            &self.folded_suffixes,
            &self.heads,
            &self.tails,
        ];
        let lengths: usize = lengths.iter().map(|texts| texts.steps(len)).sum();
        1 + len / 16 + lengths + self.addresses.len()
    }

    fn string_hits(&self, text: &[u8], hits: &mut Conditions, passes: &impl Fn(u32) -> bool) {
        hits.extend(self.strings.get(text).into_iter().flatten());
        self.prefixes
            .each(text.len(), |len| &text[..len], |at| hits.push(at));
        self.suffixes
            .each(text.len(), |len| &text[text.len() - len..], |at| hits.push(at));
        if !(self.folded.is_empty() && self.folded_prefixes.is_empty() && self.folded_suffixes.is_empty()) {
            let lower = text.to_ascii_lowercase();
            hits.extend(self.folded.get(&*lower).into_iter().flatten());
            self.folded_prefixes
                .each(lower.len(), |len| &lower[..len], |at| hits.push(at));
            self.folded_suffixes
                .each(lower.len(), |len| &lower[lower.len() - len..], |at| hits.push(at));
        }
        let mut tried = |at| {
            if passes(at) {
                hits.push(at);
            }
        };
        self.heads.each(text.len(), |len| &text[..len], &mut tried);
        self.tails
            .each(text.len(), |len| &text[text.len() - len..], &mut tried);
        if !self.addresses.is_empty()
            && let Some(address) = ip::address(text)
        {
            hits.extend(
                self.addresses
                    .iter()
                    .filter(|(range, _)| range.contains(&address))
                    .map(|(_, at)| *at),
            );
        }
    }

    fn literal_hits(&self, text: &[u8], hits: &mut Conditions) {
        hits.extend(self.literals.get(text).into_iter().flatten());
        let number = if self.numbers.is_empty() && self.ranges.is_empty() {
            None
        } else {
            number::key(text)
        };
        if let Some(number) = number {
            hits.extend(self.numbers.get(&number).into_iter().flatten());
            let within = |(low, high, _): &&(Key, Key, u32)| *low <= number && number <= *high;
            hits.extend(self.ranges.iter().filter(within).map(|(_, _, at)| *at));
        }
        hits.extend(
            self.addresses
                .iter()
                .filter(|(range, _)| range.contains_number(text))
                .map(|(_, at)| *at),
        );
    }

    fn put(&mut self, slot: Slot<'_>, at: u32) {
        match slot {
            Slot::String(text) => put(&mut self.strings, text.into(), at),
            Slot::Literal(text) => put(&mut self.literals, text.into(), at),
            Slot::Number(key) => put(&mut self.numbers, key, at),
            Slot::Range(low, high) => self.ranges.push((low, high, at)),
            Slot::Address(range) => self.addresses.push((range.clone(), at)),
            Slot::Prefix(text) => self.prefixes.put(text.into(), at),
            Slot::Suffix(text) => self.suffixes.put(text.into(), at),
            Slot::Folded(text) => put(&mut self.folded, text, at),
            Slot::FoldedPrefix(text) => self.folded_prefixes.put(text, at),
            Slot::FoldedSuffix(text) => self.folded_suffixes.put(text, at),
            Slot::Head(text) => self.heads.put(text.into(), at),
            Slot::Tail(text) => self.tails.put(text.into(), at),
        }
    }

    fn take(&mut self, slot: Slot<'_>, at: u32) {
        match slot {
            Slot::String(text) => take(&mut self.strings, text, at),
            Slot::Literal(text) => take(&mut self.literals, text, at),
            Slot::Number(key) => take(&mut self.numbers, &key, at),
            Slot::Range(low, high) => self.ranges.retain(|known| *known != (low, high, at)),
            Slot::Address(_) => self.addresses.retain(|(_, known)| *known != at),
            Slot::Prefix(text) => self.prefixes.take(text, at),
            Slot::Suffix(text) => self.suffixes.take(text, at),
            Slot::Folded(text) => take(&mut self.folded, &*text, at),
            Slot::FoldedPrefix(text) => self.folded_prefixes.take(&text, at),
            Slot::FoldedSuffix(text) => self.folded_suffixes.take(&text, at),
            Slot::Head(text) => self.heads.take(text, at),
            Slot::Tail(text) => self.tails.take(text, at),
        }
    }
}

impl ByLength {
    fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// The steps of looking a value of this length up, once for each length.
    fn steps(&self, len: usize) -> usize {
        let longest = self.lengths.last_key_value().map_or(0, |(longest, _)| *longest);
        2 * self.lengths.len() * (1 + longest.min(len) / 32)
    }

    fn put(&mut self, text: Box<[u8]>, at: u32) {
        *self.lengths.entry(text.len()).or_default() += 1;
        put(&mut self.texts, text, at);
    }

    fn take(&mut self, text: &[u8], at: u32) {
        take(&mut self.texts, text, at);
        if let Some(count) = self.lengths.get_mut(&text.len()) {
            *count -= 1;
            if *count == 0 {
                self.lengths.remove(&text.len());
            }
        }
    }

    /// Looks up one part of a value for each length that is no longer than it.
    #[inline]
    fn each<'a>(&self, len_max: usize, part: impl Fn(usize) -> &'a [u8], mut hit: impl FnMut(u32)) {
        for len in self.lengths.range(..=len_max).map(|(len, _)| *len) {
            self.texts
                .get(part(len))
                .into_iter()
                .flatten()
                .for_each(|at| hit(*at));
        }
    }
}

fn put<K: Eq + Hash>(map: &mut HashMap<K, Conditions>, key: K, at: u32) {
    let conditions = map.entry(key).or_insert_with(|| Vec::with_capacity(1));
    if !conditions.contains(&at) {
        conditions.push(at);
    }
}

fn take<K, Q>(map: &mut HashMap<K, Conditions>, key: &Q, at: u32)
where
    K: Eq + Hash + Borrow<Q>,
    Q: Eq + Hash + ?Sized,
{
    if let Some(conditions) = map.get_mut(key) {
        conditions.retain(|known| *known != at);
        if conditions.is_empty() {
            map.remove(key);
        }
    }
    if map.capacity() > 64 && map.len() * 8 < map.capacity() {
        map.shrink_to(map.len() * 2);
    }
}

/// Where the comparisons of a condition are kept; `None` if one of them must be tried.
fn slots(any_of: &AnyOf) -> Option<Vec<Slot<'_>>> {
    let list = &any_of.list;
    let only_addresses = !any_of.is_numeric()
        && list
            .iter()
            .all(|comparison| matches!(comparison, Comparison::Address(_)));
    let odd_suffix = any_of.is_numeric() && list.iter().any(is_suffix);
    if odd_suffix || !any_of.is_plain() {
        return None;
    }
    list.iter()
        .map(|comparison| match comparison {
            Comparison::Address(range) if only_addresses => Some(Slot::Address(range)),
            comparison => slot(comparison),
        })
        .collect()
}

fn is_suffix(comparison: &Comparison) -> bool {
    matches!(
        comparison,
        Comparison::Suffix(_) | Comparison::SuffixIgnoreCase(_)
    )
}

fn slot(one: &Comparison) -> Option<Slot<'_>> {
    Some(match one {
        Comparison::String(text) => Slot::String(text),
        Comparison::Literal(text) => Slot::Literal(text),
        Comparison::Number(key) => Slot::Number(*key),
        Comparison::Range {
            low,
            low_open,
            high,
            high_open,
        } => {
            // Between neighbours among the keys there is no number.
            Slot::Range(low + u64::from(*low_open), high - u64::from(*high_open))
        }
        // A prefix may reach into a closing quote, a suffix into an opening one.
        Comparison::Prefix(text) if !text.ends_with(b"\"") => Slot::Prefix(text),
        Comparison::Suffix(text) if !text.starts_with(b"\"") => Slot::Suffix(text),
        Comparison::IgnoreCase(folded) => Slot::Folded(lower(&folded.text)?),
        Comparison::PrefixIgnoreCase(folded) if !folded.text.ends_with(b"\"") => {
            Slot::FoldedPrefix(lower(&folded.text)?)
        }
        Comparison::SuffixIgnoreCase(folded) if !folded.text.starts_with(b"\"") => {
            Slot::FoldedSuffix(lower(&folded.text)?)
        }
        Comparison::Wildcard(wildcard) => match &wildcard.parts[..] {
            [only] => Slot::String(only),
            [head, ..] if !head.is_empty() => Slot::Head(head),
            [.., tail] if !tail.is_empty() => Slot::Tail(tail),
            _ => return None,
        },
        _ => return None,
    })
}

/// Outside ASCII a character's other case is not found by lower case alone.
fn lower(text: &[u8]) -> Option<Box<[u8]>> {
    text.is_ascii().then(|| text.to_ascii_lowercase().into())
}
