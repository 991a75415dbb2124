//! Why an event did not match: each leaf of the pattern, what the event has there, and the nearest field if it has
//! nothing.

use crate::choice::Choice;
use crate::compile::Condition;
use crate::error::EventError;
use crate::event::{Event, Gathered};
use crate::json::{Reader, Token};
use crate::pattern::Pattern;
use crate::value::Value;

/// More fields of an event than this are not looked at for a near name.
const FIELDS_MAX: usize = 10_000;
/// More values than this are not shown for one leaf.
const SHOWN_MAX: usize = 20;

/// What a pattern made of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Whether the event matches.
    pub matched: bool,
    /// Every leaf, alternative by alternative.
    pub leaves: Vec<Leaf>,
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
    /// What the event has there, as JSON; at most 20 values.
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
            split_over_elements: false,
        };
        let mut steps = 0;
        for (number, alternative) in self.alternatives.iter().enumerate() {
            let holds = Choice::new(self.numbered(alternative), event).exists(&mut steps)?;
            explanation.matched |= holds;
            let mut all = true;
            for condition in alternative {
                let leaf = self.leaf(number, condition, event, &paths);
                all &= leaf.matched;
                explanation.leaves.push(leaf);
            }
            explanation.split_over_elements |= all && !holds;
        }
        explanation.split_over_elements &= !explanation.matched;
        Ok(explanation)
    }

    fn leaf(&self, alternative: usize, condition: &Condition, event: Event<'_>, paths: &[String]) -> Leaf {
        let values: Vec<Value<'_>> = match self.names.number(&condition.name) {
            Some(name) => event.values(name).collect(),
            None => Vec::new(),
        };
        let absent = values.is_empty() && condition.any_of.absent();
        let path = String::from_utf8_lossy(&condition.name).into_owned();
        Leaf {
            alternative,
            nearest: if values.is_empty() {
                nearest(&path, paths)
            } else {
                None
            },
            path,
            expected: condition.source.clone(),
            matched: absent || values.iter().any(|value| condition.any_of.pass(*value)),
            found: values.iter().take(SHOWN_MAX).map(shown).collect(),
        }
    }
}

fn shown(value: &Value<'_>) -> String {
    let text = String::from_utf8_lossy(value.text);
    if value.string {
        serde_json::Value::from(text).to_string()
    } else {
        text.into_owned()
    }
}

/// The paths of all values of an event.
fn paths(event: &str) -> Result<Vec<String>, EventError> {
    let mut reader = Reader::new(event);
    let mut prefixes: Vec<String> = Vec::new();
    let mut path = String::new();
    let mut paths: Vec<String> = Vec::new();
    loop {
        match reader.next()? {
            Token::Name => {
                path = prefixes.last().cloned().unwrap_or_default();
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&String::from_utf8_lossy(reader.name()));
            }
            Token::ObjectStart | Token::ArrayStart => prefixes.push(path.clone()),
            Token::ObjectEnd | Token::ArrayEnd => {
                path = prefixes.pop().unwrap_or_default();
                if prefixes.is_empty() {
                    return Ok(paths);
                }
            }
            Token::End => return Ok(paths),
            _ => {
                if paths.len() < FIELDS_MAX && paths.last() != Some(&path) {
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
