//! A provider that keeps notes as files in a folder.

mod note;
mod notes;
mod shout;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use tfplugin::{Attrs, ConfigureRequest, Provider, Registry, Result};

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
        registry
            .resource::<note::Note>()
            .data_source::<notes::Notes>()
            .function::<shout::Shout>();
    }
}

fn main() -> std::process::ExitCode {
    tfplugin::main::<Tiny>(env!("CARGO_PKG_VERSION"))
}
