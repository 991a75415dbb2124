//! Data source `tiny_notes`: which notes there are.

use std::path::PathBuf;

use tfplugin::{Attrs, DataSource, Diagnostic, Operation, Result};

/// The notes in the folder.
#[derive(Attrs)]
pub(crate) struct Notes {
    /// Only those whose name begins so.
    #[tf(optional, default = "")]
    prefix: String,
    /// Their names, sorted.
    #[tf(computed)]
    names: Vec<String>,
}

impl DataSource for Notes {
    const NAME: &'static str = "notes";
    type Client = PathBuf;

    async fn read(config: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let entries = std::fs::read_dir(operation.client())
            .map_err(|error| Diagnostic::failed("list the notes").because(error))?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter(|name| name.starts_with(&config.prefix)).collect();
        names.sort();
        Ok(Self { names, ..config })
    }
}
