//! From the text of a pattern to its alternatives.
//!
//! The walk follows the order in which AWS's compiler reads, because the first thing wrong, and where, is part of the
//! contract.

mod expression;
mod machine;

pub(crate) use machine::{as_added, complexity, ignored};

use std::sync::Arc;

use crate::any_of::AnyOf;
use crate::comparison::Comparison;
use crate::error::{Error, ErrorKind, Position, Refusal, Syntax};
use crate::ip;
use crate::json::{self, Reader, Token};
use crate::number;

/// More alternatives than this are refused: each `$or` multiplies them. The engine itself has no limit, and EventBridge
/// has a smaller one.
const ALTERNATIVES_MAX: usize = 10_000;
/// As are more fields in all of them together.
const ENTRIES_MAX: usize = 200_000;
/// The engine's own limit on the fields of one alternative.
const FIELDS_MAX: usize = 256;

const OR: &[u8] = b"$or";

/// Keys that an object inside `$or` cannot have, since the engine would take it for a match expression.
const RESERVED: [&str; 24] = [
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
];

/// A field's name and what it must pass.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    /// The keys joined by dots.
    pub(crate) name: Vec<u8>,
    pub(crate) any_of: AnyOf,
    /// The list as it is written.
    pub(crate) source: String,
}

/// Conditions that must all hold, ordered by name as Java orders strings.
pub(crate) type Alternative = Vec<Arc<Condition>>;

/// The alternatives of a pattern as they are written, of which one must hold.
pub(crate) fn written(text: &str) -> Result<Vec<Alternative>, Error> {
    let refusal = match Compiler::new(text, Dialect::Or).run() {
        Ok(alternatives) => return machine::addable(&alternatives).map(|()| alternatives),
        Err(refusal) => refusal,
    };
    // Where `$or` has no valid list, it may be the name of a field.
    if refusal.kind() == ErrorKind::Grammar
        && let Ok(alternatives) = Compiler::new(text, Dialect::Plain).run()
        && machine::addable(&alternatives).is_ok()
    {
        return Ok(alternatives);
    }
    Err(refusal)
}

/// The engine has two compilers; the older knows no `$or` and fewer forms of `anything-but`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Or,
    Plain,
}

struct Compiler<'a> {
    reader: Reader<'a>,
    text: &'a str,
    dialect: Dialect,
    path: Vec<Vec<u8>>,
    alternatives: Vec<Alternative>,
}

type Result<T, E = Error> = std::result::Result<T, E>;

impl<'a> Compiler<'a> {
    fn new(text: &'a str, dialect: Dialect) -> Self {
        Self {
            reader: Reader::new(text),
            text,
            dialect,
            path: Vec::new(),
            alternatives: Vec::new(),
        }
    }

    fn run(mut self) -> Result<Vec<Alternative>> {
        if self.next()? != Token::ObjectStart {
            return Err(self.refuse("Filter is not an object", "an object"));
        }
        self.object(false)?;
        for alternative in &mut self.alternatives {
            alternative.sort_by(|a, b| java_order(&a.name, &b.name));
        }
        Ok(self.alternatives)
    }

    fn object(&mut self, inside_or: bool) -> Result<()> {
        let mut empty = true;
        while self.next()? != Token::ObjectEnd {
            empty = false;
            let key = self.reader.name().to_vec();
            if key == OR && self.dialect == Dialect::Or {
                self.or()?;
                continue;
            }
            let shown = json::shown(&key);
            if inside_or && RESERVED.contains(&&*shown) {
                let reason = format!("{shown} is Ruler reserved fieldName which cannot be used inside $or.");
                return Err(self.refuse(reason, "the name of a field"));
            }
            self.path.push(key);
            self.member(inside_or, &shown)?;
            self.path.pop();
        }
        if empty {
            return Err(self.refuse("Empty objects are not allowed", "at least one field"));
        }
        Ok(())
    }

    fn member(&mut self, inside_or: bool, shown: &str) -> Result<()> {
        match self.next()? {
            Token::ObjectStart => self.object(inside_or),
            Token::ArrayStart => self.condition(),
            _ => Err(self.refuse(
                format!("\"{shown}\" must be an object or an array"),
                "an object or an array",
            )),
        }
    }

    /// Each alternative so far is followed by each of the list's.
    fn or(&mut self) -> Result<()> {
        let before = std::mem::take(&mut self.alternatives);
        if self.next()? != Token::ArrayStart {
            return Err(self.refuse(
                "It must be an Array followed with $or.",
                "an array of at least two objects",
            ));
        }
        let mut all = Vec::new();
        let mut count = 0;
        loop {
            match self.next()? {
                Token::ArrayEnd => break,
                Token::ObjectStart => {
                    self.alternatives.clone_from(&before);
                    if before.is_empty() {
                        self.alternatives.push(Vec::new());
                    }
                    self.object(true)?;
                    all.append(&mut self.alternatives);
                    bounded(&all)?;
                }
                _ => {
                    let reason = "Only JSON object is allowed in array of $or relationship.";
                    return Err(self.refuse(reason, "an object"));
                }
            }
            count += 1;
        }
        if count < 2 {
            let reason = "There must have at least 2 Objects in $or relationship.";
            return Err(self.refuse(reason, "at least two objects"));
        }
        self.alternatives = all;
        Ok(())
    }

