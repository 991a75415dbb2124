//! `cargo xtask demo`.

use anyhow::Result;

/// Options of `cargo xtask demo`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Leaves everything running and says how to use it.
    #[arg(long)]
    keep: bool,
}

/// Runs the demo.
pub(crate) fn run(options: &Options) -> Result<()> {
    anyhow::bail!("not built yet (keep: {})", options.keep)
}
