//! Objects of other types of resources that a `moved` block makes objects of one of this provider's.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde_json::Value as Json;

/// What the objects of a resource may have been before: `const MOVES: Moves<Self> = || vec![..];`.
///
/// ```
/// use tfplugin::{Attrs, MoveFrom, MoveRefused, Moves};
///
/// /// A note.
/// #[derive(Attrs)]
/// struct Note {
///     /// What it says.
///     #[tf(required)]
///     text: String,
/// }
///
/// const MOVES: Moves<Note> = || {
///     vec![MoveFrom::new("example/paper", "paper_page", 0..=1, |page| {
///         let text = page.state()["text"].as_str().ok_or_else(|| MoveRefused::new("The page is empty."))?;
///         Ok(Note { text: text.to_owned() })
///     })]
/// };
/// # assert_eq!(MOVES().len(), 1);
/// ```
pub type Moves<R> = fn() -> Vec<MoveFrom<R>>;

/// Turns the state of another type of resource into that of `R`.
pub type Convert<R> = fn(&mut MovedObject) -> Result<R, MoveRefused>;

/// Another type of resource, whose objects can become objects of `R`.
pub struct MoveFrom<R> {
    pub(crate) source: MoveSource,
    pub(crate) convert: Convert<R>,
}

impl<R> MoveFrom<R> {
    /// A type of the provider `namespace/name`, from whatever registry it came, in these versions of its schema.
    ///
    /// The conversion gets no client: a tool may ask before it configures the provider. What the state does not say may stay
    /// empty, since a plan reads the object before it compares.
    pub fn new(
        provider: &'static str,
        type_name: &'static str,
        versions: RangeInclusive<i64>,
        convert: Convert<R>,
    ) -> Self {
        Self {
            source: MoveSource {
                provider,
                type_name,
                versions,
            },
            convert,
        }
    }
}

/// What is known of the other type.
#[derive(Clone, Debug)]
pub(crate) struct MoveSource {
    pub(crate) provider: &'static str,
    pub(crate) type_name: &'static str,
    pub(crate) versions: RangeInclusive<i64>,
}

/// An object as the state has it of the other type.
#[derive(Debug)]
pub struct MovedObject {
    pub(crate) state: Json,
    pub(crate) identity: Option<Json>,
    pub(crate) version: i64,
    pub(crate) private: BTreeMap<String, Vec<u8>>,
}

impl MovedObject {
    /// Its attributes, an object. Where one is missing, indexing gives null.
    pub fn state(&self) -> &Json {
        &self.state
    }

    /// Its identity, where the tool sends one: Terraform 1.12 and later do.
    pub fn identity(&self) -> Option<&Json> {
        self.identity.as_ref()
    }

    /// The version of the schema that its state was written with.
    pub fn schema_version(&self) -> i64 {
        self.version
    }

    /// Stores bytes with the object that no user sees, for its first [`Resource::read`](crate::Resource::read).
    pub fn set_private(&mut self, key: &str, bytes: impl Into<Vec<u8>>) {
        self.private.insert(key.to_owned(), bytes.into());
    }
}

/// Why an object cannot be moved, and what to do instead.
#[derive(Clone, Debug)]
pub struct MoveRefused {
    pub(crate) why: String,
    pub(crate) instead: Option<String>,
}

impl MoveRefused {
    /// A sentence on what is in the way. The message then says that nothing was changed, and how to take the object out of the
    /// state with `removed` and add it with `import`.
    pub fn new(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            instead: None,
        }
    }

    /// What to do instead, where `removed` and `import` would not help.
    pub fn instead(self, instead: impl Into<String>) -> Self {
        Self {
            instead: Some(instead.into()),
            ..self
        }
    }
}
