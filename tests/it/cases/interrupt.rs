//! Interruptions of the quickstart's apply and destroy.

use std::sync::Arc;

use acceptance::tools::Tool;
use anyhow::Result;
use libtest_mimic::Arguments;

use crate::runner::Case;

pub(crate) fn cases(_arguments: &Arguments, _tools: &[Tool]) -> Result<Vec<(Tool, Arc<Case>)>> {
    Ok(Vec::new())
}
