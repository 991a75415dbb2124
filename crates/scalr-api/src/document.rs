//! The JSON:API document: objects, references between them, and the bodies that carry them.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Id, Meta};

/// A kind of object: its `type` on the wire and the types of its parts.
pub trait Kind: Sized {
    /// The `type` member.
    const TYPE: &'static str;
    /// Attributes as the server answers them.
    type Attributes: Serialize + DeserializeOwned + Clone + fmt::Debug + PartialEq;
    /// Relationships as the server answers them; absent ones are the default.
    type Relationships: Serialize + DeserializeOwned + Clone + fmt::Debug + PartialEq + Default;
    /// Attributes as a client sends them in POST and PATCH.
    type Input: Serialize + DeserializeOwned + Clone + fmt::Debug + PartialEq + Default;
    /// Relationships as a client sends them in POST and PATCH.
    type InputRelationships: Serialize + DeserializeOwned + Clone + fmt::Debug + PartialEq + Default;
}

/// A body that holds one object: `{"data": …}`.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Document<D> {
    /// The object.
    pub data: D,
}

/// A body that holds one page of objects: `{"data": […], "meta": {"pagination": …}}`.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(bound = "")]
pub struct List<K: Kind> {
    /// The objects of this page.
    pub data: Vec<Object<K>>,
    /// Where this page lies among the others.
    #[serde(default)]
    pub meta: Meta,
}

/// An object as the server answers it.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(bound = "")]
pub struct Object<K: Kind> {
    /// The `type` member; reading another type is an error.
    #[serde(rename = "type")]
    pub kind: TypeTag<K>,
    /// Its identifier.
    pub id: Id<K>,
    /// Its attributes.
    pub attributes: K::Attributes,
    /// Its relationships.
    #[serde(default)]
    pub relationships: K::Relationships,
}

/// An object as a client sends it: no id on POST, an optional one on PATCH.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(bound = "")]
pub struct Input<K: Kind> {
    /// The `type` member; reading another type is an error.
    #[serde(rename = "type")]
    pub kind: TypeTag<K>,
    /// The identifier, which must be the path's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id<K>>,
    /// The attributes to set.
    #[serde(default = "K::Input::default")]
    pub attributes: K::Input,
    /// The relationships to set.
    #[serde(default)]
    pub relationships: K::InputRelationships,
}

impl<K: Kind> Object<K> {
    /// An object without relationships.
    pub fn new(id: Id<K>, attributes: K::Attributes) -> Self {
        Self {
            kind: TypeTag::new(),
            id,
            attributes,
            relationships: K::Relationships::default(),
        }
    }
}

impl<K: Kind> Input<K> {
    /// The input that creates an object.
    pub fn new(attributes: K::Input, relationships: K::InputRelationships) -> Self {
        Self {
            kind: TypeTag::new(),
            id: None,
            attributes,
            relationships,
        }
    }
}

/// A to-one relationship: `{"data": {"type": …, "id": …}}`, or `{"data": null}` when there is none.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(bound = "")]
pub struct ToOne<K: Kind> {
    /// The object referred to.
    pub data: Option<Ref<K>>,
}

/// A reference to an object.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(bound = "")]
pub struct Ref<K: Kind> {
    /// The `type` member; reading another type is an error.
    #[serde(rename = "type")]
    pub kind: TypeTag<K>,
    /// The identifier.
    pub id: Id<K>,
}

impl<K: Kind> ToOne<K> {
    /// A relationship to the object `id`.
    pub fn to(id: Id<K>) -> Self {
        Self {
            data: Some(Ref {
                kind: TypeTag::new(),
                id,
            }),
        }
    }

    /// A relationship to nothing.
    pub fn none() -> Self {
        Self { data: None }
    }

    /// The identifier of the object referred to.
    pub fn id(&self) -> Option<&Id<K>> {
        self.data.as_ref().map(|reference| &reference.id)
    }
}

impl<K: Kind> Default for ToOne<K> {
    fn default() -> Self {
        Self::none()
    }
}

/// The `type` member of an object of kind `K`: always [`Kind::TYPE`].
pub struct TypeTag<K>(PhantomData<fn() -> K>);

impl<K> TypeTag<K> {
    /// The one tag there is.
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<K> Default for TypeTag<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> Clone for TypeTag<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for TypeTag<K> {}

impl<K: Kind> fmt::Debug for TypeTag<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(K::TYPE)
    }
}

impl<K> PartialEq for TypeTag<K> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<K> Eq for TypeTag<K> {}

impl<K: Kind> Serialize for TypeTag<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(K::TYPE)
    }
}

impl<'de, K: Kind> Deserialize<'de> for TypeTag<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let found = String::deserialize(deserializer)?;
        if found == K::TYPE {
            Ok(Self::new())
        } else {
            Err(D::Error::custom(format_args!(
                "the object's type is {found:?}, not {:?}",
                K::TYPE
            )))
        }
    }
}

/// For kinds without relationships, and kinds that no client writes.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct Nothing {}
