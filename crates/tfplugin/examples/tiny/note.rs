//! `tiny_note`: a note in a file of its own.

use std::io::ErrorKind;
use std::path::PathBuf;

use tfplugin::{Attrs, Diagnostic, Operation, Resource, Result};

/// A note in a file of its own.
#[derive(Attrs, Clone)]
pub(crate) struct Note {
    /// Name of the file.
    #[tf(required, replace, check = plain_name)]
    name: String,
    /// What the note says.
    #[tf(optional, computed, default = "nothing yet")]
    text: String,
    /// Where the file is.
    #[tf(computed, use_state_for_unknown, check = plain_name)]
    id: Option<String>,
    /// How many bytes it has.
    #[tf(computed)]
    size: Option<i64>,
}

fn plain_name(name: &str) -> Result<(), String> {
    if name.contains('/') {
        Err("must be a plain file name".to_owned())
    } else {
        Ok(())
    }
}

impl Resource for Note {
    const NAME: &'static str = "note";
    type Client = PathBuf;

    async fn create(plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        plan.store(operation.client())
    }

    async fn read(state: Self, operation: &mut Operation<'_, Self>) -> Result<Option<Self>> {
        let name = state.id.unwrap_or_default();
        match std::fs::read_to_string(operation.client().join(&name)) {
            Ok(text) => Ok(Some(Self::of(name, text))),
            // Only what is known to be gone leaves the state.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Diagnostic::failed(format!("read the note `{name}`"))
                .because(error)
                .into()),
        }
    }

    async fn update(_prior: Self, plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        plan.store(operation.client())
    }

    async fn delete(state: Self, operation: &mut Operation<'_, Self>) -> Result<()> {
        match std::fs::remove_file(operation.client().join(&state.name)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Diagnostic::failed(format!("delete the note `{}`", state.name))
                    .because(error)
                    .standing("The note is still there.")
                    .into())
            }
            // A file that is gone already is what was asked for.
            _ => Ok(()),
        }
    }
}

impl Note {
    fn of(name: String, text: String) -> Self {
        Self {
            size: i64::try_from(text.len()).ok(),
            id: Some(name.clone()),
            name,
            text,
        }
    }

    fn store(self, folder: &std::path::Path) -> Result<Self> {
        match std::fs::write(folder.join(&self.name), &self.text) {
            Ok(()) => Ok(Self::of(self.name, self.text)),
            Err(error) => Err(Diagnostic::failed(format!("write the note `{}`", self.name))
                .because(error)
                .standing("The note is as it was.")
                .next("Is the provider's `folder` there, and may this user write to it?")
                .at(Self::name())
                .into()),
        }
    }
}