    /// The list of a field, from behind its opening bracket.
    fn condition(&mut self) -> Result<()> {
        let from = self.reader.token_start();
        let mut list = Vec::new();
        loop {
            match self.next()? {
                Token::ArrayEnd => break,
                Token::ObjectStart => list.push(self.expression()?),
                Token::String => list.push(exact(self.text()?)),
                Token::Number => {
                    let text = self.text()?;
                    list.extend(number::key(&text).map(Comparison::Number));
                    list.push(Comparison::Literal(text));
                }
                Token::Null | Token::True | Token::False => list.push(Comparison::Literal(self.text()?)),
                _ => {
                    let reason = "Match value must be String, number, true, false, or null";
                    return Err(self.refuse(
                        reason,
                        "a string, a number, true, false, null or a match expression",
                    ));
                }
            }
        }
        if list.is_empty() {
            return Err(self.refuse("Empty arrays are not allowed", "at least one value"));
        }
        let source = self.text[from..self.reader.offset()].to_owned();
        let condition = Condition {
            name: name(&self.path),
            any_of: AnyOf::new(list),
            source,
        };
        self.put(&Arc::new(condition))
    }

    /// A later list of a field takes the place of an earlier one.
    fn put(&mut self, condition: &Arc<Condition>) -> Result<()> {
        if self.alternatives.is_empty() {
            self.alternatives.push(Vec::new());
        }
        for alternative in &mut self.alternatives {
            match alternative
                .iter_mut()
                .find(|earlier| earlier.name == condition.name)
            {
                Some(earlier) => earlier.clone_from(condition),
                None => alternative.push(Arc::clone(condition)),
            }
            if alternative.len() > FIELDS_MAX {
                let reason = format!("Size of rule 'rule' exceeds max value of {FIELDS_MAX}");
                return Err(Error::limit(reason, "fewer fields"));
            }
        }
        bounded(&self.alternatives)
    }

    fn next(&mut self) -> Result<Token> {
        self.reader.next().map_err(|syntax| self.syntax(syntax))
    }

    fn text(&mut self) -> Result<Vec<u8>> {
        self.reader.text().map_err(|syntax| self.syntax(syntax))
    }

    fn syntax(&self, syntax: Syntax) -> Error {
        self.error(ErrorKind::Syntax, syntax.what, Some(syntax.position), "JSON")
    }

    fn refuse(&self, reason: impl Into<String>, expected: &str) -> Error {
        self.error(
            ErrorKind::Grammar,
            reason.into(),
            Some(self.reader.position()),
            expected,
        )
    }

    fn error(&self, kind: ErrorKind, reason: String, position: Option<Position>, expected: &str) -> Error {
        let path = json::shown(&name(&self.path));
        let (expected, source) = (expected.to_owned(), self.text.to_owned());
        Error::from(Refusal {
            kind,
            reason,
            position,
            path,
            expected,
            twice: false,
            source,
        })
    }
}

/// A string that is an address equals that address in any of its forms.
fn exact(text: Vec<u8>) -> Comparison {
    match ip::address(&text) {
        Some(address) => Comparison::Address(ip::Range::one(address)),
        None => Comparison::String(text),
    }
}

fn bounded(alternatives: &[Alternative]) -> Result<()> {
    let entries: usize = alternatives.iter().map(Vec::len).sum();
    if alternatives.len() > ALTERNATIVES_MAX || entries > ENTRIES_MAX {
        return Err(too_complex());
    }
    Ok(())
}

/// The refusal of a pattern whose alternatives, each by itself or by what the engine makes of them, are too many.
pub(crate) fn too_complex() -> Error {
    let reason = "Rule is too complex - too many combinations of $or";
    Error::limit(reason.to_owned(), "fewer `$or`, or fewer values in them")
}

/// Keys joined by dots, except that a first key of no characters takes no dot.
fn name(path: &[Vec<u8>]) -> Vec<u8> {
    let Some((last, before)) = path.split_last() else {
        return Vec::new();
    };
    let mut name = before.join(&b'.');
    if !name.is_empty() {
        name.push(b'.');
    }
    name.extend_from_slice(last);
    name
}

/// Java orders strings by UTF-16 units: what needs two of them comes before U+E000.
fn java_order(a: &[u8], b: &[u8]) -> std::cmp::Ordering {
    let rank = |byte: &u8| {
        if matches!(byte, 0xee | 0xef) {
            byte + 0x10
        } else {
            *byte
        }
    };
    a.iter().map(rank).cmp(b.iter().map(rank))
}
