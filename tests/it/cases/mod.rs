//! The table of cases.

use std::sync::Arc;

use acceptance::tools::Tool;
use anyhow::Result;
use libtest_mimic::Arguments;

use crate::runner::Case;

mod examples;
mod interrupt;

/// Every row, in the order in which they are listed.
pub(crate) fn table() -> Vec<Case> {
    let mut rows = Vec::new();
    rows.extend(examples::cases());
    rows
}

/// The interruptions: each point once, spread over the tools.
pub(crate) fn interruptions(arguments: &Arguments, tools: &[Tool]) -> Result<Vec<(Tool, Arc<Case>)>> {
    interrupt::cases(arguments, tools)
}
