//! The operations of AWS's: each family in a file of its own, listed in tables by AWS's names.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! call listing live_tail log_events put_results   what an operation works with; pages of listings; what some operations give
//! output                     what an operation gives
//! op                         one operation: its name, decoder and function
//! events/ eventsv2/ iam/ logs/ sns/ sqs/ sts     the services
//! ```

use std::collections::HashMap;
use std::sync::OnceLock;

use serde_json::Value;

use crate::fault::Fault;
use crate::model::{Input, Problems, Service};

mod call;
pub(crate) mod events;
pub(crate) mod eventsv2;
pub(crate) mod iam;
mod listing;
mod live_tail;
mod log_events;
pub(crate) mod logs;
mod op;
mod output;
mod put_results;
pub(crate) mod sns;
pub(crate) mod sqs;
pub(crate) mod sts;

pub(crate) use call::{Answer, Call};
use listing::{EVENTS_PAGES, EVENTSV2_PAGES, IAM_PAGES, LOGS_PAGES, without_nulls};
pub(crate) use live_tail::Tail;
pub(crate) use op::{LongOp, Op, Operation, Run};
pub(crate) use output::Output;
pub(crate) use put_results::{PutResult, PutResults};

/// An operation that was found and whose input is decoded.
pub(crate) struct Prepared<'b> {
    /// Whether it may change state, and so has to be stored.
    pub(crate) writes: bool,
    pub(crate) run: Run<'b>,
}

/// All that a request needs of the operation it names, found by one look-up.
struct KnownOperation {
    /// Its name, decoder and function.
    op: &'static dyn Operation,
    /// What AWS's model checks the body against.
    input: Option<Input>,
}

/// Finds the operation that a request names, checks the body against AWS's model and decodes it.
pub(crate) fn check<'b>(service: Service, operation: &str, body: &'b Value) -> Result<Prepared<'b>, Fault> {
    let known = find(service, operation)?;
    if let Some(input) = known.input {
        input
            .check(body)
            .map_err(|problems| refused(service, operation, problems))?;
    }
    prepare(service, known.op, body, false)
}

/// The operations of vended logs have another code for it than the rest of their service.
fn refused(service: Service, operation: &str, problems: Problems) -> Fault {
    let fault = Fault::model(service, problems);
    let is_vended = operation.contains("Deliver") && service == Service::Logs;
    if is_vended && fault.code == "InvalidParameterException" {
        return Fault::validation(fault.message);
    }
    fault
}

/// The same for a stored request, which was checked when it came.
pub(crate) fn stored<'b>(service: Service, operation: &str, body: &'b Value) -> Result<Prepared<'b>, Fault> {
    prepare(service, find(service, operation)?.op, body, true)
}

fn prepare<'b>(
    service: Service,
    op: &dyn Operation,
    body: &'b Value,
    stored: bool,
) -> Result<Prepared<'b>, Fault> {
    let run = op.decode(body, stored)?;
    let run = match service {
        Service::Sqs => sqs::guarded(op.name(), body, run),
        Service::Events | Service::EventsV2 | Service::Logs | Service::Sts | Service::Sns | Service::Iam => {
            run
        }
    };
    let writes = op.writes();
    Ok(Prepared { writes, run })
}

fn find(service: Service, name: &str) -> Result<&'static KnownOperation, Fault> {
    static KNOWN: OnceLock<[HashMap<&str, KnownOperation>; 7]> = OnceLock::new();
    let known = &KNOWN.get_or_init(|| Service::ALL.map(known_of))[service as usize];
    known.get(name).ok_or_else(|| Fault::unknown(service, name))
}

/// The operations of a service that are built.
fn known_of(service: Service) -> HashMap<&'static str, KnownOperation> {
    let all = tables(service).iter().flat_map(|table| table.iter());
    let known = |op: &&'static dyn Operation| {
        let input = service.input(op.name());
        (op.name(), KnownOperation { op: *op, input })
    };
    all.map(known).collect()
}

/// All operations, as IAM names them: `events:PutRule`.
pub(crate) fn names() -> &'static [String] {
    static NAMES: OnceLock<Vec<String>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let of = |service: Service| {
            let all = tables(service).iter().flat_map(|table| table.iter());
            all.map(move |op| format!("{}:{}", service.prefix(), op.name()))
        };
        Service::ALL.into_iter().flat_map(of).collect()
    })
}

/// The tables of a service.
pub(crate) fn tables(service: Service) -> &'static [&'static [&'static dyn Operation]] {
    match service {
        Service::Events => events::TABLES,
        Service::Logs => logs::TABLES,
        Service::Sqs => sqs::TABLES,
        Service::Sts => &[sts::OPS],
        Service::Sns => sns::TABLES,
        Service::Iam => iam::TABLES,
        Service::EventsV2 => eventsv2::TABLES,
    }
}
