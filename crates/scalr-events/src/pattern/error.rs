//! What is wrong with the arguments of [`event_pattern()`](super::event_pattern()).

use std::fmt;

use event_pattern::LENGTH_MAX;

use super::ANY_OF;
use crate::catalogue::{self, DETAIL_TYPE};
use crate::nearest::nearest;
use crate::{EventType, UnknownType};

/// What is wrong with the arguments of [`event_pattern()`](super::event_pattern()).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// No such detail type.
    Type(UnknownType),
    /// The filters are no object.
    NotAnObject {
        /// The type they have.
        given: &'static str,
    },
    /// No such filter for this detail type.
    UnknownFilter {
        /// The detail type.
        event_type: EventType,
        /// The name that was asked for.
        name: String,
    },
    /// Two names of one filter.
    Twice {
        /// The names.
        names: [String; 2],
    },
    /// Two filters that look for one element each in one list, or for one field in `any_of` and beside it.
    OneList {
        /// The filters.
        names: [String; 2],
        /// The field that both look at.
        path: &'static str,
    },
    /// A filter's value has the wrong type.
    WrongType {
        /// The filter.
        name: String,
        /// The type the field has.
        expected: &'static str,
        /// The type that was given.
        given: &'static str,
    },
    /// EventBridge has no comparison of this name.
    UnknownMatcher {
        /// The filter.
        name: String,
        /// The name of the comparison.
        matcher: String,
        /// The one that was probably meant.
        nearest: Option<&'static str>,
    },
    /// A comparison that says nothing of one tag among several.
    NotOfTag {
        /// The filter.
        name: String,
        /// The comparison.
        matcher: String,
    },
    /// No event has a value that the filter lets through.
    Never {
        /// The filter.
        name: String,
        /// Why, in words.
        why: String,
        /// The filter of the name, where this one is of the id.
        by_name: Option<&'static str>,
    },
    /// The pattern is longer than EventBridge takes.
    TooLong {
        /// Its characters.
        chars: usize,
    },
    /// EventBridge would refuse the pattern.
    Refused {
        /// The wrong filter, where it is known.
        name: Option<String>,
        /// EventBridge's reason.
        reason: String,
    },
    /// A filter is an empty list, which matches nothing.
    Empty {
        /// The filter.
        name: String,
    },
    /// The alternatives are no list of objects.
    NoAlternatives {
        /// The type that is there.
        given: &'static str,
    },
    /// An alternative has alternatives.
    Nested,
    /// An alternative without a filter.
    TakesAll {
        /// Its place in the list, from 0.
        number: usize,
    },
    /// EventBridge's engine ignores an alternative.
    Ignored {
        /// Its place in the list, from 0.
        number: usize,
    },
}

impl PatternError {
    /// Which argument is wrong: 0 for the type, 1 for the filters.
    pub const fn argument(&self) -> usize {
        match self {
            Self::Type(_) => 0,
            _ => 1,
        }
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(unknown) => unknown.fmt(f),
            Self::NotAnObject { given } => write!(
                f,
                "Filters are an object such as `{{ workspace = \"prod\" }}`; this is {given}."
            ),
            Self::UnknownFilter { event_type, name } => unknown_filter(f, *event_type, name),
            Self::TooLong { chars } => write!(
                f,
                "The pattern has {chars} characters with these filters; EventBridge takes {LENGTH_MAX}. Shorten the lists, or spread \
                 them over several rules."
            ),
            Self::Refused { name, reason } => match name {
                Some(name) => write!(f, "EventBridge would refuse the filter `{name}`: {reason}."),
                None => write!(f, "EventBridge would refuse this pattern: {reason}."),
            },
            Self::Twice { .. } | Self::OneList { .. } => self.of_two(f),
            Self::NoAlternatives { .. } | Self::Nested | Self::TakesAll { .. } | Self::Ignored { .. } => {
                self.of_alternatives(f)
            }
            _ => self.of_value(f),
        }
    }
}

impl std::error::Error for PatternError {}

