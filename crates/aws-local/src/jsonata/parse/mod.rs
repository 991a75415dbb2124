//! Text to an expression: operators by how tightly they bind.

mod ancestry;
mod build;
mod lexer;

use std::sync::Arc;

use super::ast::{Kind, Lambda, Name, Node, Operator, Pairs, Program, Term, Transform};
use super::error::Invalid;
use super::pattern::Pattern;
use super::signature::Signature;
use ancestry::Ancestry;
use lexer::{Lexer, Token};

/// Expressions within each other: an evaluation would refuse more than 100 anyway.
const NESTED_MAX: usize = 250;

/// Parses a whole expression, with so many regular expressions at most.
pub(super) fn parse(text: &str, patterns_left: &mut usize) -> Result<Program, Invalid> {
    let mut parser = Parser {
        lexer: Lexer::new(text),
        token: Token::End,
        position: 1,
        nested: 0,
        ancestry: Ancestry::default(),
        patterns_left,
    };
    parser.advance(false)?;
    let root = parser.expression(0)?;
    if parser.token != Token::End {
        return Err(parser.unexpected("the end of the expression"));
    }
    Ancestry::refuse_open(&root)?;
    Ok(Program {
        root,
        ancestors: parser.ancestry.names(),
    })
}

/// The parser and the token that it looks at.
struct Parser<'a> {
    lexer: Lexer,
    token: Token,
    position: usize,
    nested: usize,
    ancestry: Ancestry,
    /// Regular expressions that there may still be: each holds memory.
    patterns_left: &'a mut usize,
}

type Parsed = Result<Node, Invalid>;

/// How tightly an operator binds what is on its left; 0 for what is none.
fn power(token: &Token) -> usize {
    let Token::Sign(sign) = token else { return 0 };
    match *sign {
        "[" | "(" | "@" | "#" => 80,
        "." => 75,
        "{" => 70,
        "*" | "/" | "%" => 60,
        "+" | "-" | "&" => 50,
        "=" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "~>" | "?:" | "??" | "^" => 40,
        "and" => 30,
        "or" => 25,
        "?" => 20,
        ":=" => 10,
        _ => 0,
    }
}

fn operator(sign: &str) -> Option<Operator> {
    Some(match sign {
        "+" => Operator::Add,
        "-" => Operator::Subtract,
        "*" => Operator::Multiply,
        "/" => Operator::Divide,
        "%" => Operator::Remainder,
        "=" => Operator::Equal,
        "!=" => Operator::NotEqual,
        "<" => Operator::Less,
        "<=" => Operator::LessOrEqual,
        ">" => Operator::Greater,
        ">=" => Operator::GreaterOrEqual,
        "&" => Operator::Concatenate,
        "and" => Operator::And,
        "or" => Operator::Or,
        "in" => Operator::In,
        _ => return None,
    })
}

/// The token as it was written, for messages.
fn spelt(token: &Token) -> String {
    match token {
        Token::Sign(sign) => format!("`{sign}`"),
        Token::Name(name) => format!("`{name}`"),
        Token::Variable(name) => format!("`${name}`"),
        Token::Text(text) => format!("{text:?}"),
        Token::Number(number) => format!("{number}"),
        Token::Bool(value) => format!("`{value}`"),
        Token::Null => "`null`".to_owned(),
        Token::Regex(source, _) => format!("/{source}/"),
        Token::End => "the end".to_owned(),
    }
}

