//! An object that is there before an apply makes it, which the call that makes it would overwrite without an error. One
//! that is just as planned is adopted: that is how an interrupted apply continues. One that differs is refused.

use tfplugin::{Diagnostic, Path, Result};

use crate::failure::import_block;

/// An object that is there, for the message.
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
    /// Refuses an object that differs in some attributes.
    pub fn adopt_or_refuse(self, differences: &[String]) -> Result<()> {
        if differences.is_empty() {
            Ok(())
        } else {
            Err(self.refusal(differences).into())
        }
    }

    fn refusal(&self, differences: &[String]) -> Diagnostic {
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

/// The attributes that are not the same.
pub fn differing<const N: usize>(compared: [(Path, bool); N]) -> Vec<String> {
    let differing = compared.into_iter().filter(|(_, same)| !same);
    differing.map(|(path, _)| path.to_string()).collect()
}