impl PatternError {
    fn of_value(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongType {
                name,
                expected,
                given,
            } => write!(
                f,
                "The filter `{name}` takes a {expected}, a list of them, or a matcher such as \
                 `{{ exists = true }}`; this is {given}."
            ),
            Self::UnknownMatcher {
                name,
                matcher,
                nearest: Some(near),
            } => write!(
                f,
                "The filter `{name}`: EventBridge has no comparison `{matcher}`; the nearest is `{near}`."
            ),
            Self::UnknownMatcher {
                name,
                matcher,
                nearest: None,
            } => write!(
                f,
                "The filter `{name}`: EventBridge has no comparison `{matcher}`. There are {}.",
                listed(super::leaf::MATCHERS)
            ),
            Self::NotOfTag { name, matcher } => write!(
                f,
                "The filter `{name}` looks for one tag among several, and cannot say `{matcher}` of it: EventBridge matches a list when any \
                 element passes. It takes texts, `prefix`, `wildcard` and `equals-ignore-case`."
            ),
            Self::Never { name, why, by_name } => {
                write!(f, "No event passes the filter `{name}`: {why}")?;
                match by_name {
                    Some(other) => write!(f, "; names have the filter `{other}`."),
                    None => f.write_str("."),
                }
            }
            Self::Empty { name } => write!(
                f,
                "The filter `{name}` is an empty list, which matches no event; leave it out to match all."
            ),
            _ => Ok(()),
        }
    }

    fn of_two(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Twice { names: [one, other] } => {
                write!(f, "`{one}` and `{other}` are one filter; write it once.")
            }
            Self::OneList {
                names: [one, other],
                path,
            } => {
                write!(
                    f,
                    "The filters `{one}` and `{other}` both look at `{path}`, and a pattern can ask for it once"
                )?;
                if one.starts_with(ANY_OF) != other.starts_with(ANY_OF) {
                    return write!(
                        f,
                        ": write it in each alternative of `{ANY_OF}`, with the values that suit there."
                    );
                }
                let (one, other) = (bare(one), bare(other));
                let why = if [one, other].iter().any(|name| name.starts_with("tags")) {
                    ""
                } else {
                    ": a workspace is in one environment, so its id says both"
                };
                write!(
                    f,
                    ". Leave one of them out{why}. Where either may match, use `{ANY_OF} = [{{ {one} = … }}, {{ {other} = … }}]`."
                )
            }
            _ => Ok(()),
        }
    }

    fn of_alternatives(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAlternatives { given } => write!(
                f,
                "`{ANY_OF}` is a list of objects with filters, such as `[{{ result = \"errored\" }}, {{ is_destroy = true }}]`; this is \
                 {given}."
            ),
            Self::Nested => write!(
                f,
                "An alternative of `{ANY_OF}` has filters, and no `{ANY_OF}` of its own: write each combination as an alternative."
            ),
            Self::TakesAll { number } => write!(
                f,
                "The alternative `{ANY_OF}[{number}]` has no filter, so every event passes it: leave out `{ANY_OF}` to match every event."
            ),
            Self::Ignored { number } => write!(
                f,
                "EventBridge would ignore the alternative `{ANY_OF}[{number}]`: in every field that it filters it has a value in common with an \
                 earlier alternative, and EventBridge's engine takes it for the same one. Move what they have in common beside \
                 `{ANY_OF}`, or have no value in two of them."
            ),
            _ => Ok(()),
        }
    }
}

/// A filter's name without its place in `any_of`.
fn bare(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn listed(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn unknown_filter(f: &mut fmt::Formatter<'_>, event_type: EventType, name: &str) -> fmt::Result {
    write!(f, "`{event_type}` has no filter `{name}`")?;
    if let Some(near) = nearest(bare(name), filter_names(event_type)) {
        return write!(f, "; the nearest is `{near}`.");
    }
    let known: Vec<&str> = filter_names(event_type).collect();
    write!(f, ". Filters are {}.", listed(&known))
}

pub(super) fn filter_names(event_type: EventType) -> impl Iterator<Item = &'static str> {
    catalogue::filters(event_type)
        .map(|field| field.filter)
        .filter(|name| *name != DETAIL_TYPE)
        .chain([ANY_OF])
}
