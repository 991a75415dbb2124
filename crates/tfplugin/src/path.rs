//! Where in a value something is: the steps from its root.

use std::fmt;

/// One step from a value into it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Step {
    /// An attribute of an object.
    Attr(String),
    /// An element of a map.
    Key(String),
    /// An element of a list or tuple.
    Index(usize),
}

/// The steps from an object to a value inside it, whatever the object: what an [`crate::Attr`] becomes where its types do
/// not matter any more.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    steps: Vec<Step>,
}

impl Path {
    /// The whole value.
    pub(crate) fn empty() -> Self {
        Self::default()
    }

    /// A top-level attribute.
    pub(crate) fn root(name: impl Into<String>) -> Self {
        Self::empty().attr(name)
    }

    /// An attribute of the object at this path.
    pub(crate) fn attr(mut self, name: impl Into<String>) -> Self {
        self.steps.push(Step::Attr(name.into()));
        self
    }

    /// An element of the map at this path.
    pub(crate) fn key(mut self, key: impl Into<String>) -> Self {
        self.steps.push(Step::Key(key.into()));
        self
    }

    /// An element of the list at this path.
    pub(crate) fn index(mut self, index: usize) -> Self {
        self.steps.push(Step::Index(index));
        self
    }

    /// The steps from the root.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether this is the other path, or leads into what is there.
    pub(crate) fn starts_with(&self, other: &Self) -> bool {
        self.steps.starts_with(&other.steps)
    }

    /// Whether this is the whole value.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The path of these steps.
    pub(crate) fn of(steps: Vec<Step>) -> Self {
        Self { steps }
    }

    pub(crate) fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

impl From<&Path> for Path {
    fn from(path: &Path) -> Self {
        path.clone()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, step) in self.steps.iter().enumerate() {
            match step {
                Step::Attr(name) if n == 0 => write!(f, "{name}")?,
                Step::Attr(name) => write!(f, ".{name}")?,
                Step::Key(key) => write!(f, "[{key:?}]")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
