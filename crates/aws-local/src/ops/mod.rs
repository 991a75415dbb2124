//! The operations: each family in a file of its own, listed in tables by AWS's names.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::clock::{Dice, Millis};
use crate::fault::Fault;
use crate::model::Service;
use crate::page::{self, Page};
use crate::state::{Realm, RealmId, World};

pub(crate) mod events;
pub(crate) mod logs;
pub(crate) mod sqs;
pub(crate) mod sts;

/// What every operation gives: the answer's JSON, or a refusal that changed nothing.
pub(crate) type Answer = Result<Value, Fault>;

/// Who calls, and where.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Caller {
    pub(crate) account: String,
    pub(crate) region: String,
    /// The access key, when the request was signed.
    pub(crate) key: Option<String>,
}

/// Limits that the operator may set.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) put_bytes_max: usize,
    /// URLs that stand for targets which are not emulated, by ARN.
    pub(crate) targets: BTreeMap<String, String>,
}

/// What an operation works with.
pub(crate) struct Cx<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) caller: &'a Caller,
    pub(crate) now: Millis,
    pub(crate) dice: Dice,
    pub(crate) limits: &'a Limits,
    /// The address that the caller reached us at.
    pub(crate) base_url: &'a str,
    /// Deliveries that are to leave the process now.
    pub(crate) effects: Vec<u64>,
    /// A write that turned out to change nothing, and need not be kept.
    pub(crate) unchanged: bool,
}

impl Cx<'_> {
    /// The caller's account and region.
    pub(crate) fn here(&self) -> RealmId {
        RealmId::new(&self.caller.account, &self.caller.region)
    }

    /// What the caller has there.
    pub(crate) fn realm(&mut self) -> &mut Realm {
        let here = self.here();
        self.world.realm(&here)
    }
}

/// One operation.
pub(crate) struct Op {
    pub(crate) name: &'static str,
    /// Whether it may change state, and so has to be kept over a crash.
    pub(crate) writes: bool,
    pub(crate) run: fn(&mut Cx<'_>, Value) -> Answer,
}

impl Op {
    pub(crate) const fn read(name: &'static str, run: fn(&mut Cx<'_>, Value) -> Answer) -> Self {
        Self {
            name,
            writes: false,
            run,
        }
    }

    pub(crate) const fn write(name: &'static str, run: fn(&mut Cx<'_>, Value) -> Answer) -> Self {
        Self {
            name,
            writes: true,
            run,
        }
    }
}

/// The operation of that name, if it is built.
pub(crate) fn find(service: Service, name: &str) -> Option<&'static Op> {
    let tables: &[&'static [Op]] = match service {
        Service::Events => events::TABLES,
        Service::Logs => logs::TABLES,
        Service::Sqs => sqs::TABLES,
        Service::Sts => &[sts::OPS],
    };
    tables
        .iter()
        .flat_map(|table| table.iter())
        .find(|op| op.name == name)
}

/// A page of a listing of the events service.
pub(crate) fn events_page<'k, T>(
    of: &str,
    items: impl Iterator<Item = (&'k str, T)>,
    token: Option<&str>,
    limit: Option<usize>,
) -> Result<Page<T>, Fault> {
    page::page(of, items, token, limit.unwrap_or(100)).map_err(|_| {
        Fault::validation("Parameter NextToken is not valid. Reason: The token was not given out here.")
    })
}

/// A page of a listing of the logs service.
pub(crate) fn logs_page<'k, T>(
    of: &str,
    items: impl Iterator<Item = (&'k str, T)>,
    token: Option<&str>,
    limit: Option<usize>,
) -> Result<Page<T>, Fault> {
    page::page(of, items, token, limit.unwrap_or(50)).map_err(bad_logs_token)
}

/// The same from the last key down.
pub(crate) fn logs_page_down<'k, T>(
    of: &str,
    items: impl Iterator<Item = (&'k str, T)>,
    token: Option<&str>,
    limit: Option<usize>,
) -> Result<Page<T>, Fault> {
    page::page_down(of, items, token, limit.unwrap_or(50)).map_err(bad_logs_token)
}

fn bad_logs_token(_: page::BadToken) -> Fault {
    Fault::parameter("The specified nextToken is invalid.")
}

/// An object without the members that are null: AWS leaves absent members out.
pub(crate) fn slim(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .collect(),
        ),
        other => other,
    }
}
