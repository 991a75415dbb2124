//! Diagnostics: what a user reads when something is wrong.

use std::fmt;

use crate::path::Path;

/// The result of provider code: a value, or what to tell the user.
pub type Result<T, E = Diagnostics> = std::result::Result<T, E>;

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The operation failed.
    Error,
    /// The operation went on; the user should know.
    Warning,
}

/// One message to the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// One line: what failed.
    pub summary: String,
    /// What state things are in, and what to do next.
    pub detail: String,
    /// The attribute it is about; empty for the whole object.
    pub path: Path,
}

impl Diagnostic {
    /// An error: what failed, as in `create the note`, which reads "Cannot create the note". What follows are
    /// paragraphs, in this order: [`Diagnostic::because`] or [`Diagnostic::quoting`],
    /// [`Diagnostic::standing`], [`Diagnostic::next`].
    ///
    /// ```
    /// # use tfplugin::Diagnostic;
    /// let failed = Diagnostic::failed("create the note `a`")
    ///     .because("the disk is full")
    ///     .standing("Nothing was created.")
    ///     .next("Free some space, then apply again.");
    /// assert_eq!(failed.summary, "Cannot create the note `a`");
    /// assert_eq!(
    ///     failed.detail,
    ///     "The disk is full.\n\nNothing was created.\n\nFree some space, then apply again."
    /// );
    /// ```
    pub fn failed(what: impl fmt::Display) -> Self {
        Self::error(format!("Cannot {what}"))
    }

    /// An error with this summary.
    pub fn error(summary: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            summary: summary.into(),
            detail: String::new(),
            path: Path::empty(),
        }
    }

    /// A warning with this summary.
    pub fn warning(summary: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(summary)
        }
    }

    /// Adds the detail text.
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// A paragraph on what happened: the words of another side become a sentence.
    pub fn because(self, reason: impl fmt::Display) -> Self {
        let sentence = sentence(&reason.to_string());
        self.paragraph(&sentence)
    }

    /// A paragraph in the words of a server: unlike [`Diagnostic::because`], without a capital that they do not have,
    /// since they may begin with the name of an object.
    ///
    /// ```
    /// # use tfplugin::Diagnostic;
    /// let failed = Diagnostic::failed("delete the note `a`").quoting("note-1 is in use");
    /// assert_eq!(failed.detail, "note-1 is in use.");
    /// ```
    pub fn quoting(self, words: impl fmt::Display) -> Self {
        let words = with_full_stop(words.to_string().trim_end());
        self.paragraph(&words)
    }

    /// A paragraph on the state that things are in now: what was changed, and what was not.
    pub fn standing(self, text: impl AsRef<str>) -> Self {
        self.paragraph(text.as_ref())
    }

    /// A paragraph on what to do next.
    pub fn next(self, text: impl AsRef<str>) -> Self {
        self.paragraph(text.as_ref())
    }

    fn paragraph(mut self, text: &str) -> Self {
        if !self.detail.is_empty() && !text.is_empty() {
            self.detail.push_str("\n\n");
        }
        self.detail.push_str(text);
        self
    }

    /// Names the attribute that the message is about.
    pub fn at(mut self, path: impl Into<Path>) -> Self {
        self.path = path.into();
        self
    }
}

/// A text as a sentence: capital first, full stop last.
pub fn sentence(text: &str) -> String {
    let mut letters = text.trim_start().chars();
    let first = letters.next().map(char::to_uppercase);
    let capital: String = first.into_iter().flatten().chain(letters).collect();
    with_full_stop(capital.trim_end())
}

/// A text that ends as a sentence does; an empty one remains empty.
pub(crate) fn with_full_stop(text: &str) -> String {
    let ends = text.is_empty() || text.ends_with(['.', '?', '!']);
    format!("{text}{}", if ends { "" } else { "." })
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{kind}: {}", self.summary)?;
        if !self.path.is_empty() {
            write!(f, " (at {})", self.path)?;
        }
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        Ok(())
    }
}

/// One or more messages to the user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// No message yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a message.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|one| one.severity == Severity::Error)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The messages in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self {
            list: vec![diagnostic],
        }
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(iter: I) -> Self {
        Self {
            list: iter.into_iter().collect(),
        }
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, iter: I) {
        self.list.extend(iter);
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, one) in self.list.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{one}")?;
        }
        Ok(())
    }
}
