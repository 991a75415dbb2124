//! The match expressions: an object of one key in the list of a field.

use std::collections::BTreeSet;

use super::{Compiler, Dialect, Result, Token};
use crate::automaton;
use crate::comparison::Comparison;
use crate::error::{Error, ErrorKind};
use crate::folded::Folded;
use crate::ip;
use crate::json;
use crate::number::{self, Key};
use crate::wildcard::Wildcard;

const ONE_KEY: &str = "Only one key allowed in match expression";
const TOO_MANY: &str = "Too many elements in numeric expression";
const VALUE_STRING: &str = "a string";

/// What `anything-but` is applied to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Values,
    IgnoreCase,
    Prefix,
    Suffix,
    Wildcard,
}

impl Compiler<'_> {
    /// Reads an expression from behind its opening brace to its closing brace.
    pub(super) fn expression(&mut self) -> Result<Comparison> {
        if self.next()? != Token::Name {
            return Err(self.refuse("Match expression name not found", "the name of an operator"));
        }
        match self.reader.name() {
            b"exactly" => self.exactly(),
            b"prefix" => self.prefix(),
            b"suffix" => self.suffix(),
            b"numeric" => self.numeric(),
            b"anything-but" => self.anything_but(),
            b"exists" => self.exists(),
            b"cidr" => self.cidr(),
            b"equals-ignore-case" => self.ignore_case(),
            b"wildcard" => self.wildcard(),
            other => {
                let reason = format!("Unrecognized match type {}", json::shown(other));
                let expected =
                    "prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, exists or cidr";
                Err(self.refuse(reason, expected))
            }
        }
    }

    fn exactly(&mut self) -> Result<Comparison> {
        let text = self.string("exact match pattern must be a string")?;
        self.close(ONE_KEY)?;
        Ok(Comparison::String(text))
    }

    fn prefix(&mut self) -> Result<Comparison> {
        let token = self.next()?;
        if token == Token::ObjectStart {
            return Ok(Comparison::PrefixIgnoreCase(
                self.nested_ignore_case("Prefix", "prefix")?,
            ));
        }
        let text = self.string_of(token, "prefix match pattern must be a string")?;
        self.close(ONE_KEY)?;
        Ok(Comparison::Prefix(text))
    }

    fn suffix(&mut self) -> Result<Comparison> {
        let token = self.next()?;
        if token == Token::ObjectStart {
            return Ok(Comparison::SuffixIgnoreCase(
                self.nested_ignore_case("Suffix", "suffix")?,
            ));
        }
        let text = self.string_of(token, "suffix match pattern must be a string")?;
        self.close(ONE_KEY)?;
        Ok(Comparison::Suffix(text))
    }

    fn nested_ignore_case(&mut self, title: &str, name: &str) -> Result<Folded> {
        if self.next()? != Token::Name {
            return Err(self.refuse(
                format!("{title} expression name not found"),
                "`equals-ignore-case`",
            ));
        }
        let key = json::shown(self.reader.name());
        if key != "equals-ignore-case" {
            return Err(self.refuse(
                format!("Unsupported {name} pattern: {key}"),
                "`equals-ignore-case`",
            ));
        }
        let text = self.string("equals-ignore-case match pattern must be a string")?;
        self.close(ONE_KEY)?;
        self.close(ONE_KEY)?;
        Ok(Folded::new(&text))
    }

    fn ignore_case(&mut self) -> Result<Comparison> {
        let text = self.string("equals-ignore-case match pattern must be a string")?;
        self.close(ONE_KEY)?;
        Ok(Comparison::IgnoreCase(Folded::new(&text)))
    }

    fn wildcard(&mut self) -> Result<Comparison> {
        let text = self.string("wildcard match pattern must be a string")?;
        let wildcard = self.wildcard_of(&text)?;
        self.close(ONE_KEY)?;
        Ok(Comparison::Wildcard(wildcard))
    }

    fn wildcard_of(&self, text: &[u8]) -> Result<Wildcard> {
        Wildcard::parse(text)
            .map_err(|reason| self.refuse(reason, "`*` apart from each other, and `\\*` or `\\\\`"))
    }

    fn cidr(&mut self) -> Result<Comparison> {
        // AWS speaks of a prefix here.
        let text = self.string("prefix match pattern must be a string")?;
        let range = ip::Range::parse(&String::from_utf8_lossy(&text));
        let range = range.map_err(|reason| self.value(reason, "a range of addresses such as 10.0.0.0/8"))?;
        self.close(ONE_KEY)?;
        Ok(Comparison::Address(range))
    }

    fn exists(&mut self) -> Result<Comparison> {
        let comparison = match self.next()? {
            Token::True => Comparison::Exists,
            Token::False => Comparison::Absent,
            _ => {
                return Err(self.refuse(
                    "exists match pattern must be either true or false.",
                    "true or false",
                ));
            }
        };
        self.close(ONE_KEY)?;
        Ok(comparison)
    }

    fn anything_but(&mut self) -> Result<Comparison> {
        let mut of = Of::Values;
        let mut token = self.next()?;
        if token == Token::ObjectStart {
            of = self.anything_but_of()?;
            token = self.next()?;
        }
        let list = token == Token::ArrayStart;
        if !list && !matches!(token, Token::String | Token::Number) {
            let reason = "Value of anything-but must be an array or single string/number value.";
            return Err(self.refuse(reason, "a string, a number or a list of either"));
        }
        if self.dialect == Dialect::Plain
            && (of == Of::Wildcard || (list && matches!(of, Of::Prefix | Of::Suffix)))
        {
            return Err(self.refuse("prefix/suffix match pattern must be a string", VALUE_STRING));
        }
        let comparison = match (of, list) {
            (Of::Values, true) => self.anything_but_list()?,
            (Of::Values, false) => self.anything_but_one(token)?,
            (_, true) => self.anything_but_texts(of)?,
            (_, false) => {
                let text = self.anything_but_text(token, of)?;
                self.denied(of, vec![text])?
            }
        };
        self.close(TOO_MANY)?;
        if of != Of::Values {
            self.close(TOO_MANY)?;
        }
        Ok(comparison)
    }

    fn anything_but_of(&mut self) -> Result<Of> {
        if self.next()? != Token::Name {
            return Err(self.refuse(
                "Anything-But expression name not found",
                "the name of an operator",
            ));
        }
        match self.reader.name() {
            b"equals-ignore-case" => Ok(Of::IgnoreCase),
            b"prefix" => Ok(Of::Prefix),
            b"suffix" => Ok(Of::Suffix),
            b"wildcard" => Ok(Of::Wildcard),
            other => {
                let reason = format!("Unsupported anything-but pattern: {}", json::shown(other));
                Err(self.refuse(reason, "prefix, suffix, equals-ignore-case or wildcard"))
            }
        }
    }

    fn anything_but_one(&mut self, token: Token) -> Result<Comparison> {
        let text = self.text()?;
        if token == Token::String {
            return Ok(Comparison::NotStrings([text].into()));
        }
        let key =
            comparable(&text).map_err(|reason| self.value(reason, "a number that a double can hold"))?;
        Ok(Comparison::NotNumbers([key].into()))
    }

    fn anything_but_list(&mut self) -> Result<Comparison> {
        let mut strings = BTreeSet::new();
        let mut numbers = BTreeSet::new();
        loop {
            match self.next().map_err(Error::twice)? {
                Token::ArrayEnd => break,
                Token::String => {
                    strings.insert(self.text().map_err(Error::twice)?);
                }
                Token::Number => {
                    let key = comparable(&self.text()?);
                    numbers.insert(
                        key.map_err(|reason| self.refuse(reason, "a number that a double can hold"))?,
                    );
                }
                _ => {
                    let reason = "Inside anything but list, start|null|boolean is not supported.";
                    return Err(self.refuse(reason, "a string or a number").twice());
                }
            }
        }
        if strings.is_empty() == numbers.is_empty() {
            let reason = "Inside anything but list, either all values are number or string, \
                          mixed type is not supported";
            return Err(self.refuse(reason, "only strings, or only numbers"));
        }
        Ok(if numbers.is_empty() {
            Comparison::NotStrings(strings)
        } else {
            Comparison::NotNumbers(numbers)
        })
    }

    fn anything_but_texts(&mut self, of: Of) -> Result<Comparison> {
        let (mut texts, mut seen) = (Vec::new(), BTreeSet::new());
        loop {
            let token = self.next().map_err(Error::twice)?;
            if token == Token::ArrayEnd {
                break;
            }
            let text = self.anything_but_text(token, of).map_err(Error::twice)?;
            if seen.insert(text.clone()) {
                texts.push(text);
            }
        }
        self.denied(of, texts)
    }

    fn anything_but_text(&mut self, token: Token, of: Of) -> Result<Vec<u8>> {
        if token != Token::String {
            let reason = match of {
                Of::IgnoreCase => {
                    "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
                }
                Of::Wildcard => "wildcard match pattern must be a string",
                _ => "prefix/suffix match pattern must be a string",
            };
            return Err(self.refuse(reason, VALUE_STRING));
        }
        let text = self.text()?;
        if text.is_empty() && matches!(of, Of::Prefix | Of::Suffix) {
            return Err(self.refuse(
                "Null prefix/suffix not allowed",
                "a string of at least one character",
            ));
        }
        Ok(text)
    }

    fn denied(&self, of: Of, mut texts: Vec<Vec<u8>>) -> Result<Comparison> {
        if texts.is_empty() {
            return Ok(Comparison::Never);
        }
        if of == Of::Wildcard {
            // The first that is wrong is the first in Java's order, and the automaton is made in that order.
            let quoted: Vec<_> = texts.iter().map(|text| automaton::quoted(text)).collect();
            let order = automaton::java_set_order(&quoted).into_iter();
            let wildcards = order.map(|at| self.wildcard_of(&texts[at]));
            return Ok(Comparison::NotWildcards(wildcards.collect::<Result<_>>()?));
        }
        texts.sort();
        Ok(match of {
            Of::Prefix => Comparison::NotPrefixes(texts.into_iter().collect()),
            Of::Suffix => Comparison::NotSuffixes(texts.into_iter().collect()),
            Of::IgnoreCase => Comparison::NotIgnoreCase(texts.iter().map(|text| Folded::new(text)).collect()),
            Of::Values | Of::Wildcard => Comparison::NotStrings(texts.into_iter().collect()),
        })
    }

    fn numeric(&mut self) -> Result<Comparison> {
        if self.next()? != Token::ArrayStart {
            return Err(self.refuse("Value of numeric must be an array.", "an array"));
        }
        if self.next()? != Token::String {
            let reason = format!(
                "Invalid member in numeric match: {}",
                String::from_utf8_lossy(self.reader.raw())
            );
            return Err(self.refuse(reason, "=, <, <=, > or >="));
        }
        let operator = String::from_utf8_lossy(&self.text()?).into_owned();
        let token = self.next()?;
        let comparison = match &*operator {
            "=" => {
                let key = self.bound(token, "equals", TOO_MANY)?;
                Comparison::Number(self.compared(&key)?)
            }
            "<" | "<=" => {
                let key = self.bound(token, &operator, TOO_MANY)?;
                let high = self.compared(&key)?;
                Comparison::Range {
                    low: number::LEAST,
                    low_open: false,
                    high,
                    high_open: operator == "<",
                }
            }
            ">" | ">=" => self.from(token, &operator)?,
            _ => {
                let reason = format!("Unrecognized numeric range operator: {operator}");
                return Err(self.refuse(reason, "=, <, <=, > or >="));
            }
        };
        self.close(TOO_MANY)?;
        Ok(comparison)
    }

    /// The last number of the list, and its end.
    fn bound(&mut self, token: Token, operator: &str, too_many: &str) -> Result<Vec<u8>> {
        if !token.is_numeric() {
            return Err(self.refuse(format!("Value of {operator} must be numeric"), "a number"));
        }
        let text = self.text()?;
        if self.next()? != Token::ArrayEnd {
            return Err(self.refuse(too_many, "the end of the list"));
        }
        Ok(text)
    }

    fn from(&mut self, token: Token, operator: &str) -> Result<Comparison> {
        if !token.is_numeric() {
            return Err(self.refuse(format!("Value of {operator} must be numeric"), "a number"));
        }
        let low = self.text()?;
        let low_open = operator == ">";
        let token = self.next()?;
        if token == Token::ArrayEnd {
            return Ok(Comparison::Range {
                low: self.compared(&low)?,
                low_open,
                high: number::GREATEST,
                high_open: false,
            });
        }
        if token != Token::String {
            let reason = format!(
                "Bad value in numeric range: {}",
                String::from_utf8_lossy(self.reader.raw())
            );
            return Err(self.refuse(reason, "< or <="));
        }
        let operator = String::from_utf8_lossy(&self.text()?).into_owned();
        if operator != "<" && operator != "<=" {
            return Err(self.refuse(format!("Bad numeric range operator: {operator}"), "< or <="));
        }
        let token = self.next()?;
        let high = self.bound(token, &operator, "Too many terms in numeric range expression")?;
        let (low, high) = (self.compared(&low)?, self.compared(&high)?);
        if low >= high {
            return Err(self.refuse("Bottom must be less than top", "a greater number"));
        }
        Ok(Comparison::Range {
            low,
            low_open,
            high,
            high_open: operator == "<",
        })
    }

    fn compared(&self, text: &[u8]) -> Result<Key> {
        comparable(text).map_err(|reason| self.refuse(reason, "a number that a double can hold"))
    }

    fn string(&mut self, reason: &str) -> Result<Vec<u8>> {
        let token = self.next()?;
        self.string_of(token, reason)
    }

    fn string_of(&mut self, token: Token, reason: &str) -> Result<Vec<u8>> {
        if token == Token::String {
            self.text()
        } else {
            Err(self.refuse(reason, VALUE_STRING))
        }
    }

    fn close(&mut self, reason: &str) -> Result<()> {
        if self.next()? == Token::ObjectEnd {
            Ok(())
        } else {
            Err(self.refuse(reason, "the end of the object"))
        }
    }

    /// A value that AWS refuses without naming the place.
    fn value(&self, reason: String, expected: &str) -> Error {
        self.error(ErrorKind::Value, reason, None, expected)
    }
}

fn comparable(text: &[u8]) -> std::result::Result<Key, String> {
    number::key(text).ok_or_else(|| number::complaint(&String::from_utf8_lossy(text)))
}
