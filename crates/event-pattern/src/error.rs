//! What can be wrong with a pattern, and with an event.

use std::fmt;

/// A position in a text, counted as AWS counts: both from 1, columns in UTF-16 units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Position {
    pub(crate) fn at(src: &[u8], offset: usize) -> Self {
        let before = &src[..offset.min(src.len())];
        let mut line = 1;
        let mut row = 0;
        for (at, byte) in before.iter().enumerate() {
            let ends = *byte == b'\n' || (*byte == b'\r' && before.get(at + 1) != Some(&b'\n'));
            if ends {
                line += 1;
                row = at + 1;
            }
        }
        let column = String::from_utf8_lossy(&before[row..]).encode_utf16().count() + 1;
        Self { line, column }
    }
}

/// The text is not JSON from here on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Syntax {
    pub(crate) what: String,
    pub(crate) position: Position,
}

/// Which rule a refused pattern breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// It is not JSON.
    Syntax,
    /// It is JSON, but not a pattern.
    Grammar,
    /// A value in it has a form that its operator cannot take: an address, a number.
    Value,
    /// It is longer or more complex than EventBridge, or this crate, takes.
    Limit,
}

/// Why a pattern was refused.
///
/// [`reason`](Self::reason) is AWS's own wording; for text that is not JSON it is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Refusal>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) kind: ErrorKind,
    pub(crate) reason: String,
    pub(crate) position: Option<Position>,
    pub(crate) path: String,
    pub(crate) expected: String,
    /// AWS's message repeats the position for what is refused inside a list of `anything-but`.
    pub(crate) twice: bool,
    pub(crate) source: String,
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self(Box::new(refusal))
    }
}

impl Error {
    pub(crate) fn limit(reason: String, expected: &str) -> Self {
        Self::from(Refusal {
            kind: ErrorKind::Limit,
            reason,
            position: None,
            path: String::new(),
            expected: expected.to_owned(),
            twice: false,
            source: String::new(),
        })
    }

    /// The same refusal, whose message has the position twice.
    pub(crate) fn twice(mut self) -> Self {
        self.0.twice = true;
        self
    }

    /// What kind of refusal this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// AWS's reason, without the position.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// The line at which AWS's parser gave up, from 1; `None` where AWS names no position.
    pub fn line(&self) -> Option<usize> {
        self.0.position.map(|position| position.line)
    }

    /// The column at which AWS's parser gave up, from 1; `None` where AWS names no position.
    pub fn column(&self) -> Option<usize> {
        self.0.position.map(|position| position.column)
    }

    /// The field under which it was found, its keys joined by dots; empty at the top.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// What would have been right there.
    pub fn expected(&self) -> &str {
        &self.0.expected
    }

    /// The first line of AWS's message: `Event pattern is not valid. Reason: …`.
    pub fn first_line(&self) -> String {
        format!("Event pattern is not valid. Reason: {}", self.0.reason)
    }

    /// AWS's message whole, with the second line that names the position.
    pub fn message(&self) -> String {
        let mut message = self.first_line();
        let Some(position) = self.0.position else {
            return message;
        };
        let shown = shown_source(&self.0.source);
        let at = format!(
            "\n at [Source: (String){shown}; line: {}, column: {}]",
            position.line, position.column
        );
        for _ in 0..=usize::from(self.0.twice) {
            message.push_str(&at);
        }
        message
    }
}

/// A long text is cut, and what was cut is counted; control characters but line breaks are escaped.
fn shown_source(source: &str) -> String {
    /// In UTF-16 units.
    const SHOWN_MAX: usize = 500;
    let mut shown = String::new();
    let mut units = 0;
    let mut chars = source.chars();
    while units < SHOWN_MAX
        && let Some(c) = chars.next()
    {
        units += c.len_utf16();
        if units > SHOWN_MAX {
            // Half of a character is left, and printed as what is none.
            shown.push('?');
        } else if c.is_control() && !matches!(c, '\r' | '\n') {
            shown.extend(["\\u", &format!("{:04X}", u32::from(c))]);
        } else {
            shown.push(c);
        }
    }
    let rest = chars.map(char::len_utf16).sum::<usize>() + units.saturating_sub(SHOWN_MAX);
    let tail = if rest == 0 {
        String::new()
    } else {
        format!("[truncated {rest} chars]")
    };
    format!("\"{shown}\"{tail}")
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.reason)?;
        if let Some(position) = self.0.position {
            write!(f, " (line {}, column {})", position.line, position.column)?;
        }
        if !self.0.path.is_empty() {
            write!(f, ", at `{}`", self.0.path)?;
        }
        if !self.0.expected.is_empty() {
            write!(f, "; expected {}", self.0.expected)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// Why an event could not be matched.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventError {
    /// The event is not a JSON object.
    NotAnObject,
    /// The event is not JSON.
    Syntax {
        /// What was met.
        what: String,
        /// From 1.
        line: usize,
        /// From 1, in UTF-16 units.
        column: usize,
    },
    /// Deciding takes more steps than an event may: it has too many values, or too many ways to choose from its arrays.
    TooComplex,
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("Event must be a JSON object"),
            Self::Syntax { what, line, column } => write!(f, "{what} (line {line}, column {column})"),
            Self::TooComplex => f.write_str(
                "deciding takes too many steps: the event has too many values or elements of arrays",
            ),
        }
    }
}

impl std::error::Error for EventError {}

impl From<Syntax> for EventError {
    fn from(syntax: Syntax) -> Self {
        let Position { line, column } = syntax.position;
        Self::Syntax {
            what: syntax.what,
            line,
            column,
        }
    }
}
