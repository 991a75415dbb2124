//! What a subscriber of a custom event bus filters by: one pattern for each scope of an event, all of which must match.
//!
//! The rules are those of AWS's guide to custom event buses, "Filtering"; the messages in AWS's words are those that its
//! published agent skill for event buses quotes.

use std::fmt;
use std::sync::OnceLock;

use serde_json::Value;

use crate::comparison::Comparison;
use crate::compile;
use crate::error::{Error, EventError};
use crate::pattern::Pattern;

/// The most bytes that the patterns of one subscriber may have together.
pub const FILTER_BYTES_MAX: usize = 4_096;

/// The part of an event that a filter looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// What was published: of PutEvents and of partners the whole envelope.
    Data,
    /// The publisher's own pairs, of PutRawEvents alone.
    Metadata,
    /// What the bus adds, all of it text.
    SystemMetadata,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Data, Self::Metadata, Self::SystemMetadata];

    /// The scope that `Scope` of a filter names.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    /// As AWS spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Data => "DATA",
            Self::Metadata => "METADATA",
            Self::SystemMetadata => "SYSTEM_METADATA",
        }
    }
}

/// Why the filters of a subscriber were refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FilterError {
    /// Two filters have one scope.
    Duplicate(Scope),
    /// All patterns together are longer than [`FILTER_BYTES_MAX`].
    TooLong {
        /// How many bytes they have.
        bytes: usize,
    },
    /// The operator `wildcard`, by itself or in `anything-but`.
    Wildcard(Scope),
    /// A pattern of `METADATA` that has more than exact values; under which key, if it is not the pattern whole.
    NotExact(Option<String>),
    /// It is no pattern.
    Pattern(Scope, Error),
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate(scope) => write!(f, "Duplicate filter scope: {}", scope.name()),
            Self::TooLong { bytes } => write!(
                f,
                "The filter patterns have {bytes} bytes together; a subscriber's may have {FILTER_BYTES_MAX}"
            ),
            Self::Wildcard(_) => f.write_str(
                "Filter pattern must not contain wildcard matchers (wildcard, anything-but wildcard)",
            ),
            Self::NotExact(key) => {
                f.write_str("A METADATA filter is an object whose values are lists of exact values")?;
                match key {
                    Some(key) => write!(f, ": `{key}` is none"),
                    None => Ok(()),
                }
            }
            Self::Pattern(scope, error) => write!(f, "{}: {}", scope.name(), error.first_line()),
        }
    }
}

impl std::error::Error for FilterError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Pattern(_, error) => Some(error),
            _ => None,
        }
    }
}

/// The parts of an event, each as JSON.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// What was published; what is no JSON matches no filter.
    pub data: &'a str,
    /// The publisher's own pairs.
    pub metadata: &'a str,
    /// What the bus added.
    pub system_metadata: &'a str,
}

impl<'a> Parts<'a> {
    fn of(&self, scope: Scope) -> &'a str {
        match scope {
            Scope::Data => self.data,
            Scope::Metadata => self.metadata,
            Scope::SystemMetadata => self.system_metadata,
        }
    }
}

/// The filters of one subscriber. With none every event matches.
#[derive(Debug, Default)]
pub struct Filters(Vec<Filter>);

#[derive(Debug)]
struct Filter {
    scope: Scope,
    pattern: Pattern,
    text: String,
    /// The same one level deeper, for data whose root is an array.
    of_arrays: OnceLock<Option<Pattern>>,
}

impl Filters {
    /// Compiles filters as a subscriber takes them.
    pub fn compile<'a>(filters: impl IntoIterator<Item = (Scope, &'a str)>) -> Result<Self, FilterError> {
        let (mut compiled, mut bytes) = (Vec::<Filter>::new(), 0);
        for (scope, text) in filters {
            if compiled.iter().any(|other| other.scope == scope) {
                return Err(FilterError::Duplicate(scope));
            }
            bytes += text.len();
            compiled.push(Filter::compile(scope, text)?);
        }
        if bytes > FILTER_BYTES_MAX {
            return Err(FilterError::TooLong { bytes });
        }
        Ok(Self(compiled))
    }

    /// Whether one of them looks at that part of an event.
    pub fn look_at(&self, scope: Scope) -> bool {
        self.0.iter().any(|filter| filter.scope == scope)
    }

    /// Whether an event matches all of them, in so many steps at most; those that were taken are subtracted. A scope that was
    /// matched already, such as by a [`Matcher`](crate::Matcher) of all patterns of the data, is left out.
    pub fn matches_within(
        &self,
        event: &Parts<'_>,
        matched: Option<Scope>,
        steps: &mut usize,
    ) -> Result<bool, EventError> {
        for filter in self.0.iter().filter(|filter| Some(filter.scope) != matched) {
            if !filter.matches(event.of(filter.scope), steps)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The pattern of a scope, to be matched with those of others at once. It takes objects alone.
    pub fn pattern(&self, scope: Scope) -> Option<&Pattern> {
        let found = self.0.iter().find(|filter| filter.scope == scope);
        found.map(|filter| &filter.pattern)
    }

    /// Their size in memory, estimated.
    pub fn bytes(&self) -> usize {
        self.0
            .iter()
            .map(|filter| filter.pattern.bytes() + filter.text.len())
            .sum()
    }
}

impl Filter {
    fn compile(scope: Scope, text: &str) -> Result<Self, FilterError> {
        let refused = |error| FilterError::Pattern(scope, error);
        let written = compile::written(text).map_err(refused)?;
        let mut comparisons = written
            .iter()
            .flatten()
            .flat_map(|condition| &condition.any_of.list);
        if comparisons.any(|one| matches!(one, Comparison::Wildcard(_) | Comparison::NotWildcards(_))) {
            return Err(FilterError::Wildcard(scope));
        }
        if scope == Scope::Metadata {
            check_exact(text)?;
        }
        let (pattern, _) = Pattern::compile_for_eventbridge(text).map_err(refused)?;
        Ok(Self {
            scope,
            pattern,
            text: text.to_owned(),
            of_arrays: OnceLock::new(),
        })
    }

    fn matches(&self, part: &str, steps: &mut usize) -> Result<bool, EventError> {
        let matched = if part.trim_start().starts_with('[') {
            let compile = || Pattern::compile(&format!(r#"{{"a":{}}}"#, self.text)).ok();
            let Some(pattern) = self.of_arrays.get_or_init(compile) else {
                return Ok(false);
            };
            pattern.matches_within(&format!(r#"{{"a":{part}}}"#), steps)
        } else {
            self.pattern.matches_within(part, steps)
        };
        match matched {
            Err(EventError::NotAnObject | EventError::Syntax { .. }) => Ok(false),
            decided => decided,
        }
    }
}

/// `METADATA` takes lists of exact values alone, and no `$or`.
fn check_exact(text: &str) -> Result<(), FilterError> {
    let Ok(Value::Object(members)) = serde_json::from_str(text) else {
        return Err(FilterError::NotExact(None));
    };
    let is_exact = |value: &Value| {
        let list = value.as_array().filter(|list| !list.is_empty());
        list.is_some_and(|list| list.iter().all(|one| !one.is_object() && !one.is_array()))
    };
    let odd = members
        .into_iter()
        .find(|(key, value)| key == "$or" || !is_exact(value));
    odd.map_or(Ok(()), |(key, _)| Err(FilterError::NotExact(Some(key))))
}
