//! What users read of more than one resource.

use scalr_api::ConnectionAttributes;
use tfplugin::Diagnostic;

use crate::failure::import_block;

/// The connection is about to be active, and its events go nowhere. `instead`: how the targets come first.
pub fn nothing_picks_up(wire: &ConnectionAttributes, instead: &str) -> Diagnostic {
    let bus = wire.event_source.as_deref().unwrap_or_default();
    Diagnostic::warning("No rule picks up the events of the connection").detail(format!(
        "The event bus `{bus}` in AWS account {}, region {}, has no enabled rule with a target. When the connection `{}` \
         becomes active, Scalr delivers the events that it holds, and EventBridge drops what no rule picks up, without an \
         error.\n\n{instead}",
        wire.aws_account_id, wire.region, wire.name
    ))
}

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
