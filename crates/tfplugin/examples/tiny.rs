//! A whole provider on one page: notes kept as files in a folder.

use std::path::PathBuf;

use tfplugin::{
    Attrs, ConfigureRequest, Diagnostic, Function, FunctionError, Operation, Provider, Registry, Resource,
    Result,
};

/// Keeps notes as files.
#[derive(Attrs)]
struct Tiny {
    /// The folder of the notes.
    #[tf(required)]
    folder: String,
}

impl Provider for Tiny {
    const NAME: &'static str = "tiny";
    type Client = PathBuf;

    async fn configure(self, _request: &ConfigureRequest) -> Result<PathBuf> {
        Ok(PathBuf::from(self.folder))
    }

    fn register(registry: &mut Registry<PathBuf>) {
        registry.resource::<Note>().function::<Shout>();
    }
}

/// A note in a file of its own.
#[derive(Attrs, Clone)]
struct Note {
    /// Name of the file.
    #[tf(required, replace, check = plain_name)]
    name: String,
    /// What the note says.
    #[tf(optional, computed, default = "nothing yet")]
    text: String,
    /// Where the file is.
    #[tf(computed, use_state_for_unknown)]
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

impl Note {
    fn store(mut self, folder: &std::path::Path) -> Result<Self> {
        let file = folder.join(&self.name);
        let fail = |error| {
            Diagnostic::error("Cannot write the note").detail(format!("`{}`: {error}.", file.display()))
        };
        std::fs::write(&file, &self.text).map_err(fail)?;
        self.size = i64::try_from(self.text.len()).ok();
        self.id = Some(self.name.clone());
        Ok(self)
    }
}

impl Resource for Note {
    const NAME: &'static str = "note";
    type Client = PathBuf;

    async fn create(plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        plan.store(operation.client())
    }

    async fn read(mut state: Self, operation: &mut Operation<'_, Self>) -> Result<Option<Self>> {
        let id = state.id.clone().unwrap_or_default();
        let text = match std::fs::read_to_string(operation.client().join(&id)) {
            Ok(text) => text,
            // Only what is known to be gone leaves the state.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                let detail = format!("`{id}`: {error}.");
                return Err(Diagnostic::error("Cannot read the note").detail(detail).into());
            }
        };
        state.size = i64::try_from(text.len()).ok();
        Ok(Some(Self {
            name: id,
            text,
            ..state
        }))
    }

    async fn update(_prior: Self, plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        plan.store(operation.client())
    }

    async fn delete(state: Self, operation: &mut Operation<'_, Self>) -> Result<()> {
        // A file that is gone already is what was asked for.
        let _ = std::fs::remove_file(operation.client().join(state.name));
        Ok(())
    }
}

/// Says it louder.
#[derive(Attrs)]
struct Shout {
    /// What to say.
    #[tf(required)]
    text: String,
}

impl Function for Shout {
    const NAME: &'static str = "shout";
    type Output = String;

    fn call(self) -> Result<String, FunctionError> {
        match self.text.as_str() {
            "" => Err(FunctionError::new("there is nothing to say").at(Self::text())),
            text => Ok(text.to_uppercase()),
        }
    }
}

fn main() -> std::process::ExitCode {
    tfplugin::main::<Tiny>(env!("CARGO_PKG_VERSION"))
}
