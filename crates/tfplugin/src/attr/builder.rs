//! Builds schemas: what `derive(Attrs)` calls.

use std::marker::PhantomData;

use super::doc::tidy;
use super::types::{AttrType, Nullable};
use crate::schema::{Attribute, Object, Shape};

/// Collects the attributes of a struct. Its calls are what derive(Attrs) emits.
#[derive(Debug, Default)]
pub struct ObjectBuilder {
    object: Object,
}

impl ObjectBuilder {
    /// What the struct is.
    pub fn doc(&mut self, text: &str) -> &mut Self {
        self.object.doc = tidy(text);
        self
    }

    /// That the whole struct is deprecated.
    pub fn deprecated(&mut self, note: &str) -> &mut Self {
        self.object.deprecated = Some(note.to_owned());
        self
    }

    /// Adds an attribute of a Rust type.
    pub fn attribute<F: AttrType>(&mut self, name: &str) -> AttributeBuilder<'_, F> {
        self.object.attributes.push(Attribute {
            name: name.to_owned(),
            doc: String::new(),
            shape: F::shape(),
            parameter: F::PARAMETER,
            required: false,
            optional: false,
            computed: false,
            replace: false,
            use_state_for_unknown: false,
            sensitive: false,
            write_only: false,
            deprecated: None,
            default: None,
            checks: Vec::new(),
            named_check: false,
            equal: None,
        });
        let last = self.object.attributes.len() - 1;
        let attribute = &mut self.object.attributes[last];
        if matches!(attribute.shape, Shape::Plain(_)) {
            // A number that is not whole, say: the wire type cannot tell, the Rust type can.
            attribute.checks.push(Box::new(|value| {
                F::Known::from_val(value).map_err(|error| error.to_string())?;
                F::check(value)
            }));
            attribute.equal = Some(Box::new(F::same));
        }
        AttributeBuilder {
            attribute,
            rust: PhantomData,
        }
    }

    pub(crate) fn finish(self) -> Object {
        self.object
    }
}

/// Says more about one attribute.
pub struct AttributeBuilder<'a, F> {
    attribute: &'a mut Attribute,
    rust: PhantomData<F>,
}

impl<F: AttrType> AttributeBuilder<'_, F> {
    /// What the attribute is.
    pub fn doc(self, text: &str) -> Self {
        self.attribute.doc = tidy(text);
        self
    }

    /// The configuration must set it.
    pub fn required(self) -> Self {
        self.attribute.required = true;
        self
    }

    /// The configuration may set it.
    pub fn optional(self) -> Self
    where
        F: Nullable,
    {
        self.attribute.optional = true;
        self
    }

    /// The provider sets it.
    pub fn computed(self) -> Self {
        self.attribute.computed = true;
        self
    }

    /// A change of it replaces the object.
    pub fn replace(self) -> Self {
        self.attribute.replace = true;
        self
    }

    /// An update leaves it as it is, so that a plan need not show it as unknown.
    pub fn use_state_for_unknown(self) -> Self {
        self.attribute.use_state_for_unknown = true;
        self
    }

    /// Its value is hidden from output.
    pub fn sensitive(self) -> Self {
        self.attribute.sensitive = true;
        self
    }

    /// Its value is never stored.
    pub fn write_only(self) -> Self {
        self.attribute.write_only = true;
        self
    }

    /// It should no longer be used.
    pub fn deprecated(self, note: &str) -> Self {
        self.attribute.deprecated = Some(note.to_owned());
        self
    }

    /// What it is where the configuration does not set it.
    pub fn default(self, value: impl Fn() -> F::Known + Send + Sync + 'static) -> Self {
        self.attribute.optional = true;
        self.attribute.computed = true;
        self.attribute.default = Some(Box::new(move || value().to_val()));
        self
    }

    /// Refuses a value that the configuration or an import sets; run on known values that are not null.
    pub fn check(self, check: impl Fn(&F::Known) -> Result<(), String> + Send + Sync + 'static) -> Self {
        self.attribute.named_check = true;
        self.attribute.checks.push(Box::new(move |value| {
            let known = F::Known::from_val(value).map_err(|error| error.to_string())?;
            check(&known)
        }));
        self
    }

    /// When two values mean the same.
    pub fn equal(self, equal: impl Fn(&F::Known, &F::Known) -> bool + Send + Sync + 'static) -> Self {
        self.attribute.equal = Some(Box::new(move |a, b| {
            match (F::Known::from_val(a), F::Known::from_val(b)) {
                (Ok(a), Ok(b)) => equal(&a, &b),
                _ => false,
            }
        }));
        self
    }
}
