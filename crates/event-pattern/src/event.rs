//! What an event has under the names that a pattern asks for, and in which elements of which arrays.

use std::collections::HashMap;

use crate::error::EventError;
use crate::json::{Reader, Token};
use crate::test::Value;

/// An element of an array: the array, numbered as met, and the place in it.
pub(crate) type Element = (u32, u32);

/// A value, and the elements that it lies in, the outermost first.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) value: Value,
    pub(crate) elements: Vec<Element>,
}

/// The names that a pattern asks for, as a tree of their dotted segments.
#[derive(Debug, Default)]
pub(crate) struct Names {
    nodes: Vec<Node>,
    /// Whether a key of no characters is looked into. The engine does so when a name has such a key other than at its end.
    empty_keys: bool,
    count: usize,
}

#[derive(Debug, Default)]
struct Node {
    children: HashMap<Box<[u8]>, usize>,
    name: Option<usize>,
}

impl Names {
    pub(crate) fn new() -> Self {
        Self {
            nodes: vec![Node::default()],
            ..Self::default()
        }
    }

    /// The number of a name, which is added if it is new.
    pub(crate) fn add(&mut self, name: &[u8]) -> usize {
        let mut node = 0;
        for segment in name.split(|byte| *byte == b'.') {
            node = match self.nodes[node].children.get(segment) {
                Some(child) => *child,
                None => self.grow(node, segment),
            };
        }
        self.empty_keys |= has_empty_key(name);
        if let Some(number) = self.nodes[node].name {
            return number;
        }
        let number = self.count;
        self.count += 1;
        self.nodes[node].name = Some(number);
        number
    }

    fn grow(&mut self, node: usize, segment: &[u8]) -> usize {
        let child = self.nodes.len();
        self.nodes.push(Node::default());
        self.nodes[node].children.insert(segment.into(), child);
        child
    }

    /// The number of a name that was added.
    pub(crate) fn number(&self, name: &[u8]) -> Option<usize> {
        let mut node = 0;
        for segment in name.split(|byte| *byte == b'.') {
            node = *self.nodes[node].children.get(segment)?;
        }
        self.nodes[node].name
    }

    /// Where a key leads; an event's key may hold dots too.
    fn descend(&self, node: usize, key: &[u8]) -> Option<usize> {
        if key.is_empty() && !self.empty_keys {
            return None;
        }
        key.split(|byte| *byte == b'.').try_fold(node, |node, segment| {
            self.nodes[node].children.get(segment).copied()
        })
    }

    /// Reads an event: the values under each name.
    pub(crate) fn read(&self, event: &str) -> Result<Vec<Vec<Found>>, EventError> {
        let mut walk = Walk {
            names: self,
            reader: Reader::new(event),
            found: vec![Vec::new(); self.count],
            elements: Vec::new(),
            arrays: 0,
        };
        if walk.reader.next()? != Token::ObjectStart {
            return Err(EventError::NotAnObject);
        }
        walk.object(0)?;
        Ok(walk.found)
    }
}

/// Java's `split` leaves out what is empty at the end.
fn has_empty_key(name: &[u8]) -> bool {
    let end = name.iter().rposition(|byte| *byte != b'.').map_or(0, |at| at + 1);
    name.is_empty() || (end > 0 && name[..end].split(|byte| *byte == b'.').any(<[u8]>::is_empty))
}

struct Walk<'a> {
    names: &'a Names,
    reader: Reader<'a>,
    found: Vec<Vec<Found>>,
    elements: Vec<Element>,
    arrays: u32,
}

impl Walk<'_> {
    fn object(&mut self, node: usize) -> Result<(), EventError> {
        while self.reader.next()? != Token::ObjectEnd {
            let child = self.names.descend(node, self.reader.name());
            let token = self.reader.next()?;
            match child {
                Some(child) => self.value(child, token)?,
                None => self.skip(token)?,
            }
        }
        Ok(())
    }

    fn value(&mut self, node: usize, token: Token) -> Result<(), EventError> {
        match token {
            Token::ObjectStart => self.object(node),
            Token::ArrayStart => self.array(node),
            _ => self.scalar(node, token),
        }
    }

    fn array(&mut self, node: usize) -> Result<(), EventError> {
        let array = self.arrays;
        self.arrays += 1;
        for index in 0.. {
            let token = self.reader.next()?;
            match token {
                Token::ArrayEnd => break,
                Token::ObjectStart | Token::ArrayStart => {
                    self.elements.push((array, index));
                    self.value(node, token)?;
                    self.elements.pop();
                }
                // A scalar does not count as in the array that it stands in: tags are chosen each for itself.
                _ => self.scalar(node, token)?,
            }
        }
        Ok(())
    }

    fn scalar(&mut self, node: usize, token: Token) -> Result<(), EventError> {
        let Some(name) = self.names.nodes[node].name else {
            return Ok(());
        };
        let text = self.reader.text()?;
        let value = if token == Token::String {
            Value::String(text)
        } else {
            Value::Literal(text)
        };
        self.found[name].push(Found {
            value,
            elements: self.elements.clone(),
        });
        Ok(())
    }

    fn skip(&mut self, token: Token) -> Result<(), EventError> {
        let mut depth = 0_usize;
        let mut token = token;
        loop {
            match token {
                Token::ObjectStart | Token::ArrayStart => depth += 1,
                Token::ObjectEnd | Token::ArrayEnd => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(());
            }
            token = self.reader.next()?;
        }
    }
}
