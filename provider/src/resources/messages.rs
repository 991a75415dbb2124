//! What users read of more than one resource.

use tfplugin::Diagnostic;

use crate::failure::import_block;

/// An import found nothing. `account`: where it looked, in words.
pub fn nothing_to_import(what: &str, account: &str, region: &str) -> Diagnostic {
    Diagnostic::error(format!("There is no {what}")).detail(format!(
        "This looked in {account}, region {region}. Nothing was imported. The credentials say which account is meant; \
         `@REGION` at the end of the import id, or `region` in an identity, says which region, where it is not the \
         provider's."
    ))
}

/// An object that is there before an apply makes it.
pub struct Existing<'a> {
    /// The object, as in "the rule `r` exists already on the event bus `b`".
    pub what: String,
    /// Its region.
    pub region: &'a str,
    /// What else the new one could have: `another name`.
    pub other: &'a str,
    /// The id that it is imported by, without the region.
    pub import_id: String,
}

impl Existing<'_> {
    /// It is not adopted, since these attributes differ.
    pub fn differs_in(&self, differences: &[String]) -> Diagnostic {
        Diagnostic::error(&self.what).detail(format!(
            "It is in {}, is not in the state, and differs in `{}`; it was left as it is. Choose {}, or import it (the plan \
             then shows what would change) with\n\n{}",
            self.region,
            differences.join("`, `"),
            self.other,
            import_block(format_args!("{}@{}", self.import_id, self.region))
        ))
    }
}
