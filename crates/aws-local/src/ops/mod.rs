//! The operations of AWS's: each family in a file of its own, listed in tables by AWS's names.

use serde_json::Value;

use crate::fault::Fault;
use crate::model::{self, Service};

mod call;
pub(crate) mod events;
mod listing;
pub(crate) mod logs;
mod op;
mod output;
pub(crate) mod sqs;
pub(crate) mod sts;

pub(crate) use call::{Answer, Call};
use listing::{events_page, logs_page, logs_page_down, slim};
pub(crate) use op::{Op, Operation, Run};
pub(crate) use output::Output;

/// An operation that was found and whose input is decoded.
pub(crate) struct Prepared {
    /// Whether it may change state, and so has to be stored.
    pub(crate) writes: bool,
    pub(crate) run: Run,
}

/// Finds the operation that a request names, checks the body against AWS's model and decodes it.
pub(crate) fn check(service: Service, operation: &str, body: &Value) -> Result<Prepared, Fault> {
    let op = find(service, operation)?;
    model::check(service.model(), operation, body).map_err(|problems| Fault::model(service, problems))?;
    prepare(service, op, body)
}

/// The same for a stored request, which was checked when it came.
pub(crate) fn stored(service: Service, operation: &str, body: &Value) -> Result<Prepared, Fault> {
    prepare(service, find(service, operation)?, body)
}

fn prepare(service: Service, op: &dyn Operation, body: &Value) -> Result<Prepared, Fault> {
    let run = op.decode(body)?;
    let run = match service {
        Service::Sqs => sqs::guarded(op.name(), body, run),
        Service::Events | Service::Logs | Service::Sts => run,
    };
    let writes = op.writes();
    Ok(Prepared { writes, run })
}

fn find(service: Service, name: &str) -> Result<&'static dyn Operation, Fault> {
    let tables: &[&[&'static dyn Operation]] = match service {
        Service::Events => events::TABLES,
        Service::Logs => logs::TABLES,
        Service::Sqs => sqs::TABLES,
        Service::Sts => &[sts::OPS],
    };
    let mut all = tables.iter().flat_map(|table| table.iter());
    let op = all.find(|op| op.name() == name);
    op.copied().ok_or_else(|| Fault::unknown(service, name))
}
