//! JSON whose texts may be expressions: the parameters of a target, and the input of a universal one.

use std::sync::atomic::Ordering;

use serde_json::{Map, Value};

use super::error::{Failure, Invalid};
use super::expression::{Expression, PATTERNS_MAX, Setting};
use super::meter::Limits;
use crate::clock::Dice;

/// What all expressions of an input may be long.
const LETTERS_MAX: usize = 262_144;

/// What all expressions of a template may still have together.
struct Left {
    letters: usize,
    patterns: usize,
}

/// JSON that is filled in for each delivery.
#[derive(Debug)]
pub(crate) enum Template {
    Literal(Value),
    Expression(Box<Expression>),
    Array(Vec<Template>),
    Object(Vec<(String, Template)>),
}

impl Template {
    /// Reads all expressions in it; the error names the member that has a wrong one.
    pub(crate) fn parse(value: &Value) -> Result<Self, Invalid> {
        let mut left = Left {
            letters: LETTERS_MAX,
            patterns: PATTERNS_MAX,
        };
        Self::parse_at(value, "", &mut left)
    }

    fn parse_at(value: &Value, path: &str, left: &mut Left) -> Result<Self, Invalid> {
        Ok(match value {
            Value::String(text) if text.starts_with("{%") => {
                let parsed = Expression::parse_within(text, left.letters, &mut left.patterns);
                left.letters = left.letters.saturating_sub(text.chars().count());
                let named = |invalid: Invalid| match path {
                    "" => invalid,
                    _ => Invalid::new(format!("`{path}`: {}", invalid.what), invalid.at),
                };
                Self::Expression(Box::new(parsed.map_err(named)?))
            }
            Value::Array(items) => {
                let items = items.iter().enumerate();
                let parsed = items.map(|(at, item)| Self::parse_at(item, &format!("{path}[{at}]"), left));
                Self::Array(parsed.collect::<Result<_, _>>()?)
            }
            Value::Object(members) => {
                let parsed = members
                    .iter()
                    .map(|(key, member)| Ok((key.clone(), Self::parse_at(member, &below(path, key), left)?)));
                Self::Object(parsed.collect::<Result<_, _>>()?)
            }
            literal => Self::Literal(literal.clone()),
        })
    }

    pub(crate) fn has_expressions(&self) -> bool {
        match self {
            Self::Literal(_) => false,
            Self::Expression(_) => true,
            Self::Array(items) => items.iter().any(Self::has_expressions),
            Self::Object(members) => members.iter().any(|(_, member)| member.has_expressions()),
        }
    }

    /// The JSON with all results in the places of their expressions; null where a result is null or undefined.
    pub(crate) fn render(&self, events: &str, setting: &Setting) -> Result<Value, Failure> {
        let mut dice = setting.dice.clone();
        let mut bytes_left = setting.limits.output_bytes_max;
        self.render_at("", events, setting, (&mut dice, &mut bytes_left))
    }

    fn render_at(
        &self,
        path: &str,
        events: &str,
        setting: &Setting,
        (dice, bytes_left): (&mut Dice, &mut usize),
    ) -> Result<Value, Failure> {
        Ok(match self {
            Self::Literal(value) => value.clone(),
            Self::Expression(expression) => {
                // What is left of the one bound of them all.
                let work_max = setting
                    .limits
                    .work_max
                    .saturating_sub(setting.spent.load(Ordering::Relaxed));
                let own = Setting {
                    dice: Dice::new(dice.roll()),
                    limits: Limits {
                        work_max,
                        output_bytes_max: *bytes_left,
                        ..setting.limits
                    },
                    ..setting.clone()
                };
                let named = |failure: Failure| match path {
                    "" => failure,
                    _ => Failure::Within {
                        path: path.to_owned(),
                        failure: Box::new(failure),
                    },
                };
                let value = expression.json(events, &own).map_err(named)?;
                *bytes_left = bytes_left.saturating_sub(value.to_string().len());
                value
            }
            Self::Array(items) => {
                let items = items.iter().enumerate();
                let rendered = items.map(|(at, item)| {
                    item.render_at(
                        &format!("{path}[{at}]"),
                        events,
                        setting,
                        (&mut *dice, &mut *bytes_left),
                    )
                });
                Value::Array(rendered.collect::<Result<_, _>>()?)
            }
            Self::Object(members) => {
                let mut rendered = Map::new();
                for (key, member) in members {
                    let value = member.render_at(
                        &below(path, key),
                        events,
                        setting,
                        (&mut *dice, &mut *bytes_left),
                    )?;
                    rendered.insert(key.clone(), value);
                }
                Value::Object(rendered)
            }
        })
    }
}

fn below(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}