impl Parser<'_> {
    fn advance(&mut self, operator_expected: bool) -> Result<(), Invalid> {
        (self.token, self.position) = self.lexer.next(operator_expected)?;
        Ok(())
    }

    fn at(&self, sign: &str) -> bool {
        matches!(self.token, Token::Sign(token) if token == sign)
    }

    fn unexpected(&self, expected: &str) -> Invalid {
        Invalid::new(
            format!("{expected} was expected, not {}", spelt(&self.token)),
            self.position,
        )
    }

    /// Goes past a sign that has to be here.
    fn past(&mut self, sign: &str, operator_expected: bool) -> Result<(), Invalid> {
        if !self.at(sign) {
            return Err(self.unexpected(&format!("`{sign}`")));
        }
        self.advance(operator_expected)
    }

    /// Goes past a sign, where it is here.
    fn took(&mut self, sign: &str) -> Result<bool, Invalid> {
        let here = self.at(sign);
        if here {
            self.advance(false)?;
        }
        Ok(here)
    }

    /// What binds more tightly than `bound`.
    fn expression(&mut self, bound: usize) -> Parsed {
        self.nested += 1;
        if self.nested > NESTED_MAX {
            return Err(Invalid::new(
                "the expression is nested more than 250 deep",
                self.position,
            ));
        }
        let mut left = self.prefix()?;
        while bound < power(&self.token) {
            left = self.infix(left)?;
        }
        self.nested -= 1;
        Ok(left)
    }

    fn prefix(&mut self) -> Parsed {
        let (token, position) = (self.token.clone(), self.position);
        if let Token::Sign(sign @ ("(" | "[" | "{" | "-" | "|")) = token {
            self.advance(false)?;
            return match sign {
                "(" => self.block(position),
                "[" => self.array(position),
                "{" => {
                    let pairs = self.pairs(position)?;
                    Self::object(pairs)
                }
                "-" => {
                    let operand = self.expression(70)?;
                    Self::negate(operand, position)
                }
                _ => self.transform(position),
            };
        }
        let kind = match token {
            Token::Name(name) => return self.name(&name, position),
            Token::Sign(sign @ ("and" | "or" | "in")) => return self.name(sign, position),
            Token::Sign("*") => Kind::Wildcard,
            Token::Sign("**") => Kind::Descendants,
            Token::Sign("%") => Kind::Parent(self.ancestry.open()),
            Token::Variable(name) => Kind::Variable(name.into()),
            Token::Text(text) => Kind::Text(text.into()),
            Token::Number(number) => Kind::Number(number),
            Token::Bool(value) => Kind::Bool(value),
            Token::Null => Kind::Null,
            Token::Regex(source, flags) => {
                *self.patterns_left = self
                    .patterns_left
                    .checked_sub(1)
                    .ok_or_else(|| Invalid::new("there are more than 100 regular expressions", position))?;
                let pattern = Pattern::compile(&source, &flags);
                Kind::Regex(Arc::new(pattern.map_err(|what| Invalid::new(what, position))?))
            }
            Token::End => {
                return Err(Invalid::new(
                    "the expression ends where a value was expected",
                    position,
                ));
            }
            Token::Sign(_) => return Err(self.unexpected("a value")),
        };
        self.advance(true)?;
        Ok(Node::new(kind, position))
    }

    fn name(&mut self, name: &str, position: usize) -> Parsed {
        self.advance(true)?;
        Ok(Node::path(Node::new(Kind::Name(name.into()), position)))
    }

    fn infix(&mut self, left: Node) -> Parsed {
        let position = self.position;
        let Token::Sign(sign) = self.token else {
            return Err(self.unexpected("an operator"));
        };
        self.advance(false)?;
        match sign {
            "." => {
                let right = self.expression(75)?;
                self.dot(left, right, position)
            }
            "[" if self.at("]") => {
                self.advance(true)?;
                Ok(build::keep_array(left))
            }
            "[" => {
                let filter = self.expression(0)?;
                self.past("]", true)?;
                self.filter(left, filter, position)
            }
            "(" => self.call(left, position),
            "{" => {
                let pairs = self.pairs(position)?;
                Self::group(left, pairs, position)
            }
            "^" => {
                let terms = self.terms()?;
                self.order(left, terms, position)
            }
            "@" | "#" => {
                let Token::Variable(name) = self.token.clone() else {
                    return Err(self.unexpected(&format!("a variable after `{sign}`")));
                };
                self.advance(true)?;
                build::binding(left, sign, name.into(), position)
            }
            ":=" => self.bind(&left, position),
            "?" => self.condition(left, position),
            "?:" | "??" => {
                let both = Box::new((left, self.expression(0)?));
                let kind = if sign == "??" {
                    Kind::Coalesce
                } else {
                    Kind::Default
                };
                Self::pair(both, position, kind)
            }
            "~>" => {
                let both = Box::new((left, self.expression(40)?));
                Self::apply(both, position)
            }
            _ => {
                let both = Box::new((left, self.expression(power(&Token::Sign(sign)))?));
                let operator = operator(sign).ok_or_else(|| self.unexpected("an operator"))?;
                Self::pair(both, position, |both| Kind::Binary(operator, both))
            }
        }
    }

    fn bind(&mut self, left: &Node, position: usize) -> Parsed {
        let name = match &left.kind {
            Kind::Variable(name) if left.predicates.is_empty() => Name::clone(name),
            _ => {
                return Err(Invalid::new(
                    "the left side of `:=` has to be a variable, which begins with `$`",
                    left.position,
                ));
            }
        };
        let value = self.expression(9)?;
        Self::over(position, vec![value], |mut parts| match parts.pop() {
            Some(value) => Kind::Bind(name, Box::new(value)),
            None => Kind::Null,
        })
    }

    fn condition(&mut self, test: Node, position: usize) -> Parsed {
        let then = self.expression(0)?;
        let otherwise = if self.took(":")? {
            Some(self.expression(0)?)
        } else {
            None
        };
        Self::choice(test, then, otherwise, position)
    }

    fn block(&mut self, position: usize) -> Parsed {
        let mut parts = Vec::new();
        while !self.at(")") {
            parts.push(self.expression(0)?);
            if !self.took(";")? {
                break;
            }
        }
        self.past(")", true)?;
        let whole = parts.iter().any(Node::is_whole);
        Self::over(position, parts, |parts| Kind::Block { parts, whole })
    }

    fn array(&mut self, position: usize) -> Parsed {
        let mut items = Vec::new();
        while !self.at("]") {
            let mut item = self.expression(0)?;
            if self.at("..") {
                let at = self.position;
                self.advance(false)?;
                let both = Box::new((item, self.expression(0)?));
                item = Self::pair(both, at, |both| Kind::Binary(Operator::Range, both))?;
            }
            items.push(item);
            if !self.at(",") {
                break;
            }
            self.advance(false)?;
            if self.at("]") {
                return Err(self.unexpected("an item"));
            }
        }
        self.past("]", true)?;
        Self::over(position, items, |items| Kind::Array { items, whole: false })
    }

    fn pairs(&mut self, position: usize) -> Result<Pairs, Invalid> {
        let mut pairs = Vec::new();
        while !self.at("}") {
            let key = self.expression(0)?;
            self.past(":", false)?;
            pairs.push((key, self.expression(0)?));
            if !self.at(",") {
                break;
            }
            self.advance(false)?;
            if self.at("}") {
                return Err(self.unexpected("a key"));
            }
        }
        self.past("}", true)?;
        Ok(Pairs { pairs, position })
    }

    fn terms(&mut self) -> Result<Vec<Term>, Invalid> {
        self.past("(", false)?;
        let mut terms = Vec::new();
        loop {
            let descending = self.at(">");
            if descending || self.at("<") {
                self.advance(false)?;
            }
            let key = self.expression(0)?;
            terms.push(Term { descending, key });
            if !self.took(",")? {
                break;
            }
        }
        self.past(")", true)?;
        Ok(terms)
    }

    fn call(&mut self, procedure: Node, position: usize) -> Parsed {
        let mut arguments = Vec::new();
        if !self.at(")") {
            loop {
                if self.at("?") {
                    self.advance(true)?;
                    arguments.push(None);
                } else {
                    arguments.push(Some(self.expression(0)?));
                }
                if !self.took(",")? {
                    break;
                }
            }
        }
        self.past(")", true)?;
        if build::is_function_word(&procedure) {
            return self.lambda(arguments, position);
        }
        Self::called(procedure, arguments, position)
    }

    fn lambda(&mut self, arguments: Vec<Option<Node>>, position: usize) -> Parsed {
        let mut parameters = Vec::new();
        for argument in arguments {
            match argument.map(|argument| (argument.kind, argument.position)) {
                Some((Kind::Variable(name), _)) => parameters.push(name),
                other => {
                    let at = other.map_or(position, |(_, at)| at);
                    return Err(Invalid::new(
                        "a parameter has to be a variable, which begins with `$`",
                        at,
                    ));
                }
            }
        }
        let signature = if self.at("<") {
            Some(self.signature()?)
        } else {
            None
        };
        self.past("{", false)?;
        let body = self.expression(0)?;
        self.past("}", true)?;
        Self::over(position, vec![body], |mut parts| match parts.pop() {
            Some(body) => Kind::Lambda(Arc::new(Lambda {
                parameters,
                signature,
                body,
            })),
            None => Kind::Null,
        })
    }

    fn signature(&mut self) -> Result<Signature, Invalid> {
        let position = self.position;
        let (mut text, mut depth) = ("<".to_owned(), 1_usize);
        while depth > 0 {
            self.advance(true)?;
            match &self.token {
                Token::Sign("{") | Token::End => return Err(self.unexpected("`>` of the signature")),
                Token::Sign(">") => depth -= 1,
                Token::Sign("<") => depth += 1,
                _ => {}
            }
            match &self.token {
                Token::Sign(sign) => text.push_str(sign),
                Token::Name(name) => text.push_str(name),
                _ => return Err(self.unexpected("a type")),
            }
        }
        self.advance(false)?;
        Signature::parse(&text).map_err(|what| Invalid::new(what, position))
    }

    fn transform(&mut self, position: usize) -> Parsed {
        let pattern = self.expression(0)?;
        self.past("|", false)?;
        let update = self.expression(0)?;
        let delete = if self.took(",")? {
            Some(self.expression(0)?)
        } else {
            None
        };
        self.past("|", true)?;
        let height = [Some(&pattern), Some(&update), delete.as_ref()]
            .into_iter()
            .flatten();
        let height = 1 + height.map(|node| node.height).max().unwrap_or(0);
        let kind = Kind::Transform(Arc::new(Transform {
            pattern,
            update,
            delete,
            position,
        }));
        build::of_height(kind, height, position)
    }
}
