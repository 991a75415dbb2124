//! Validates a configuration attribute by attribute.

use crate::cty::Val;
use crate::diag::{Diagnostic, Diagnostics, with_full_stop};
use crate::path::Path;
use crate::schema::{Attribute, Nesting, Object, Shape};

/// Refuses required attributes that are null, and runs the checks of all attributes that are set and known. Terraform
/// itself refuses a required attribute only where it is not written: one that a variable makes null gets here.
pub(crate) fn object(object: &Object, config: &Val, write_only_allowed: bool) -> Diagnostics {
    let mut walk = Checker {
        write_only_allowed,
        diags: Diagnostics::new(),
    };
    walk.object(object, config, &Path::empty());
    walk.diags
}

/// Runs the checks of one attribute, unless the value is null or not wholly known.
pub(crate) fn value(attr: &Attribute, value: &Val) -> Result<(), String> {
    if value.is_null() || !value.is_wholly_known() {
        return Ok(());
    }
    attr.checks.iter().try_for_each(|check| check(value))
}

struct Checker {
    write_only_allowed: bool,
    diags: Diagnostics,
}

impl Checker {
    fn object(&mut self, object: &Object, config: &Val, at: &Path) {
        // A null or unknown element has no attributes to check.
        if config.is_null() || config.is_unknown() {
            return;
        }
        for attr in &object.attributes {
            let (value, path) = (config.get(&attr.name), at.clone().attr(&attr.name));
            if !value.is_null() {
                self.attribute(attr, value, path);
            } else if attr.required {
                self.missing(path);
            }
        }
    }

    fn missing(&mut self, path: Path) {
        self.diags.push(
            Diagnostic::error("A required attribute is not set")
                .detail(format!("`{path}` must be set; here it is null."))
                .at(path),
        );
    }

    fn attribute(&mut self, attr: &Attribute, value: &Val, path: Path) {
        if attr.write_only && !self.write_only_allowed {
            self.diags.push(
                Diagnostic::error("Write-only attributes need a newer Terraform")
                    .detail(format!(
                        "`{path}` is never stored, which takes Terraform 1.11 or OpenTofu 1.11 at least."
                    ))
                    .at(path),
            );
            return;
        }
        if let Some(note) = &attr.deprecated {
            self.diags.push(
                Diagnostic::warning("Deprecated attribute")
                    .detail(note)
                    .at(path.clone()),
            );
        }
        if value.is_unknown() {
            return;
        }
        if let Shape::Nested(nesting, inner) = &attr.shape {
            self.nested(*nesting, inner, value, &path);
        }
        if let Err(reason) = self::value(attr, value) {
            let detail = format!("`{path}` {}", with_full_stop(&reason));
            self.diags
                .push(Diagnostic::error("Invalid value").detail(detail).at(path));
        }
    }

    fn nested(&mut self, nesting: Nesting, object: &Object, value: &Val, at: &Path) {
        match (nesting, value) {
            (Nesting::Single, _) => self.object(object, value, at),
            (Nesting::Map, Val::Map(all)) => {
                for (key, one) in all {
                    self.object(object, one, &at.clone().key(key));
                }
            }
            // An element of a set is named by its value, which Terraform cannot point to: name the set.
            (Nesting::Set, _) => value
                .elements()
                .iter()
                .for_each(|one| self.object(object, one, at)),
            _ => {
                for (n, one) in value.elements().iter().enumerate() {
                    self.object(object, one, &at.clone().index(n));
                }
            }
        }
    }
}
