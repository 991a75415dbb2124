//! A setting of the provider that may not be known yet. That is no error until a call needs it.

use tfplugin::{Diagnostic, Diagnostics, Path};

/// A setting, or that it is not known.
pub type Setting<T> = Result<T, NotKnownYet>;

/// The setting that is not known: `token`, `aws.region`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotKnownYet(pub Path);

impl From<NotKnownYet> for Diagnostics {
    fn from(unknown: NotKnownYet) -> Self {
        let setting = &unknown.0;
        Diagnostic::error(format!("The provider's `{setting}` is not known yet"))
            .detail(format!(
                "`{setting}` in the provider's configuration depends on something that is known only after apply, and this \
                 operation needs it now. Nothing was changed.\n\nApply what `{setting}` depends on first (`-target`), or give \
                 it a value that is known at plan: a variable, an environment variable, another configuration's output."
            ))
            .into()
    }
}
