//! What users read of more than one resource.

use tfplugin::Diagnostic;

use crate::failure::import_block;

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
