//! The functions of the language, and those that AWS adds. `$eval` is left out, as AWS does.

mod aws;
mod calendar;
mod date_picture;
mod dates;
mod higher;
mod integer_picture;
mod lists;
mod matching;
mod number_picture;
mod numbers;
mod objects;
mod picture;
mod texts;
mod urls;

use std::collections::HashMap;
use std::sync::OnceLock;

use super::error::Failure;
use super::host::{Arguments, Host};
use super::signature::Signature;
use super::value::Value;

pub(super) use higher::merge_sort;
pub(super) use matching::first_match;
pub(super) use objects::member;

type Run = fn(&dyn Host, Arguments<'_>) -> Result<Value, Failure>;

/// Name, signature, how many arguments it looks at when it is an argument itself, code.
type Entry = (&'static str, &'static str, usize, Run);

/// One function.
pub(super) struct Native {
    pub(super) name: &'static str,
    pub(super) signature: Signature,
    pub(super) arity: usize,
    pub(super) run: Run,
}

/// All functions, and their places by name.
struct Table {
    natives: Vec<Native>,
    places: HashMap<&'static str, usize>,
}

static TABLE: OnceLock<Table> = OnceLock::new();

fn table() -> &'static Table {
    TABLE.get_or_init(|| {
        let lists = [
            texts::FUNCTIONS,
            urls::FUNCTIONS,
            matching::FUNCTIONS,
            numbers::FUNCTIONS,
            number_picture::FUNCTIONS,
            integer_picture::FUNCTIONS,
            lists::FUNCTIONS,
            higher::FUNCTIONS,
            objects::FUNCTIONS,
            dates::FUNCTIONS,
            aws::FUNCTIONS,
        ];
        let natives: Vec<Native> = lists
            .into_iter()
            .flatten()
            .map(|(name, signature, arity, run)| Native {
                name,
                signature: Signature::parse(signature).unwrap_or(Signature {
                    parameters: Vec::new(),
                }),
                arity: *arity,
                run: *run,
            })
            .collect();
        let places = natives
            .iter()
            .enumerate()
            .map(|(place, native)| (native.name, place));
        Table {
            places: places.collect(),
            natives,
        }
    })
}

/// The place of a function in the table.
pub(super) fn named(name: &str) -> Option<usize> {
    table().places.get(name).copied()
}

pub(super) fn at(place: usize) -> &'static Native {
    &table().natives[place]
}
