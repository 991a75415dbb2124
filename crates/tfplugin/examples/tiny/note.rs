//! `tiny_note`: a note in a file of its own.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Error, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

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
    // `..`, `a/b` and the empty text are paths, but no file names.
    if Path::new(name).file_name() == Some(OsStr::new(name)) {
        Ok(())
    } else {
        Err("must be a plain file name".to_owned())
    }
}

impl Resource for Note {
    const NAME: &'static str = "note";
    type Client = PathBuf;

    async fn create(plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        // A file that is there already is somebody else's: it is not overwritten.
        let file = File::create_new(operation.client().join(&plan.name));
        let file = file.map_err(|error| plan.not_opened(error))?;
        // From here on the note exists, whatever happens next.
        operation.save(Self {
            id: Some(plan.name.clone()),
            ..plan.clone()
        });
        plan.write(file)
    }

    async fn read(state: Self, operation: &mut Operation<'_, Self>) -> Result<Option<Self>> {
        let name = state.id.unwrap_or_default();
        match fs::read_to_string(operation.client().join(&name)) {
            Ok(text) => Ok(Some(Self::of(name, text))),
            // Only what is known to be gone leaves the state.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Diagnostic::failed(format!("read the note `{name}`"))
                .because(error)
                .into()),
        }
    }

    async fn update(_prior: Self, plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let path = operation.client().join(&plan.name);
        let file = File::options().write(true).truncate(true).open(path);
        let file = file.map_err(|error| plan.not_opened(error))?;
        plan.write(file)
    }

    async fn delete(state: Self, operation: &mut Operation<'_, Self>) -> Result<()> {
        match fs::remove_file(operation.client().join(&state.name)) {
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

    fn not_opened(&self, error: Error) -> Diagnostic {
        Diagnostic::failed(format!("write the note `{}`", self.name))
            .because(error)
            .standing("Nothing was written.")
            .next("Is the provider's `folder` there, and may this user write to it? A note that exists can be imported.")
            .at(Self::name())
    }

    fn write(self, mut file: File) -> Result<Self> {
        match file.write_all(self.text.as_bytes()) {
            Ok(()) => Ok(Self::of(self.name, self.text)),
            Err(error) => Err(Diagnostic::failed(format!("write the note `{}`", self.name))
                .because(error)
                .standing("The note exists; its text is written in part.")
                .next("Is there room on the disk? Then apply again.")
                .at(Self::text())
                .into()),
        }
    }
}
