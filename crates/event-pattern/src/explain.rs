//! Why an event did not match: each leaf of the pattern, what the event has there, and the nearest field if it has
//! nothing.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use crate::choice::Choice;
use crate::compile::Condition;
use crate::error::EventError;
use crate::event::{Event, Gathered};
use crate::json::{Reader, Token};
use crate::pattern::Pattern;
use crate::steps::{STEPS_MAX, Steps};
use crate::value::Value;

/// More fields of an event than this are not looked at for a near name.
const FIELDS_MAX: usize = 10_000;
/// Nor are fields of longer paths.
const PATH_BYTES_MAX: usize = 512;
/// So many paths in all are compared with those of leaves, each some microseconds.
const COMPARED_MAX: usize = 20_000;
/// More values than this are not shown for one leaf.
const SHOWN_MAX: usize = 20;
/// Nor more of one value than this.
const SHOWN_BYTES_MAX: usize = 4_096;
/// More leaves than this are not listed.
pub const LEAVES_MAX: usize = 10_000;

/// What a pattern made of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Whether the event matches.
    pub matched: bool,
    /// Every leaf, alternative by alternative; the first [`LEAVES_MAX`].
    pub leaves: Vec<Leaf>,
    /// How many leaves there are beyond those.
    pub leaves_left_out: usize,
    /// Some alternative has all its leaves matched, but by values from different elements of one array.
    pub split_over_elements: bool,
}

/// One field of a pattern with its list of comparisons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Which alternative of `$or` it belongs to, from 0; always 0 without `$or`.
    pub alternative: usize,
    /// The keys that lead to it, joined by dots.
    pub path: String,
    /// The list as the pattern has it.
    pub expected: String,
    /// Whether a value of the event passes, or its absence does.
    pub matched: bool,
    /// What the event has there, as JSON; at most 20 values, and of each at most 4 KiB.
    pub found: Vec<String>,
    /// When the event has nothing there: the field of the event with the most similar path.
    pub nearest: Option<String>,
}

impl Pattern {
    /// Says for each leaf whether it matched, what the event has there, and which field is near.
    pub fn explain(&self, event_json: &str) -> Result<Explanation, EventError> {
        let mut gathered = Gathered::default();
        let event = gathered.read(&self.names, event_json)?;
        let paths = paths(event_json)?;
        let mut explanation = Explanation {
            matched: false,
            leaves: Vec::new(),
            leaves_left_out: 0,
            split_over_elements: false,
        };
        let steps = Steps::new(STEPS_MAX);
        // Alternatives have most of their conditions in common.
        let mut known: HashMap<*const Condition, Leaf> = HashMap::new();
        let mut compared = 0;
        for (number, alternative) in self.alternatives.iter().enumerate() {
            let holds = Choice::new(self.numbered(alternative), event, &steps)?.exists(&steps)?;
            explanation.matched |= holds;
            let mut all = true;
            for condition in alternative {
                let leaf = match known.entry(Arc::as_ptr(condition)) {
                    Entry::Occupied(leaf) => leaf.into_mut(),
                    Entry::Vacant(place) => {
                        let near = paths.len().min(COMPARED_MAX.saturating_sub(compared));
                        let leaf = self.leaf(condition, event, &paths[..near], &steps)?;
                        compared += if leaf.found.is_empty() { paths.len() } else { 0 };
                        place.insert(leaf)
                    }
                };
                all &= leaf.matched;
                if explanation.leaves.len() < LEAVES_MAX {
                    let alternative = number;
                    explanation.leaves.push(Leaf {
                        alternative,
                        ..leaf.clone()
                    });
                } else {
                    explanation.leaves_left_out += 1;
                }
            }
            explanation.split_over_elements |= all && !holds;
        }
        explanation.split_over_elements &= !explanation.matched;
        Ok(explanation)
    }

    fn leaf(
        &self,
        condition: &Condition,
        event: Event<'_>,
        paths: &[String],
        steps: &Steps,
    ) -> Result<Leaf, EventError> {
        let name = self.names.number(&condition.name);
        let (mut found, mut matched, mut any) = (Vec::new(), false, false);
        for value in name.into_iter().flat_map(|name| event.values(name)) {
            any = true;
            if found.len() < SHOWN_MAX {
                found.push(shown(&value));
            }
            if !matched {
                steps.take(condition.any_of.steps(value))?;
                matched = condition.any_of.pass(value);
            }
        }
        let path = String::from_utf8_lossy(&condition.name).into_owned();
        Ok(Leaf {
            alternative: 0,
            nearest: if any { None } else { nearest(&path, paths) },
            path,
            expected: condition.source.clone(),
            matched: matched || (!any && condition.any_of.absent()),
            found,
        })
    }
}

fn shown(value: &Value<'_>) -> String {
    let shown = &value.text[..value.text.len().min(SHOWN_BYTES_MAX)];
    let text = String::from_utf8_lossy(shown);
    if value.string {
        serde_json::Value::from(text).to_string()
    } else {
        text.into_owned()
    }
}

/// The paths of the values of an event.
fn paths(event: &str) -> Result<Vec<String>, EventError> {
    let mut reader = Reader::new(event);
    // How much of `path` leads to each object or list that is open.
    let mut open: Vec<usize> = Vec::new();
    let mut path = String::new();
    let mut paths: Vec<String> = Vec::new();
    loop {
        match reader.next()? {
            Token::Name => {
                path.truncate(open.last().copied().unwrap_or_default());
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&String::from_utf8_lossy(reader.name()));
            }
            Token::ObjectStart | Token::ArrayStart => open.push(path.len()),
            Token::ObjectEnd | Token::ArrayEnd => {
                path.truncate(open.pop().unwrap_or_default());
                if open.is_empty() {
                    return Ok(paths);
                }
            }
            Token::End => return Ok(paths),
            _ => {
                let room = paths.len() < FIELDS_MAX && path.len() <= PATH_BYTES_MAX;
                if room && paths.last() != Some(&path) {
                    paths.push(path.clone());
                }
            }
        }
    }
}

/// The path that is fewest edits away; none if even that has little in common.
fn nearest(wanted: &str, paths: &[String]) -> Option<String> {
    let near = paths
        .iter()
        .filter(|path| *path != wanted)
        .map(|path| (distance(wanted, path), path))
        .min()?;
    (near.0 * 2 <= wanted.chars().count().max(near.1.chars().count())).then(|| near.1.clone())
}

/// Edits between two texts, of which only the first characters count.
fn distance(a: &str, b: &str) -> usize {
    const CHARS_MAX: usize = 128;
    let a: Vec<char> = a.chars().take(CHARS_MAX).collect();
    let b: Vec<char> = b.chars().take(CHARS_MAX).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let swap = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = swap.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}
