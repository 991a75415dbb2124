//! Types of attributes that mean the same wherever they are: what is a legal value, and which two values are one.

use std::fmt;
use std::ops::Deref;

use tfplugin::Newtype;

use crate::{check, json};

/// An AWS region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region(String);

impl Newtype for Region {
    type Base = String;

    fn new(base: String) -> Self {
        Self(base)
    }

    fn base(&self) -> &String {
        &self.0
    }

    fn check(text: &String) -> Result<(), String> {
        check::region(text)
    }
}

/// A secret, which only a configuration holds. It has no `Display`, and its `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The secret, for the one call that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Newtype for Secret {
    type Base = String;

    fn new(base: String) -> Self {
        Self(base)
    }

    fn base(&self) -> &String {
        &self.0
    }

    fn check(text: &String) -> Result<(), String> {
        check::secret(text)
    }
}

/// JSON text. Two texts that mean the same JSON are the same value.
#[derive(Clone, Debug)]
pub struct Json(String);

impl Newtype for Json {
    type Base = String;

    fn new(base: String) -> Self {
        Self(base)
    }

    fn base(&self) -> &String {
        &self.0
    }

    fn equal(a: &String, b: &String) -> bool {
        json::same_text(a, b)
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        json::same_text(&self.0, &other.0)
    }
}

/// Both are texts.
macro_rules! texts {
    ($($name:ident),*) => {$(
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

texts!(Region, Json);
