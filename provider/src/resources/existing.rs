//! An object that is there before an apply makes it, which the call that makes it would overwrite without an error. One
//! that is just as planned is adopted: that is how an interrupted apply continues. One that differs is refused.

use tfplugin::{Path, Result};

use super::messages::Existing;

/// Refuses an object that differs in some attributes.
pub fn adopt_or_refuse(existing: &Existing<'_>, differences: &[String]) -> Result<()> {
    if differences.is_empty() {
        Ok(())
    } else {
        Err(existing.differs_in(differences).into())
    }
}

/// The attributes that are not the same.
pub fn differing(compared: impl IntoIterator<Item = (Path, bool)>) -> Vec<String> {
    let differing = compared.into_iter().filter(|(_, same)| !same);
    differing.map(|(path, _)| path.to_string()).collect()
}
