//! `cargo xtask bench`.

use anyhow::Result;

/// Options of `cargo xtask bench`.
#[derive(clap::Args)]
pub(crate) struct Options {}

/// Runs the measurements.
pub(crate) fn run(_: &Options) -> Result<()> {
    anyhow::bail!("not built yet")
}
