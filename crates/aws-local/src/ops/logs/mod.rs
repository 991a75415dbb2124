//! CloudWatch Logs, as far as targets and their readers need it.

use super::{Call, Operation};
use crate::arn::Arn;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::state::log_group::LogGroup;

mod delivery_destinations;
mod filter;
mod groups;
mod keys;
mod policies;
mod put;
mod read;
mod streams;
mod subscriptions;
mod tags;
mod tail;
mod vended;

/// The implemented operations of the service.
pub(crate) const TABLES: &[&[&dyn Operation]] = &[
    groups::OPS,
    keys::OPS,
    streams::OPS,
    put::OPS,
    read::OPS,
    policies::OPS,
    tags::OPS,
    tail::OPS,
    vended::OPS,
    delivery_destinations::OPS,
    subscriptions::OPS,
];

/// The caller's log group of that name.
fn group<'c>(call: &'c mut Call<'_>, name: &str) -> Result<&'c mut LogGroup, Fault> {
    call.realm().log_groups.get_mut(name).ok_or_else(missing)
}

fn missing() -> Fault {
    Fault::not_found("The specified log group does not exist.")
}

/// The group that an identifier means, a name or an ARN: one of another account or region is not found.
fn identified<'i>(here: &Caller, identifier: &'i str) -> Option<&'i str> {
    match Arn::parse(identifier) {
        Some(arn) if (arn.account, arn.region) == (&here.account, &here.region) => arn.log_group(),
        Some(_) => None,
        None => Some(identifier),
    }
}

/// The group that a request names by name or by identifier.
fn named(here: &Caller, name: Option<String>, identifier: Option<&str>) -> Result<String, Fault> {
    match (name, identifier) {
        (Some(_), Some(_)) => Err(Fault::validation(
            "LogGroup name and LogGroup ARN are mutually exclusive parameters.",
        )),
        (Some(name), None) => Ok(name),
        (None, Some(identifier)) => {
            let name = identified(here, identifier).map(str::to_owned);
            name.ok_or_else(missing)
        }
        (None, None) => Err(Fault::parameter(
            "Either LogGroupName or LogGroupIdentifier must be specified.",
        )),
    }
}
